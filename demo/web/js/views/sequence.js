import { createColorBar, createCell, createPredictionBars } from "../core/cells.js";
import { announce, createButton, createChoices, createNode, createSection, fillTemplate, restoreFocus } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";
import { renderGrid } from "../core/map_renderer.js";
import { createProgress, updateProgress } from "../core/progress.js";
import { dequantize } from "../core/quantized.js";
import { saveResponse } from "../core/save_file.js";
import { post, readLines, state } from "../core/store.js";

/**
 * The Sequence view: a transition is chosen, its frames are computed on a button, and then a slider or Play goes through
 * them without a request. Payload: demo/views/sequence.py; frames: demo/sequence.py.
 */
const FRAMES_A_SECOND = 12, FORMATS = { gif: "GIF", webm: "WebM" };
const OF_FRAMES = ["upload", "image", "reference", "previous_upload", "models", "stage", "block", "image_size", "transition", "frames", "locale"];
const cached = { key: "", sequence: null }; // outlives a payload: another class or tab changes no frame
let view = null;

const keyOf = () => JSON.stringify(OF_FRAMES.map((name) => state[name]));
const isStill = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

const decode = (sequence) => ({ ...sequence, kernels: dequantize(sequence.kernels), gates: dequantize(sequence.gates) });

/** Small canvases, one a channel. Returns the section and what draws a frame's values of all channels in it. */
function createTiles(title, { names, size }, scale, drawings) {
  const canvases = names.map((name) => createNode("canvas", { title: name })), area = size * size;
  const tiles = createNode("div", { className: "lens-tiles", role: "img", ariaLabel: title }, ...canvases.map((canvas) => createNode("div", "lens-tile", canvas)));
  const section = createSection("lens-sequence-part", "h3", title), { bar, draw } = createColorBar(scale);
  section.append(tiles, bar);
  drawings.push(draw);
  const drawFrame = (values, frame) => canvases.forEach((canvas, i) => {
    const first = (frame * canvases.length + i) * area;
    renderGrid(canvas, values.subarray(first, first + area), size, size, scale);
  });
  return { section, tiles, drawFrame };
}

function createDownloads(strings) {
  const status = createNode("span", { className: "lens-line", role: "status" });
  const buttons = Object.entries(FORMATS).map(([format, name]) => createButton({ data: { format } }, name, () => download(format)));
  async function download(format) {
    buttons.forEach((button) => { button.disabled = true; });
    status.textContent = strings.creating;
    try {
      const response = await post("sequence_file", { state, format });
      if (!response.ok) throw new Error((await response.json()).error);
      status.textContent = fillTemplate(strings.saved, await saveResponse(response));
    } catch (error) {
      status.textContent = error instanceof TypeError ? strings.failed : error.message;
    }
    buttons.forEach((button) => { button.disabled = false; });
  }
  return createNode("p", "lens-sequence-save", createNode("span", "", strings.save), ...buttons, status);
}

