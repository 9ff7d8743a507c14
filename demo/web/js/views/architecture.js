import { createButton, createNode, createSvgNode } from "../core/dom.js";

/**
 * The architecture as a figure (data: demo/architecture.py). Every box is a button: {kind, title, lines, name, go}. Wide
 * pages show it from left to right, narrow ones downwards; it is laid out in pixels of the page, so that text keeps its
 * size on a phone.
 */
const NARROWEST = 200, WIDE = 900; // pixels of the page: from which it is drawn, and from which it goes from left to right
const TICK = 11, MAX_IMAGE_SIDE = 112; // pixels of a block's mark and of the image
const TITLE = 14, LINE = 12, LEADING = 15.5, PADDING = 9; // pixels: sizes of text, line height, room around text
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const ruler = document.createElement("canvas").getContext("2d");

/** Text in lines no wider than `width`; Chinese breaks between any characters, "4 × 4" never. */
function wrapText(text, width, size, weight = 400) {
  ruler.font = `${weight} ${size}px ${FONT}`;
  const lines = [];
  let line = "";
  for (const piece of text.replaceAll(" × ", "\u00a0×\u00a0").match(/[⺀-鿿＀-￯]| +|[^ ⺀-鿿＀-￯]+/g) || []) {
    if (line.trim() && ruler.measureText((line + piece).trimEnd()).width > width) {
      lines.push(line.trim());
      line = "";
    }
    line += piece;
  }
  return [...lines, line.trim()].filter(Boolean);
}

/** The lines of a box of this width, and its height. extra: height between title and lines. */
function measureBox({ title, lines }, width, extra = 0) {
  const titleLines = wrapText(title, width - 2 * PADDING, TITLE, 650);
  const textLines = lines.flatMap((line) => wrapText(line, width - 2 * PADDING, LINE));
  const height = 2 * PADDING + extra + titleLines.length * (TITLE + 4) + textLines.length * LEADING;
  return { titleLines, textLines, height };
}

const heightOf = (box, width) => measureBox(box, width).height;

/** Functions that draw into an svg. */
function createPen(svg, act) {
  const add = (tag, attributes, text, parent = svg) => {
    const node = createSvgNode(tag, attributes, text);
    parent.append(node);
    return node;
  };

  function drawButton(box, x, y, width, height) {
    const group = add("g", { class: `lens-box ${box.kind}`, role: "button", tabindex: 0, "aria-label": box.name });
    const activate = () => act({ change: box.go });
    group.dataset.tab = box.go.tab;
    group.addEventListener("click", activate);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      activate();
    });
    add("rect", { x, y, width, height, rx: 9 }, undefined, group);
    return group;
  }

  /** A box with its text at the top left, or centered. drawBetween(group, x, y): `extra` pixels between title and lines. */
  function drawBox(box, x, y, width, height, { extra = 0, drawBetween, isCentered = false } = {}) {
    const measured = measureBox(box, width, extra), group = drawButton(box, x, y, width, height);
    const textX = isCentered ? x + width / 2 : x + PADDING, anchor = isCentered ? "middle" : "start";
    let textY = y + PADDING + (isCentered ? Math.max(0, (height - measured.height) / 2) : 0) + TITLE - 1;
    const write = (text, className) => add("text", { x: textX, y: textY, class: className, "text-anchor": anchor }, text, group);
    for (const line of measured.titleLines) { write(line, "title"); textY += TITLE + 4; }
    if (drawBetween) { drawBetween(group, x + PADDING, textY - TITLE + 3); textY += extra; }
    for (const line of measured.textLines) { write(line, "line"); textY += LEADING; }
    return group;
  }

  /** A thin box with its title only. isVertical: written upwards. */
  function drawBar(box, x, y, width, height, isVertical = false) {
    const group = drawButton(box, x, y, width, height), cx = x + width / 2, cy = y + height / 2;
    const attributes = { x: cx, y: cy, class: "line", "text-anchor": "middle", "dominant-baseline": "central" };
    if (isVertical) attributes.transform = `rotate(-90 ${cx} ${cy})`;
    add("text", attributes, box.title, group);
  }

  /** A line through points, with round corners. */
  function drawLine(...points) {
    let path = `M${points[0]}`;
    for (let i = 1; i < points.length; i++) {
      const [x, y] = points[i], next = points[i + 1];
      const towards = ([toX, toY]) => {
        const length = Math.hypot(toX - x, toY - y), radius = Math.min(8, length / 2);
        return `${x + ((toX - x) * radius) / length},${y + ((toY - y) * radius) / length}`;
      };
      path += next ? ` L${towards(points[i - 1])} Q${x},${y} ${towards(next)}` : ` L${x},${y}`;
    }
    add("path", { d: path, class: "lens-way" });
  }

  function drawArrow(from, to) {
    const [x, y] = to, angle = Math.atan2(y - from[1], x - from[0]), size = 6;
    const barb = (turn) => `${x - size * Math.cos(angle + turn)},${y - size * Math.sin(angle + turn)}`;
    drawLine(from, to);
    add("path", { d: `M${barb(0.45)} L${x},${y} L${barb(-0.45)}`, class: "lens-way" });
  }

  /** "+" or "×" in a circle. */
  function drawOperator(text, x, y) {
    add("circle", { cx: x, cy: y, r: 9, class: "lens-sign" });
    const path = text === "+" ? "M-4.5,0H4.5M0,-4.5V4.5" : "M-3.2,-3.2L3.2,3.2M3.2,-3.2L-3.2,3.2";
    add("path", { d: path, transform: `translate(${x} ${y})`, class: "lens-way" });
  }

  const drawNote = (text, x, y, anchor = "middle") => add("text", { x, y, class: "note", "text-anchor": anchor }, text);
  return { add, drawBox, drawBar, drawLine, drawArrow, drawOperator, drawNote };
}

