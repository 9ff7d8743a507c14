import { selectOnClick } from "./position.js";
import { display } from "./display_store.js";
import { createButton, createNode, fillTemplate } from "./dom.js";
import { makeEnlargeable } from "./enlargeable.js";
import { formatNumber, formatPercent } from "./format.js";
import {
  decodeFloats, fitCanvas, layOutGrids, ownRange, renderColorBar, renderGrid, renderGrids, renderMap, resolveScale, valueAt,
} from "./map_renderer.js";
import { createProgress } from "./progress.js";

/**
 * What a view consists of: headings, color bars, and cells with a map, small grids, probability bars or a text. The
 * payload is made by demo/cells.py. Functions that draw are added to `drawings`: a display control calls them again.
 */

/** A sentence of demo/i18n/strings/display.py with its placeholders filled. */
const displayText = (key, values = {}) => fillTemplate(display.strings[key] || "", values);

// ---- headings and color bars ------------------------------------------------------------------------------------

/** The display settings of a scale as text: gamma, and from which value on it is drawn. */
function settingsText({ range: [low, high], signed, gamma, threshold }, isNormalized) {
  const texts = gamma === 1 ? [] : [displayText("gamma_is", { gamma: formatNumber(gamma) })];
  const value = signed ? `\u00b1${formatNumber(threshold * high)}` : formatNumber(low + threshold * (high - low));
  const share = Math.round(100 * threshold);
  if (threshold) texts.push(isNormalized ? displayText("shown_from_share", { share }) : displayText("shown_from", { value }));
  return texts.join(", ");
}

/**
 * The color bar of a scale. values: of a single map; its bar is shown while maps are normalized.
 *
 * @returns {{bar: HTMLElement, draw: function(): void}}
 */
export function createColorBar(scale, values) {
  const canvas = createNode("canvas"), ticks = [createNode("i"), createNode("i")];
  const strip = createNode("div", { className: "strip", ariaHidden: "true" }, canvas, ...ticks);
  const low = createNode("span"), high = createNode("span"), units = createNode("span", "units", scale.root ? displayText("root", scale) : scale.units);
  const settings = createNode("div", "settings"), warning = createNode("div", "warning");
  const shared = values || !scale.shared ? undefined : createNode("div", "shared", scale.shared); // by how many models
  const bar = createNode("div", "lens-colorbar", strip, createNode("div", "ends", low, units, high), shared, settings, warning);
  function draw() {
    const resolved = resolveScale(scale, values), { range, signed, threshold } = resolved;
    const isNormalized = display.scale === "normalized", hasNoRange = isNormalized && !values;
    bar.hidden = Boolean(values) && !isNormalized;
    renderColorBar(canvas, resolved);
    const positions = signed ? [(1 - threshold) / 2, (1 + threshold) / 2] : [threshold];
    ticks.forEach((tick, i) => {
      tick.hidden = !threshold || positions[i] === undefined;
      tick.style.left = `${100 * positions[i]}%`;
    });
    low.textContent = hasNoRange ? displayText("own_low") : formatNumber(range[0]);
    high.textContent = hasNoRange ? displayText("own_high") : (signed ? "+" : "") + formatNumber(range[1]);
    if (shared) shared.hidden = isNormalized;
    settings.textContent = values ? "" : settingsText(resolved, isNormalized);
    warning.textContent = hasNoRange ? displayText("warning") : "";
  }
  return { bar, draw };
}

/** Appends the color bar of a scale, if there is one, to a node. */
export function appendColorBar(node, scale, drawings) {
  if (!scale) return;
  const { bar, draw } = createColorBar(scale);
  node.append(bar);
  drawings.push(draw);
}

/** Heading of a row or a column: {title, badge, sub, more, bar}. more: the full commit and digest, as a tooltip. */
export function createHeading(tag, className, { title, badge, sub, more, bar }, drawings) {
  const subtitle = createNode("p", "", sub || ""), heading = createNode(tag, className, createNode("h3", "", title));
  if (badge) heading.append(createNode("span", "lens-badge warn", badge));
  if (more) subtitle.title = more;
  heading.append(subtitle);
  appendColorBar(heading, bar, drawings);
  return heading;
}

// ---- images -----------------------------------------------------------------------------------------------------

/** Starts decoding the images of a payload; `redraw` is called whenever one is ready. */
export function loadImages(images, redraw) {
  for (const entry of Object.values(images)) {
    for (const key of ["src", "input"]) {
      const image = (entry[`${key}Image`] = new Image());
      image.onload = redraw;
      image.src = entry[key];
    }
  }
}

