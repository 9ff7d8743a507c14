import { createButton } from "./dom.js";

/**
 * What can be shown full screen (widgets/full_screen.js). A node that is registered opens with F while a pointer is over it
 * or the focus is in it, and with a button in its corner; a click on it stays what it is elsewhere (it moves the query
 * position, selects a kernel), and enlarges only where it does nothing else.
 *
 * @typedef {Object} Enlargeable
 * @property {string} title
 * @property {string} [caption]
 * @property {[number, number]} size - height and width of the shape
 * @property {function(HTMLCanvasElement, number): void} draw - with the longest side in pixels
 * @property {function(number, number): string[]} [linesAt] - values at shares of the width and the height
 * @property {Scale} [scale] - of the color bar; values: of a single map, for its own range
 * @property {Object} [file] - by which the server knows the map: {row, column}; change: of the view state, if it is of another
 */
const descriptions = new WeakMap();
const strings = { enlarge: "" };

/** The text of the buttons, also of those that exist already. */
export function nameButtons(text) {
  strings.enlarge = text;
  document.querySelectorAll(".lens-enlarge").forEach(nameButton);
}

const nameButton = (button) => Object.assign(button, { ariaLabel: strings.enlarge, title: `${strings.enlarge} (F)` });
const open = (node) => node.dispatchEvent(new CustomEvent("lens:enlarge", { bubbles: true }));

/**
 * @param {HTMLElement} node
 * @param {function(): Enlargeable} describe - called when it is opened, and whenever it may have changed
 * @param {{button: boolean, click: boolean}} ways - a button in its corner; a click anywhere on it
 */
export function makeEnlargeable(node, describe, { button = true, click = false } = {}) {
  descriptions.set(node, describe);
  node.dataset.enlarge = "";
  if (click) node.addEventListener("click", (event) => { if (!event.defaultPrevented) open(node); });
  if (!button) return;
  const corner = createButton("lens-enlarge", "", (event) => { event.stopPropagation(); open(node); });
  nameButton(corner);
  node.append(corner);
}

/** The description of a node as it is now; undefined where it is none of these. */
export const describe = (node) => descriptions.get(node)?.();

/** All of them that are visible, in the order of the page. */
export const visibleMaps = () => [...document.querySelectorAll("[data-enlarge]")].filter((node) => node.offsetParent);
