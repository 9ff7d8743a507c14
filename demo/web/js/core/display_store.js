import { COLORMAPS } from "./colormaps.js";

/**
 * How maps are drawn: a store that lives in the browser only. Every change dispatches "lens:display" on document with
 * detail {key}; panels redraw. No event reaches Python. The controls are in widgets/controls.js.
 *
 *   opacity    0 to 1, of the map over the image
 *   colormap   of magnitudes; diverging: of signed maps; "" is each map's own
 *   gamma      0.3 to 3, t -> t ** gamma of the color scale
 *   threshold  0 to 0.95, the share of the scale's maximum below which nothing is drawn
 *   view       "raw": the shared scale; "normalized": each map on its own; "masked": the image where a map is high
 *   seen       whether the image is shown at the model's resolution
 *   head       of attention: "mean", "max", or 1, 2, …; direction: "from" the query, or "to" it
 */
const oneOf = (...values) => (value, fallback) => (values.includes(value) ? value : fallback);
const between = (low, high) => (value, fallback) => {
  const number = value === "" || value === null ? NaN : Number(value);
  return Number.isFinite(number) ? Math.min(Math.max(number, low), high) : fallback;
};
const VALIDATORS = {
  opacity: between(0, 1),
  colormap: oneOf("", ...COLORMAPS.sequential),
  diverging: oneOf("", ...COLORMAPS.diverging),
  gamma: between(0.3, 3),
  threshold: between(0, 0.95),
  view: oneOf("raw", "normalized", "masked"),
  seen: (value) => [true, 1, "1", "true"].includes(value),
  head: (value, fallback) => {
    if (value === "mean" || value === "max") return value;
    return /^[1-9]\d?$/.test(value) ? Number(value) : fallback;
  },
  direction: oneOf("from", "to"),
};
const defaults = Object.freeze({
  opacity: 0.85, colormap: "", diverging: "", gamma: 1, threshold: 0, view: "raw", seen: false, head: "mean",
  direction: "from",
});
const state = { ...defaults };

/** A number is clamped, any other invalid value becomes the default. Returns the value now stored. */
function set(key, value) {
  if (!(key in VALIDATORS)) return undefined;
  const valid = VALIDATORS[key](value, defaults[key]);
  if (valid !== state[key]) {
    state[key] = valid;
    document.dispatchEvent(new CustomEvent("lens:display", { detail: { key } }));
  }
  return valid;
}

/** The store: each field is readable as a property; `strings` are demo/i18n/strings/display.py's, set by widgets/controls.js. */
export const display = { set, all: () => ({ ...state }), defaults };
Object.defineProperty(display, "strings", { value: {}, writable: true });
for (const key of Object.keys(defaults)) Object.defineProperty(display, key, { get: () => state[key], enumerable: true });
