import { describeGrids } from "../core/cells.js";
import { createNode, isUnmodified } from "../core/dom.js";
import { makeEnlargeable } from "../core/enlargeable.js";
import { formatFixed } from "../core/format.js";
import { colorsOn, resolveScale } from "../core/map_renderer.js";

/** Grids of k x k squares, one per tap of a kernel, in which the same tap is marked at once. */
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The scale of values from -high to high. */
export const signedScale = (high, units = "") => ({ range: [-high, high], signed: true, root: false, units, colormap: "RdBu_r" });

/** The largest absolute value of arrays. */
export const largestOf = (...arrays) =>
  Math.max(...arrays.map((values) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)));

/** Decimals with which the largest value of a grid has three significant digits, 0 to 6. */
function decimalsFor(values) {
  const largest = largestOf(values);
  return largest > 0 ? Math.min(Math.max(2 - Math.floor(Math.log10(largest)), 0), 6) : 0;
}

/** Black or white, whichever contrasts more with a color (WCAG's relative luminance): 4.5 to 1 or better. */
function textColorOn(color) {
  const [r, g, b] = color.map((value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/**
 * A family of grids.
 *
 * @param {number} k
 * @param {function(): void} onMark - called when another tap is marked
 * @returns {{createGrid: function, marked: function(): number}} marked: the tap, row by row, or -1
 */
export function createGridFamily(k, onMark) {
  const families = [];
  let markedTap = -1;

  function mark(tap) {
    markedTap = tap;
    for (const squares of families) squares.forEach((square, i) => square.classList.toggle("at", i === tap));
    onMark();
  }

  function listenToKeys(node) {
    node.tabIndex = 0;
    node.dataset.keep = "taps";
    node.addEventListener("keydown", (event) => {
      const step = ARROWS[event.key];
      if (!step || !isUnmodified(event)) return;
      event.preventDefault();
      const center = [(k - 1) / 2, (k - 1) / 2];
      const next = markedTap < 0 ? center : [Math.floor(markedTap / k) + step[0], (markedTap % k) + step[1]];
      const [row, col] = next.map((index) => Math.min(Math.max(index, 0), k - 1));
      mark(row * k + col);
    });
    node.addEventListener("blur", () => mark(-1));
  }

  /** isLarge: the grid prints its numbers and is moved through with the arrow keys. */
  function createGrid(caption, isLarge = false) {
    const heading = createNode("figcaption", "", caption), squares = Array.from({ length: k * k }, () => createNode("span"));
    const node = createNode("div", { role: "img" }, ...squares);
    node.style.setProperty("--taps", k);
    families.push(squares);
    node.addEventListener("pointerover", (event) => {
      const tap = squares.indexOf(event.target);
      if (tap >= 0) mark(tap);
    });
    node.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") mark(-1); });
    if (isLarge) listenToKeys(node);

    let shown = null; // {values, scale, name}
    makeEnlargeable(node, () => {
      const { values, scale, name } = shown, title = heading.textContent || name;
      return describeGrids(title, name, { names: [""], values, rows: k, cols: k, taps: true }, scale);
    }, { button: false });

    /** name: for screen readers. beyond: 1 where a square lies outside the map. */
    function fill(values, scale, name, beyond) {
      const colorOf = colorsOn(resolveScale(scale, values)), decimals = isLarge ? decimalsFor(values) : 0;
      node.ariaLabel = name;
      shown = { values, scale, name };
      node.values = values; // the browser tests read it
      squares.forEach((square, i) => {
        const [r, g, b, opacity] = colorOf(values[i]); // opacity 0: below the display's threshold
        square.style.backgroundColor = opacity ? `rgb(${r}, ${g}, ${b})` : "";
        square.classList.toggle("beyond", Boolean(beyond && beyond[i]));
        if (!isLarge) return;
        square.textContent = formatFixed(values[i], decimals);
        square.style.color = opacity ? textColorOn([r, g, b]) : "";
      });
    }
    return { figure: createNode("figure", `lens-taps${isLarge ? " big" : ""}`, heading, node), heading, fill };
  }

  return { createGrid, marked: () => markedTap };
}
