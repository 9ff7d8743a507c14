import { unitAt as unitOfGeometry } from "./arithmetic.js";
import { decodeFloats } from "./map_renderer.js";

/**
 * Arithmetic on attention tables (demo/tables.py makes them; the browser tests compare it with the library's).
 *
 * @typedef {Object} AttentionTable - the weights of one block
 * @property {Uint8Array} bytes - (heads, queries, keys): weights in steps
 * @property {Float32Array} scales - (heads, queries): the weight of one step
 * @property {Float32Array} entropy - (heads, queries), of the exact weights, over log(keys): 0 to 1
 * @property {Float32Array} distance - (heads, queries), mean distance to the keys in pixels of the model input
 * @property {Object} queries - a grid {rows, cols, stride, origin} in pixels of the model input; keys: another
 * @property {number[]} box - the model input in pixels of the upload
 *
 * head: 1, 2, …, "mean" or "max" of all. direction: "from" a query to its keys, or "to" a key from all queries.
 */
export function decodeTable(table) {
  const bytes = Uint8Array.from(atob(table.weights), (character) => character.charCodeAt(0));
  const floats = Object.fromEntries(["scales", "entropy", "distance"].map((name) => [name, decodeFloats(table[name])]));
  return { ...table, ...floats, bytes, weights: null };
}

const count = (grid) => grid.rows * grid.cols;

/** The head that a table shows: a head it does not have is the mean of all; a single head is no choice. */
const availableHead = ({ heads }, head) => (heads === 1 ? 1 : typeof head === "number" && head > heads ? "mean" : head);

/** The unit of a grid nearest to a position of the upload, clamped to the input: {row, col, index}. */
export function unitAt({ input_size, box }, grid, { x, y }) {
  const { row, col } = unitOfGeometry({ ...grid, input_size, box }, x, y);
  return { row, col, index: row * grid.cols + col };
}

/** The pixel of the view at which a unit is centered. */
export const centerOf = (grid, { row, col }) => [grid.origin + grid.stride * col, grid.origin + grid.stride * row];

/** One head's weights, from a query over all keys or to a key from all queries. */
function weightsOfHead(table, direction, head, index) {
  const queries = count(table.queries), keys = count(table.keys), { bytes, scales } = table, first = (head - 1) * queries;
  if (direction === "to") return Float32Array.from({ length: queries }, (_, q) => bytes[(first + q) * keys + index] * scales[first + q]);
  const row = first + index, scale = scales[row];
  return Float32Array.from({ length: keys }, (_, k) => bytes[row * keys + k] * scale);
}

/** The weights of every head: an array of Float32Array. */
export function weightsOfHeads(table, direction, index) {
  return Array.from({ length: table.heads }, (_, i) => weightsOfHead(table, direction, i + 1, index));
}

/** The mean or the maximum over heads, value by value. */
function reduceHeads(heads, reduction) {
  const reduced = Float32Array.from(heads[0]), isMax = reduction === "max";
  for (const weights of heads.slice(1)) {
    for (let i = 0; i < reduced.length; i++) reduced[i] = isMax ? Math.max(reduced[i], weights[i]) : reduced[i] + weights[i];
  }
  return isMax ? reduced : reduced.map((sum) => sum / heads.length);
}

/**
 * The map at a position of the upload, on the grid of the other side: a ValueMap of map_renderer.js, with the query or key
 * nearest to the position as `unit`, its grid as `unitGrid`, and the head that the values are of.
 *
 * @param {Float32Array[]} [heads] - the weights of all heads, where they have been computed
 */
export function attentionMapAt(table, direction, head, position, heads) {
  const [unitGrid, valueGrid] = direction === "from" ? [table.queries, table.keys] : [table.keys, table.queries];
  const unit = unitAt(table, unitGrid, position), available = availableHead(table, head);
  const isSingle = typeof available === "number", all = heads || (isSingle ? null : weightsOfHeads(table, direction, unit.index));
  const values = !all ? weightsOfHead(table, direction, available, unit.index) : isSingle ? all[available - 1] : reduceHeads(all, available);
  return { ...valueGrid, input_size: table.input_size, values, unit, unitGrid, head: available };
}

export const maximum = (values) => values.reduce((largest, value) => (value > largest ? value : largest), 0);
export const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** A query's "entropy" or "distance": of one head, or the mean over heads, as in the library. */
export function statisticOf(table, name, head, index) {
  const heads = typeof head === "number" ? [head] : Array.from({ length: table.heads }, (_, i) => i + 1);
  return total(heads.map((h) => table[name][(h - 1) * count(table.queries) + index])) / heads.length;
}
