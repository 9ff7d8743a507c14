import { radialProfile, spectrum } from "../core/arithmetic.js";
import { createColorBar, describeGrids } from "../core/cells.js";
import { createNode, createSvgNode, fillTemplate } from "../core/dom.js";
import { makeEnlargeable } from "../core/enlargeable.js";
import { formatNumber } from "../core/format.js";
import { renderGrid } from "../core/map_renderer.js";
import { largestOf } from "./kernel_grids.js";

/**
 * A kernel's frequency response: |DFT| of the generated and of the static kernel as two images on one scale, and their
 * means over rings as two lines.
 */
const SIZE = 64; // samples along each axis of frequency
const PLOT = { width: 320, height: 150, left: 42, right: 8, top: 8, bottom: 30 };

function createSpectrumImage() {
  const caption = createNode("figcaption"), canvas = createNode("canvas", { role: "img" });
  let shown = null; // {values, scale}
  const describe = () => describeGrids(caption.textContent, canvas.ariaLabel, { names: [""], rows: SIZE, cols: SIZE, values: shown.values }, shown.scale);
  makeEnlargeable(canvas, describe, { button: false });
  function draw(title, values, scale, name) {
    shown = { values, scale };
    caption.textContent = title;
    canvas.ariaLabel = name;
    renderGrid(canvas, values, SIZE, SIZE, scale);
  }
  return { figure: createNode("figure", "lens-spectrum", caption, canvas), draw };
}

/** lines: [{name, values, kind}], values at r / SIZE cycles per unit. */
function createPlot(lines, strings) {
  const { width, height, left, right, top, bottom } = PLOT, largest = largestOf(...lines.map(({ values }) => values)) || 1;
  const x = (frequency) => left + (frequency / Math.SQRT1_2) * (width - left - right);
  const y = (value) => height - bottom - (value / largest) * (height - top - bottom);
  const label = fillTemplate(strings.chart, { lines: lines.map(({ name }) => name).join(", ") });
  const plot = createSvgNode("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "lens-profile" });
  for (const value of [0, largest]) {
    plot.append(createSvgNode("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "rule" }));
    plot.append(createSvgNode("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, formatNumber(value)));
  }
  for (const frequency of [0, 0.25, 0.5]) {
    plot.append(createSvgNode("text", { x: x(frequency), y: height - bottom + 14, "text-anchor": "middle" }, formatNumber(frequency)));
  }
  plot.append(createSvgNode("text", { x: width - right, y: height - 3, "text-anchor": "end" }, strings.frequency));
  for (const { values, kind } of lines) {
    const points = Array.from(values, (value, ring) => `${x(ring / SIZE)},${y(value)}`).join(" ");
    plot.append(createSvgNode("polyline", { points, class: kind }));
  }
  return plot;
}

/** @returns {{root: HTMLElement, show: function(Object): void}} show: a channel of kernel_inspector.js. */
export function createFrequencyResponse(strings) {
  const generated = createSpectrumImage(), fixed = createSpectrumImage();
  const colorBar = createNode("div"), plot = createNode("div"), legend = createNode("p", "lens-legend");
  const images = createNode("div", "pair", generated.figure, fixed.figure);

  function show(channel) {
    const kernels = [[channel.generated ? strings.passesGenerated : strings.passesLearned, "made", channel.kernel, generated]];
    if (channel.generated) kernels.push([strings.passesStatic, "still", channel.fixed, fixed]);
    const lines = kernels.map(([name, kind, kernel, image]) => {
      const response = spectrum(kernel, channel.size, SIZE);
      return { name, kind, image, response, values: radialProfile(response, SIZE) };
    });
    const high = largestOf(...lines.map(({ response }) => response));
    const scale = { range: [0, high], signed: false, root: false, units: strings.magnitude, colormap: "magma" };
    for (const { name, image, response } of lines) {
      const names = { what: name, channel: channel.name, high: formatNumber(high) };
      image.draw(name, response, scale, fillTemplate(strings.namedSpectrum, names));
    }
    fixed.figure.hidden = !channel.generated;
    showColorBar(colorBar, scale);
    plot.replaceChildren(createPlot(lines, strings));
    legend.replaceChildren(...lines.map(({ name, kind }) => createNode("span", kind, name)));
  }
  return { root: createNode("div", "lens-frequency", images, colorBar, plot, legend), show };
}

/** Replaces what a node holds by the color bar of a scale. */
export function showColorBar(node, scale) {
  const { bar, draw } = createColorBar(scale);
  node.replaceChildren(bar);
  draw();
}
