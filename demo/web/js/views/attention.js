import {
  attentionMapAt, centerOf, decodeTable, maximum, statisticOf, total, unitAt, weightsOfHeads,
} from "../core/attention_tables.js";
import { createCell, createColorBar, createHeading, createReadout, imageOf, mapLinesAt } from "../core/cells.js";
import { display } from "../core/display_store.js";
import { announce, createButton, createNode, fillTemplate, restoreFocus } from "../core/dom.js";
import { makeEnlargeable } from "../core/enlargeable.js";
import { formatNumber } from "../core/format.js";
import { fitCanvas, renderGrid, renderMap } from "../core/map_renderer.js";
import { crosshair, pixelUnder, selectOnClick } from "../core/position.js";
import { received, resend } from "../core/store.js";

/**
 * The attention view: OSRA's attention at the position, drawn from complete tables without a request. Payload:
 * demo/views/attention.py; its rows are large maps, heads and stages, and a cell names its tables. It follows
 * "lens:position" and the display's head and direction; after each drawing it dispatches "lens:drawn" on document.
 */
const SMALL = 144, MAX_TABLES = 32; // canvas pixels a side; tables in memory
const tables = new Map();
let scene = null, images = {};

/** Stores the tables of a payload, the newest last. Returns false if one is neither in the payload nor stored. */
function storeTables(payloadTables) {
  for (const [key, table] of Object.entries(payloadTables)) {
    const stored = table ? decodeTable(table) : tables.get(key);
    tables.delete(key);
    if (stored) tables.set(key, stored);
  }
  while (tables.size > MAX_TABLES) tables.delete(tables.keys().next().value);
  received.tables = [...tables.keys()];
  return Object.keys(payloadTables).every((key) => tables.has(key));
}

/** Images that the last payload had as well are reused, because they are decoded. */
function reuseImages(entries) {
  for (const [name, entry] of Object.entries(entries)) {
    const last = images[name];
    if (last?.src === entry.src && last?.input === entry.input) {
      Object.assign(entry, { srcImage: last.srcImage, inputImage: last.inputImage });
    }
  }
  images = entries;
}

// ---- building ---------------------------------------------------------------------------------------------------

/** A map over the image that follows the position and can be clicked. */
function createFrame(table, image, side, className, act) {
  const canvas = createNode("canvas", { role: "img" }), readout = createReadout();
  const frame = createNode("div", { className, data: { box: JSON.stringify(table.box) } }, canvas, readout);
  fitCanvas(canvas, table.input_size, side);
  frame.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  const view = { table, image, frame, canvas, readout, pointer: null, caption: createNode("figcaption") };
  frame.addEventListener("pointermove", (event) => { view.pointer = event; });
  frame.addEventListener("pointerleave", () => { view.pointer = null; readout.hidden = true; });
  selectOnClick(frame, frame, act);
  return view;
}

/**
 * A map that can be shown full screen, as it is now. view: {image, map}; map() is its ValueMap. model: {title, variant}.
 * change(): by which its view state differs from the page's.
 */
function enlarge(node, view, { scale, model, strings }, map, name, change, ways) {
  makeEnlargeable(node, () => {
    const shown = map(), { direction } = display, row = direction === "to" ? "attention_to" : "attention";
    return {
      title: [strings[`direction_${direction}`], name, model.title].filter(Boolean).join(", "), caption: view.caption?.textContent,
      size: shown.input_size, scale, values: shown.values, file: { row, column: model.variant, change: change() },
      draw: (canvas, longest) => {
        fitCanvas(canvas, shown.input_size, longest);
        if (renderMap(canvas, shown, imageOf(images[model.variant]), scale)) outlineUnit(canvas, shown);
      },
      linesAt: (across, down) => mapLinesAt(shown, scale, across, down),
    };
  }, ways);
}

