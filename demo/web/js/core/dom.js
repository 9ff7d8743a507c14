/** DOM building blocks that every view shares. */

/**
 * An element with its properties and its content.
 *
 * @param {string} tag
 * @param {string|Object} [properties] - a class, or properties such as {className, role, ariaLabel}; data: data-… attributes
 * @param {...(Node|string|number|undefined)} children - appended in order; undefined is left out
 * @returns {HTMLElement}
 */
export function createNode(tag, properties, ...children) {
  const node = document.createElement(tag), { data, ...rest } = typeof properties === "string" ? {} : properties || {};
  if (properties && typeof properties === "string") node.className = properties;
  Object.assign(node, rest);
  Object.assign(node.dataset, data);
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/**
 * @param {string} tag
 * @param {Object<string, string|number>} [attributes]
 * @param {string|number} [text]
 * @returns {SVGElement}
 */
export function createSvgNode(tag, attributes = {}, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * A button of type "button".
 *
 * @param {string|Object} properties - as createNode's
 * @param {string} text
 * @param {function(MouseEvent): void} onClick
 */
export function createButton(properties, text, onClick) {
  const button = createNode("button", properties, text);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

/** A section with a heading. */
export const createSection = (className, level, title) => createNode("section", className, createNode(level, "", title));

/**
 * A table with one heading per column and one per row.
 *
 * @param {string} className
 * @param {string[]} head - one text per column; "" makes an empty corner cell.
 * @param {Array<Array<Node|string|number>>} rows - cells in column order; the first of each row is its heading.
 */
export function createTable(className, head, rows) {
  const body = createNode("tbody"), top = createNode("tr"), heading = (text, scope) => createNode("th", { scope }, text);
  top.append(...head.map((text) => (text ? heading(text, "col") : createNode("td"))));
  for (const [title, ...cells] of rows) {
    const contents = cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : createNode("td", "", cell)));
    body.append(createNode("tr", "", heading(title, "row"), ...contents));
  }
  return createNode("table", className, createNode("thead", "", top), body);
}

/** A box that scrolls on its own and that the keyboard reaches. */
export const createScrollRegion = (className, label, child) =>
  createNode("div", { className, tabIndex: 0, role: "region", ariaLabel: label }, child);

/**
 * Buttons of which exactly one is pressed.
 *
 * @param {string} label - the name of the group, also shown before the buttons.
 * @param {Array<[string, string]>} choices - [key, text] of each button.
 * @param {function(): string} current - the key that is pressed now.
 * @param {function(string): void} choose - called with the key of the button that was clicked.
 */
export function createChoices(label, choices, current, choose) {
  const properties = { className: "lens-choices", role: "group", ariaLabel: label };
  const group = createNode("div", properties, createNode("span", "lens-choices-label", label));
  const update = () => {
    for (const button of group.querySelectorAll("button")) button.ariaPressed = String(button.dataset.key === current());
  };
  for (const [key, text] of choices) {
    const button = createButton("", text, () => { choose(key); update(); });
    Object.assign(button.dataset, { key, keep: `${label}/${key}` });
    group.append(button);
  }
  update();
  return group;
}

/** A text with its `{placeholders}` filled; a placeholder without a value stays as it is. */
export const fillTemplate = (text, values) => text.replace(/\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);

/** Whether a key press has no Alt, Control or Meta, which are for the browser. */
export const isUnmodified = (event) => !event.altKey && !event.ctrlKey && !event.metaKey;

const TEXT_FIELDS = "input:not([type=radio], [type=checkbox], [type=range], [type=button]), textarea, select, [contenteditable]";

/** Whether a key press may be a shortcut of the page: it is unmodified, and belongs to no text field or menu. */
export const isShortcut = (event) => isUnmodified(event) && !event.target.matches?.(TEXT_FIELDS);

/**
 * A function that calls `action` at once if the node is visible, and otherwise as soon as it is: a view behind another
 * tab costs nothing.
 */
export function whenVisible(node, action) {
  const observer = new ResizeObserver(() => callWhenVisible()); // fires before the frame that shows the node
  function callWhenVisible() {
    if (!node.offsetParent) return observer.observe(node);
    observer.disconnect();
    action();
  }
  return callWhenVisible;
}

/** While a panel is rebuilt: moves the focus to the node that has the same data-keep as the one that had it. */
export function restoreFocus(body) {
  const key = document.activeElement?.closest(".lens-panel") && document.activeElement.dataset.keep;
  if (!key) return;
  queueMicrotask(() => {
    [...body.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === key)?.focus({ preventScroll: true });
  });
}

let liveRegion = null;

/** Announces a text to screen readers, once. */
export function announce(text) {
  if (!liveRegion) {
    liveRegion = createNode("p", { className: "lens-live-region", ariaLive: "polite" });
    document.body.append(liveRegion);
  }
  if (liveRegion.textContent !== text) liveRegion.textContent = text;
}
