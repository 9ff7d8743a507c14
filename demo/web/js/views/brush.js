import { createButton, createNode, isUnmodified } from "../core/dom.js";

/** An image to paint an occlusion mask on, with mouse, touch or keyboard. */
const LONGEST = 96, CANVAS_SIDE = 352; // longer side of the grid in cells, and of the drawing in pixels
const SIZES = [0.025, 0.05, 0.1]; // radius of the brush, as a share of the grid's longer side
const MAX_UNDO = 60, KEY_PAUSE = 400; // milliseconds after the last key press until the mask is sent
const MASK_COLOR = [124, 116, 104, 225]; // the mean color of ImageNet
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// ---- the grid: cell (row, col) covers col <= x < col + 1 and row <= y < row + 1 -----------------------------------------

const createGrid = (rows, cols) => ({ rows, cols, cells: new Uint8Array(rows * cols) });

/** An empty grid for an image of [width, height], its longer side `longest` cells. */
export function gridFor([width, height], longest) {
  const scale = longest / Math.max(width, height);
  return createGrid(Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale)));
}

/** Paints the cells whose center lies within `radius` of (x, y), a disc or a square, and always the cell below it. */
export function stamp(grid, x, y, radius, isSquare = false) {
  const paint = (r, c) => { if (r >= 0 && c >= 0 && r < grid.rows && c < grid.cols) grid.cells[r * grid.cols + c] = 1; };
  for (let r = Math.floor(y - radius); r <= Math.ceil(y + radius); r++) {
    for (let c = Math.floor(x - radius); c <= Math.ceil(x + radius); c++) {
      const dx = Math.abs(c + 0.5 - x), dy = Math.abs(r + 0.5 - y);
      if (isSquare ? Math.max(dx, dy) <= radius : dx * dx + dy * dy <= radius * radius) paint(r, c);
    }
  }
  paint(Math.floor(y), Math.floor(x));
}

/** Stamps along a line, close enough that a fast stroke has no gaps. */
export function stroke(grid, [x0, y0], [x1, y1], radius) {
  const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / Math.max(0.5, radius / 2)));
  for (let i = 1; i <= steps; i++) stamp(grid, x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps, radius);
}

/** "ROWSxCOLS:BASE64", bits row by row, highest first, as transxnet/explain/ablation/masking.py reads it; "" if empty. */
export function packMask(grid) {
  if (!grid.cells.some(Boolean)) return "";
  const bytes = new Uint8Array(Math.ceil(grid.cells.length / 8));
  grid.cells.forEach((isPainted, i) => { if (isPainted) bytes[i >> 3] |= 128 >> (i & 7); });
  return `${grid.rows}x${grid.cols}:${btoa(String.fromCharCode(...bytes))}`;
}

