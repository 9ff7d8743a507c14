/* One photo, map A left of a line and map B right of it: lensWipe(common, images, drawings) -> a section. `common`
   is made by demo/views/compare_pairs.py. Where the line stands, and which two are shown, stays here while the panel is
   drawn again; nothing is sent. */
(() => {
  const { make, plain } = window.lensParts, { drawMap, imageOf, readOut } = window.lensCells;
  const STEP = 2, BIG = 10; // percent, of the arrow keys and of those for pages
  const state = { pair: 0, share: 50 };
  const KEYS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -BIG, PageUp: BIG, Home: -100, End: 100 };

  window.lensMapOf = (common, values) => ({ values, rows: common.rows, cols: common.cols, stride: 1, origin: 0, view: [common.rows, common.cols] });

  function frameOf(common) {
    const frame = make("div", "lens-frame lens-wipe"), canvas = make("canvas"), handle = make("div", "lens-wipe-handle");
    const left = make("span", "lens-wipe-name left"), right = make("span", "lens-wipe-name right"), out = make("span", "lens-readout");
    frame.dataset.box = JSON.stringify(common.box);
    frame.style.aspectRatio = `${common.cols} / ${common.rows}`;
    canvas.setAttribute("role", "img");
    Object.assign(handle, { tabIndex: 0 });
    handle.dataset.keep = "wipe";
    for (const [name, value] of [["role", "slider"], ["aria-valuemin", 0], ["aria-valuemax", 100]]) handle.setAttribute(name, value);
    out.hidden = true;
    frame.append(canvas, left, right, handle, out);
    return { frame, canvas, handle, left, right, out };
  }

  window.lensWipe = (common, images, drawings) => {
    const { wipe, scale } = common, section = make("section", "lens-row"), header = make("header");
    const parts = frameOf(common), { frame, canvas, handle } = parts;
    const cells = common.values.map((values) => ({ map: window.lensMapOf(common, values), canvas: make("canvas") }));
    const under = { map: cells[0].map }; // the map that is seen where the pointer is
    const pair = () => (state.pair < wipe.pairs.length ? state.pair : 0); // another variant may be on its way
    const two = () => wipe.pairs[pair()];

    function compose() {
      const { a, b } = two(), context = canvas.getContext("2d"), { width, height } = cells[b].canvas;
      if (!cells[b].drawn) return;
      canvas.width = width; canvas.height = height;
      context.drawImage(cells[b].canvas, 0, 0);
      const edge = Math.round((width * state.share) / 100);
      if (edge) context.drawImage(cells[a].canvas, 0, 0, edge, height, 0, 0, edge, height);
      frame.classList.add("drawn");
    }

    function tell() {
      const { slider, alt, value, left, right } = two(), share = Math.round(state.share);
      handle.style.left = `${state.share}%`;
      handle.setAttribute("aria-label", slider);
      handle.setAttribute("aria-valuenow", share);
      handle.setAttribute("aria-valuetext", value.replace("{share}", share).replace("{rest}", 100 - share));
      canvas.setAttribute("aria-label", alt);
      parts.left.textContent = left;
      parts.right.textContent = right;
    }

    function to(share) {
      state.share = Math.min(Math.max(share, 0), 100);
      tell();
      compose();
    }

    const shareAt = (event) => {
      const box = frame.getBoundingClientRect();
      return (100 * (event.clientX - box.left)) / box.width;
    };
    frame.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault(); // no text is selected, no image dragged
      frame.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      to(shareAt(event));
    });
    frame.addEventListener("pointermove", (event) => {
      if (frame.hasPointerCapture(event.pointerId)) to(shareAt(event));
      under.map = cells[shareAt(event) < state.share ? two().a : two().b].map;
    }, true);
    handle.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS) || !plain(event)) return;
      event.preventDefault();
      to(state.share + KEYS[event.key] * (event.shiftKey ? BIG / STEP : 1));
    });
    readOut(canvas, under, scale, parts.out);

    header.append(make("h3", "", wipe.title), make("p", "", wipe.sub));
    section.append(header);
    if (wipe.pairs.length > 1) {
      const choices = wipe.pairs.map((pair, i) => [String(i), pair.label]);
      section.append(window.lensChoices(wipe.which, choices, () => String(pair()), (key) => { state.pair = Number(key); to(state.share); }));
    }
    section.append(frame);
    drawings.push(() => {
      for (const cell of cells) cell.drawn = drawMap(cell.canvas, cell, scale, imageOf(images[common.image]));
      to(state.share);
    });
    return section;
  };
})();