/** The frames with their slider. Returns the node and a function that draws again after a display control has moved. */
function createPlayer(sequence, strings) {
  const count = sequence.images.length, drawings = [];
  const image = createNode("img"), kernelsTitle = fillTemplate(strings.kernels, { count: sequence.names.length, layer: sequence.layer });
  const input = createSection("lens-sequence-part", "h3", strings.model_input), predictions = createNode("div", "predictions");
  const kernels = createTiles(kernelsTitle, sequence, sequence.scale, drawings);
  const gates = createTiles(strings.gates, sequence, sequence.gate_scale, drawings);
  const slider = createNode("input", { type: "range", min: 1, max: count, value: 1, ariaLabel: strings.frame });
  const position = createNode("output"), distance = createNode("p", "lens-line");
  const play = createButton("lens-sequence-play", strings.play, () => setPlaying(!timer));
  let timer = 0;

  function show() {
    const frame = slider.valueAsNumber - 1, [top] = sequence.predictions[frame], values = { frame: frame + 1, count };
    image.src = sequence.images[frame];
    position.textContent = image.alt = fillTemplate(strings.position, values);
    slider.ariaValueText = top ? fillTemplate(strings.spoken, { ...values, label: top.label, share: formatPercent(top.share) }) : position.textContent;
    predictions.replaceChildren(createPredictionBars(sequence.predictions[frame], top?.index, "div"));
    kernels.drawFrame(sequence.kernels, frame);
    gates.drawFrame(sequence.gates, frame);
    kernels.tiles.dataset.frame = frame;
    distance.textContent = fillTemplate(strings.distance, { distance: formatNumber(sequence.distance[frame]) });
  }

  function setPlaying(isPlaying) {
    clearInterval(timer);
    timer = isPlaying ? setInterval(step, 1000 / FRAMES_A_SECOND) : 0;
    play.textContent = isPlaying ? strings.pause : strings.play;
  }
  function step() {
    if (!node.offsetParent) return setPlaying(false); // another tab
    slider.value = (slider.valueAsNumber % count) + 1;
    show();
  }
  slider.addEventListener("input", () => {
    setPlaying(false);
    show();
  });
  input.append(image, predictions);
  const bar = createNode("div", "lens-sequence-bar", play, slider, position);
  const parts = createNode("div", "lens-sequence-parts", input, kernels.section, gates.section);
  const node = createNode("div", "lens-sequence-player", bar, parts, distance, createDownloads(strings));
  return { node, play: () => setPlaying(!isStill()), draw: () => { drawings.forEach((draw) => draw()); show(); } };
}

/** The whole view, which stays while nothing changes that its frames depend on. Returns {key, node, draw, leave}. */
function createView(key, { strings, transitions, counts, instead, note, images }, act) {
  const change = (fields) => act({ change: fields });
  let player = null, request = null;
  const result = createNode("div"), message = createNode("p", { className: "lens-line", role: "status" });
  const compute = createButton({ className: "lens-sequence-compute", disabled: Boolean(instead), data: { keep: "compute" } }, "", () => (request ? request.abort() : computeFrames()));
  const showRunning = () => { compute.textContent = request ? strings.stop : fillTemplate(strings.compute, { count: state.frames }); };

  function showPlayer() {
    player = createPlayer(cached.sequence, strings);
    result.replaceChildren(player.node);
    player.draw();
  }

  /** Returns the sequence; shows how far it is meanwhile. */
  async function receiveFrames(box, signal) {
    const response = await post("sequence", { state }, { signal });
    if (!response.ok) throw new Error((await response.json()).error);
    for await (const step of readLines(response)) {
      if (step.error) throw new Error(step.error);
      if (step.sequence) return decode(step.sequence);
      const text = fillTemplate(strings.progress, step);
      updateProgress(box, { text, share: step.finished / step.total, label: strings.frame });
    }
    throw new TypeError("the response ended early");
  }

  async function computeFrames() {
    const box = createProgress({ text: "", share: 0 });
    request = new AbortController();
    showRunning();
    message.textContent = "";
    result.replaceChildren(box);
    try {
      Object.assign(cached, { key, sequence: await receiveFrames(box, request.signal) });
      showPlayer();
      player.play();
      announce(fillTemplate(strings.ready, { count: cached.sequence.images.length }));
    } catch (error) {
      const isStopped = error.name === "AbortError";
      message.textContent = isStopped ? strings.stopped : error instanceof TypeError ? strings.failed : error.message;
      result.replaceChildren();
    }
    request = null;
    showRunning();
  }

  const kinds = createChoices(strings.transition, transitions, () => state.transition, (transition) => change({ transition }));
  const numbers = createChoices(strings.count, counts.map((count) => [String(count), String(count)]), () => String(state.frames), (count) => change({ frames: Number(count) }));
  if (instead) result.append(createCell(instead, null, images, act, []));
  else if (cached.key === key) showPlayer();
  showRunning();
  const node = createNode("div", "lens-sequence", kinds, numbers, compute, note ? createNode("p", "lens-line", note) : undefined, message, result);
  return { key, node, draw: () => player?.draw(), leave: () => request?.abort() };
}

export function layOutSequence(body, payload, act) {
  const key = keyOf() + Boolean(payload.instead), isSame = !payload.instead && view?.key === key;
  if (!isSame) {
    view?.leave();
    view = createView(key, payload, act);
  }
  body.append(view.node);
  restoreFocus(body);
  return () => view.draw();
}
