/* The cells of a view: raw maps over the photograph, small grids, bars, sentences. Made by demo/cells.py.
   cell.kind: map | tiles | bars | text | pending | error. What draws a cell is added to `drawings`, so that display
   controls can draw it again. */
(() => {
  const DRAWN = 352; // canvas pixels a side: sharp on phones and columns, quick to blend
  const { make, number, lutOf } = window.lensParts;

  /* Photographs arrive once a payload; `redraw` draws the whole panel again when one is decoded. */
  function loadPictures(pictures, redraw) {
    for (const entry of Object.values(pictures)) {
      for (const key of ["src", "seen"]) {
        const image = (entry[key + "Image"] = new Image());
        image.onload = redraw;
        image.src = entry[key];
      }
    }
  }
  const pictureOf = (entry) => (window.lensDisplay.seen ? entry.seenImage : entry.srcImage);

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
    window.lensMaps.blend(pixels.data, cell.placed, scale, lutOf(scale), window.lensDisplay.opacity);
    context.putImageData(pixels, 0, 0);
    return true;
  }

  /* Kernels, gates or heads: n small grids, drawn value by value. */
  function drawTile(canvas, tiles, i, scale) {
    const { rows, cols, values } = tiles, context = canvas.getContext("2d"), lut = lutOf(scale);
    canvas.width = cols; canvas.height = rows;
    const image = context.createImageData(cols, rows);
    for (let p = 0; p < rows * cols; p++) {
      const t = window.lensMaps.unit(values[i * rows * cols + p], scale);
      image.data.set([...window.lensMaps.colour(t, scale, lut), 255], 4 * p);
    }
    context.putImageData(image, 0, 0);
  }

  function readOut(canvas, cell, scale, out) {
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect(), [h, w] = cell.map.view;
      const x = ((event.clientX - box.left) / box.width) * w - 0.5, y = ((event.clientY - box.top) / box.height) * h - 0.5;
      const at = window.lensMaps.valueAt(cell.map, x, y);
      out.textContent = `${number(at.value)} ${scale.units}`;
      out.style.left = `${event.clientX - box.left}px`;
      out.style.top = `${event.clientY - box.top}px`;
      out.hidden = false;
    });
    canvas.addEventListener("pointerleave", () => { out.hidden = true; });
  }

  function cellOf(cell, scale, pictures, trigger, drawings) {
    const figure = make("figure", `lens-cell ${cell.kind}`);
    if (cell.title) figure.append(make("div", "lens-cell-title", cell.title));
    if (cell.kind === "map") {
      const frame = make("div", "lens-frame"), canvas = make("canvas"), out = make("span", "lens-readout");
      out.hidden = true;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", cell.alt);
      Object.assign(frame.dataset, cell.data || {}, { box: JSON.stringify(cell.box) }); // rings.js marks the point
      frame.append(canvas, out);
      figure.append(frame);
      cell.map.values = cell.map.values || window.lensMaps.decode(cell.map.base64);
      const draw = () => {
        if (drawMap(canvas, cell, scale, pictureOf(pictures[cell.picture]))) frame.classList.add("drawn");
      };
      drawings.push(draw);
      readOut(canvas, cell, scale, out);
      canvas.addEventListener("click", (event) => {
        const [x, y] = window.lensRings.pointAt(frame, event);
        window.lensPoint.set(x, y);
        trigger("select", { x, y });
      });
    } else if (cell.kind === "tiles") {
      const grid = make("div", "lens-tiles");
      grid.setAttribute("role", "img");
      grid.setAttribute("aria-label", cell.alt);
      Object.assign(grid.dataset, cell.data || {});
      cell.tiles.values = cell.tiles.values || window.lensMaps.decode(cell.tiles.base64);
      cell.tiles.names.forEach((name, i) => {
        const tile = make("div", "lens-tile"), canvas = make("canvas");
        canvas.title = name;
        tile.append(canvas, make("span", "", cell.tiles.show ? name : ""));
        grid.append(tile);
        drawings.push(() => drawTile(canvas, cell.tiles, i, scale));
      });
      figure.append(grid);
    } else if (cell.kind === "bars") {
      figure.append(window.lensBars(cell.answers, cell.chosen, "div"));
    } else if (cell.kind === "pending") {
      figure.append(window.lensPending(cell));
    } else if (cell.kind === "error") {
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
    }
    if (cell.caption || cell.kind === "text") {
      const caption = make("figcaption");
      if (cell.caption) caption.append(make("span", "", cell.caption));
      if (cell.kind === "text") caption.append(make("span", "", cell.text));
      figure.append(caption);
    }
    return figure;
  }

  window.lensCells = { cellOf, loadPictures, pictureOf, drawMap, drawTile, readOut };
})();
