/* Attention tables: arithmetic only. Made by demo/tables.py; the browser tests compare it with the library's.

   A table is one block's weights in steps: bytes (heads, Nq, Nk), scales (heads, Nq), the weight of one step,
   entropy and distance (heads, Nq) of the weights before they were put in steps; queries and
   keys are grids {rows, cols, stride, origin} in pixels of the view, box is the view in pixels of the upload.
   head: 1, 2, …, "mean" or "max" of all. direction: "from" a query to its keys, "to" a key from all queries. */
(() => {
  function decode(table) {
    const bytes = Uint8Array.from(atob(table.weights), (c) => c.charCodeAt(0));
    const floats = (name) => ({ [name]: window.lensMaps.decode(table[name]) });
    return { ...table, bytes, ...floats("scales"), ...floats("entropy"), ...floats("distance"), weights: null };
  }

  const count = (grid) => grid.rows * grid.cols;

  /* A head that the table does not have is the mean of those it has; one head is no choice. */
  const headOf = (table, head) => (table.heads === 1 ? 1 : typeof head === "number" && head > table.heads ? "mean" : head);

  /* The unit of a grid nearest to a point of the upload; outside the view, the nearest edge's. */
  function unitAt({ view, box }, grid, { x, y }) {
    const { row, col } = window.lensArithmetic.unitAt({ ...grid, view, box }, x, y);
    return { row, col, index: row * grid.cols + col };
  }

  /* Where a unit's center lies: pixels of the view. */
  const center = (grid, { row, col }) => [grid.origin + grid.stride * col, grid.origin + grid.stride * row];

  /* One head's weights: of a query over all keys, or of a key from all queries. head from 1. */
  function ofHead(table, direction, head, index) {
    const queries = count(table.queries), keys = count(table.keys), { bytes, scales } = table;
    if (direction === "from") {
      const row = (head - 1) * queries + index, scale = scales[row];
      return Float32Array.from({ length: keys }, (_, k) => bytes[row * keys + k] * scale);
    }
    const first = (head - 1) * queries;
    return Float32Array.from({ length: queries }, (_, q) => bytes[(first + q) * keys + index] * scales[first + q]);
  }

  function every(table, direction, index) {
    return Array.from({ length: table.heads }, (_, h) => ofHead(table, direction, h + 1, index));
  }

  /* "mean" or "max" over heads, value by value. */
  function fused(heads, how) {
    const out = Float32Array.from(heads[0]), n = heads.length;
    for (let h = 1; h < n; h++) {
      const one = heads[h];
      for (let i = 0; i < out.length; i++) out[i] = how === "max" ? Math.max(out[i], one[i]) : out[i] + one[i];
    }
    if (how === "mean") for (let i = 0; i < out.length; i++) out[i] /= n;
    return out;
  }

  const pick = (heads, head) => (typeof head === "number" ? heads[head - 1] : fused(heads, head));

  /* What a point of the upload shows: {values, rows, cols, stride, origin, view} on the grid of the other side, as
     lensMaps takes it; unit is the query or key nearest to the position. heads: maps of all heads, if they were made. */
  function mapAt(table, direction, head, position, heads = null) {
    const own = direction === "from" ? table.queries : table.keys, other = direction === "from" ? table.keys : table.queries;
    const unit = unitAt(table, own, position), which = headOf(table, head);
    const values = typeof which === "number" && !heads ? ofHead(table, direction, which, unit.index)
      : pick(heads || every(table, direction, unit.index), which);
    return { ...other, view: table.view, values, unit, own, head: which };
  }

  const peak = (values) => values.reduce((high, v) => (v > high ? v : high), 0);
  const sum = (values) => values.reduce((all, v) => all + v, 0);

  /* A query's entropy (over log Nk: 0, all in one place; 1, all alike) or distance (mean, to its keys, pixels of the
     view): of one head, of several the mean of theirs, as the library says it. */
  function figure(table, name, head, index) {
    const queries = count(table.queries), of = (h) => table[name][(h - 1) * queries + index];
    if (typeof head === "number") return of(head);
    return Array.from({ length: table.heads }, (_, h) => of(h + 1)).reduce((all, v) => all + v, 0) / table.heads;
  }

  window.lensTables = { decode, headOf, unitAt, center, ofHead, every, fused, mapAt, peak, sum, figure };
})();
