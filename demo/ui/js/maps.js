/* Raw maps to coloured pixels, in the browser: the arithmetic of transxnet/draw/scale.py and overlay.py.

   A map is {values: Float32Array, rows, cols, stride, origin, view: [height, width]}; a scale is
   {range: [low, high], signed, root, colormap}. The browser tests compare both sides number for number. */
(() => {
  const ALPHA_POWER = 0.75;
  const MISSING = [200, 200, 200];

  function decode(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  }

  /* For each pixel of one axis: the unit before it, the one after, and how far along it lies. */
  function neighbours(pixels, view, units, map) {
    const before = new Int32Array(pixels), after = new Int32Array(pixels), share = new Float32Array(pixels);
    for (let i = 0; i < pixels; i++) {
      const inView = ((i + 0.5) * view) / pixels - 0.5;
      const u = Math.min(Math.max((inView - map.origin) / map.stride, 0), units - 1);
      before[i] = Math.floor(u);
      share[i] = u - before[i];
      after[i] = before[i] + (share[i] > 0 ? 1 : 0);
    }
    return { before, after, share };
  }

  /* Bilinear interpolation of a grid onto a height x width drawing of the view, units where they are. */
  function place(map, height, width) {
    const y = neighbours(height, map.view[0], map.rows, map);
    const x = neighbours(width, map.view[1], map.cols, map);
    const out = new Float32Array(height * width);
    const v = map.values, cols = map.cols;
    for (let i = 0; i < height; i++) {
      const top = y.before[i] * cols, bottom = y.after[i] * cols, down = y.share[i];
      for (let j = 0; j < width; j++) {
        const l = x.before[j], r = x.after[j], along = x.share[j];
        const left = v[top + l] * (1 - down) + v[bottom + l] * down;
        const right = v[top + r] * (1 - down) + v[bottom + r] * down;
        out[i * width + j] = left * (1 - along) + right * along;
      }
    }
    return out;
  }

  /* Value -> t: 0..1, or -1..1 if signed; NaN where not finite. root: the square root of the share. */
  function unit(value, scale) {
    if (!Number.isFinite(value)) return NaN;
    let [low, high] = scale.range;
    if (scale.signed) { high = Math.max(Math.abs(low), Math.abs(high)); low = 0; }
    let t = high > low ? (value - low) / (high - low) : Math.sign(value - low);
    t = Math.min(Math.max(t, scale.signed ? -1 : 0), 1);
    return scale.root ? Math.sign(t) * Math.sqrt(Math.abs(t)) : t;
  }

  function colour(t, scale, lut) {
    if (Number.isNaN(t)) return MISSING;
    const index = 3 * Math.round(255 * (scale.signed ? (t + 1) / 2 : t));
    return [lut[index], lut[index + 1], lut[index + 2]];
  }

  const alpha = (t, opacity) => (Number.isNaN(t) ? 0 : opacity * Math.abs(t) ** ALPHA_POWER);

  /* Blend placed values over grey pixels; `pixels` is RGBA of the photograph and is written to. */
  function blend(pixels, values, scale, lut, opacity) {
    for (let i = 0; i < values.length; i++) {
      const t = unit(values[i], scale), a = alpha(t, opacity), c = colour(t, scale, lut), p = 4 * i;
      const grey = 0.299 * pixels[p] + 0.587 * pixels[p + 1] + 0.114 * pixels[p + 2];
      pixels[p] = grey * (1 - a) + c[0] * a;
      pixels[p + 1] = grey * (1 - a) + c[1] * a;
      pixels[p + 2] = grey * (1 - a) + c[2] * a;
    }
  }

  /* The raw value nearest to a view pixel, and its unit: what the read-out says. */
  function valueAt(map, x, y) {
    const clamp = (v, n) => Math.min(Math.max(Math.round(v), 0), n - 1);
    const col = clamp((x - map.origin) / map.stride, map.cols), row = clamp((y - map.origin) / map.stride, map.rows);
    return { row, col, value: map.values[row * map.cols + col] };
  }

  window.lensMaps = { decode, place, unit, colour, alpha, blend, valueAt };
})();
