import { appendColorBar, createCell, createHeading, loadImages } from "./cells.js";
import { placeMarks } from "./position.js";
import { createNode, whenVisible } from "./dom.js";

/**
 * The panel of a tab. Its payload is made by demo/views/: {tab, layout, serial, key, intro, foot, images, …}. key: of
 * the image that a clicked position belongs to. act(…) reaches Page.acted in demo/ui/page.py.
 */

function createRow(row, payload, act, drawings) {
  const cells = createNode("div", "lens-cells");
  row.cells.forEach((cell, i) => {
    const head = payload.heads[i] || {}, titles = [row.title, head.title].filter(Boolean);
    cell.name = (payload.layout === "matrix" ? titles.reverse() : titles).join(", "); // what, of which model
    const node = createCell(cell, cell.scale || row.bar || head.bar, payload.images, act, drawings);
    appendColorBar(node, cell.scale, drawings);
    if (row.cells.length === 1 && payload.heads.length > 1) node.classList.add("wide"); // belongs to the whole row
    else if (head.title) node.dataset.head = head.title;
    cells.append(node);
  });
  return createNode("section", "lens-row", createHeading("header", "", row, drawings), cells);
}

/**
 * The layout of most tabs: {heads: [heading], rows: [{title, sub, more, badge, bar, cells: [cell]}]}.
 *
 * @returns {function(): void} draws again after a display control has moved
 */
export function layOutMatrix(body, payload, act) {
  const drawings = [], heads = payload.heads.map((head) => createHeading("div", "lens-head", head, drawings));
  body.style.setProperty("--columns", Math.max(1, payload.heads.length));
  body.classList.toggle("one-column", payload.heads.length === 1 && payload.rows.length > 1); // rows side by side
  body.append(createNode("div", "lens-heads", ...heads), ...payload.rows.map((row) => createRow(row, payload, act, drawings)));
  return () => drawings.forEach((draw) => draw());
}

/** layouts: by name, functions as layOutMatrix. Returns what mounts a panel. */
export const mountPanel = (layouts) => (element, props, act, watch) => {
  let redraw = () => {};
  function render() {
    const root = element.querySelector(".lens-panel"), value = props.value;
    if (!value || !value.layout) return;
    const payload = JSON.parse(JSON.stringify(value)); // a copy, which will also hold the decoded arrays
    const body = createNode("div", "lens-body");
    root.dataset.layout = payload.layout;
    loadImages(payload.images, () => redraw());
    const triggerForImage = (data) => act("x" in data ? { ...data, image: payload.key } : data);
    redraw = layouts[payload.layout](body, payload, triggerForImage) || (() => {});
    root.replaceChildren(createNode("p", "lens-intro", payload.intro), body);
    if (payload.foot) root.append(createNode("p", "lens-foot", payload.foot));
    root.dataset.serial = payload.serial;
    placeMarks(root);
    redraw();
  }
  document.addEventListener("lens:display", whenVisible(element, () => redraw()));
  watch(render);
  render();
};