function createLargeMap(cell, built, act, context) {
  const view = createFrame(tables.get(cell.table), cell.variant, undefined, "lens-frame", act);
  built.large.push(Object.assign(view, { cell }));
  enlarge(view.frame, view, context, () => view.map, "", () => ({}));
  return createNode("figure", "lens-cell map", view.frame, view.caption);
}

function createHeads(cell, built, act, context) {
  const table = tables.get(cell.table), { strings } = context;
  const tiles = Array.from({ length: table.heads }, (_, i) => {
    const canvas = createNode("canvas", { ariaHidden: "true" }), label = createNode("span"), head = i + 1;
    const ariaLabel = fillTemplate(strings.head_name, { head }), data = { keep: `${cell.table} head ${i}` };
    const button = createButton({ className: "lens-tile", ariaLabel, data }, "", () =>
      display.set("head", display.head === head ? "mean" : head));
    button.append(canvas, label);
    const map = () => attentionMapAt(table, display.direction, head, currentPosition());
    enlarge(button, {}, context, map, ariaLabel, () => ({ head: String(head) }), { button: false });
    return { button, canvas, label };
  });
  const box = createNode("div", "lens-tiles lens-heads-of", ...tiles.map(({ button }) => button));
  built.heads.push({ table, box, tiles });
  return box;
}

function createStages(cell, built, act, context) {
  const views = cell.tables.map((key) => createFrame(tables.get(key), cell.variant, SMALL, "lens-small", act));
  for (const view of views) {
    const { stage, block } = view.table, name = fillTemplate(context.strings.layer, view.table);
    enlarge(view.frame, view, context, () => view.map, name, () => ({ stage, block, head: reductionOf(display.head) }));
  }
  built.stages.push(...views);
  return createNode("div", "lens-strip", ...views.map(({ frame, caption }) => createNode("figure", "", frame, caption)));
}

const CREATORS = { attention: createLargeMap, heads: createHeads, stages: createStages };

function createRow(row, payload, built, act) {
  const { strings } = payload, { units, colormap, shared } = strings;
  const scale = { range: [0, 0], signed: false, root: false, units, colormap, shared }, { bar, draw } = createColorBar(scale);
  const title = createNode("h3", "", row.title), hint = createNode("p", "", row.sub);
  const cells = row.cells.map((cell, i) => {
    const model = payload.rows[0].cells[i];
    return CREATORS[cell.kind]?.(cell, built, act, { scale, model, strings }) || createCell(cell, null, payload.images, act, []);
  });
  built.rows.push({ title, hint, bar, draw, scale });
  return createNode("section", "lens-row", createNode("header", "", title, hint, bar), createNode("div", "lens-cells", ...cells));
}

/** A segmented control of one display setting. value(): the key that is chosen now. */
function createSegments(name, legend, choices, value) {
  const inputs = choices.map(([key]) =>
    createNode("input", { type: "radio", name: `lens-${name}`, value: key, data: { keep: `${name} ${key}` } }));
  const labels = choices.map(([key, text], i) => {
    inputs[i].addEventListener("change", () => display.set(name, key));
    return createNode("label", "", inputs[i], createNode("span", "", text));
  });
  const node = createNode("fieldset", "segments lens-segments", createNode("legend", "lens-label", legend), createNode("div", "wrap", ...labels));
  return { node, draw: () => inputs.forEach((input) => { input.checked = input.value === String(value()); }) };
}

/** Controls of direction and head. heads: of the model that has most; a model without the chosen head shows the mean. */
function createControls(strings, heads) {
  const numbers = Array.from({ length: heads }, (_, i) => [i + 1, String(i + 1)]);
  const direction = createSegments("direction", strings.direction, ["from", "to"].map((key) => [key, strings[`direction_${key}`]]), () => display.direction);
  const head = createSegments("head", strings.head, [["mean", strings.mean], ["max", strings.max], ...numbers],
    () => (display.head > heads ? "mean" : display.head));
  const node = createNode("div", "lens-attention-controls", direction.node, heads > 1 ? head.node : undefined);
  return { node, draw: () => { head.draw(); direction.draw(); } };
}

