import { createNode, createScrollRegion, createTable } from "../core/dom.js";
import { makeEnlargeable } from "../core/enlargeable.js";
import { createProgress, updateProgress } from "../core/progress.js";

/**
 * Figures below a view. value: {serial, figures: [{name, title, caption, alt, src?, save?, size?, table?, limits}], status,
 * strings: {numbers, table, image, save, save_table}} or, while they are being made, {keep, status: {text, share?, amount?,
 * label?}}; made by demo/figures.py.
 */
const csvOf = ({ head, rows }) =>
  [head, ...rows].map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",")).join("\r\n");

function createFigureTable({ head, rows }, label) {
  const unbroken = rows.map((row) => row.map((text) => text.replaceAll(" \u00b1 ", "\u00a0\u00b1\u00a0")));
  return createScrollRegion("lens-scroll", label, createTable("", head, unbroken));
}

/** Links that save the image, which states its provenance, and the numbers. */
function createSaveLinks({ name, title, src, save = src, table }, strings) {
  const createLink = (text, href, suffix) =>
    createNode("a", { href, download: `transxnet-lens-${name}.${suffix}`, ariaLabel: `${text}: ${title}` }, text);
  const csv = table && `data:text/csv;charset=utf-8,${encodeURIComponent(`\ufeff${csvOf(table)}`)}`;
  return createNode("p", "lens-saves", src && createLink(strings.save, save, "png"), csv && createLink(strings.save_table, csv, "csv"));
}

/** At its own pixels: text in it stays sharp. */
function drawImage(canvas, image) {
  Object.assign(canvas, { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
}

function createFigure(figure, strings) {
  const { name, title, caption, alt, src, size, table, limits } = figure, named = (text) => text.replace("{title}", () => title);
  const node = createNode("figure", { className: "lens-figure", data: { name } }, createNode("h3", "", title));
  if (src) {
    const image = createNode("img", { width: size[0], height: size[1], alt, src });
    image.style.setProperty("--ratio", size[0] / size[1]);
    const box = createNode("div", "lens-enlargeable", createScrollRegion("lens-scroll", named(strings.image), image));
    node.append(box);
    makeEnlargeable(box, () => ({ title, caption: "", size: [size[1], size[0]], draw: (canvas) => drawImage(canvas, image) }), { click: true });
  }
  node.append(createNode("figcaption", "", createNode("p", "", caption)));
  const numbers = table && createFigureTable(table, named(strings.table));
  if (numbers) node.append(src ? createNode("details", "", createNode("summary", "", strings.numbers), numbers) : numbers);
  if (limits) node.append(createNode("p", "lens-limits", limits));
  node.append(createSaveLinks(figure, strings));
  return node;
}

/** Shows progress in the same box as long as possible, so that its button does not move. */
function showStatus(root, status) {
  const box = root.querySelector(":scope > .lens-skeleton");
  if (box && status && !status.again) return updateProgress(box, status);
  root.querySelector(":scope > .lens-figures-status")?.remove();
  if (!status) return;
  const progress = createProgress({ ...status, variant: "" });
  progress.classList.add("lens-figures-status");
  root.prepend(progress);
}

export function mountFigures(element, props, act, watch) {
  function draw() {
    const root = element.querySelector(".lens-figures"), { value } = props;
    if (!value) return;
    const previous = root.querySelectorAll(":scope > .lens-figure");
    if (value.figures || !value.keep) previous.forEach((figure) => figure.remove());
    if (value.figures) {
      root.append(...value.figures.map((figure) => createFigure(figure, value.strings)));
      root.dataset.serial = value.serial;
    }
    showStatus(root, value.status);
    root.classList.toggle("stale", !value.figures && value.keep && previous.length > 0);
  }
  watch(draw);
  draw();
}
