/* Raw maps to colored pixels, in the browser: the arithmetic of transxnet/draw/scale.py and overlay.py.

   A map is {values: Float32Array, rows, cols, stride, origin, view: [height, width]}; a scale is
   {range: [low, high], signed, root, colormap, clip?}, and after `toned` also {gamma, threshold, masked}.
   The browser tests compare both sides number for number. */
(() => {
  const ALPHA_POWER = 0.75;
  const MISSING = [200, 200, 200];

  function decode(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  }

  /* For each pixel of one axis: the unit before it, the one after, and how far along it lies. */
  function neighbors(pixels, view, units, map) {
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
    const y = neighbors(height, map.view[0], map.rows, map);
    const x = neighbors(width, map.view[1], map.cols, map);
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

  /* value -> its share of the scale's maximum: 0..1, or -1..1 if signed; NaN where not finite. */
  function sharing({ range: [low, high], signed }) {
    if (signed) { high = Math.max(Math.abs(low), Math.abs(high)); low = 0; }
    const least = signed ? -1 : 0, width = high - low;
    return (value) => {
      if (!Number.isFinite(value)) return NaN;
      return Math.min(Math.max(width > 0 ? (value - low) / width : Math.sign(value - low), least), 1);
    };
  }

  /* share -> t, the place on the color scale: the square root of a root scale first, then gamma. */
  const shaping = ({ root, gamma = 1 }) => (share) => {
    let t = root ? Math.sqrt(Math.abs(share)) : Math.abs(share);
    if (gamma !== 1) t **= gamma;
    return Math.sign(share) * t;
  };

  const unit = (value, scale) => shaping(scale)(sharing(scale)(value));

  /* Whether a share is not below the threshold; not so where it is NaN. */
  const above = (share, { threshold = 0 }) => Math.abs(share) >= threshold;

  const indexOf = (t, signed) => 3 * Math.round(255 * (signed ? (t + 1) / 2 : t));

  function color(t, scale, lut) {
    if (Number.isNaN(t)) return MISSING;
    const index = indexOf(t, scale.signed);
    return [lut[index], lut[index + 1], lut[index + 2]];
  }

  /* value -> RGBA where nothing lies under it: transparent below the threshold, so that the page shows. */
  function painting(scale, lut) {
    const shareOf = sharing(scale), shape = shaping(scale);
    return (value) => {
      const share = shareOf(value), seen = above(share, scale) || Number.isNaN(share);
      return seen ? [...color(shape(share), scale, lut), 255] : [0, 0, 0, 0];
    };
  }

  const alpha = (t, opacity) => (Number.isNaN(t) ? 0 : opacity * Math.abs(t) ** ALPHA_POWER);

  /* Blend placed values over gray pixels; `pixels` is RGBA of the photo and is written to. Masked, the photo
     keeps its colors where values are not below the threshold, and 1 - opacity of its light elsewhere. */
  function blend(pixels, values, scale, lut, opacity) {
    const shareOf = sharing(scale), shape = shaping(scale);
    for (let i = 0, p = 0; i < values.length; i++, p += 4) {
      const share = shareOf(values[i]), seen = above(share, scale);
      if (scale.masked) {
        for (let c = p; c < p + 3 && !seen; c++) pixels[c] *= 1 - opacity;
        continue;
      }
      const t = seen ? shape(share) : 0, a = alpha(t, opacity), index = indexOf(t, scale.signed);
      const gray = (0.299 * pixels[p] + 0.587 * pixels[p + 1] + 0.114 * pixels[p + 2]) * (1 - a);
      pixels[p] = gray + lut[index] * a;
      pixels[p + 1] = gray + lut[index + 1] * a;
      pixels[p + 2] = gray + lut[index + 2] * a;
    }
  }

  /* A map's own range, as shared_range of scale.py has it; clip: the share of values below its end, 1 the largest. */
  function ownRange(values, { signed, clip = 1 }) {
    const sorted = Float32Array.from(values).filter(Number.isFinite).sort(), last = sorted.length - 1;
    if (last < 0) return [0, 0];
    const at = last * clip, before = Math.floor(at), next = Math.min(before + 1, last);
    const low = sorted[0], high = sorted[before] + (at - before) * (sorted[next] - sorted[before]);
    const most = Math.max(Math.abs(low), Math.abs(high));
    return signed ? [-most, most] : [Math.min(low, 0), Math.max(high, 0)];
  }

  /* The scale as the display controls have it. values: of one map, whose own range it has if normalized. */
  function toned(scale, { gamma, threshold, view }, values) {
    const range = view === "normalized" && values ? ownRange(values, scale) : scale.range;
    return { ...scale, range, gamma, threshold, masked: view === "masked" };
  }

  /* The raw value nearest to a view pixel, and its unit: what the read-out says. */
  function valueAt(map, x, y) {
    const clamp = (v, n) => Math.min(Math.max(Math.round(v), 0), n - 1);
    const col = clamp((x - map.origin) / map.stride, map.cols), row = clamp((y - map.origin) / map.stride, map.rows);
    return { row, col, value: map.values[row * map.cols + col] };
  }

  window.lensMaps = {
    decode, neighbors, place, sharing, shaping, unit, above, color, painting, alpha, blend, ownRange, toned, valueAt,
  };
})();
