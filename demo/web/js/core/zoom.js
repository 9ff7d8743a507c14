/**
 * Zoom of one element within a stage, by a CSS transform: wheel, two fingers, drag, and zoomBy for buttons and keys.
 * At 1 the element is where the style sheet puts it; enlarged it always covers what it covered.
 */
const MAX = 16, WHEEL = 0.0015; // factor; of a wheel's pixels
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export function createZoom(stage, content) {
  const pointers = new Map(); // id -> {x, y} of fingers and pressed buttons
  let scale = 1, x = 0, y = 0;

  function apply() {
    const { offsetWidth: width, offsetHeight: height } = content;
    x = clamp(x, (1 - scale) * width, 0);
    y = clamp(y, (1 - scale) * height, 0);
    content.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.dataset.zoom = scale.toFixed(2);
  }

  /** The point of the element under (clientX, clientY) stays there. */
  function zoomAt(clientX, clientY, factor) {
    const box = content.getBoundingClientRect(), next = clamp(scale * factor, 1, MAX);
    const across = clamp((clientX - box.left) / scale, 0, content.offsetWidth), down = clamp((clientY - box.top) / scale, 0, content.offsetHeight);
    x -= across * (next - scale);
    y -= down * (next - scale);
    scale = next;
    apply();
  }

  function zoomBy(factor) {
    const box = stage.getBoundingClientRect();
    zoomAt(box.left + box.width / 2, box.top + box.height / 2, factor);
  }

  function reset() {
    [scale, x, y] = [1, 0, 0];
    pointers.clear();
    apply();
  }

  const middleOf = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(a.x - b.x, a.y - b.y) || 1 });
  function move(event) {
    const before = pointers.get(event.pointerId), now = { x: event.clientX, y: event.clientY };
    if (!before) return;
    if (pointers.size === 2) {
      const from = middleOf([...pointers.values()]);
      pointers.set(event.pointerId, now);
      const to = middleOf([...pointers.values()]);
      x += to.x - from.x;
      y += to.y - from.y;
      zoomAt(to.x, to.y, to.distance / from.distance);
      return;
    }
    pointers.set(event.pointerId, now);
    x += now.x - before.x;
    y += now.y - before.y;
    apply();
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomAt(event.clientX, event.clientY, Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 20 : 1)));
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || pointers.size === 2) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture?.(event.pointerId);
  });
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => pointers.delete(event.pointerId));
  return { zoomBy, reset };
}
