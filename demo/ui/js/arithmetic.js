/* The arithmetic of a depthwise convolution: which unit, what its kernel lies over, 49 products, a sum; and the kernel's
   frequency response. Pure functions, the same as transxnet/results/geometry.py, results/kernel_arithmetic.py and
   explain/spectra.py: the browser tests compare both sides number for number. */
(() => {
  /* Halves to the even side, as Python's round. */
  const nearest = (v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  /* units: {rows, cols, stride, origin, view: [height, width], box: [x0, y0, x1, y1]}, x and y pixels of the upload.
     The unit nearest to a position; outside of the box, the nearest edge's. */
  function unitAt(units, x, y) {
    const [x0, y0, x1, y1] = units.box, [height, width] = units.view;
    const inView = (at, low, high, pixels) => (at + 0.5 - low) / ((high - low) / pixels) - 0.5;
    const unit = (at, n) => clamp(nearest((at - units.origin) / units.stride), 0, n - 1);
    return { row: unit(inView(y, y0, y1, height), units.rows), col: unit(inView(x, x0, x1, width), units.cols) };
  }

  /* The pixel of the upload in which a unit's center lies. */
  function pointOf(units, row, col) {
    const [x0, y0, x1, y1] = units.box, [height, width] = units.view;
    const at = (i, low, high, pixels) => (units.origin + units.stride * i + 0.5) * ((high - low) / pixels) + low - 0.5;
    return { x: Math.round(at(col, x0, x1, width)), y: Math.round(at(row, y0, y1, height)) };
  }

  /* What a k x k kernel lies over when its middle stands on a unit: zeros where that is beyond the map. */
  function patch(map, rows, cols, row, col, k) {
    const values = new Float32Array(k * k), beyond = new Uint8Array(k * k), half = (k - 1) / 2;
    for (let u = 0; u < k; u++) {
      for (let v = 0; v < k; v++) {
        const i = row + u - half, j = col + v - half, inside = i >= 0 && i < rows && j >= 0 && j < cols;
        values[u * k + v] = inside ? map[i * cols + j] : 0;
        beyond[u * k + v] = inside ? 0 : 1;
      }
    }
    return { values, beyond };
  }

  const products = (values, kernel) => Float64Array.from(values, (value, i) => value * kernel[i]);
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  /* cos and sin of every tap t and frequency q, at t * n + q: the same for all kernels of a size. */
  const waves = {};
  function wavesOf(k, n) {
    if (!waves[[k, n]]) {
      const angles = Float64Array.from({ length: k * n }, (_, i) => (-2 * Math.PI * Math.floor(i / n) * ((i % n) - n / 2)) / n);
      waves[[k, n]] = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
    }
    return waves[[k, n]];
  }

  /* |DFT| of a k x k kernel padded with zeros to n x n, n even; frequency 0 in row and column n / 2. */
  function spectrum(kernel, k, n) {
    const { cos, sin } = wavesOf(k, n);
    const real = new Float64Array(k * n), imaginary = new Float64Array(k * n); // rows transformed
    for (let u = 0; u < k; u++) {
      for (let v = 0; v < k; v++) {
        for (let q = 0; q < n; q++) {
          real[u * n + q] += kernel[u * k + v] * cos[v * n + q];
          imaginary[u * n + q] += kernel[u * k + v] * sin[v * n + q];
        }
      }
    }
    const magnitude = new Float64Array(n * n);
    for (let p = 0; p < n; p++) {
      for (let q = 0; q < n; q++) {
        let re = 0, im = 0;
        for (let u = 0; u < k; u++) {
          const c = cos[u * n + p], s = sin[u * n + p];
          re += real[u * n + q] * c - imaginary[u * n + q] * s;
          im += real[u * n + q] * s + imaginary[u * n + q] * c;
        }
        magnitude[p * n + q] = Math.sqrt(re * re + im * im);
      }
    }
    return magnitude;
  }

  /* Mean of a spectrum over rings 1 / n apart; entry r is at r / n cycles per unit. */
  function profile(magnitude, n) {
    const total = [], count = [];
    for (let p = 0; p < n; p++) {
      for (let q = 0; q < n; q++) {
        const ring = Math.round(Math.sqrt((p - n / 2) ** 2 + (q - n / 2) ** 2));
        total[ring] = (total[ring] || 0) + magnitude[p * n + q];
        count[ring] = (count[ring] || 0) + 1;
      }
    }
    return Float64Array.from(total, (value, ring) => value / count[ring]);
  }

  window.lensArithmetic = { unitAt, pointOf, patch, products, sum, spectrum, profile };
})();
