import { settings } from "./settings.js";
import { state, update } from "./store.js";

/**
 * How maps are drawn: those fields of the view state that need no request, with the bounds that demo/state.py declares.
 * Every change dispatches "lens:display" on document; panels redraw. The controls are in widgets/controls.js.
 *
 *   opacity           of the map over the image
 *   colormap          of magnitudes; diverging: of signed maps; "" is each map's own
 *   gamma             t -> t ** gamma of the color scale
 *   threshold         the fraction of the scale's maximum below which nothing is drawn
 *   scale             "raw": the shared scale; "normalized": each map on its own; "masked": the image where a map is high
 *   model_resolution  whether the image is shown at the model's resolution
 *   head              of attention: "mean", "max", or 1, 2, …; direction: "from" the query, or "to" it
 */
const valueOf = (key, { [key]: value }) => (key === "head" && /^[0-9]+$/.test(value) ? Number(value) : value);

function validate(key, value) {
  const { minimum, maximum, pattern, type, enum: values } = settings.bounds[key], fallback = settings.defaults[key];
  if (type === "boolean") return [true, 1, "1", "true"].includes(value);
  if (values) return values.includes(value) ? value : fallback;
  if (pattern) return new RegExp(pattern).test(value) ? String(value) : fallback;
  const number = value === "" || value === null ? NaN : Number(value);
  return Number.isFinite(number) ? Math.min(Math.max(number, minimum), maximum) : fallback;
}

/** A number is clamped, any other invalid value becomes the default. Returns the value now stored. */
function set(key, value) {
  if (!(key in settings.bounds)) return undefined;
  const valid = validate(key, value);
  if (valid !== state[key]) update({ [key]: valid });
  return display[key];
}

const defaults = Object.freeze(Object.fromEntries(settings.display.map((key) => [key, valueOf(key, settings.defaults)])));

/** Each field is readable as a property; `strings` are those of demo/i18n/strings/display.py, set by widgets/controls.js. */
export const display = { set, defaults };
Object.defineProperty(display, "strings", { value: {}, writable: true });
for (const key of settings.display) Object.defineProperty(display, key, { get: () => valueOf(key, state), enumerable: true });
