/* A grid of cells that a brush paints, and its text form "ROWSxCOLS:BASE64" (transxnet/explain/ablation/masking.py): bits row by
   row, highest first. Cell (r, c) covers c <= x < c + 1, r <= y < r + 1. No drawing here. */
(() => {
  const gridOf = (rows, cols) => ({ rows, cols, cells: new Uint8Array(rows * cols) });

  /* A grid for an image of this size, its longer side `longest` cells. */
  function gridFor([width, height], longest) {
    const scale = longest / Math.max(width, height);
    return gridOf(Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale)));
  }

  /* Paints the cells whose center lies within `radius` of (x, y), a disc or a square; the cell under it always. */
  function stamp(grid, x, y, radius, square = false) {
    const paint = (r, c) => { if (r >= 0 && c >= 0 && r < grid.rows && c < grid.cols) grid.cells[r * grid.cols + c] = 1; };
    for (let r = Math.floor(y - radius); r <= Math.ceil(y + radius); r++)
      for (let c = Math.floor(x - radius); c <= Math.ceil(x + radius); c++) {
        const dx = Math.abs(c + 0.5 - x), dy = Math.abs(r + 0.5 - y);
        if (square ? Math.max(dx, dy) <= radius : dx * dx + dy * dy <= radius * radius) paint(r, c);
      }
    paint(Math.floor(y), Math.floor(x));
  }

  /* Stamps all along the way, so that a quick stroke has no gaps. */
  function stroke(grid, [x0, y0], [x1, y1], radius) {
    const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / Math.max(0.5, radius / 2)));
    for (let i = 1; i <= steps; i++) stamp(grid, x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps, radius);
  }

  const share = (grid) => grid.cells.reduce((sum, one) => sum + one, 0) / grid.cells.length;

  /* "" where nothing is painted. */
  function pack(grid) {
    if (!grid.cells.some(Boolean)) return "";
    const bytes = new Uint8Array(Math.ceil(grid.cells.length / 8));
    grid.cells.forEach((on, i) => { if (on) bytes[i >> 3] |= 128 >> (i & 7); });
    return `${grid.rows}x${grid.cols}:${btoa(String.fromCharCode(...bytes))}`;
  }

  /* null for a text that is no mask: the server says so in words. */
  function unpack(text) {
    const found = /^(\d{1,3})x(\d{1,3}):([A-Za-z0-9+/]*={0,2})$/.exec(text);
    if (!found) return null;
    const grid = gridOf(Number(found[1]), Number(found[2]));
    let bytes;
    try {
      bytes = Uint8Array.from(atob(found[3]), (c) => c.charCodeAt(0));
    } catch {
      return null; // not base64
    }
    if (bytes.length !== Math.ceil(grid.cells.length / 8)) return null;
    grid.cells.forEach((_, i) => { grid.cells[i] = (bytes[i >> 3] >> (7 - (i & 7))) & 1; });
    return grid;
  }

  window.lensPaint = { gridFor, stamp, stroke, share, pack, unpack };
})();
