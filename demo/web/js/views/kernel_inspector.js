import { multiply, patchAt, pixelOfUnit, sum, unitAt } from "../core/arithmetic.js";
import { crosshair } from "../core/position.js";
import { display } from "../core/display_store.js";
import { createNode, createSection, fillTemplate } from "../core/dom.js";
import { formatFixed, formatNumber, formatPercent } from "../core/format.js";
import { renderGrid } from "../core/map_renderer.js";
import { describeGrids } from "../core/cells.js";
import { makeEnlargeable } from "../core/enlargeable.js";
import { createFrequencyResponse, showColorBar } from "./frequency_response.js";
import { createGridFamily, largestOf, signedScale } from "./kernel_grids.js";

/**
 * The inspector of one kernel: what it was mixed from, its frequency response, and one output value as the sum of its
 * products. Strings: INSPECTOR of demo/i18n/strings/kernel_inspector.py. The root's data-… attributes say which kernel, unit and tap
 * are shown, and the numbers of the sum.
 */
const DECIMALS = 6; // of sums that are compared with the model's

/** Channel i of a model, as views of the arrays that demo/views/kernels.py sends. */
function channelOf(column, i) {
  const { arrays, groups, units, size, generated } = column, taps = size * size, area = units.rows * units.cols;
  const part = (values, length) => values.subarray(i * length, (i + 1) * length);
  const perGroup = (values) =>
    Array.from({ length: groups }, (_, g) => part(values, groups * taps).subarray(g * taps, (g + 1) * taps));
  const kernel = part(arrays.kernels, taps), fixed = part(arrays.static_kernels, taps), learned = perGroup(arrays.learned_kernels);
  return {
    name: column.names[i], generated, groups, size, units, kernel, fixed, learned, gates: perGroup(arrays.gates),
    largestWeight: largestOf(kernel, fixed, ...learned), // all weights share a scale
    bias: arrays.biases[i], learnedBiases: part(arrays.learned_biases, groups), biasGates: part(arrays.bias_gates, groups),
    input: part(arrays.inputs, area), output: part(arrays.outputs, area),
  };
}

/** A sum of gates times learned values, as text. */
const mixtureText = (gates, values) =>
  Array.from(gates, (gate, g) => `${formatPercent(gate, 1)} × ${formatNumber(values[g])}`).join(" + ");

// ---- how the kernel was mixed ---------------------------------------------------------------------------------------

function createMixture(strings, { createGrid }) {
  const { groups: most } = strings, kernel = createGrid("", true), fixed = createGrid(strings.static), difference = createGrid(strings.difference);
  const weightBar = createNode("div"), gateBar = createNode("div"), tapText = createNode("p", "lens-tap");
  const groups = Array.from({ length: most }, (_, g) => {
    const learned = createGrid(fillTemplate(strings.learned, { group: g + 1 })), gates = createGrid(fillTemplate(strings.gates, { group: g + 1 }));
    return { learned, gates, pair: createNode("div", "pair", learned.figure, createNode("i", "", "×"), gates.figure) };
  });
  const pairs = createNode("div", "pairs", ...groups.map(({ pair }) => pair));
  const large = createSection("made", "h4", ""), mixture = createSection("mix", "h4", "");
  kernel.heading.remove();
  large.append(kernel.figure, weightBar, tapText);
  mixture.append(pairs, gateBar, createNode("div", "pair beside", fixed.figure, createNode("i"), difference.figure));
  let channel = null;

  function show(newChannel) {
    channel = newChannel;
    const { name, generated, largestWeight: high } = channel, scale = signedScale(high, strings.weight);
    const gateScale = { range: [0, 1], signed: false, root: false, units: strings.gate, colormap: "viridis" };
    const label = (text) => fillTemplate(strings.named, { what: text, channel: name, high: formatNumber(high) });
    large.firstChild.textContent = generated ? strings.generated : strings.learnedTitle;
    mixture.firstChild.textContent = fillTemplate(strings.mixed, { groups: channel.groups });
    const numbers = Array.from(channel.kernel, formatNumber).join(" ");
    kernel.fill(channel.kernel, scale, fillTemplate(strings.numbers, { channel: name, numbers }));
    showColorBar(weightBar, scale);
    mixture.hidden = !generated;
    pairs.classList.toggle("many", channel.groups > 2);
    if (!generated) return;
    groups.forEach(({ learned, gates, pair }, g) => {
      pair.hidden = g >= channel.groups;
      if (pair.hidden) return;
      learned.fill(channel.learned[g], scale, label(learned.heading.textContent));
      gates.fill(channel.gates[g], gateScale, fillTemplate(strings.namedGate, { what: gates.heading.textContent, channel: name }));
    });
    showColorBar(gateBar, gateScale);
    fixed.fill(channel.fixed, scale, label(strings.static));
    difference.fill(channel.kernel.map((weight, i) => weight - channel.fixed[i]), scale, label(strings.difference));
  }

  /** tapName: the marked tap as text. */
  function showTap(tap, tapName) {
    tapText.ariaLive = large.contains(document.activeElement) ? "polite" : "off"; // a pointer is not announced
    if (!channel.generated || tap < 0) {
      tapText.textContent = channel.generated ? strings.pointMix : strings.notGenerated;
      return;
    }
    const terms = mixtureText(channel.gates.map((gates) => gates[tap]), channel.learned.map((weights) => weights[tap]));
    const values = { value: formatNumber(channel.kernel[tap]), static: formatNumber(channel.fixed[tap]) };
    tapText.textContent = fillTemplate(strings.mixTap, { tap: tapName, terms, ...values });
  }
  return { sections: [large, mixture], show, showTap };
}

