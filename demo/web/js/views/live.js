import { openCamera } from "../core/camera.js";
import { createCell, createColorBar, createPredictionBars } from "../core/cells.js";
import { createButton, createNode, createSection, fillTemplate, restoreFocus } from "../core/dom.js";
import { formatFixed } from "../core/format.js";
import { fitCanvas, renderGrid, renderMap } from "../core/map_renderer.js";
import { dequantize } from "../core/quantized.js";
import { onChange, page, post, state } from "../core/store.js";
import { toQuery } from "../core/url.js";
import { signedScale } from "./kernel_grids.js";

/**
 * The Live view: frames of the camera as JPEGs of the model's input size, one on its way at a time; whatever the camera
 * shows meanwhile is dropped. Payload: demo/views/live.py; answers: demo/live.py. The camera stops when the tab is left.
 */
const JPEG_QUALITY = 0.85, LEAST_RATE = 6, RECENT = 20; // frames a second; frames over which rate and latency are taken
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
let view = null;

/** The middle square of a video as a canvas; a new one for each frame, because renderMap caches the pixels of an image. */
function grabFrame(video, side) {
  const canvas = createNode("canvas", { width: side, height: side }), edge = Math.min(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(video, (video.videoWidth - edge) / 2, (video.videoHeight - edge) / 2, edge, edge, 0, 0, side, side);
  return Object.assign(canvas, { complete: true, naturalWidth: side }); // as renderMap asks of an image
}

/** A canvas as a JPEG, at once: toBlob would wait until what is drawn next is finished. */
function encodeFrame(canvas) {
  const base64 = canvas.toDataURL("image/jpeg", JPEG_QUALITY).split(",")[1];
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type: "image/jpeg" });
}

/** A map over the frame. Returns its section and what draws an answer's map. */
function createMapPart(title) {
  const canvas = createNode("canvas", { role: "img", ariaLabel: title }), ring = createNode("span", { className: "lens-live-ring", hidden: true });
  const heading = createNode("h3", "", title), bar = createNode("div");
  const section = createNode("section", { className: "lens-live-part", hidden: true }, heading, createNode("div", "lens-live-frame", canvas, ring), bar);
  function show(map, frame, text = title) {
    const values = dequantize(map), scale = { ...map.scale, range: [0, map.high] }, [height, width] = map.input_size;
    section.hidden = false;
    heading.textContent = canvas.ariaLabel = text;
    fitCanvas(canvas, map.input_size);
    renderMap(canvas, { ...map, values }, frame, scale);
    const colorBar = createColorBar(scale);
    bar.replaceChildren(colorBar.bar);
    colorBar.draw();
    ring.hidden = !map.position.length;
    ring.style.left = `${(100 * (map.position[0] + 0.5)) / width}%`;
    ring.style.top = `${(100 * (map.position[1] + 0.5)) / height}%`;
  }
  return { section, canvas, show };
}

function createKernelPart(strings) {
  const heading = createNode("h3"), tiles = createNode("div", { className: "lens-tiles", role: "img" });
  const section = createNode("section", { className: "lens-live-part", hidden: true }, heading, tiles);
  let layer = "", high = 0; // the end of the scale: the largest weight since the layer was chosen
  function show(kernels) {
    if (layer !== kernels.layer) [layer, high] = [kernels.layer, 0];
    high = Math.max(high, kernels.high);
    section.hidden = false;
    heading.textContent = tiles.ariaLabel = fillTemplate(strings.kernels, kernels);
    while (tiles.children.length < kernels.count) tiles.append(createNode("div", "lens-tile", createNode("canvas")));
    const values = dequantize(kernels), area = kernels.size ** 2;
    [...tiles.children].forEach((tile, i) => renderGrid(tile.firstChild, values.subarray(i * area, (i + 1) * area), kernels.size, kernels.size, signedScale(high)));
  }
  return { section, show };
}

