/* The attention view: what OSRA mixes into wherever somebody looks, drawn from whole tables without asking anybody.
   Payload: demo/views/attention.py. rows: large maps, heads, stages; a cell names its tables. Follows "lens:position" and
   lensDisplay.head and .direction; after each drawing "lens:drawn" on document. */
(() => {
  const LARGE = 352, SMALL = 144, KEPT = 32; // canvas pixels a side; tables kept
  const { make, number, barOf, headOf, keepFocus } = window.lensParts, tables = new Map();
  let scene = null, images = {};
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

  /* Keep what came, the latest last. False where a table is neither here nor in the payload. */
  function take(sent) {
    for (const [key, table] of Object.entries(sent)) {
      const kept = table ? window.lensTables.decode(table) : tables.get(key);
      tables.delete(key);
      if (kept) tables.set(key, kept);
    }
    while (tables.size > KEPT) tables.delete(tables.keys().next().value);
    return Object.keys(sent).every((key) => tables.has(key));
  }

  /* Photos that are the same as before are drawn at once. */
  function again(entries) {
    for (const [name, entry] of Object.entries(entries)) {
      const before = images[name];
      if (before?.src === entry.src && before?.seen === entry.seen) Object.assign(entry, { srcImage: before.srcImage, seenImage: before.seenImage });
    }
    images = entries;
  }

  /* A map over the photo that follows the point and can be clicked. */
  function frameOf(table, image, size, className, trigger) {
    const frame = make("div", className), canvas = make("canvas"), out = make("span", "lens-readout");
    window.lensPainter.fit(canvas, table.view, size);
    frame.dataset.box = JSON.stringify(table.box);
    frame.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
    canvas.setAttribute("role", "img");
    out.hidden = true;
    out.style.transform = "none"; // held inside the frame
    frame.append(canvas, out);
    const item = { table, image, frame, canvas, out, pointer: null };
    frame.addEventListener("pointermove", (event) => { item.pointer = event; });
    frame.addEventListener("pointerleave", () => { item.pointer = null; out.hidden = true; });
    frame.addEventListener("click", (event) => {
      const [x, y] = window.lensRings.pointAt(frame, event);
      window.lensPoint.set(x, y);
      trigger("select", { x, y });
    });
    return item;
  }

  function largeOf(cell, made, trigger) {
    const figure = make("figure", "lens-cell map"), caption = make("figcaption");
    const item = frameOf(tables.get(cell.table), cell.variant, LARGE, "lens-frame", trigger);
    figure.append(item.frame, caption);
    made.large.push(Object.assign(item, { cell, caption }));
    return figure;
  }

  function headsOf(cell, made, words) {
    const table = tables.get(cell.table), box = make("div", "lens-tiles lens-heads-of");
    const tiles = Array.from({ length: table.heads }, (_, i) => {
      const button = make("button", "lens-tile"), canvas = make("canvas"), label = make("span");
      button.type = "button";
      button.dataset.keep = `${cell.table} head ${i}`;
      button.setAttribute("aria-label", fill(words.headName, { head: i + 1 }));
      canvas.setAttribute("aria-hidden", "true");
      button.append(canvas, label);
      button.addEventListener("click", () => {
        window.lensDisplay.set("head", window.lensDisplay.head === i + 1 ? "mean" : i + 1);
      });
      return { button, canvas, label };
    });
    box.append(...tiles.map((tile) => tile.button));
    made.heads.push({ table, box, tiles });
    return box;
  }

  function stagesOf(cell, made, words, trigger) {
    const strip = make("div", "lens-strip");
    for (const key of cell.tables) {
      const figure = make("figure"), caption = make("figcaption"), table = tables.get(key);
      const item = frameOf(table, cell.variant, SMALL, "lens-small", trigger);
      figure.append(item.frame, caption);
      strip.append(figure);
      made.stages.push(Object.assign(item, { caption }));
    }
    return strip;
  }

  function rowOf(row, payload, made, trigger) {
    const section = make("section", "lens-row"), header = make("header"), cells = make("div", "lens-cells");
    const title = make("h3", "", row.title), hint = make("p", "", row.sub);
    const scale = { range: [0, 0], signed: false, root: false, units: payload.words.units, colormap: payload.words.colormap, shared: payload.words.shared };
    const { bar, draw } = barOf(scale);
    header.append(title, hint, bar);
    made.rows.push({ title, hint, bar, draw, scale });
    for (const cell of row.cells) {
      if (cell.kind === "attention") cells.append(largeOf(cell, made, trigger));
      else if (cell.kind === "heads") cells.append(headsOf(cell, made, payload.words));
      else if (cell.kind === "stages") cells.append(stagesOf(cell, made, payload.words, trigger));
      else cells.append(window.lensCells.cellOf(cell, null, payload.images, trigger, []));
    }
    section.append(header, cells);
    return section;
  }

  window.lensLayouts.attention = (body, payload, trigger) => {
    again(payload.images);
    const made = { payload, body, large: [], heads: [], stages: [], rows: [], controls: null };
    if (!take(payload.tables)) { // lost or never arrived: the next answer brings them
      trigger("select", { change: { held: [] } });
      return () => {};
    }
    const heads = make("div", "lens-heads"), rows = payload.rows.map((row) => rowOf(row, payload, made, trigger));
    heads.append(...payload.heads.map((head) => headOf(head, [])));
    body.style.setProperty("--columns", Math.max(1, payload.heads.length));
    body.classList.toggle("alone", made.large.length === 1 && payload.heads.length === 1);
    const most = Math.max(0, ...made.heads.map((one) => one.table.heads));
    if (most) {
      made.controls = window.lensAttentionControls(payload.words, most);
      body.append(made.controls.node);
    }
    body.append(heads, ...(most ? rows : rows.slice(0, 1)));
    if (!most) made.rows[0].bar.remove(); // of nothing
    scene = made;
    keepFocus(body);
    return () => { if (scene === made && most) draw(); };
  };

  // ---- drawing: what the point shows now --------------------------------------------------------------------

  function draw() {
    const { payload, large, heads, stages, rows } = scene, [x, y] = payload.position;
    const position = window.lensPoint.now() || { x, y, hovering: false }, { head, direction } = window.lensDisplay;
    const { every, mapAt, unitAt, peak } = window.lensTables;
    for (const one of heads) {
      const own = direction === "from" ? one.table.queries : one.table.keys;
      one.index = unitAt(one.table, own, position).index;
      one.maps = every(one.table, direction, one.index);
    }
    large.forEach((one, i) => { one.map = mapAt(one.table, direction, head, position, heads[i].maps); });
    const together = typeof head === "number" ? "mean" : head; // heads of different stages have nothing in common
    for (const one of stages) one.map = mapAt(one.table, direction, together, position);
    const highs = [large.map((one) => peak(one.map.values)), heads.flatMap((one) => one.maps.map(peak)), stages.map((one) => peak(one.map.values))]
      .map((peaks) => Math.max(0, ...peaks));
    rows.forEach((row, i) => { row.scale.range = [0, highs[i]]; });
    words(direction, together);
    for (const one of large) drawLarge(one, direction, highs[0], position.hovering);
    for (const one of heads) drawHeads(one, direction, rows[1].scale);
    for (const one of stages) drawStage(one, direction, highs[2], position.hovering);
    scene.controls?.draw();
    if (!position.hovering) window.lensSay(large.map((one) => one.canvas.getAttribute("aria-label")).join(" "));
    document.dispatchEvent(new CustomEvent("lens:drawn"));
  }

  /* Titles, hints and the ends of the bars. */
  function words(direction, together) {
    const told = scene.payload.words, [large, heads, stages] = scene.rows;
    large.title.textContent = told.ways[direction];
    large.hint.textContent = told.hints[direction];
    heads.hint.textContent = told.headsHints[direction];
    stages.hint.textContent = fill(told.stagesHint, { which: told.stagesWhich[together] });
    scene.rows.forEach((row) => row.draw()); // the bars read row.scale
  }

  function paint(one, high) {
    const entry = scene.payload.images[one.image], image = window.lensCells.imageOf(entry);
    if (!image.complete || !image.naturalWidth) return;
    const { map } = one, own = window.lensDisplay.view === "normalized" ? window.lensTables.peak(map.values) : high;
    window.lensPainter.paint(one.canvas, map, image, own, scene.rows[0].scale);
    outline(one.canvas, map);
    one.frame.classList.add("drawn");
  }

  /* The unit that is spoken of, as large as the place it stands for. */
  function outline(canvas, { own, unit, view }) {
    const context = canvas.getContext("2d"), scale = canvas.width / view[1], side = own.stride * scale;
    const [x, y] = window.lensTables.center(own, unit).map((v) => (v + 0.5) * scale - side / 2);
    for (const [color, width] of [["#0009", 3.5], ["#fff", 1.5]]) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.strokeRect(x, y, side, side);
    }
  }

  function drawLarge(one, direction, high, hovering) {
    const { map, table, cell } = one, told = scene.payload.words;
    one.caption.textContent = captionOf(one, direction, told);
    Object.assign(one.frame.dataset, {
      variant: cell.variant, peak: window.lensTables.peak(map.values), sum: window.lensTables.sum(map.values), direction,
      head: map.head, row: map.unit.row, col: map.unit.col, stage: table.stage, block: table.block,
    });
    const name = { way: told.ways[direction], variant: cell.title, caption: one.caption.textContent };
    if (!hovering) one.canvas.setAttribute("aria-label", fill(told.alt, name));
    paint(one, high);
    readOut(one);
  }

  function captionOf({ map, table }, direction, told) {
    const { peak, sum, figure } = window.lensTables, some = typeof map.head === "number";
    const which = fill(table.heads === 1 ? told.which.only : told.which[some ? "one" : map.head], { head: map.head, heads: table.heads });
    const own = (name) => number(figure(table, name, map.head, map.unit.index));
    const numbers = direction === "from" ? { entropy: own("entropy"), distance: own("distance") }
      : { total: number(sum(map.values)), even: number((map.rows * map.cols) / (map.own.rows * map.own.cols)) };
    const text = (map.head === "max" ? told.largest : told.captions)[direction];
    return fill(text, { layer: fill(told.layer, table), which, peak: number(peak(map.values)), ...numbers });
  }

  function drawHeads(one, direction, scale) {
    const { table, tiles, maps, box, index } = one, grid = direction === "from" ? table.keys : table.queries;
    const chosen = table.heads === 1 ? 1 : window.lensDisplay.head, { peak, figure } = window.lensTables;
    box.dataset.peak = Math.max(...maps.map(peak));
    tiles.forEach(({ button, canvas, label }, i) => {
      window.lensCells.drawTile(canvas, { rows: grid.rows, cols: grid.cols, values: maps[i] }, 0, scale);
      label.textContent = `${i + 1}: ${number(direction === "from" ? figure(table, "entropy", i + 1, index) : peak(maps[i]))}`;
      button.setAttribute("aria-pressed", String(chosen === i + 1));
    });
  }

  function drawStage(one, direction, high, hovering) {
    const { map, table, caption, canvas, frame } = one, told = scene.payload.words, top = window.lensTables.peak(map.values);
    const name = fill(told.stageName, table);
    caption.textContent = `${name}: ${number(top)}`;
    frame.classList.toggle("chosen", table.stage === scene.large[0].table.stage);
    frame.dataset.peak = top;
    if (!hovering) canvas.setAttribute("aria-label", fill(told.alt, { way: told.ways[direction], variant: fill(told.layer, table), caption: number(top) }));
    paint(one, high);
    readOut(one);
  }

  /* The weight under the pointer, beside it. */
  function readOut({ pointer, map, table, frame, out }) {
    if (!pointer) return;
    const seen = frame.getBoundingClientRect(), left = pointer.clientX - seen.left, top = pointer.clientY - seen.top;
    const [x, y] = window.lensRings.pointAt(frame, pointer);
    out.textContent = `${number(map.values[window.lensTables.unitAt(table, map, { x, y }).index])} ${scene.payload.words.units}`;
    out.hidden = false;
    out.style.left = `${Math.max(0, left > 0.6 * seen.width ? left - 14 - out.offsetWidth : left + 14)}px`;
    out.style.top = `${Math.max(0, top > 0.8 * seen.height ? top - 14 - out.offsetHeight : top + 14)}px`;
  }

  document.addEventListener("lens:position", () => { if (scene?.large.length && scene.body.offsetParent) draw(); });
})();
