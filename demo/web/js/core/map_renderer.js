import { LUTS } from "./colormaps.js";
import { display } from "./display_store.js";

/**
 * Maps of numbers as pixels: over an image, as a small grid, as a color bar. The arithmetic is that of
 * transxnet/draw/scale.py and overlay.py; the browser tests compare both sides number for number.
 *
 * @typedef {Object} ValueMap - values of units that lie on a regular grid over the model input
 * @property {Float32Array} values - row by row
 * @property {number} rows
 * @property {number} cols
 * @property {number} stride - pixels of the input between two units
 * @property {number} origin - the pixel of the input at which the first unit is centered
 * @property {[number, number]} input_size - height and width in pixels
 *
 * @typedef {Object} Scale - which value gets which color
 * @property {[number, number]} range
 * @property {boolean} signed - colors run from -max to max
 * @property {boolean} root - colors follow the square root of the value
 * @property {string} colormap
 * @property {string} units
 * @property {number} [clip] - the quantile that ends a map's own range; 1 is its maximum
 */
const ALPHA_POWER = 0.75, MISSING = [200, 200, 200];
const CANVAS_SIDE = 352; // pixels of the longest side: sharp on phones and in columns, quick to blend

export function decodeFloats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
}

// ---- scales ---------------------------------------------------------------------------------------------------

/** A scale with the display settings applied: range, gamma, threshold, masked, lut. values: of the map, for its own range. */
export function resolveScale(scale, values, { gamma, threshold, scale: mode } = display) {
  const range = mode === "normalized" && values ? ownRange(values, scale) : scale.range;
  const colormap = display[scale.signed ? "diverging" : "colormap"] || scale.colormap;
  return { ...scale, range, gamma, threshold, masked: mode === "masked", lut: LUTS[colormap] };
}

/** A map's own range, as `shared_range` of scale.py has it. */
export function ownRange(values, { signed, clip = 1 }) {
  const sorted = Float32Array.from(values).filter(Number.isFinite).sort(), last = sorted.length - 1;
  if (last < 0) return [0, 0];
  const at = last * clip, before = Math.floor(at), next = Math.min(before + 1, last);
  const low = sorted[0], high = sorted[before] + (at - before) * (sorted[next] - sorted[before]);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  return signed ? [-largest, largest] : [Math.min(low, 0), Math.max(high, 0)];
}

/** value -> its share of the scale's maximum: 0..1, or -1..1 if signed; NaN where it is not finite. */
export function sharesOn({ range: [low, high], signed }) {
  if (signed) [low, high] = [0, Math.max(Math.abs(low), Math.abs(high))];
  const least = signed ? -1 : 0, width = high - low;
  return (value) => {
    if (!Number.isFinite(value)) return NaN;
    return Math.min(Math.max(width > 0 ? (value - low) / width : Math.sign(value - low), least), 1);
  };
}

/** share -> position on the color scale: first the square root of a root scale, then gamma. */
export const colorPositionsOn = ({ root, gamma = 1 }) => (share) => {
  let position = root ? Math.sqrt(Math.abs(share)) : Math.abs(share);
  if (gamma !== 1) position **= gamma;
  return share < 0 ? -position : position;
};

/** Whether a share reaches the threshold; NaN does not. */
export const reachesThreshold = (share, { threshold = 0 }) => Math.abs(share) >= threshold;

/** Opacity at a color position. ALPHA_POWER is 3/4, which two square roots compute faster than a power. */
export function alphaAt(position, opacity) {
  if (Number.isNaN(position)) return 0;
  const root = Math.sqrt(Math.abs(position));
  return opacity * root * Math.sqrt(root);
}

const lutIndex = (position, signed) => 3 * ((255 * (signed ? (position + 1) / 2 : position) + 0.5) | 0);

/** [red, green, blue] at a color position. */
export function colorAt(position, { signed, lut }) {
  if (Number.isNaN(position)) return MISSING;
  const index = lutIndex(position, signed);
  return [lut[index], lut[index + 1], lut[index + 2]];
}

