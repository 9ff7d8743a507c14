import { roundHalfEven } from "./format.js";

/**
 * The arithmetic of a depthwise convolution and of a kernel's frequency response. The same as transxnet/results/geometry.py,
 * results/kernel_arithmetic.py and explain/kernels/spectra.py: the browser tests compare both sides number for number.
 */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * The unit nearest to pixel (x, y) of the upload, clamped to the box.
 *
 * @param {{rows, cols, stride, origin, input_size: [number, number], box: number[]}} units - input_size: height and width; box: the input
 *     in pixels of the upload, [x0, y0, x1, y1]
 */
export function unitAt(units, x, y) {
  const [x0, y0, x1, y1] = units.box, [height, width] = units.input_size;
  const inInput = (pixel, low, high, pixels) => (pixel + 0.5 - low) / ((high - low) / pixels) - 0.5;
  const unit = (pixel, count) => clamp(roundHalfEven((pixel - units.origin) / units.stride), 0, count - 1);
  return { row: unit(inInput(y, y0, y1, height), units.rows), col: unit(inInput(x, x0, x1, width), units.cols) };
}

/** The pixel of the upload at which a unit is centered. */
export function pixelOfUnit(units, row, col) {
  const [x0, y0, x1, y1] = units.box, [height, width] = units.input_size;
  const inUpload = (i, low, high, pixels) => (units.origin + units.stride * i + 0.5) * ((high - low) / pixels) + low - 0.5;
  return { x: Math.round(inUpload(col, x0, x1, width)), y: Math.round(inUpload(row, y0, y1, height)) };
}

/** The k x k values below a kernel that is centered on a unit; `beyond` is 1 where they are zero padding. */
export function patchAt(map, rows, cols, row, col, k) {
  const values = new Float32Array(k * k), beyond = new Uint8Array(k * k), half = (k - 1) / 2;
  for (let tap = 0; tap < k * k; tap++) {
    const i = row + Math.floor(tap / k) - half, j = col + (tap % k) - half;
    const isInside = i >= 0 && i < rows && j >= 0 && j < cols;
    values[tap] = isInside ? map[i * cols + j] : 0;
    beyond[tap] = isInside ? 0 : 1;
  }
  return { values, beyond };
}

export const multiply = (values, kernel) => Float64Array.from(values, (value, i) => value * kernel[i]);
export const sum = (values) => values.reduce((total, value) => total + value, 0);

const waveTables = {};

/** cos and sin of every tap t and frequency q, at t * n + q. */
function wavesOf(k, n) {
  if (!waveTables[[k, n]]) {
    const angles = Float64Array.from({ length: k * n }, (_, i) => (-2 * Math.PI * Math.floor(i / n) * ((i % n) - n / 2)) / n);
    waveTables[[k, n]] = { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
  }
  return waveTables[[k, n]];
}

/** |DFT| of a k x k kernel padded with zeros to n x n, n even; frequency 0 in row and column n / 2. */
export function spectrum(kernel, k, n) {
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

/** The mean of a spectrum over rings that are 1 / n apart; entry r is at r / n cycles per unit. */
export function radialProfile(magnitude, n) {
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