// ---- one output value -------------------------------------------------------------------------------------------------

/** A channel's map with a square on it. A pointer over it hovers over the unit below, a click selects it. */
function createUnitMap(caption, actions) {
  const canvas = createNode("canvas", { role: "img" }), mark = createNode("span"), frame = createNode("div", "", canvas, mark);
  let units = null, shown = null; // shown: {values, scale, name}
  makeEnlargeable(frame, () => describeGrids(caption, shown.name, { names: [""], values: shown.values, ...units }, shown.scale), { button: false });
  const positionUnder = (event) => {
    const box = canvas.getBoundingClientRect();
    const indexAt = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const row = indexAt((event.clientY - box.top) / box.height, units.rows);
    return pixelOfUnit(units, row, indexAt((event.clientX - box.left) / box.width, units.cols));
  };
  canvas.addEventListener("pointermove", (event) => actions.hover(positionUnder(event)));
  canvas.addEventListener("pointerleave", actions.leave);
  canvas.addEventListener("click", (event) => actions.click(positionUnder(event)));

  function show(values, ownUnits, scale, name) {
    units = ownUnits;
    shown = { values, scale, name };
    canvas.ariaLabel = name;
    frame.style.aspectRatio = `${units.cols} / ${units.rows}`;
    renderGrid(canvas, values, units.rows, units.cols, scale);
  }
  function placeSquare(row, col, size) {
    const percent = (part, total) => `${(100 * part) / total}%`, half = (size - 1) / 2, { rows, cols } = units;
    Object.assign(mark.style, { left: percent(col - half, cols), top: percent(row - half, rows) });
    Object.assign(mark.style, { width: percent(size, cols), height: percent(size, rows) });
  }
  return { figure: createNode("figure", "lens-unitmap", createNode("figcaption", "", caption), frame), show, placeSquare };
}