/** value -> RGBA where no image lies below: transparent below the threshold, so that the page shows. */
export function colorsOn(scale) {
  const shareOf = sharesOn(scale), positionOf = colorPositionsOn(scale);
  return (value) => {
    const share = shareOf(value), isDrawn = reachesThreshold(share, scale) || Number.isNaN(share);
    return isDrawn ? [...colorAt(positionOf(share), scale), 255] : [0, 0, 0, 0];
  };
}

// ---- a map over an image ----------------------------------------------------------------------------------------

/** For each pixel of one axis of a drawing: the unit before it, the unit after it, and how far it lies between them. */
function neighborsOf(pixels, inputSize, units, map) {
  const before = new Int32Array(pixels), after = new Int32Array(pixels), share = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const inInput = ((i + 0.5) * inputSize) / pixels - 0.5;
    const unit = Math.min(Math.max((inInput - map.origin) / map.stride, 0), units - 1);
    before[i] = Math.floor(unit);
    share[i] = unit - before[i];
    after[i] = before[i] + (share[i] > 0 ? 1 : 0);
  }
  return { before, after, share };
}

const placements = new Map(); // grid and drawing size -> neighbors along both axes

/** Bilinear interpolation of a map onto a drawing of height x width pixels; units are where they are in the model input. */
export function interpolate(map, height, width) {
  const key = [map.rows, map.cols, map.stride, map.origin, ...map.input_size, height, width].join();
  if (!placements.has(key)) {
    placements.set(key, [neighborsOf(height, map.input_size[0], map.rows, map), neighborsOf(width, map.input_size[1], map.cols, map)]);
  }
  const [y, x] = placements.get(key), { values, cols } = map;
  const pixels = new Float32Array(height * width), line = new Float32Array(cols); // line: one row of the drawing
  for (let i = 0, p = 0; i < height; i++) {
    const top = y.before[i] * cols, bottom = y.after[i] * cols, down = y.share[i];
    for (let c = 0; c < cols; c++) line[c] = values[top + c] * (1 - down) + values[bottom + c] * down;
    for (let j = 0; j < width; j++, p++) {
      pixels[p] = line[x.before[j]] * (1 - x.share[j]) + line[x.after[j]] * x.share[j];
    }
  }
  return pixels;
}

const imagePixels = new WeakMap(); // image -> {size: pixels}

/** An image at a canvas' size: its RGBA bytes and its gray. Cached, because a map is redrawn at every pointer move. */
function pixelsOf(image, width, height) {
  const cached = imagePixels.get(image) || {}, size = `${width} ${height} ${display.model_resolution}`;
  imagePixels.set(image, cached);
  return (cached[size] ||= samplePixels(image, width, height));
}

