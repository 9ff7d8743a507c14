/* Where everybody looks, on every map at once. What carries data-box = "[x0, y0, x1, y1]", the edges of what it covers in
   pixels of the upload, gets two marks: the crosshair, and where a pointer is right now. A pointer over such a map is a
   pointer over the image (lensPoint), so whatever follows the position follows every map. Listens to "lens:position". */
(() => {
  let over = null, place = null; // the map under the pointer, and where that is
  const own = (frame) => frame.classList.contains("lens-photo"); // the big image has a crosshair and listeners of its own

  /* A point of the upload as shares of what a box covers, held inside it. */
  function shareOf([x0, y0, x1, y1], { x, y }) {
    const inside = (v) => Math.min(Math.max(v, 0), 1);
    return [inside((x + 0.5 - x0) / (x1 - x0)), inside((y + 0.5 - y0) / (y1 - y0))];
  }

  /* The point of the upload under a pointer, whole pixels. */
  function pointAt(frame, event) {
    const [x0, y0, x1, y1] = JSON.parse(frame.dataset.box), seen = frame.getBoundingClientRect();
    return [
      Math.round(x0 + ((event.clientX - seen.left) / seen.width) * (x1 - x0) - 0.5),
      Math.round(y0 + ((event.clientY - seen.top) / seen.height) * (y1 - y0) - 0.5),
    ];
  }

  function markOf(frame, kind) {
    let mark = frame.querySelector(`:scope > .lens-mark.${kind}`);
    if (!mark) {
      mark = document.createElement("span");
      mark.className = `lens-mark ${kind}`;
      mark.setAttribute("aria-hidden", "true");
      frame.append(mark);
    }
    return mark;
  }

  function put(frame, kind, position) {
    const mark = markOf(frame, kind);
    mark.hidden = !position;
    if (!position) return;
    const [left, top] = shareOf(JSON.parse(frame.dataset.box), position);
    mark.style.left = `${100 * left}%`;
    mark.style.top = `${100 * top}%`;
  }

  /* Marks of all maps in sight; a view that was just drawn calls it for itself. */
  function rings(within = document) {
    if (over && !over.isConnected) { // drawn again: unless another map has taken its place, the pointer is nowhere
      over = document.elementFromPoint(...place)?.closest("[data-box]");
      if (!over) window.lensPoint.leave();
    }
    const { fixed, under } = window.lensPoint;
    for (const frame of within.querySelectorAll("[data-box]")) {
      if (within === document && !frame.offsetParent) continue; // another view's
      frame.classList.toggle("passing", Boolean(under));
      if (!own(frame)) put(frame, "fixed", fixed);
      put(frame, "under", under);
    }
  }

  document.addEventListener("lens:position", () => rings());
  document.addEventListener("pointermove", (event) => {
    const frame = event.target.closest?.("[data-box]");
    if (!frame || own(frame)) return;
    over = frame;
    place = [event.clientX, event.clientY];
    window.lensPoint.hover(...pointAt(frame, event));
  });
  document.addEventListener("pointerout", (event) => {
    const frame = event.target.closest?.("[data-box]");
    if (!frame || own(frame) || frame.contains(event.relatedTarget)) return;
    over = null;
    window.lensPoint.leave();
  });

  window.lensRings = { draw: rings, pointAt, shareOf };
})();