/** The image of an entry, or the same at the model's resolution where the display says so. */
export const imageOf = (entry) => (display.model_resolution ? entry.inputImage : entry.srcImage);

// ---- values under the pointer -------------------------------------------------------------------------------------

/** A hidden box for the value under the pointer. */
export const createReadout = () => createNode("span", { className: "lens-readout", hidden: true });

/**
 * Shows lines of text next to a pointer over a canvas. A finger reads while it is held or moved sideways; up and down
 * still scroll.
 *
 * @param {function(number, number): string[]} linesAt - gets the pointer's position as shares of width and height.
 */
function readUnderPointer(canvas, readout, linesAt) {
  const show = (event) => {
    const box = canvas.getBoundingClientRect(), parent = readout.parentNode.getBoundingClientRect();
    const x = event.clientX - parent.left, y = event.clientY - parent.top, distance = event.pointerType === "touch" ? 36 : 14;
    readout.textContent = linesAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height).join("\n");
    readout.hidden = false;
    const isAbove = event.pointerType === "touch" || y + distance + readout.offsetHeight > parent.height;
    readout.style.left = `${Math.max(0, Math.min(x + distance, parent.width - readout.offsetWidth))}px`;
    readout.style.top = `${Math.max(0, isAbove ? y - distance - readout.offsetHeight : y + distance)}px`;
  };
  for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, show);
  for (const kind of ["pointerleave", "pointercancel"]) canvas.addEventListener(kind, () => { readout.hidden = true; });
}

const unitText = (key, row, col) => displayText(key, { row: row + 1, col: col + 1 });

/** What a map says at shares of its width and height. */
export function mapLinesAt(map, scale, across, down) {
  const [height, width] = map.input_size, { value, row, col } = valueAt(map, across * width - 0.5, down * height - 0.5);
  return [`${formatNumber(value)} ${scale.units}`, unitText("unit", row, col)];
}

/** source: {map}, read at every move, because a canvas may show another map by then. */
export function readMapUnderPointer(canvas, source, scale, readout) {
  readUnderPointer(canvas, readout, (across, down) => mapLinesAt(source.map, scale, across, down));
}

function gridLinesAt(grids, i, scale, row, col) {
  const value = grids.values[(i * grids.rows + row) * grids.cols + col];
  return [grids.names[i], `${formatNumber(value)} ${scale.units}`, unitText(grids.taps ? "tap" : "unit", row, col)];
}

function readGridUnderPointer(canvas, grids, i, scale, readout) {
  readUnderPointer(canvas, readout, (across, down) => {
    const indexAt = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return gridLinesAt(grids, i, scale, indexAt(down, grids.rows), indexAt(across, grids.cols));
  });
}

/** The same of grids side by side (renderGrids); nothing between them. */
function gridsLinesAt(grids, scale, across, down) {
  const { columns, width, height } = layOutGrids(grids), x = Math.floor(across * width), y = Math.floor(down * height);
  const col = x % (grids.cols + 1), row = y % (grids.rows + 1), i = Math.floor(y / (grids.rows + 1)) * columns + Math.floor(x / (grids.cols + 1));
  return col < grids.cols && row < grids.rows && i < grids.names.length ? gridLinesAt(grids, i, scale, row, col) : [];
}

/** Small grids side by side, for core/enlargeable.js. grids: {names, values, rows, cols, taps}. */
export function describeGrids(title, caption, grids, scale, file) {
  const { width, height } = layOutGrids(grids);
  return {
    title, caption, size: [height, width], scale, file,
    draw: (canvas, longest) => renderGrids(canvas, grids, scale, longest),
    linesAt: (across, down) => gridsLinesAt(grids, scale, across, down),
  };
}

// ---- cells --------------------------------------------------------------------------------------------------------

function appendMap(figure, cell, scale, { images, act, drawings }) {
  const canvas = createNode("canvas", { role: "img", ariaLabel: cell.alt }), readout = createReadout();
  const data = { ...cell.data, box: JSON.stringify(cell.box) }; // position.js reads it
  const frame = createNode("div", { className: "lens-frame", data }, canvas, readout);
  cell.map.values ||= decodeFloats(cell.map.base64);
  fitCanvas(canvas, cell.map.input_size);
  const { bar, draw } = createColorBar(scale, cell.map.values);
  figure.append(frame, bar);
  drawings.push(() => {
    if (renderMap(canvas, cell.map, imageOf(images[cell.image]), scale)) frame.classList.add("drawn");
  }, draw);
  readMapUnderPointer(canvas, cell, scale, readout);
  selectOnClick(frame, canvas, act);
  makeEnlargeable(frame, () => ({
    title: cell.name || cell.title, caption: cell.caption, size: cell.map.input_size, scale, values: cell.map.values, file: cell.file,
    draw: (large, longest) => {
      fitCanvas(large, cell.map.input_size, longest);
      renderMap(large, cell.map, imageOf(images[cell.image]), scale);
    },
    linesAt: (across, down) => mapLinesAt(cell.map, scale, across, down),
  }));
}

