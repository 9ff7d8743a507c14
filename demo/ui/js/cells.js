/* The cells of a view: raw maps over the photo, small grids, bars, sentences. Made by demo/cells.py.
   cell.kind: map | tiles | bars | text | pending | error. What draws a cell is added to `drawings`, so that display
   controls can draw it again. */
(() => {
  const DRAWN = 352; // canvas pixels a side: sharp on phones and columns, quick to blend
  const { make, number, phrase, lutOf, toned, barOf } = window.lensParts;

  /* Photos arrive once a payload; `redraw` draws the whole panel again when one is decoded. */
  function loadImages(images, redraw) {
    for (const entry of Object.values(images)) {
      for (const key of ["src", "seen"]) {
        const image = (entry[key + "Image"] = new Image());
        image.onload = redraw;
        image.src = entry[key];
      }
    }
  }
  const imageOf = (entry) => (window.lensDisplay.seen ? entry.seenImage : entry.srcImage);

  function drawMap(canvas, cell, scale, image) {
    if (!image.complete || !image.naturalWidth) return false;
    const [height, width] = cell.map.view, longest = Math.max(height, width);
    canvas.width = Math.round((DRAWN * width) / longest);
    canvas.height = Math.round((DRAWN * height) / longest);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = !window.lensDisplay.seen;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    cell.placed = cell.placed || window.lensMaps.place(cell.map, canvas.height, canvas.width);
    window.lensMaps.blend(pixels.data, cell.placed, toned(scale, cell.map.values), lutOf(scale), window.lensDisplay.opacity);
    context.putImageData(pixels, 0, 0);
    return true;
  }

  const valuesOf = ({ rows, cols, values }, i) => values.slice(i * rows * cols, (i + 1) * rows * cols);

  /* Kernels, gates or heads: n small grids, drawn value by value. */
  function drawTile(canvas, tiles, i, scale) {
    const { rows, cols } = tiles, context = canvas.getContext("2d"), values = valuesOf(tiles, i);
    const pixel = window.lensMaps.painting(toned(scale, values), lutOf(scale));
    canvas.width = cols; canvas.height = rows;
    const image = context.createImageData(cols, rows);
    values.forEach((value, p) => image.data.set(pixel(value), 4 * p));
    context.putImageData(image, 0, 0);
  }

  /* While a pointer is over a canvas, `linesAt(across, down)`, shares of it, stand beside the pointer in `out`. A finger
     reads while it is held or drawn sideways; up and down still scroll. */
  function follow(canvas, out, linesAt) {
    out.style.transform = "none"; // held inside what is around it
    const tell = (event) => {
      const box = canvas.getBoundingClientRect(), around = out.parentNode.getBoundingClientRect();
      const x = event.clientX - around.left, y = event.clientY - around.top, apart = event.pointerType === "touch" ? 36 : 14;
      out.textContent = linesAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height).join("\n");
      out.hidden = false;
      const above = event.pointerType === "touch" || y + apart + out.offsetHeight > around.height;
      out.style.left = `${Math.max(0, Math.min(x + apart, around.width - out.offsetWidth))}px`;
      out.style.top = `${Math.max(0, above ? y - apart - out.offsetHeight : y + apart)}px`;
    };
    for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, tell);
    for (const kind of ["pointerleave", "pointercancel"]) canvas.addEventListener(kind, () => { out.hidden = true; });
  }

  const placeOf = (kind, row, col) => phrase(kind, { row: row + 1, col: col + 1 });

  function readOut(canvas, cell, scale, out) {
    follow(canvas, out, (across, down) => {
      const [height, width] = cell.map.view;
      const { value, row, col } = window.lensMaps.valueAt(cell.map, across * width - 0.5, down * height - 0.5);
      return [`${number(value)} ${scale.units}`, placeOf("unit", row, col)];
    });
  }

  function readOutTile(canvas, tiles, i, scale, out) {
    follow(canvas, out, (across, down) => {
      const at = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
      const row = at(down, tiles.rows), col = at(across, tiles.cols), value = valuesOf(tiles, i)[row * tiles.cols + col];
      return [tiles.names[i], `${number(value)} ${scale.units}`, placeOf(tiles.taps ? "tap" : "unit", row, col)];
    });
  }

  function tileOf(tiles, i, scale, out, drawings) {
    const tile = make("div", "lens-tile"), canvas = make("canvas"), own = make("span", "own");
    tile.append(canvas, make("span", "", tiles.show ? tiles.names[i] : ""), own);
    drawings.push(() => {
      drawTile(canvas, tiles, i, scale);
      const most = window.lensMaps.ownRange(valuesOf(tiles, i), scale)[1]; // its own bar, in a word
      own.textContent = window.lensDisplay.view === "normalized" ? (scale.signed ? "\u00b1" : "") + number(most) : "";
    });
    readOutTile(canvas, tiles, i, scale, out);
    return tile;
  }

  function named(node, cell) {
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", cell.alt);
  }

  function mapInto(figure, cell, scale, { images, trigger, drawings }) {
    const frame = make("div", "lens-frame"), canvas = make("canvas"), out = make("span", "lens-readout");
    out.hidden = true;
    named(canvas, cell);
    Object.assign(frame.dataset, cell.data || {}, { box: JSON.stringify(cell.box) }); // rings.js marks the position
    frame.append(canvas, out);
    cell.map.values = cell.map.values || window.lensMaps.decode(cell.map.base64);
    const { bar, draw: drawBar } = barOf(scale, cell.map.values);
    figure.append(frame, bar);
    drawings.push(() => {
      if (drawMap(canvas, cell, scale, imageOf(images[cell.image]))) frame.classList.add("drawn");
    }, drawBar);
    readOut(canvas, cell, scale, out);
    canvas.addEventListener("click", (event) => {
      const [x, y] = window.lensRings.pointAt(frame, event);
      window.lensPoint.set(x, y);
      trigger("select", { x, y });
    });
  }

  function tilesInto(figure, cell, scale, { drawings }) {
    const grid = make("div", "lens-tiles"), out = make("span", "lens-readout");
    named(grid, cell);
    Object.assign(grid.dataset, cell.data || {});
    cell.tiles.values = cell.tiles.values || window.lensMaps.decode(cell.tiles.base64);
    out.hidden = true;
    grid.append(...cell.tiles.names.map((_, i) => tileOf(cell.tiles, i, scale, out, drawings)), out);
    figure.append(grid);
  }

  function errorInto(figure, cell, scale, { trigger }) {
    figure.setAttribute("role", "alert");
    figure.append(make("strong", "", cell.text));
    if (cell.attempts.length) {
      const list = make("ol");
      for (const [source, cause, remedy] of cell.attempts) {
        const item = make("li");
        item.append(make("b", "", `${source}: `), `${cause} ${remedy}`);
        list.append(item);
      }
      figure.append(list);
    }
    if (cell.remedy) figure.append(make("p", "", cell.remedy));
    const ways = make("div", "lens-ways");
    for (const { text, send } of cell.ways || []) {
      const button = make("button", "", text);
      button.addEventListener("click", () => trigger("select", send));
      ways.append(button);
    }
    figure.append(ways);
  }

  const INTO = {
    map: mapInto,
    tiles: tilesInto,
    bars: (figure, cell) => figure.append(window.lensBars(cell.answers, cell.chosen, "div")),
    pending: (figure, cell) => figure.append(window.lensPending(cell)),
    error: errorInto,
  };

  function cellOf(cell, scale, images, trigger, drawings) {
    const figure = make("figure", `lens-cell ${cell.kind}`);
    if (cell.title) figure.append(make("div", "lens-cell-title", cell.title));
    INTO[cell.kind]?.(figure, cell, scale, { images, trigger, drawings }); // a text is all in its caption
    if (cell.caption || cell.kind === "text") {
      const caption = make("figcaption");
      if (cell.caption) caption.append(make("span", "", cell.caption));
      if (cell.kind === "text") caption.append(make("span", "", cell.text));
      figure.append(caption);
    }
    return figure;
  }

  window.lensCells = { cellOf, loadImages, imageOf, drawMap, drawTile, tileOf, readOut };
})();