function createView(key, { strings, side, instead, images }, act) {
  const video = createNode("video", { muted: true, playsInline: true, hidden: true });
  const message = createNode("p", { className: "lens-line", role: "status" }), rate = createNode("p", "lens-line");
  const start = createButton({ className: "lens-live-start", disabled: Boolean(instead), data: { keep: "camera" } }, strings.start, () => (stream ? stop() : begin()));
  const freeze = createButton({ disabled: true, data: { keep: "freeze" } }, strings.freeze, freezeFrame);
  const camera = createSection("lens-live-part", "h3", strings.camera), predictions = createNode("div");
  const attention = createMapPart(strings.attention), gradCam = createMapPart("Grad-CAM"), kernels = createKernelPart(strings);
  let stream = null, position = null, hasGradCam = true, recent = [], latest = null, shown = 0;
  let exchange = Promise.resolve(); // the frame on its way

  const query = (extra) => new URLSearchParams({ ...toQuery({ ...state, upload: "live", position: null }), page, ...(position || {}), ...extra });

  async function begin() {
    message.textContent = "";
    start.disabled = true;
    await exchange.catch(() => {}); // of before the last stop
    stream = await openCamera(strings, say);
    video.srcObject = stream;
    if (stream) await video.play().catch(() => { stop(); say(strings.in_use); });
    start.disabled = false;
    if (!stream) return;
    if (!node.offsetParent) return stop(); // the tab was left meanwhile
    [hasGradCam, recent, shown] = [true, [], 0];
    start.textContent = strings.stop;
    video.hidden = false;
    run(stream);
  }

  /** Sends what the camera shows now. Returns {answer, frame, blob, captured}. */
  async function exchangeFrame() {
    const captured = performance.now(), frame = grabFrame(video, side), blob = encodeFrame(frame);
    const response = await post(`live?${query(hasGradCam ? { grad_cam: 1 } : {})}`, blob), answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return { answer, frame, blob, captured };
  }

  /** The next frame is sent before an answer is drawn, so that the server computes meanwhile. */
  async function run(current) {
    try {
      for (exchange = exchangeFrame(); ;) {
        const { answer, frame, blob, captured } = await exchange;
        if (stream !== current) return;
        exchange = exchangeFrame();
        exchange.catch(() => {}); // is awaited in the next turn, if there is one
        latest = blob;
        show(answer, frame);
        measure(captured, answer.model);
      }
    } catch (error) {
      if (stream !== current) return;
      stop();
      say(error instanceof TypeError ? strings.failed : error.message);
    }
  }

  function show({ predictions: best, target, maps, kernels: tiles }, frame) {
    predictions.replaceChildren(createPredictionBars(best, target, "div"));
    if (maps.attention) attention.show(maps.attention, frame);
    if (maps.grad_cam) gradCam.show(maps.grad_cam, frame, fillTemplate(strings.grad_cam, { label: best.find(({ index }) => index === target)?.label }));
    gradCam.section.hidden = !maps.grad_cam;
    if (tiles) kernels.show(tiles);
    freeze.disabled = false;
  }

  /** Rate and latency of the recent frames; Grad-CAM is left out where it makes the rate too low. */
  function measure(captured, model) {
    const now = performance.now();
    recent = [...recent, { now, latency: now - captured }].slice(-RECENT);
    const fps = recent.length > 1 ? (1000 * (recent.length - 1)) / (now - recent[0].now) : 0, latency = Math.round(median(recent.map((one) => one.latency)));
    Object.assign(node.dataset, { frames: (shown += 1), fps: fps.toFixed(2), latency });
    rate.textContent = fillTemplate(strings.rate, { model, fps: formatFixed(fps, 1), latency });
    if (!hasGradCam || recent.length < RECENT || fps >= LEAST_RATE) return;
    [hasGradCam, recent] = [false, []];
    say(fillTemplate(strings.cam_off, { least: LEAST_RATE }));
  }

  /** Keeps the frame that is shown as an uploaded image, and analyzes it in Overview. */
  async function freezeFrame() {
    stop();
    const response = await post(`live?${query({ freeze: 1 })}`, latest).catch(() => null), answer = await response?.json();
    if (!response?.ok) return say(answer?.error || strings.failed);
    act({ change: { upload: answer.key, image: "", tab: "overview" } });
  }

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = video.srcObject = null;
    video.hidden = true;
    start.textContent = strings.start;
  }
  const say = (text) => { message.textContent = text; };

  attention.canvas.addEventListener("click", (event) => {
    const box = attention.canvas.getBoundingClientRect(), pixel = (share) => Math.min(Math.max(Math.round(share * side - 0.5), 0), side - 1);
    position = { x: pixel((event.clientX - box.left) / box.width), y: pixel((event.clientY - box.top) / box.height) };
  });
  camera.append(video, predictions);
  const parts = createNode("div", "lens-live-parts", camera, attention.section, kernels.section, gradCam.section);
  const content = instead ? createCell(instead, null, images, act, []) : parts;
  const node = createNode("div", "lens-live", createNode("div", "lens-live-bar", start, freeze, rate), message, createNode("p", "lens-line", strings.privacy), content);
  return { key, node, stop };
}

export function layOutLive(body, payload, act) {
  const key = JSON.stringify([payload.side, payload.strings.start, Boolean(payload.instead)]);
  if (payload.instead || view?.key !== key) {
    view?.stop();
    view = createView(key, payload, act);
  }
  body.append(view.node);
  restoreFocus(body);
}

const leave = () => { if (state.tab !== "live" || document.hidden) view?.stop(); };
onChange(["tab"], leave);
document.addEventListener("visibilitychange", leave);
window.addEventListener("pagehide", () => view?.stop());
