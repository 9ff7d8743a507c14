/**
 * The position that every view shows, in pixels of the upload: where the crosshair is, or where a pointer hovers.
 * Dispatches "lens:position" on document, at most once per frame.
 */
let fixed = null, hovered = null, isScheduled = false;

function notify() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    document.dispatchEvent(new CustomEvent("lens:position"));
  });
}

export const crosshair = {
  /** Where the crosshair is, {x, y}; null before the first image. */
  get fixed() { return fixed; },
  /** Where a pointer hovers, {x, y}, or null. */
  get hovered() { return hovered; },
  /** The position to show: {x, y, hovering}, or null before the first image. */
  now: () => (hovered ? { ...hovered, hovering: true } : fixed && { ...fixed, hovering: false }),
  /** keepHover: a response of the server does not end hovering. */
  set(x, y, keepHover = false) {
    fixed = { x, y };
    if (!keepHover) hovered = null;
    notify();
  },
  hover(x, y) {
    hovered = { x, y };
    notify();
  },
  leave() {
    if (!hovered) return;
    hovered = null;
    notify();
  },
};
