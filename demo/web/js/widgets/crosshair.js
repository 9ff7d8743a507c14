import { crosshair } from "../core/position.js";
import { createButton, createNode, createSvgNode, isUnmodified } from "../core/dom.js";

/**
 * The image with the crosshair. value: {src, key, size: [width, height], position: [x, y], crops: [{name, box}], alt, role,
 * note, back}. Pointer and arrow keys move the crosshair, and so does a tap; a finger that moves at once scrolls the page,
 * and one that rests first drags the crosshair. On release act({x, y, image}) sends the position, in pixels of the upload,
 * with the key of the image it belongs to.
 */
const LONG_PRESS = 350; // milliseconds for which a finger rests before it drags
const KEY_PAUSE = 250; // milliseconds after the last key press of a run until one request is sent
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const percent = (part, total) => `${(100 * part) / total}%`;
let visibility = null;

/** On a narrow screen: a round thumbnail that leads back to the image while that is out of sight (css/side.css). */
function createBackButton(photo, src, name) {
  const button = createButton({ className: "lens-back", hidden: true, title: name, ariaLabel: name }, "", () => {
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    photo.focus({ preventScroll: true });
    photo.scrollIntoView({ behavior: isReduced ? "auto" : "smooth", block: "center" });
  });
  button.append(createNode("img", { src, alt: "" }));
  visibility?.disconnect();
  visibility = new IntersectionObserver(([entry]) => { button.hidden = entry.isIntersecting; });
  visibility.observe(photo);
  return button;
}

function createCropRectangle({ name, box: [x0, y0, x1, y1] }) {
  const rectangle = createSvgNode("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, "vector-effect": "non-scaling-stroke" });
  rectangle.append(createSvgNode("title", {}, name));
  return rectangle;
}

export function mountCrosshair(element, props, act, watch) {
  const root = element.querySelector(".lens-crosshair");
  let position = null, pointerId = null, keyTimer = 0, shownSource = "", photo = null; // pointerId: of the pointer that drags
  let pressTimer = 0, isTap = false; // of a finger that may yet scroll the page

  function draw() {
    const { value } = props;
    if (!value?.size || (!photo && !value.src)) return;
    if (value.src && value.src !== shownSource) build(value); // a new position on the same image keeps the focus and a drag
    shownSource = value.src || shownSource;
    Object.assign(photo, { ariaLabel: value.alt, ariaRoleDescription: value.role });
    photo.querySelector("svg").replaceChildren(...value.crops.map(createCropRectangle));
    root.querySelector(".lens-note").textContent = value.note;
    if (pointerId !== null || keyTimer) return; // a newer position is about to be sent
    position = value.position;
    crosshair.set(...position, true);
    placeRing();
  }

  function build({ src, size: [width, height], back }) {
    const svg = createSvgNode("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const ring = createNode("span", { className: "lens-ring", ariaHidden: "true" });
    const data = { box: JSON.stringify([0, 0, width, height]) }, properties = { className: "lens-photo", tabIndex: 0, role: "application", data };
    photo = createNode("div", properties, createNode("img", { src, alt: "", draggable: false }), svg, ring);
    photo.style.aspectRatio = `${width} / ${height}`;
    photo.style.setProperty("--ratio", width / height);
    pointerId = null;
    clearTimeout(keyTimer); // a key press on the previous image
    keyTimer = 0;
    root.replaceChildren(photo, createBackButton(photo, src, back), createNode("p", "lens-note"));
    listen(width, height);
  }

  function placeRing() {
    const [width, height] = props.value.size;
    Object.assign(root.querySelector(".lens-ring").style, { left: percent(position[0] + 0.5, width), top: percent(position[1] + 0.5, height) });
  }

  function send() {
    crosshair.set(...position);
    act({ x: position[0], y: position[1], image: props.value.key });
  }

  function listen(width, height) {
    const pixelAt = (event) => {
      const box = photo.getBoundingClientRect();
      return [
        Math.round(clamp(((event.clientX - box.left) / box.width) * width - 0.5, 0, width - 1)),
        Math.round(clamp(((event.clientY - box.top) / box.height) * height - 0.5, 0, height - 1)),
      ];
    };
    const isDragging = (event) => pointerId === event.pointerId;
    const drag = (event) => {
      pointerId = event.pointerId;
      photo.setPointerCapture(pointerId);
      position = pixelAt(event);
      placeRing();
    };
    photo.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return; // a second finger, another button
      if (event.pointerType !== "touch") return drag(event);
      isTap = true;
      pressTimer = setTimeout(() => { isTap = false; drag(event); }, LONG_PRESS);
    });
    photo.addEventListener("touchmove", (event) => { if (pointerId !== null && event.cancelable) event.preventDefault(); }, { passive: false });
    photo.addEventListener("contextmenu", (event) => { if (pointerId !== null) event.preventDefault(); }); // of a long press
    photo.addEventListener("pointermove", (event) => {
      if (pointerId !== null && !isDragging(event)) return; // a second finger
      const pixel = pixelAt(event);
      crosshair.hover(...pixel);
      if (pointerId !== null) { position = pixel; placeRing(); }
    });
    photo.addEventListener("pointerleave", () => { if (pointerId === null) crosshair.leave(); });
    photo.addEventListener("pointerup", (event) => {
      clearTimeout(pressTimer);
      if (isTap) { position = pixelAt(event); placeRing(); }
      if (isTap || isDragging(event)) { pointerId = null; isTap = false; send(); }
    });
    for (const end of ["pointercancel", "lostpointercapture"]) {
      photo.addEventListener(end, (event) => {
        clearTimeout(pressTimer);
        isTap = false;
        if (isDragging(event)) pointerId = null;
      });
    }
    photo.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step || !isUnmodified(event)) return;
      event.preventDefault();
      const distance = Math.max(1, Math.round(Math.max(width, height) / (event.shiftKey ? 8 : 40)));
      position = [clamp(position[0] + step[0] * distance, 0, width - 1), clamp(position[1] + step[1] * distance, 0, height - 1)];
      placeRing();
      crosshair.set(...position);
      clearTimeout(keyTimer);
      keyTimer = setTimeout(() => { keyTimer = 0; send(); }, KEY_PAUSE);
    });
  }

  watch(draw);
  draw();
}