function createSum(strings, { createGrid }, actions) {
  const unitText = createNode("p", "where"), tapText = createNode("p", "lens-tap"), list = createNode("dl"), scales = createNode("p", "lens-tap");
  const input = createUnitMap(strings.input, actions), output = createUnitMap(strings.output, actions);
  const [patch, kernel, products] = [strings.patch, strings.kernel, strings.products].map((caption) => createGrid(caption));
  const figures = [input, "→", patch, "×", kernel, "=", products, "→", output];
  const line = createNode("div", "line", ...figures.map((part) => part.figure || createNode("i", "", part)));
  const root = createSection("apart", "h4", strings.apart);
  root.append(unitText, line, createNode("div", "ends", tapText, list), scales);
  let channel = null, high = null, operands = null; // high: the largest value of each map; operands: {patch, products}
  const label = (text, largest) => fillTemplate(strings.named, { what: text, channel: channel.name, high: formatNumber(largest) });

  function show(newChannel) {
    channel = newChannel;
    high = { input: largestOf(channel.input), kernel: channel.largestWeight, output: largestOf(channel.output) };
    input.show(channel.input, channel.units, signedScale(high.input), label(strings.input, high.input));
    output.show(channel.output, channel.units, signedScale(high.output), label(strings.output, high.output));
    kernel.fill(channel.kernel, signedScale(high.kernel), label(strings.kernel, high.kernel));
  }

  /** Shows the unit at the position; returns its numbers for data-… attributes. */
  function showUnit() {
    const position = crosshair.now(), { units, size } = channel, { rows, cols } = units;
    if (!position) return {};
    const { row, col } = unitAt(units, position.x, position.y), { values, beyond } = patchAt(channel.input, rows, cols, row, col, size);
    operands = { patch: values, products: multiply(values, channel.kernel) };
    const total = sum(operands.products), computed = total + channel.bias, fromModel = channel.output[row * cols + col];
    high.products = largestOf(operands.products);
    input.placeSquare(row, col, size);
    output.placeSquare(row, col, 1);
    patch.fill(values, signedScale(high.input), label(strings.patch, high.input), beyond);
    products.fill(operands.products, signedScale(high.products), label(strings.products, high.products), beyond);
    const text = position.hovering ? strings.underPointer : strings.underCrosshair;
    unitText.textContent = fillTemplate(text, { row: row + 1, column: col + 1, rows, columns: cols });
    const limits = Object.fromEntries(Object.entries(high).map(([key, value]) => [key, formatNumber(value)]));
    scales.textContent = [fillTemplate(strings.scales, limits), beyond.some(Boolean) ? strings.beyond : ""].join(" ");
    scales.hidden = display.scale === "normalized"; // then every grid has its own scale
    showSum(total, computed, fromModel);
    return { row, col, sum: total, bias: channel.bias, mine: computed, output: fromModel, hovering: position.hovering };
  }

  function showSum(total, computed, fromModel) {
    const exact = (value) => formatFixed(value, DECIMALS), { generated, bias } = channel;
    const mixture = generated ? `= ${mixtureText(channel.biasGates, channel.learnedBiases)}` : "";
    const lines = [
      [strings.sum, exact(total)], [generated ? strings.bias : strings.biasLearned, exact(bias), mixture],
      [strings.mine, exact(computed), "", "strong"], [strings.theirs, exact(fromModel), "", "strong"],
      [strings.apartBy, formatNumber(Math.abs(computed - fromModel)), strings.rounding],
    ];
    list.replaceChildren(...lines.flatMap(([term, value, remark, className]) =>
      [createNode("dt", "", term), createNode("dd", className, value, remark ? createNode("small", "", remark) : undefined)]));
  }

  function showTap(tap, tapName) {
    if (!operands || tap < 0) {
      tapText.textContent = strings.pointApart;
      return;
    }
    const numbers = { input: operands.patch[tap], weight: channel.kernel[tap], product: operands.products[tap] };
    const texts = Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, formatNumber(value)]));
    tapText.textContent = fillTemplate(strings.apartTap, { tap: tapName, ...texts });
  }
  return { root, show, showUnit, showTap };
}

// ---- the inspector ------------------------------------------------------------------------------------------------------

/**
 * @param {Object} strings - INSPECTOR, and `groups`: the most groups of any model shown
 * @param {number} size - of the kernels
 * @param {{hover, leave, click}} actions - what a pointer over its maps does
 * @returns {{root, show, showUnit}} show(column, i, isHeld): channel i of a model's column; showUnit(): at the position
 */
export function createInspector(strings, size, actions) {
  const grids = createGridFamily(size, showTap), mixture = createMixture(strings, grids), output = createSum(strings, grids, actions);
  const title = createNode("h3"), state = createNode("p"), response = createFrequencyResponse(strings);
  const passes = createSection("passes", "h4", strings.passes);
  passes.append(response.root, createNode("p", "lens-tap", strings.passesNote));
  const properties = { className: "lens-inspector", ariaLabel: strings.inspector };
  const root = createNode("section", properties, createNode("header", "", title, state), ...mixture.sections, passes, output.root);

  function showTap() {
    const tap = grids.marked(), tapName = fillTemplate(strings.tap, { row: Math.floor(tap / size) + 1, column: (tap % size) + 1 });
    root.dataset.tap = tap;
    mixture.showTap(tap, tapName);
    output.showTap(tap, tapName);
  }
  function showUnit() {
    Object.assign(root.dataset, output.showUnit());
    showTap();
  }
  function show(column, i, isHeld) {
    const channel = channelOf(column, i);
    title.textContent = channel.name;
    state.textContent = `${column.at}. ${isHeld ? strings.held : strings.hold}`;
    Object.assign(root.dataset, { variant: column.variant, channel: column.channels[i], held: isHeld });
    for (const part of [mixture, response, output]) part.show(channel);
    showUnit();
  }
  return { root, show, showUnit };
}