export function layOutAttention(body, payload, act) {
  reuseImages(payload.images);
  const built = { payload, body, large: [], heads: [], stages: [], rows: [], controls: null };
  if (!storeTables(payload.tables)) { // the next response brings them
    resend();
    return () => {};
  }
  const rows = payload.rows.map((row) => createRow(row, payload, built, act));
  const headings = payload.heads.map((head) => createHeading("div", "lens-head", head, []));
  const mostHeads = Math.max(0, ...built.heads.map(({ table }) => table.heads));
  body.style.setProperty("--columns", Math.max(1, payload.heads.length));
  body.classList.toggle("alone", built.large.length === 1 && payload.heads.length === 1);
  if (mostHeads) {
    built.controls = createControls(payload.strings, mostHeads);
    body.append(built.controls.node);
  } else built.rows[0].bar.remove(); // no map
  body.append(createNode("div", "lens-heads", ...headings), ...(mostHeads ? rows : rows.slice(0, 1)));
  scene = built;
  restoreFocus(body);
  const redraw = () => { if (scene === built && mostHeads) draw(); };
  body.addEventListener("lens:position", redraw);
  return redraw;
}

// ---- drawing what the position shows now ----------------------------------------------------------------------------

/** Heads of different stages do not correspond: maps of all stages are means or maxima. */
const reductionOf = (head) => (typeof head === "number" ? "mean" : head);

function currentPosition() {
  const [x, y] = scene.payload.position;
  return crosshair.now() || { x, y, hovering: false };
}

function draw() {
  const { payload, large, heads, stages, rows, controls } = scene, { head, direction } = display;
  const position = currentPosition();
  for (const view of heads) {
    const unitGrid = direction === "from" ? view.table.queries : view.table.keys;
    view.index = unitAt(view.table, unitGrid, position).index;
    view.maps = weightsOfHeads(view.table, direction, view.index);
  }
  large.forEach((view, i) => { view.map = attentionMapAt(view.table, direction, head, position, heads[i].maps); });
  const reduction = reductionOf(head);
  for (const view of stages) view.map = attentionMapAt(view.table, direction, reduction, position);
  const values = [large.map(({ map }) => map.values), heads.flatMap(({ maps }) => maps), stages.map(({ map }) => map.values)];
  rows.forEach((row, i) => { row.scale.range = [0, Math.max(0, ...values[i].map(maximum))]; });
  drawTexts(direction, reduction);
  for (const view of large) drawLargeMap(view, direction, rows[0].scale, position.hovering);
  for (const view of heads) drawHeads(view, direction, rows[1].scale);
  for (const view of stages) drawStage(view, direction, rows[2].scale, position.hovering);
  controls?.draw();
  if (!position.hovering) announce(large.map(({ canvas }) => canvas.ariaLabel).join(" "));
  document.dispatchEvent(new CustomEvent("lens:drawn"));
}

/** Titles, hints and color bars. */
function drawTexts(direction, reduction) {
  const strings = scene.payload.strings, [large, heads, stages] = scene.rows;
  large.title.textContent = strings[`direction_${direction}`];
  large.hint.textContent = strings[`hint_${direction}`];
  heads.hint.textContent = strings[`heads_hint_${direction}`];
  stages.hint.textContent = fillTemplate(strings.stages_hint, { which: strings[`stages_${reduction}`] });
  scene.rows.forEach((row) => row.draw());
}

function paint({ canvas, map, image, frame }, scale) {
  if (!renderMap(canvas, map, imageOf(scene.payload.images[image]), scale)) return;
  outlineUnit(canvas, map);
  frame.classList.add("drawn");
}

