import { createChoices, createNode, createScrollRegion, createSvgNode, createTable, fillTemplate, isUnmodified } from "../core/dom.js";

/**
 * Accuracy against cost: an SVG, a text on the selected point, and a table. Made by demo/views/chart.py; its points are
 * arrays in the order of FIELDS. Which accuracy, cost and image sizes are shown outlives a panel that is rebuilt.
 */
const FIELDS = ["name", "model", "family", "size", "params_m", "gmacs", "top1", "v2", "sources", "timm", "here"];
const CHOICES = { set: ["authors", "timm"], axis: ["gmacs", "params_m"], size: ["224", "all"] };
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200]; // of the cost
const MARGIN = { left: 40, right: 16, top: 30, bottom: 40 }, LABEL_WIDTH = 100;
const SHAPES = { cnn: "M-4.4,0a4.4,4.4 0 1,0 8.8,0a4.4,4.4 0 1,0 -8.8,0z", transformer: "M-4,-4h8v8h-8z", hybrid: "M0,-5.2L5,4.2H-5z" };
const state = { axis: "gmacs", set: "authors", size: "224", selected: "", isTableOpen: false };

const textOf = (point, strings) =>
  fillTemplate(strings.point, { ...point, params: point.params_m, family: strings[`family_${point.family}`] });

/** Pixels of values: the cost on a logarithmic axis, the accuracy on a linear one, with ticks. */
function scalesOf(points, width, height) {
  const costs = points.map((point) => Math.log(point[state.axis])), accuracies = points.map(({ top1 }) => top1);
  const x0 = Math.min(...costs) - 0.12, x1 = Math.max(...costs) + 0.12;
  const y0 = Math.min(...accuracies) - 0.6, y1 = Math.max(...accuracies) + 0.6;
  return {
    x: (cost) => MARGIN.left + ((Math.log(cost) - x0) / (x1 - x0)) * (width - MARGIN.left - MARGIN.right),
    y: (accuracy) => height - MARGIN.bottom - ((accuracy - y0) / (y1 - y0)) * (height - MARGIN.top - MARGIN.bottom),
    costTicks: TICKS.filter((tick) => Math.log(tick) > x0 && Math.log(tick) < x1),
    accuracyTicks: Array.from({ length: 100 }, (_, i) => i).filter((tick) => tick > y0 && tick < y1 && (y1 - y0 < 8 || tick % 2 === 0)),
  };
}

function drawAxes(svg, scales, strings, width, height) {
  const bottom = height - MARGIN.bottom, right = width - MARGIN.right, add = (...node) => svg.append(createSvgNode(...node));
  for (const accuracy of scales.accuracyTicks) {
    const y = scales.y(accuracy);
    add("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: "grid" });
    add("text", { x: MARGIN.left - 7, y: y + 4, "text-anchor": "end" }, accuracy);
  }
  for (const cost of scales.costTicks) {
    const x = scales.x(cost);
    add("line", { x1: x, x2: x, y1: MARGIN.top, y2: bottom, class: "grid" });
    add("text", { x, y: bottom + 16, "text-anchor": "middle" }, cost);
  }
  add("text", { x: right, y: height - 6, "text-anchor": "end", class: "axis" }, strings[`log_${state.axis}`]);
  add("text", { x: 0, y: 12, class: "axis" }, strings.y);
}

function createPoint(point, scales, ownModel, strings) {
  const isOwn = point.model === ownModel && !point.timm, x = scales.x(point[state.axis]), y = scales.y(point.top1);
  const node = createSvgNode("g", {
    transform: `translate(${x},${y})`, class: `point ${point.family}${isOwn ? " own" : ""}${point.here ? " here" : ""}`,
    role: "button", tabindex: -1, "aria-label": textOf(point, strings) + (point.here ? `, ${strings.here}` : ""),
  });
  node.dataset.name = point.name;
  if (point.here) node.append(createSvgNode("circle", { r: 10, class: "ring" }));
  node.append(createSvgNode("circle", { r: 9, class: "reach" }), createSvgNode("path", { d: SHAPES[point.family] }));
  const labelPosition = x < MARGIN.left + LABEL_WIDTH ? { x: 11, y: 14, "text-anchor": "start" } : { x: -9, y: -9, "text-anchor": "end" };
  if (isOwn || point.here) node.append(createSvgNode("text", labelPosition, point.name));
  return node;
}

/** Links to a point's sources, separated by commas. */
const createSourceLinks = (point, chart) => point.sources.flatMap(([source, remark], i) => {
  const [href, text] = chart.sources[source];
  const link = createNode("a", { href, rel: "noopener noreferrer", target: "_blank" }, text);
  return [i ? ", " : "", createNode("span", "", link, remark ? ` (${remark})` : "")];
});

function describePoint(output, point, chart) {
  const { strings } = chart, v2 = point.v2 === null ? "" : `, ${fillTemplate(strings.v2, point)}`;
  const text = createNode("p", "", textOf(point, strings) + v2, point.here ? createNode("b", "lens-here", strings.here) : undefined);
  output.replaceChildren(text, createNode("p", "lens-sources", `${strings.source} `, ...createSourceLinks(point, chart)));
  output.dataset.name = point.name;
}

function createPointTable(points, chart) {
  const { strings } = chart, rows = points.map((point) => [
    point.name, strings[`family_${point.family}`], point.size, point.params_m, point.gmacs, point.top1, point.v2 ?? "",
    createNode("td", "", ...createSourceLinks(point, chart)),
  ]);
  return createScrollRegion("lens-chart-table", strings.table, createTable("lens-table", strings.table_head.split("\n"), rows));
}

function createLegend(strings) {
  const items = Object.entries(SHAPES).map(([key, d]) => {
    const mark = createSvgNode("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" });
    mark.append(createSvgNode("path", { d, class: `mark ${key}` }));
    return createNode("span", "", mark, ` ${strings[`family_${key}`]}`);
  });
  return createNode("p", "lens-chart-legend", ...items);
}