/** One of several small grids: a kernel, gates, a head. */
function createTile(grids, i, scale, readout, drawings) {
  const area = grids.rows * grids.cols, values = grids.values.slice(i * area, (i + 1) * area);
  const canvas = createNode("canvas"), ownRangeText = createNode("span", "own");
  drawings.push(() => {
    renderGrid(canvas, values, grids.rows, grids.cols, scale);
    const largest = formatNumber(ownRange(values, scale)[1]); // in place of a color bar
    ownRangeText.textContent = display.scale === "normalized" ? (scale.signed ? "\u00b1" : "") + largest : "";
  });
  readGridUnderPointer(canvas, grids, i, scale, readout);
  return createNode("div", "lens-tile", canvas, createNode("span", "", grids.show ? grids.names[i] : ""), ownRangeText);
}

function appendTiles(figure, cell, scale, { drawings }) {
  const readout = createReadout();
  cell.tiles.values ||= decodeFloats(cell.tiles.base64);
  const tiles = cell.tiles.names.map((_, i) => createTile(cell.tiles, i, scale, readout, drawings));
  const group = createNode("div", { className: "lens-tiles", role: "img", ariaLabel: cell.alt, data: cell.data || {} }, ...tiles, readout);
  const box = createNode("div", "lens-enlargeable", group); // an image has no button in it
  figure.append(box);
  makeEnlargeable(box, () => describeGrids(cell.name || cell.title, cell.caption, cell.tiles, scale, cell.file), { click: true });
}

/**
 * Predictions as bars.
 *
 * @param {Array<{index, wnid, label, share}>} predictions
 * @param {number} target - index of the target class
 * @param {string} tag - of each bar: "button", or "div" where it cannot be chosen
 */
export function createPredictionBars(predictions, target, tag) {
  const bars = predictions.map(({ index, wnid, label, share }) => {
    const fill = createNode("i"), bar = createNode(tag, { className: "lens-bar", data: { index, wnid, share } });
    fill.style.width = `${Math.max(1.5, 100 * share)}%`;
    bar.append(createNode("span", "", label), createNode("span", "track", fill), createNode("span", "", formatPercent(share)));
    if (tag === "button") bar.ariaPressed = String(index === target);
    else bar.classList.toggle("chosen", index === target);
    return createNode("li", "", bar);
  });
  return createNode("ol", "lens-bars", ...bars);
}

function appendError(figure, cell, scale, { act }) {
  figure.role = "alert";
  figure.append(createNode("strong", "", cell.text));
  if (cell.attempts.length) {
    const attempts = cell.attempts.map(([source, cause, remedy]) =>
      createNode("li", "", createNode("b", "", `${source}: `), `${cause} ${remedy}`));
    figure.append(createNode("ol", "", ...attempts));
  }
  if (cell.remedy) figure.append(createNode("p", "", cell.remedy));
  const buttons = (cell.ways || []).map(({ text, send }) => createButton("", text, () => act(send)));
  figure.append(createNode("div", "lens-ways", ...buttons));
}

const APPENDERS = {
  map: appendMap,
  tiles: appendTiles,
  bars: (figure, cell) => figure.append(createPredictionBars(cell.predictions, cell.chosen, "div")),
  pending: (figure, cell) => figure.append(createProgress(cell)),
  error: appendError,
};

/** A cell of a view. cell.kind: map, tiles, bars, pending, error, or text, which is in its caption. */
export function createCell(cell, scale, images, act, drawings) {
  const figure = createNode("figure", `lens-cell ${cell.kind}`);
  if (cell.title) figure.append(createNode("div", "lens-cell-title", cell.title));
  APPENDERS[cell.kind]?.(figure, cell, scale, { images, act, drawings });
  const texts = [cell.caption, cell.kind === "text" ? cell.text : ""].filter(Boolean);
  if (texts.length) figure.append(createNode("figcaption", "", ...texts.map((text) => createNode("span", "", text))));
  return figure;
}