/** Outlines the query or key, as large as the region it stands for. */
function outlineUnit(canvas, { unit, unitGrid, input_size }) {
  const context = canvas.getContext("2d"), scale = canvas.width / input_size[1], side = unitGrid.stride * scale;
  const [x, y] = centerOf(unitGrid, unit).map((pixel) => (pixel + 0.5) * scale - side / 2);
  for (const [color, width] of [["#0009", 3.5], ["#fff", 1.5]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.strokeRect(x, y, side, side);
  }
}

function drawLargeMap(view, direction, scale, isHovering) {
  const { map, table, cell, canvas, caption, frame } = view, strings = scene.payload.strings;
  caption.textContent = captionOf(view, direction, strings);
  Object.assign(frame.dataset, {
    variant: cell.variant, peak: maximum(map.values), sum: total(map.values), direction,
    head: map.head, row: map.unit.row, col: map.unit.col, stage: table.stage, block: table.block,
  });
  const names = { way: strings[`direction_${direction}`], variant: cell.title, caption: caption.textContent };
  if (!isHovering) canvas.ariaLabel = fillTemplate(strings.alt, names);
  paint(view, scale);
  showReadout(view);
}

function captionOf({ map, table }, direction, strings) {
  const key = table.heads === 1 ? "only" : typeof map.head === "number" ? "one" : map.head;
  const which = fillTemplate(strings[`heads_${key}`], { head: map.head, heads: table.heads });
  const statistic = (name) => formatNumber(statisticOf(table, name, map.head, map.unit.index));
  const numbers = direction === "from" ? { entropy: statistic("entropy"), distance: statistic("distance") } : {
    total: formatNumber(total(map.values)),
    even: formatNumber((map.rows * map.cols) / (map.unitGrid.rows * map.unitGrid.cols)),
  };
  const text = strings[`caption_${map.head === "max" ? "max" : direction}`];
  return fillTemplate(text, { layer: fillTemplate(strings.layer, table), which, peak: formatNumber(maximum(map.values)), ...numbers });
}

function drawHeads({ table, tiles, maps, box, index }, direction, scale) {
  const grid = direction === "from" ? table.keys : table.queries, chosen = table.heads === 1 ? 1 : display.head;
  box.dataset.peak = Math.max(...maps.map(maximum));
  tiles.forEach(({ button, canvas, label }, i) => {
    renderGrid(canvas, maps[i], grid.rows, grid.cols, scale);
    const value = direction === "from" ? statisticOf(table, "entropy", i + 1, index) : maximum(maps[i]);
    label.textContent = `${i + 1}: ${formatNumber(value)}`;
    button.ariaPressed = String(chosen === i + 1);
  });
}

function drawStage(view, direction, scale, isHovering) {
  const { map, table, caption, canvas, frame } = view, strings = scene.payload.strings, largest = maximum(map.values);
  caption.textContent = `${fillTemplate(strings.stage_name, table)}: ${formatNumber(largest)}`;
  frame.classList.toggle("chosen", table.stage === scene.large[0].table.stage);
  frame.dataset.peak = largest;
  const names = { way: strings[`direction_${direction}`], variant: fillTemplate(strings.layer, table), caption: formatNumber(largest) };
  if (!isHovering) canvas.ariaLabel = fillTemplate(strings.alt, names);
  paint(view, scale);
  showReadout(view);
}

/** The weight under the pointer, next to it. */
function showReadout({ pointer, map, table, frame, readout }) {
  if (!pointer) return;
  const box = frame.getBoundingClientRect(), left = pointer.clientX - box.left, top = pointer.clientY - box.top;
  const [x, y] = pixelUnder(frame, pointer), { index } = unitAt(table, map, { x, y });
  readout.textContent = `${formatNumber(map.values[index])} ${scene.payload.strings.units}`;
  readout.hidden = false;
  readout.style.left = `${Math.max(0, left > 0.6 * box.width ? left - 14 - readout.offsetWidth : left + 14)}px`;
  readout.style.top = `${Math.max(0, top > 0.8 * box.height ? top - 14 - readout.offsetHeight : top + 14)}px`;
}
