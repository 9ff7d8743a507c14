/* How maps are drawn: a small store that lives in the browser only. Every change fires "lens:display" on document with
   detail {key}; panels draw again. No event reaches Python, no request is sent. The controls are js/controls.js.

   opacity    0 to 1, of the map over the photo
   colormap   of magnitudes, diverging: of signed maps; "" is each map's own
   gamma      0.3 to 3, t -> t ** gamma of the color scale
   threshold  0 to 0.95, the share of the scale's maximum below which nothing is drawn
   view       "raw": the shared scale; "normalized": each map on its own; "masked": the photo where a map is high
   seen       the photo at the model's resolution
   head       of attention: "mean", "max", or 1, 2, …; direction: "from" the unit pointed at, or "to" it */
(() => {
  const among = (...values) => (value, otherwise) => (values.includes(value) ? value : otherwise);
  const within = (low, high) => (value, otherwise) => {
    const n = value === "" || value === null ? NaN : Number(value);
    return Number.isFinite(n) ? Math.min(Math.max(n, low), high) : otherwise;
  };
  const CLEAN = {
    opacity: within(0, 1),
    colormap: among("", ...window.lensColormaps.sequential),
    diverging: among("", ...window.lensColormaps.diverging),
    gamma: within(0.3, 3),
    threshold: within(0, 0.95),
    view: among("raw", "normalized", "masked"),
    seen: (value) => [true, 1, "1", "true"].includes(value),
    head: (value, otherwise) => {
      if (value === "mean" || value === "max") return value;
      return /^[1-9]\d?$/.test(value) ? Number(value) : otherwise;
    },
    direction: among("from", "to"),
  };
  const defaults = Object.freeze({
    opacity: 0.85, colormap: "", diverging: "", gamma: 1, threshold: 0, view: "raw", seen: false, head: "mean",
    direction: "from",
  });
  const state = { ...defaults };

  /* A number is clamped, another value that is none of the known ones becomes the default. Returns what it is now. */
  function set(key, value) {
    if (!(key in CLEAN)) return undefined;
    const clean = CLEAN[key](value, defaults[key]);
    if (clean !== state[key]) {
      state[key] = clean;
      document.dispatchEvent(new CustomEvent("lens:display", { detail: { key } }));
    }
    return clean;
  }

  window.lensDisplay = { set, all: () => ({ ...state }), defaults };
  Object.defineProperty(window.lensDisplay, "words", { value: {}, writable: true }); // captions/display.py, by controls.js
  for (const key of Object.keys(defaults)) Object.defineProperty(window.lensDisplay, key, { get: () => state[key], enumerable: true });
})();