/** The grid of a packed mask, or null for any other text: the server reports that as an error. */
export function unpackMask(text) {
  const [, rows, cols, base64] = /^(\d{1,3})x(\d{1,3}):([A-Za-z0-9+/]*={0,2})$/.exec(text) || [];
  if (!rows) return null;
  const grid = createGrid(Number(rows), Number(cols));
  let bytes;
  try {
    bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null; // not base64
  }
  if (bytes.length !== Math.ceil(grid.cells.length / 8)) return null;
  grid.cells.forEach((_, i) => { grid.cells[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1; });
  return grid;
}

// ---- the brush --------------------------------------------------------------------------------------------------------

/**
 * @param {function(Object): void} send - gets {mask} at the end of a stroke, {fill} when another fill is chosen
 * @returns {{node: HTMLElement, show: function}} show(painting, image): painting is demo/views/ablation.py's. The node
 *     outlives a panel that is rebuilt, so that a response in the middle of a stroke does not end it.
 */
export function createBrush(send) {
  const canvas = createNode("canvas", { tabIndex: 0, role: "application", data: { focus: "canvas" } });
  const tools = createNode("div", "lens-tools"), layer = createNode("canvas");
  const title = createNode("h3"), hint = createNode("p"), pixels = createNode("p", "lens-brush-pixels");
  const node = createNode("section", "lens-brush", title, hint, canvas, tools, pixels);
  let painting = null, image = null, grid = null, history = [], size = 1, cursor = null; // cursor: of the keyboard, [x, y]
  let drag = null, keyTimer = 0; // drag: {pointerId, last: [x, y]}
  let sentMask = null; // until its response is shown

  const radius = () => Math.max(0.5, SIZES[size] * Math.max(grid.rows, grid.cols));

  /** The part of the grid that the canvas shows, in cells: [left, top, width, height]. */
  function visibleCells() {
    const [x0, y0, x1, y1] = painting.box, [width, height] = painting.upload, across = grid.cols / width, down = grid.rows / height;
    return [x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down];
  }

  function cellAt(event) {
    const box = canvas.getBoundingClientRect(), [left, top, width, height] = visibleCells();
    return [left + ((event.clientX - box.left) / box.width) * width, top + ((event.clientY - box.top) / box.height) * height];
  }

  function draw() {
    if (!grid || !image?.complete || !image.naturalWidth) return;
    const [left, top, width, height] = visibleCells(), [x0, y0, x1, y1] = painting.box, scale = CANVAS_SIDE / Math.max(x1 - x0, y1 - y0);
    canvas.width = Math.round((x1 - x0) * scale);
    canvas.height = Math.round((y1 - y0) * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    layer.width = grid.cols;
    layer.height = grid.rows;
    const layerContext = layer.getContext("2d"), colors = layerContext.createImageData(grid.cols, grid.rows);
    grid.cells.forEach((isPainted, i) => { if (isPainted) colors.data.set(MASK_COLOR, 4 * i); });
    layerContext.putImageData(colors, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(layer, left, top, width, height, 0, 0, canvas.width, canvas.height);
    canvas.dataset.painted = grid.cells.filter(Boolean).length / grid.cells.length;
    if (cursor && document.activeElement === canvas) outlineCursor(context, left, top, canvas.width / width);
  }

  function outlineCursor(context, left, top, scale) {
    const side = 2 * radius() * scale, x = (cursor[0] - left) * scale - side / 2, y = (cursor[1] - top) * scale - side / 2;
    for (const [color, width] of [["#000b", 4], ["#fff", 2]]) {
      context.strokeStyle = color;
      context.lineWidth = width;
      context.strokeRect(x, y, side, side);
    }
  }

  function rememberForUndo() {
    history.push(grid.cells.slice());
    if (history.length > MAX_UNDO) history.shift();
  }
  function sendMask() {
    clearTimeout(keyTimer);
    keyTimer = 0;
    sentMask = packMask(grid);
    draw();
    updateButtons();
    send({ mask: sentMask });
  }
  function undo() {
    if (!history.length) return;
    grid.cells = history.pop();
    sendMask();
  }
  function clear() {
    rememberForUndo();
    grid.cells.fill(0);
    sendMask();
  }
  function updateButtons() {
    tools.querySelector("[data-focus=undo]").disabled = !history.length;
    tools.querySelector("[data-focus=clear]").disabled = !grid.cells.some(Boolean);
  }

  const isDragging = (event) => drag?.pointerId === event.pointerId; // a second finger paints nothing
  canvas.addEventListener("pointerdown", (event) => {
    if (!grid || !event.isPrimary || (event.pointerType === "mouse" && event.button)) return;
    rememberForUndo();
    drag = { pointerId: event.pointerId, last: cellAt(event) };
    stamp(grid, ...drag.last, radius());
    draw();
  });
  window.addEventListener("pointermove", (event) => {
    if (!isDragging(event)) return;
    const cell = cellAt(event);
    stroke(grid, drag.last, cell, radius());
    drag.last = cell;
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(name, (event) => { if (isDragging(event)) { drag = null; sendMask(); } });
  }
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);
  canvas.addEventListener("keydown", (event) => {
    if (!grid || event.altKey || (event.key.startsWith("Arrow") && !isUnmodified(event))) return;
    const step = ARROWS[event.key], [left, top, width, height] = visibleCells();
    cursor ||= [left + width / 2, top + height / 2];
    if (step) {
      const distance = event.shiftKey ? 1 : 2 * radius(); // with Shift, cell by cell
      const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
      cursor = [clamp(cursor[0] + step[0] * distance, left, left + width), clamp(cursor[1] + step[1] * distance, top, top + height)];
    } else if (event.key === " ") {
      rememberForUndo();
      stamp(grid, ...cursor, radius(), true);
      clearTimeout(keyTimer);
      keyTimer = setTimeout(sendMask, KEY_PAUSE); // one request for a run of key presses
      updateButtons();
    } else if (event.key.toLowerCase() === "z") undo();
    else return;
    event.preventDefault();
    draw();
  });

  const createTool = (text, name, onClick) => createButton({ data: { focus: name } }, text, onClick);
  const pressOnly = (buttons, chosen) => buttons.forEach((button, i) => { button.ariaPressed = String(i === chosen); });
  function createToolChoice(label, texts, chosen, name, choose) {
    const buttons = texts.map((text, i) => createTool(text, `${name}${i}`, () => choose(i)));
    pressOnly(buttons, chosen);
    return createNode("div", { className: "lens-choice", role: "group", ariaLabel: label }, createNode("span", "", label), ...buttons);
  }

  function reset() {
    clearTimeout(keyTimer);
    [keyTimer, sentMask, history, cursor, drag] = [0, null, [], null, null];
  }

  function show(newPainting, newImage) {
    const { strings, fills, mask, upload, key } = newPainting;
    if (!painting || key !== painting.key || String(upload) !== String(painting.upload)) reset(); // another image
    painting = newPainting;
    image = newImage;
    if (sentMask === mask) sentMask = null;
    const isNewer = drag || keyTimer || sentMask !== null; // what is being painted is newer than this response
    if (!isNewer) grid = unpackMask(mask) || gridFor(upload, LONGEST);
    title.textContent = strings.occlude;
    hint.textContent = strings.occlude_hint;
    pixels.textContent = painting.pixels;
    canvas.ariaLabel = `${painting.alt} ${strings.occlude_hint}`;
    const sizes = createToolChoice(strings.brush, painting.brushes, size, "brush", (chosen) => {
      size = chosen;
      pressOnly(sizes.querySelectorAll("button"), chosen);
      draw();
    });
    const chosenFill = fills.findIndex(({ value }) => value === painting.fill);
    const fillTools = createToolChoice(strings.fill, fills.map((fill) => fill.label), chosenFill, "fill", (i) => send({ fill: fills[i].value }));
    const actions = createNode("div", "lens-choice", createTool(strings.undo, "undo", undo), createTool(strings.clear, "clear", clear));
    const focusName = tools.contains(document.activeElement) && document.activeElement.dataset.focus;
    tools.replaceChildren(sizes, fillTools, actions);
    updateButtons();
    const target = focusName && tools.querySelector(`[data-focus=${focusName}]`);
    if (target) (target.disabled ? canvas : target).focus({ preventScroll: true });
    draw();
  }

  return { node, show };
}
