/* A photo to paint on, for js/ablation.js: mouse, touch and keyboard, over the grid of js/paint.js.
   lensBrush(send) -> {node, show(painting, image)}; send({mask}) or send({fill}) when a stroke ends or the fill changes.
   The node outlives the panel's redrawings, so that an answer that arrives in the middle of a stroke does not end it. */
(() => {
  const LONGEST = 96, DRAWN = 352, SIZES = [0.025, 0.05, 0.1], KEPT = 60, REST = 400; // sizes: of the longer side
  const { make } = window.lensParts;

  window.lensBrush = (send) => {
    const paint = window.lensPaint, node = make("section", "lens-brush"), canvas = make("canvas"), tools = make("div", "lens-tools"), layer = make("canvas");
    const title = make("h3"), hint = make("p"), pixels = make("p", "lens-brush-pixels");
    let painting = null, image = null, grid = null, undo = [], size = 1, held = null, cursor = null, later = 0; // held: {pointer, at}
    let sent = null; // the mask on its way to Python, until an answer about it is shown
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.dataset.focus = "canvas";
    node.append(title, hint, canvas, tools, pixels);

    const radius = () => Math.max(0.5, SIZES[size] * Math.max(grid.rows, grid.cols));
    /* The part of the grid that the canvas shows: left, top, width, height in cells. */
    function shown() {
      const [x0, y0, x1, y1] = painting.box, [w, h] = painting.upload, across = grid.cols / w, down = grid.rows / h;
      return [x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down];
    }
    function cellAt(event) {
      const box = canvas.getBoundingClientRect(), [left, top, wide, high] = shown();
      return [left + ((event.clientX - box.left) / box.width) * wide, top + ((event.clientY - box.top) / box.height) * high];
    }

    function draw() {
      if (!grid || !image?.complete || !image.naturalWidth) return;
      const [left, top, wide, high] = shown(), [x0, y0, x1, y1] = painting.box, scale = DRAWN / Math.max(x1 - x0, y1 - y0);
      canvas.width = Math.round((x1 - x0) * scale);
      canvas.height = Math.round((y1 - y0) * scale);
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      layer.width = grid.cols; layer.height = grid.rows;
      const colors = layer.getContext("2d"), pixels = colors.createImageData(grid.cols, grid.rows);
      grid.cells.forEach((on, i) => { if (on) pixels.data.set([124, 116, 104, 225], 4 * i); }); // the mean color
      colors.putImageData(pixels, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(layer, left, top, wide, high, 0, 0, canvas.width, canvas.height);
      canvas.dataset.painted = paint.share(grid);
      if (cursor && document.activeElement === canvas) outline(context, left, top, canvas.width / wide);
    }

    function outline(context, left, top, scale) {
      const side = 2 * radius() * scale, x = (cursor[0] - left) * scale - side / 2, y = (cursor[1] - top) * scale - side / 2;
      for (const [color, line] of [["#000b", 4], ["#fff", 2]]) {
        context.strokeStyle = color;
        context.lineWidth = line;
        context.strokeRect(x, y, side, side);
      }
    }

    function remember() {
      undo.push(grid.cells.slice());
      if (undo.length > KEPT) undo.shift();
    }
    function tell() {
      clearTimeout(later);
      later = 0;
      sent = paint.pack(grid);
      draw();
      enable();
      send({ mask: sent });
    }
    function back() {
      if (!undo.length) return;
      grid.cells = undo.pop();
      tell();
    }
    function clear() {
      remember();
      grid.cells.fill(0);
      tell();
    }
    function enable() {
      tools.querySelector("[data-focus=undo]").disabled = !undo.length;
      tools.querySelector("[data-focus=clear]").disabled = !grid.cells.some(Boolean);
    }

    const mine = (event) => held?.pointer === event.pointerId; // a second finger paints nothing
    canvas.addEventListener("pointerdown", (event) => {
      if (!grid || !event.isPrimary || (event.pointerType === "mouse" && event.button)) return;
      remember();
      held = { pointer: event.pointerId, at: cellAt(event) };
      paint.stamp(grid, ...held.at, radius());
      draw();
    });
    window.addEventListener("pointermove", (event) => {
      if (!mine(event)) return;
      const now = cellAt(event);
      paint.stroke(grid, held.at, now, radius());
      held.at = now;
      draw();
    });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, (event) => { if (mine(event)) { held = null; tell(); } });
    canvas.addEventListener("focus", draw);
    canvas.addEventListener("blur", draw);
    canvas.addEventListener("keydown", (event) => {
      if (!grid || event.altKey || (event.key.startsWith("Arrow") && !window.lensParts.plain(event))) return;
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const [left, top, wide, high] = shown();
      cursor = cursor || [left + wide / 2, top + high / 2];
      if (step) {
        const far = event.shiftKey ? 1 : 2 * radius(); // with Shift, cell by cell
        cursor = [Math.min(Math.max(cursor[0] + step[0] * far, left), left + wide), Math.min(Math.max(cursor[1] + step[1] * far, top), top + high)];
      } else if (event.key === " ") {
        remember();
        paint.stamp(grid, ...cursor, radius(), true);
        clearTimeout(later);
        later = setTimeout(tell, REST); // one request for a run of key presses
        enable();
      } else if (event.key.toLowerCase() === "z") back();
      else return;
      event.preventDefault();
      draw();
    });

    function button(words, name, act) {
      const one = make("button", "", words);
      one.type = "button";
      one.dataset.focus = name;
      one.addEventListener("click", act);
      return one;
    }
    function choice(words, values, chosen, name, act) {
      const group = make("div", "lens-choice");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", words);
      group.append(make("span", "", words));
      values.forEach((text, i) => {
        const one = button(text, `${name}${i}`, () => act(i));
        one.setAttribute("aria-pressed", String(i === chosen));
        group.append(one);
      });
      return group;
    }

    function show(given, photo) {
      const other = !painting || given.key !== painting.key || String(given.upload) !== String(painting.upload);
      if (other) { clearTimeout(later); later = 0; sent = null; undo = []; cursor = null; held = null; } // all of it was about the last
      painting = given;
      image = photo;
      if (sent === given.mask) sent = null; // this is the answer about it
      const busy = held || later || sent !== null; // what is being painted is newer than this answer
      if (!busy) grid = paint.unpack(given.mask) || paint.gridFor(given.upload, LONGEST);
      const { words } = given, chosen = given.fills.findIndex((fill) => fill.value === given.fill);
      title.textContent = words.title;
      hint.textContent = words.hint;
      pixels.textContent = words.pixels;
      canvas.setAttribute("aria-label", `${given.alt} ${words.hint}`);
      const sizes = choice(words.brush, given.brushes, size, "brush", (i) => {
        size = i;
        sizes.querySelectorAll("button").forEach((one, k) => one.setAttribute("aria-pressed", String(k === i)));
        draw();
      });
      const fills = choice(words.fill, given.fills.map((fill) => fill.words), chosen, "fill", (i) => send({ fill: given.fills[i].value }));
      const acts = make("div", "lens-choice");
      acts.append(button(words.undo, "undo", back), button(words.clear, "clear", clear));
      const focused = tools.contains(document.activeElement) && document.activeElement.dataset.focus;
      tools.replaceChildren(sizes, fills, acts);
      enable();
      const next = focused && tools.querySelector(`[data-focus=${focused}]`);
      if (next) (next.disabled ? canvas : next).focus({ preventScroll: true }); // as it was
      draw();
    }

    return { node, show, draw };
  };
})();
