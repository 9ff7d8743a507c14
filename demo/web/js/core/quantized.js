const LEVELS = 127;

/** The values of an array that demo/quantized.py has quantized: {base64, high, signed}. Returns a Float32Array. */
export function dequantize({ base64, high, signed }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return Float32Array.from(bytes, signed ? (byte) => ((byte - LEVELS - 1) / LEVELS) * high : (byte) => (byte / 255) * high);
}