/** draw(pen) draws a figure and returns its height. */
function createFigure(width, act, draw) {
  const svg = createSvgNode("svg", { role: "group", width }), height = Math.ceil(draw(createPen(svg, act)));
  svg.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return svg;
}

// ---- the four stages --------------------------------------------------------------------------------------------------

/** The image in n x n squares, each the mean color of its region, as a data URL. */
function pixelateImage(image, n) {
  const canvas = createNode("canvas", { width: n, height: n }), context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, n, n);
  return canvas.toDataURL();
}

const hasPicture = (box) => box.kind === "stage" || box.kind === "image";

/** The image at a stage's resolution, and one mark per block, its halves in the colors of the two pathways. */
function createPicture(pen, { grid, depth = 0, halves }, image, side, width) {
  const perRow = Math.max(1, Math.floor(width / TICK));
  function draw(group, x, y) {
    const frame = { x, y, width: side, height: side }, add = (tag, attributes) => pen.add(tag, attributes, undefined, group);
    add("rect", { ...frame, class: "blank" });
    const href = image && (grid ? pixelateImage(image, grid) : image.src);
    if (image) add("image", { ...frame, href, preserveAspectRatio: "none", class: grid ? "squares" : "" });
    for (let i = 0; i < depth; i++) {
      const mark = { x: x + (i % perRow) * TICK, width: TICK - 3 }, top = y + side + 7 + 17 * Math.floor(i / perRow);
      add("rect", { ...mark, y: top, height: halves > 1 ? 6 : 12, class: "local" });
      if (halves > 1) add("rect", { ...mark, y: top + 6, height: 6, class: "global" });
    }
  }
  return { height: side + 6 + (depth ? Math.ceil(depth / perRow) * 17 : 0), draw };
}

const drawStagesAcross = ({ flow, steps }, image, totalWidth) => (pen) => {
  const gap = 26, fixedWidths = { image: 96, stem: 106, head: 100 }, top = 20;
  const stageWidth = (totalWidth - 2 - 302 - gap * (flow.length - 1)) / 4;
  const boxes = flow.map((box) => {
    const width = fixedWidths[box.kind] || stageWidth, inner = width - 18;
    const picture = hasPicture(box) ? createPicture(pen, box, image, Math.min(inner, MAX_IMAGE_SIDE), inner) : null;
    return { box, width, picture, height: measureBox(box, width, picture?.height).height };
  });
  const tallest = Math.max(...boxes.map(({ height }) => height)), middle = top + tallest / 2;
  let x = 1;
  boxes.forEach(({ box, width, picture, height: ownHeight }, i) => {
    const height = box.kind === "stage" ? tallest : ownHeight;
    pen.drawBox(box, x, middle - height / 2, width, height, { extra: picture?.height, drawBetween: picture?.draw });
    if (i + 1 < boxes.length) pen.drawArrow([x + width + 3, middle], [x + width + gap - 3, middle]);
    if (i > 1 && i < 5) pen.drawNote(steps[i - 2], x + width + gap / 2, 11);
    x += width + gap;
  });
  return top + tallest + 2;
};