/** A section with the chart, or with a sentence on why there is none. */
export function createChart(chart) {
  const { strings } = chart, header = createNode("header", "", createNode("h3", "", chart.title), createNode("p", "", chart.sub));
  const section = createNode("section", "lens-row lens-chart", header);
  if (chart.instead) {
    section.append(createNode("p", "lens-instead", chart.instead));
    return section;
  }
  const allPoints = chart.points.map((values) => Object.fromEntries(FIELDS.map((key, i) => [key, values[i]])));
  const plot = createNode("div", "lens-plot"), output = createNode("div", { className: "lens-point-text", ariaLive: "polite" });
  const summary = createNode("summary", "", strings.table), details = createNode("details", "", summary);
  let points = [], nodes = [], pinned = ""; // pinned: the point that stays selected while a pointer passes others
  let hadFocus = document.activeElement?.matches?.(".lens-plot .point"); // the chart before this one

  /** isChosen: by the visitor; the point gets a ring and stays selected in the next chart. */
  function select(i, focus, isChosen = true) {
    if (isChosen) state.selected = points[i].name;
    nodes.forEach((node, j) => {
      node.setAttribute("tabindex", j === i ? 0 : -1);
      node.classList.toggle("looked", isChosen && j === i);
    });
    describePoint(output, points[i], chart);
    if (focus) nodes[i].focus({ preventScroll: true });
  }

  const togglePin = (i) => { pinned = pinned === points[i].name ? "" : points[i].name; };

  function listen(node, i) {
    node.addEventListener("pointerenter", () => { if (!pinned) select(i); });
    node.addEventListener("focus", () => { if (state.selected !== points[i].name) select(i); });
    node.addEventListener("click", () => { togglePin(i); select(i, true); });
    node.addEventListener("keydown", (event) => {
      if (!isUnmodified(event)) return;
      const keys = { ArrowRight: i + 1, ArrowUp: i + 1, ArrowLeft: i - 1, ArrowDown: i - 1, Home: 0, End: points.length - 1 };
      const next = keys[event.key];
      if (next !== undefined) select(Math.min(Math.max(next, 0), points.length - 1), true);
      else if (event.key === "Enter" || event.key === " ") togglePin(i);
      else return;
      event.preventDefault();
    });
  }

  function draw() {
    const width = Math.round(plot.clientWidth), height = Math.round(Math.min(400, Math.max(270, width * 0.5)));
    if (!width) return;
    points = allPoints.filter(({ timm, size }) => timm === (state.set === "timm") && (state.size === "all" || size === Number(state.size)));
    points.sort((a, b) => a[state.axis] - b[state.axis] || a.top1 - b.top1);
    const label = fillTemplate(strings.alt, { count: points.length });
    const svg = createSvgNode("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": label });
    const scales = scalesOf(points, width, height), layer = ({ here, model }) => (here ? 2 : model === chart.own ? 1 : 0);
    drawAxes(svg, scales, strings, width, height);
    nodes = points.map((point) => createPoint(point, scales, chart.own, strings));
    nodes.forEach(listen);
    svg.append(...nodes.map((node, i) => [layer(points[i]), node]).sort((a, b) => a[0] - b[0]).map(([, node]) => node));
    hadFocus ||= plot.contains(document.activeElement);
    plot.replaceChildren(svg);
    const selected = points.findIndex(({ name }) => name === state.selected), index = selected >= 0 ? selected : points.findIndex(({ here }) => here);
    if (index >= 0) select(index, hadFocus, selected >= 0);
    else {
      output.replaceChildren();
      nodes[0]?.setAttribute("tabindex", 0);
    }
    hadFocus = false;
    updateTable();
  }

  function updateTable() {
    if (details.open) details.replaceChildren(summary, createPointTable(points, chart));
  }

  const choices = Object.entries(CHOICES).map(([key, names]) =>
    createChoices(strings[key], names.map((name) => [name, strings[`${key}_${name}`]]), () => state[key], (value) => { state[key] = value; pinned = ""; draw(); }));
  summary.dataset.keep = "published";
  details.open = state.isTableOpen;
  details.addEventListener("toggle", () => {
    state.isTableOpen = details.open;
    updateTable();
  });
  const note = createNode("p", "lens-compare-note", strings.note);
  section.append(createNode("div", "lens-compare-bar", ...choices), createLegend(strings), plot, output, note, details);
  new ResizeObserver(draw).observe(plot);
  return section;
}
