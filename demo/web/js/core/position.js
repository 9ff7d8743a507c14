/**
 * The position that every view shows, in pixels of the upload: where the crosshair is, or where a pointer hovers; and
 * its marks on every map. An element with data-box = "[x0, y0, x1, y1]", the edges of what it covers in pixels of the
 * upload, gets two marks, and a pointer over it hovers over the image.
 *
 * At most once per frame the marks follow, and every visible body of a panel gets "lens:position".
 */
let fixed = null, hovered = null, isScheduled = false;
let hoveredFrame = null, pointer = null; // pointer: [clientX, clientY]
const isImage = (frame) => frame.classList.contains("lens-photo"); // widgets/crosshair.js handles it

function notify() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    placeMarks();
    for (const body of document.querySelectorAll(".lens-body")) {
      if (body.offsetParent) body.dispatchEvent(new CustomEvent("lens:position"));
    }
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

// ---- marks ------------------------------------------------------------------------------------------------------

/** A position as shares of the width and height of a box, clamped to it. */
export function shareOfBox([x0, y0, x1, y1], { x, y }) {
  const clamp = (share) => Math.min(Math.max(share, 0), 1);
  return [clamp((x + 0.5 - x0) / (x1 - x0)), clamp((y + 0.5 - y0) / (y1 - y0))];
}

/** The pixel of the upload under a pointer: [x, y]. */
export function pixelUnder(frame, event) {
  const [x0, y0, x1, y1] = JSON.parse(frame.dataset.box), rectangle = frame.getBoundingClientRect();
  return [
    Math.round(x0 + ((event.clientX - rectangle.left) / rectangle.width) * (x1 - x0) - 0.5),
    Math.round(y0 + ((event.clientY - rectangle.top) / rectangle.height) * (y1 - y0) - 0.5),
  ];
}

/** Moves a frame's mark ("fixed" or "under"), or hides it where there is no position. */
function placeMark(frame, kind, position) {
  let mark = frame.querySelector(`:scope > .lens-mark.${kind}`);
  if (!mark) {
    mark = document.createElement("span");
    mark.className = `lens-mark ${kind}`;
    mark.setAttribute("aria-hidden", "true");
    frame.append(mark);
  }
  mark.hidden = !position;
  if (!position) return;
  const [left, top] = shareOfBox(JSON.parse(frame.dataset.box), position);
  Object.assign(mark.style, { left: `${100 * left}%`, top: `${100 * top}%` });
}

/** Places the marks of all visible maps, or of all maps within a view that was just built. */
export function placeMarks(root = document) {
  if (hoveredFrame && !hoveredFrame.isConnected) { // rebuilt under the pointer
    hoveredFrame = document.elementFromPoint(...pointer)?.closest("[data-box]");
    if (!hoveredFrame) crosshair.leave();
  }
  const { fixed, hovered } = crosshair;
  for (const frame of root.querySelectorAll("[data-box]")) {
    if (root === document && !frame.offsetParent) continue; // in another tab
    frame.classList.toggle("passing", Boolean(hovered));
    if (!isImage(frame)) placeMark(frame, "fixed", fixed);
    placeMark(frame, "under", hovered);
  }
}

/** A click on a map moves the crosshair there. act: of the panel that the map belongs to. */
export function selectOnClick(frame, target, act) {
  target.addEventListener("click", (event) => {
    const [x, y] = pixelUnder(frame, event);
    crosshair.set(x, y);
    act({ x, y });
  });
}

document.addEventListener("pointermove", (event) => {
  const frame = event.target.closest?.("[data-box]");
  if (!frame || isImage(frame)) return;
  hoveredFrame = frame;
  pointer = [event.clientX, event.clientY];
  crosshair.hover(...pixelUnder(frame, event));
});
document.addEventListener("pointerout", (event) => {
  const frame = event.target.closest?.("[data-box]");
  if (!frame || isImage(frame) || frame.contains(event.relatedTarget)) return;
  hoveredFrame = null;
  crosshair.leave();
});