const drawStagesDown = ({ flow, steps }, image, width) => (pen) => {
  const gap = 24, side = 72, center = width / 2;
  let y = 1;
  flow.forEach((box, i) => {
    const left = hasPicture(box) ? side + 10 : 0, { titleLines, textLines, height: textHeight } = measureBox(box, width - 2 - left);
    const height = Math.max(textHeight + (box.depth ? 14 : 0), left ? side + 18 : 0);
    const group = pen.drawBox({ ...box, title: "", lines: [] }, 1, y, width - 2, height);
    let textY = y + 22;
    const write = (text, className) => pen.add("text", { x: 10 + left, y: textY, class: className }, text, group);
    for (const line of titleLines) { write(line, "title"); textY += 18; }
    if (left) createPicture(pen, { ...box, depth: 0 }, image, side, side).draw(group, 10, y + 9);
    for (const line of textLines) { write(line, "line"); textY += 15.5; }
    if (box.depth) createPicture(pen, box, null, 0, width - left - 20).draw(group, 10 + left, textY - 18);
    if (i + 1 < flow.length) pen.drawArrow([center, y + height + 3], [center, y + height + gap - 3]);
    if (i > 1 && i < 5) pen.drawNote(steps[i - 2], center + 12, y + height + 16, "start");
    y += height + gap;
  });
  return y - gap + 1;
};

// ---- one block: DPE + x, mixer × scale + x, FFN × scale + x -------------------------------------------------------------

const drawBlockAcross = (block, totalWidth) => (pen) => {
  const gap = 15, top = 34, thin = 24, dpe = 104, norm = 40, ffn = 146, ste = block.join ? 116 : 0; // widths
  const branches = [block.local, block.global].filter(Boolean);
  const inside = (block.split ? 2 * (thin + gap) : 0) + (ste ? ste + gap : 0);
  const branchWidth = Math.min(270, totalWidth - (2 + dpe + norm * 2 + ffn + 18 * 5 + gap * 12 + 34) - inside);
  const heights = branches.map((branch) => heightOf(branch, branchWidth));
  const inner = heights.reduce((a, b) => a + b + 10, -10), header = 52, frame = inner + header + 14, middle = top + header + inner / 2;
  const innerTop = middle - inner / 2;
  let x = 1, start = 0; // start: where the skip connection leaves
  const advance = (to = gap) => { pen.drawArrow([x, middle], [x + to - 2, middle]); x += to; };
  const begin = () => { start = x + 6; advance(20); };
  const operator = (text) => { pen.drawOperator(text, x + 9, middle); x += 18; };
  const addSkip = () => { pen.drawLine([start, middle], [start, 12], [x + 9, 12], [x + 9, middle - 9]); operator("+"); };
  const scaleAndAdd = () => { advance(); operator("×"); advance(); addSkip(); };
  const box = (part, width) => {
    const height = heightOf(part, width);
    pen.drawBox(part, x, middle - height / 2, width, height, { isCentered: true });
    x += width;
  };
  const normalize = () => { pen.drawBar(block.norm, x, middle - 22, norm, 44); x += norm; advance(); };
  const thinBar = (part) => { pen.drawBar(part, x, innerTop, thin, inner, true); x += thin; };

  begin(); box(block.before, dpe); advance(); addSkip();
  begin(); normalize();
  const left = x, mixer = branchWidth + inside + 28;
  pen.drawBox(block.mixer, left, top, mixer, frame);
  x += 14;
  if (block.split) thinBar(block.split);
  let y = innerTop;
  branches.forEach((branch, i) => {
    const branchX = x + (block.split ? gap : 0), center = y + heights[i] / 2;
    if (block.split) pen.drawArrow([x, center], [branchX - 2, center]);
    pen.drawBox(branch, branchX, y, branchWidth, heights[i]);
    if (block.concat) pen.drawArrow([branchX + branchWidth, center], [branchX + branchWidth + gap - 2, center]);
    y += heights[i] + 10;
  });
  x += branchWidth + (block.split ? 2 * gap : 0);
  if (block.concat) thinBar(block.concat);
  if (block.join) { advance(); box(block.join, ste); }
  x = left + mixer; scaleAndAdd();
  begin(); normalize(); box(block.after, ffn); scaleAndAdd(); advance(20);
  return top + frame + 2;
};

