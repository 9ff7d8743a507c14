import { crosshair } from "./crosshair_store.js";

/**
 * The crosshair and the hovered position on every map. An element with data-box = "[x0, y0, x1, y1]", the edges of what
 * it covers in pixels of the upload, gets two marks, and a pointer over it hovers over the image (crosshair_store.js).
 */
let hoveredFrame = null, pointer = null; // pointer: [clientX, clientY]
const isImage = (frame) => frame.classList.contains("lens-photo"); // widgets/crosshair.js handles it

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

document.addEventListener("lens:position", () => placeMarks());
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
