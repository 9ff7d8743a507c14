/** Numbers as text. Each function equals the one of transxnet/draw/text.py character for character. */

const NOT_A_NUMBER = "not a number", MORE_DIGITS = 30;

/** JavaScript rounds a tie up, Python to the even digit. exact: the same number with MORE_DIGITS more digits. */
function roundTieToEven(rounded, exact) {
  const truncated = exact.slice(0, rounded.length), rest = exact.slice(rounded.length).replace(".", "");
  return /^50+$/.test(rest) && "02468".includes(truncated.at(-1)) ? truncated : rounded;
}

/** Python's `{value:.{digits}g}`. */
function formatSignificant(value, digits) {
  const mantissaOf = (more) => value.toExponential(digits - 1 + more).split("e");
  const [rounded, exponent] = mantissaOf(0), mantissa = roundTieToEven(rounded, mantissaOf(MORE_DIGITS)[0]);
  if (exponent >= -4 && exponent < digits) return String(Number(`${mantissa}e${exponent}`));
  return `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** The nearest integer, ties to the even one. */
export const roundHalfEven = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** A fixed number of decimals, thousands separated by commas; zero has no sign. */
export function formatFixed(value, decimals) {
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  const text = roundTieToEven(value.toFixed(decimals), value.toFixed(decimals + MORE_DIGITS));
  const [integer, fraction] = (/[1-9]/.test(text) ? text : text.replace("-", "")).split(".");
  return integer.replace(/\B(?=(\d{3})+$)/g, ",") + (fraction ? `.${fraction}` : "");
}

/** Three significant digits: 0, 0.0213, 12.3, 1.2e-07, 4,210. */
export function formatNumber(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return formatSignificant(value, 2);
  return size >= 999.5 ? formatFixed(value, 0) : formatSignificant(value, 3);
}

/**
 * A share as a percentage: 0%, < 0.1%, 3.4%, 12%.
 *
 * @param {number} share - 1 is 100%.
 * @param {number} [decimals] - one below 9.95%, none from there on, if it is left out.
 */
export function formatPercent(share, decimals) {
  const value = 100 * share, size = Math.abs(value), places = decimals ?? (size < 9.95 ? 1 : 0);
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  if (size === 0) return "0%";
  const text = formatFixed(value, places);
  if (/[1-9]/.test(text)) return `${text}%`;
  const smallest = formatFixed(10 ** -places, places);
  return value > 0 ? `< ${smallest}%` : `> -${smallest}%`;
}
