import { appendColorBar, createCell, createReadout, imageOf, readMapUnderPointer } from "../core/cells.js";
import { createButton, createChoices, createNode, createTable, isUnmodified, restoreFocus } from "../core/dom.js";
import { decodeFloats, fitCanvas, renderMap } from "../core/map_renderer.js";
import { layOutMatrix } from "../core/panel.js";
import { createChart } from "./chart.js";

/**
 * The Compare view: rows as elsewhere, then the wipe, differences, tables and the chart; or two images, rows only.
 * Payload: demo/views/compare.py. Differences are the second map minus the first, in float32 as in the library.
 */
const mapOf = ({ rows, cols }, values) => ({ values, rows, cols, stride: 1, origin: 0, input_size: [rows, cols] });
const createNote = (text, className = "lens-compare-note") => createNode("p", className, text);

function createMethodBar({ label, chips, photos }, act) {
  const pressed = chips.find((chip) => chip.pressed)?.key, change = (fields) => act({ change: fields });
  const methods = createChoices(label, chips.map((chip) => [chip.key, chip.label]), () => pressed, (key) => change({ compared: key }));
  const properties = { className: "lens-compare-switch", ariaPressed: String(photos.pressed), data: { keep: "photos" } };
  const toggle = createButton(properties, photos.label, () => change({ two_images: !photos.pressed }));
  methods.hidden = photos.pressed; // they compare models
  return createNode("div", "lens-compare-bar", methods, toggle);
}

function createPart({ title, sub, bar }, drawings, ...content) {
  const header = createNode("header", "", createNode("h3", "", title), sub ? createNode("p", "", sub) : undefined);
  appendColorBar(header, bar, drawings);
  return createNode("section", "lens-row", header, ...content);
}

function createDifferences({ differences, values, image, box, ...common }, images, act, drawings) {
  const cells = differences.cells.map((cell) => {
    const difference = values[cell.b].map((value, i) => value - values[cell.a][i]);
    const map = mapOf(common, difference);
    return createCell({ ...cell, kind: "map", image, box, map }, differences.bar, images, act, drawings);
  });
  return createPart(differences, drawings, createNode("div", "lens-cells", ...cells));
}

const createAgreement = ({ title, head, rows, note }) =>
  createPart({ title }, [], createTable("lens-table agreement", head, rows), createNote(note));

/** costs.rows: [{title, key, cells: [[text, …]]}]: the first text of a cell is large, further ones small below it. */
function createCosts(costs) {
  const createCostCell = (texts) => createNode("td", "", ...texts.map((text, i) => createNode(i ? "small" : "span", "", text)));
  const table = createTable("lens-table costs", ["", ...costs.head], costs.rows.map(({ title, cells }) => [title, ...cells.map(createCostCell)]));
  costs.rows.forEach(({ key }, i) => { if (key) table.tBodies[0].rows[i].dataset.key = key; });
  const section = createPart(costs, [], table, createNote(costs.note));
  section.dataset.measuring = costs.measuring;
  return section;
}

// ---- the wipe: map A left of a line, map B right of it --------------------------------------------------------------

const STEP = 2, PAGE = 10; // percent, of the arrow keys and of Page Up and Page Down
const KEYS = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -PAGE, PageUp: PAGE, Home: -100, End: 100 };
const wipeState = { pair: 0, percent: 50 }; // outlives a payload

function createWipe(common, images, drawings) {
  const { wipe, scale, box, rows, cols } = common, canvas = createNode("canvas", { role: "img" });
  const slider = { tabIndex: 0, role: "slider", ariaValueMin: 0, ariaValueMax: 100, data: { keep: "wipe" } };
  const handle = createNode("div", { className: "lens-wipe-handle", ...slider });
  const left = createNode("span", "lens-wipe-name left"), right = createNode("span", "lens-wipe-name right"), readout = createReadout();
  const properties = { className: "lens-frame lens-wipe", data: { box: JSON.stringify(box) } };
  const frame = createNode("div", properties, canvas, left, right, handle, readout);
  const maps = common.values.map((values) => ({ map: mapOf(common, values), canvas: createNode("canvas"), isDrawn: false }));
  const underPointer = { map: maps[0].map };
  const pairIndex = () => (wipeState.pair < wipe.pairs.length ? wipeState.pair : 0); // a model may not be loaded yet
  const pair = () => wipe.pairs[pairIndex()];
  frame.style.aspectRatio = `${cols} / ${rows}`;

  function compose() {
    const a = maps[pair().a], b = maps[pair().b], { width, height } = b.canvas;
    if (!b.isDrawn) return;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d"), edge = Math.round((width * wipeState.percent) / 100);
    context.drawImage(b.canvas, 0, 0);
    if (edge) context.drawImage(a.canvas, 0, 0, edge, height, 0, 0, edge, height);
    frame.classList.add("drawn");
  }

  function moveTo(percent) {
    wipeState.percent = Math.min(Math.max(percent, 0), 100);
    const names = pair(), rounded = Math.round(wipeState.percent);
    handle.style.left = `${wipeState.percent}%`;
    const ariaValueText = names.value.replace("{share}", rounded).replace("{rest}", 100 - rounded);
    Object.assign(handle, { ariaLabel: names.slider, ariaValueNow: rounded, ariaValueText });
    canvas.ariaLabel = names.alt;
    left.textContent = names.left;
    right.textContent = names.right;
    compose();
  }

  const percentAt = (event) => {
    const rectangle = frame.getBoundingClientRect();
    return (100 * (event.clientX - rectangle.left)) / rectangle.width;
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault(); // selects no text, drags no image
    frame.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    moveTo(percentAt(event));
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) moveTo(percentAt(event));
    underPointer.map = maps[percentAt(event) < wipeState.percent ? pair().a : pair().b].map;
  }, true);
  handle.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || !isUnmodified(event)) return;
    event.preventDefault();
    moveTo(wipeState.percent + KEYS[event.key] * (event.shiftKey ? PAGE / STEP : 1));
  });
  readMapUnderPointer(canvas, underPointer, scale, readout);
  drawings.push(() => {
    for (const entry of maps) {
      fitCanvas(entry.canvas, entry.map.input_size);
      entry.isDrawn = renderMap(entry.canvas, entry.map, imageOf(images[common.image]), scale);
    }
    moveTo(wipeState.percent);
  });
  const choices = wipe.pairs.length > 1 && createChoices(wipe.which, wipe.pairs.map(({ label }, i) => [String(i), label]), () => String(pairIndex()),
    (key) => { wipeState.pair = Number(key); moveTo(wipeState.percent); });
  return createPart(wipe, [], choices || undefined, frame);
}

export function layOutCompare(body, payload, act) {
  const drawings = [], maps = createNode("div", "lens-compare-maps"), { common, images, photos, units, instead, costs, chart } = payload;
  body.dataset.photos = photos;
  body.append(createMethodBar(payload.choose, act), maps);
  drawings.push(layOutMatrix(maps, payload, act));
  if (!photos) {
    if (units) body.append(createNote(units));
    if ((instead || "").trim()) body.append(createNote(instead, "lens-instead"));
    if (common) {
      common.values = common.maps.map(decodeFloats);
      const pairs = [createWipe(common, images, drawings), createDifferences(common, images, act, drawings)];
      body.append(createNode("div", "lens-compare-pairs", ...pairs), createAgreement(common.table));
    }
    body.append(createCosts(costs), createChart(chart));
  }
  restoreFocus(body);
  return () => drawings.forEach((draw) => draw());
}