function samplePixels(image, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = !display.model_resolution;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const gray = Float32Array.from({ length: width * height }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
  return { data, gray };
}

/** Sets a canvas' size to the shape of a model input, its longest side in pixels. */
export function fitCanvas(canvas, [height, width], longest = CANVAS_SIDE) {
  const scale = longest / Math.max(height, width);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
}

/**
 * Draws a map over an image: its color over the image's gray; masked, the image in color where values reach the
 * threshold, and 1 - opacity of its light elsewhere. Returns false where the image is not loaded yet.
 *
 * @param {HTMLCanvasElement} canvas - its size is that of the drawing (fitCanvas)
 * @param {ValueMap} map
 * @param {HTMLImageElement|HTMLCanvasElement} image
 * @param {Scale} scale
 */
export function renderMap(canvas, map, image, scale) {
  if (!image.complete || image.naturalWidth === 0) return false;
  const { width, height } = canvas, { data, gray } = pixelsOf(image, width, height);
  const resolved = resolveScale(scale, map.values), values = interpolate(map, height, width);
  const context = canvas.getContext("2d"), drawing = context.createImageData(width, height);
  (resolved.masked ? maskPixels : blendPixels)(drawing.data, values, data, gray, resolved, display.opacity);
  context.putImageData(drawing, 0, 0);
  return true;
}

/**
 * Blends colors over gray. The arithmetic of sharesOn, colorPositionsOn and alphaAt, inlined: this loop runs for every
 * pixel at every move of a pointer, and function calls would double its time.
 */
function blendPixels(drawing, values, data, gray, { range, signed, root, gamma, threshold, lut }, opacity) {
  const low = signed ? 0 : range[0], high = signed ? Math.max(Math.abs(range[0]), Math.abs(range[1])) : range[1];
  const factor = 1 / (high - low), least = signed ? -1 : 0;
  for (let i = 0, p = 0; i < values.length; i++, p += 4) {
    let share = Number.isFinite(values[i]) ? (values[i] - low) * factor : 0;
    share = share > 1 ? 1 : share < least ? least : share;
    let position = share < 0 ? -share : share;
    if (!(position >= threshold)) position = 0; // also where share is not a number
    if (root) position = Math.sqrt(position);
    if (gamma !== 1) position **= gamma;
    const squareRoot = Math.sqrt(position), alpha = opacity * squareRoot * Math.sqrt(squareRoot), base = gray[i] * (1 - alpha);
    const index = lutIndex(share < 0 ? -position : position, signed);
    drawing[p] = base + lut[index] * alpha;
    drawing[p + 1] = base + lut[index + 1] * alpha;
    drawing[p + 2] = base + lut[index + 2] * alpha;
    drawing[p + 3] = 255;
  }
}

function maskPixels(drawing, values, data, gray, scale, opacity) {
  const shareOf = sharesOn(scale);
  drawing.set(data);
  for (let i = 0, p = 0; i < values.length; i++, p += 4) {
    if (reachesThreshold(shareOf(values[i]), scale)) continue;
    for (let c = p; c < p + 3; c++) drawing[c] *= 1 - opacity;
  }
}

/** The value of the unit nearest to a pixel of the model input. */
export function valueAt(map, x, y) {
  const unitAt = (pixel, units) => Math.min(Math.max(Math.round((pixel - map.origin) / map.stride), 0), units - 1);
  const row = unitAt(y, map.rows), col = unitAt(x, map.cols);
  return { row, col, value: map.values[row * map.cols + col] };
}

// ---- without an image -------------------------------------------------------------------------------------------

/** Draws values one pixel each, for a canvas that CSS enlarges. */
export function renderGrid(canvas, values, rows, cols, scale) {
  renderColors(canvas, values, rows, cols, resolveScale(scale, values));
}

/** Draws the colors of a resolved scale from its lowest to its highest value. */
export function renderColorBar(canvas, scale) {
  const { signed } = scale, values = Float64Array.from({ length: 256 }, (_, i) => (signed ? (2 * i) / 255 - 1 : i / 255));
  renderColors(canvas, values, 1, 256, { ...scale, range: signed ? [-1, 1] : [0, 1] });
}

function renderColors(canvas, values, rows, cols, scale) {
  const context = canvas.getContext("2d"), colorOf = colorsOn(scale);
  canvas.width = cols;
  canvas.height = rows;
  const drawing = context.createImageData(cols, rows);
  values.forEach((value, i) => drawing.data.set(colorOf(value), 4 * i));
  context.putImageData(drawing, 0, 0);
}

/** The shape in taps of small grids side by side, about square, with a gap of one tap between them. */
export function layOutGrids({ names, rows, cols }) {
  const columns = Math.ceil(Math.sqrt(names.length)), lines = Math.ceil(names.length / columns);
  return { columns, width: columns * (cols + 1) - 1, height: lines * (rows + 1) - 1 };
}

/** Draws small grids side by side on one canvas. grids: {names, values, rows, cols}; longest: pixels of its longest side, at most. */
export function renderGrids(canvas, grids, scale, longest) {
  const { rows, cols, names, values } = grids, { columns, width, height } = layOutGrids(grids);
  const tap = Math.max(1, Math.floor(longest / Math.max(width, height))), square = document.createElement("canvas");
  Object.assign(canvas, { width: width * tap, height: height * tap });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  names.forEach((_, i) => {
    renderGrid(square, values.subarray(i * rows * cols, (i + 1) * rows * cols), rows, cols, scale);
    const left = (i % columns) * (cols + 1), top = Math.floor(i / columns) * (rows + 1);
    context.drawImage(square, left * tap, top * tap, cols * tap, rows * tap);
  });
}