const drawBlockDown = (block, totalWidth) => (pen) => {
  const gap = 18, left = 24, thin = 24, width = totalWidth - left - 1, center = left + width / 2, boxWidth = Math.min(width, 250);
  let y = 1, start = 0; // start: where the skip connection leaves
  const advance = (to = gap) => { pen.drawArrow([center, y], [center, y + to - 2]); y += to; };
  const begin = () => { start = y + 8; advance(24); };
  const operator = (text) => { pen.drawOperator(text, center, y + 9); y += 18; };
  const addSkip = () => { pen.drawLine([center, start], [9, start], [9, y + 9], [center - 9, y + 9]); operator("+"); };
  const scaleAndAdd = () => { advance(); operator("×"); advance(); addSkip(); };
  const box = (part) => {
    const height = heightOf(part, boxWidth);
    pen.drawBox(part, center - boxWidth / 2, y, boxWidth, height, { isCentered: true });
    y += height;
  };
  const normalize = () => { pen.drawBar(block.norm, center - 34, y, 68, 26); y += 26; advance(); };

  begin(); box(block.before); advance(); addSkip();
  begin(); normalize();
  const branches = [block.local, block.global].filter(Boolean), inner = width - 20;
  const branchWidth = (inner - 8 * (branches.length - 1)) / branches.length, branchX = (i) => left + 10 + i * (branchWidth + 8);
  const tallest = Math.max(...branches.map((branch) => heightOf(branch, branchWidth)));
  const header = heightOf(block.mixer, width), ste = block.join ? heightOf(block.join, inner) : 0;
  const frame = header + (block.split ? 2 * (thin + gap) : 0) + tallest + (ste ? gap + ste : 0) + 10;
  const arrows = () => {
    branches.forEach((_, i) => pen.drawArrow([branchX(i) + branchWidth / 2, y], [branchX(i) + branchWidth / 2, y + gap - 2]));
    y += gap;
  };
  const thinBar = (part) => { pen.drawBar(part, left + 10, y, inner, thin); y += thin; };
  pen.drawBox(block.mixer, left, y, width, frame);
  y += header;
  if (block.split) { thinBar(block.split); arrows(); }
  branches.forEach((branch, i) => pen.drawBox(branch, branchX(i), y, branchWidth, tallest));
  y += tallest;
  if (block.concat) { arrows(); thinBar(block.concat); }
  if (block.join) { advance(); pen.drawBox(block.join, left + 10, y, inner, ste, { isCentered: true }); y += ste; }
  y += 10;
  scaleAndAdd();
  begin(); normalize(); box(block.after); scaleAndAdd(); advance(20);
  return y + 2;
};

// ---- both ---------------------------------------------------------------------------------------------------------------

/** Draws the figure into root. photo: a data URL of the model input, or undefined. */
export function drawArchitecture(root, data, photo, act) {
  const stages = createNode("div", "lens-flow"), block = createNode("div");
  const buttons = data.blocks.map(({ button }, i) => createButton("", button, () => { stage = i + 1; draw(); }));
  const chooser = createNode("div", "lens-pick", createNode("span", "", data.opened), ...buttons);
  let stage = data.stage, image = null, drawnWidth = 0;
  const details = createNode("div", "lens-opened", chooser, block, createNode("p", "lens-note", data.caption_block));
  root.append(stages, createNode("p", "lens-note", data.caption), details);

  function replaceFigure(parent, name, svg) {
    const focused = [...parent.querySelectorAll(".lens-box")].indexOf(document.activeElement);
    svg.setAttribute("aria-label", name);
    parent.replaceChildren(svg);
    if (focused >= 0) parent.querySelectorAll(".lens-box")[focused]?.focus({ preventScroll: true });
  }
  function draw() {
    drawnWidth = Math.floor(root.clientWidth);
    if (drawnWidth < NARROWEST) return; // hidden, or in the middle of a change of layout
    const isWide = drawnWidth >= WIDE, width = isWide ? drawnWidth : Math.min(drawnWidth, 560), shownBlock = data.blocks[stage - 1];
    replaceFigure(stages, data.name, createFigure(width, act, (isWide ? drawStagesAcross : drawStagesDown)(data, image, width)));
    replaceFigure(block, shownBlock.name, createFigure(width, act, (isWide ? drawBlockAcross : drawBlockDown)(shownBlock, width)));
    buttons.forEach((button, i) => { button.ariaPressed = String(i + 1 === stage); });
  }
  new ResizeObserver(() => { if (Math.floor(root.clientWidth) !== drawnWidth) draw(); }).observe(root);
  if (photo) {
    const loading = new Image();
    loading.onload = () => { image = loading; draw(); };
    loading.src = photo;
  }
  draw();
}
