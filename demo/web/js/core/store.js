/* The view state: one object that every widget and every Gradio control reads and changes.

   A change of it is written to the URL and sent to the server with all other fields; the server answers with parts of
   the page, each of which is handed to the widget that subscribed to it. A newer request aborts the older one, so an
   answer that comes late is never shown. Display settings belong to the state but need no request.

   Fields, defaults and which of them a URL holds come from demo/state.py; parts from demo/renderer.py. */
import { settings } from "./settings.js";
import { currentQuery, writeUrl } from "./url.js";

const PREVIOUS = "previous"; // as demo/state.py
const HISTORY_FIELDS = ["tab", "tour", "image", "upload", "models"]; // what Back and Forward go through
const IMAGE_RESET = { position: null, target: "", mask: "" }; // of another image
const RETRY_DELAYS = [1000, 2000, 4000, 8000]; // milliseconds between attempts while there is no connection
const DISPLAY_DELAY = 200; // milliseconds: browsers refuse a URL that changes with every step of a slider

const REPEATED = new Set(["connection", "controls", "link", "predictions", "progress", "tour"]); // sent again unchanged

const ownFetch = window.fetch.bind(window); // core/upload_errors.js changes Gradio's
const display = new Set(settings.display);
const subscribers = new Map(); // part -> function of the payload
const latest = new Map(); // part -> payload, for a widget that is mounted later
const changeListeners = new Set(); // {fields, listener}
export const page = crypto.randomUUID?.() || Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

export let state = Object.freeze({ ...settings.defaults });
/* What need not be sent again: {image, panels: {tab: image key}, figures: {tab: key}, tables: [key], controls: key, labelSet, hero: key}. */
export const received = { image: "", panels: {}, figures: {}, tables: [], controls: "", labelSet: "", hero: "" };
let requestId = 0, request = null, retryModels = [], displayTimer = 0;

/* Receives every payload of a part, the latest one at once. */
export function subscribe(part, receive) {
  subscribers.set(part, receive);
  if (latest.has(part)) receive(latest.get(part));
}

/* Calls back after every change of one of these fields. Returns a function that ends this. */
export function onChange(fields, listener) {
  const entry = { fields, listener };
  changeListeners.add(entry);
  return () => changeListeners.delete(entry);
}


function replaceState(next) {
  const previous = state;
  state = Object.freeze(next);
  const changed = new Set(Object.keys(next).filter((name) => isDifferent(next[name], previous[name])));
  if (changed.has("image") || changed.has("upload")) received.image = ""; // what is shown belongs to another image
  for (const { fields, listener } of changeListeners) if (fields.some((name) => changed.has(name))) listener();
}

const isDifferent = (a, b) => JSON.stringify(a) !== JSON.stringify(b);

/* Changes fields of the state; sends a request unless only display settings change. */
export function update(change) {
  const next = { ...state, ...change };
  const changed = Object.keys(change).filter((name) => isDifferent(next[name], state[name]));
  if (changed.includes("image") || changed.includes("upload")) {
    Object.assign(next, IMAGE_RESET, change);
    next.previous_image = state.upload ? PREVIOUS : state.image; // what the next image is compared with
    if (state.upload && state.upload !== next.upload) next.previous_upload = state.upload;
  }
  retryModels.push(...next.models.filter((name) => !state.models.includes(name)));
  replaceState(next);
  if (changed.length && changed.every((name) => display.has(name))) {
    document.dispatchEvent(new CustomEvent("lens:display", { detail: { key: changed[0] } }));
    clearTimeout(displayTimer);
    displayTimer = setTimeout(() => writeUrl(state, false), DISPLAY_DELAY);
    return;
  }
  writeUrl(state, !overlays.length && HISTORY_FIELDS.some((name) => changed.includes(name)));
  send({ state });
}

/* Sends the state again; retry: models whose failed loading is tried once more; start: figures that take long. */
export function resend({ retry = [], start = false } = {}) {
  retryModels.push(...retry);
  send({ state, start });
}

/* Shows a sentence above the tabs, until it is closed or another follows. */
export const notify = (sentence) => deliver("notes", { sentences: [sentence] });

/* Stops the request on its way; what is finished stays, and the server's last part says how to go on. */
export function stop() {
  if (request) post("stop", { page, id: requestId });
}

/* body: sent as JSON, or as it is if it is a Blob. */
export function post(route, body, options = {}) {
  const isBlob = body instanceof Blob, headers = { "content-type": isBlob ? body.type : "application/json" };
  return ownFetch(`./lens/${route}`, { method: "POST", headers, body: isBlob ? body : JSON.stringify(body), ...options });
}

function setBusy(busy) {
  document.documentElement.dataset.lensBusy = busy;
}

/* As Gradio chooses the colors of its page, which may not be there yet. */
function isDark() {
  const theme = new URLSearchParams(location.search).get("__theme");
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}

async function send(content) {
  request?.abort();
  const controller = (request = new AbortController()), id = (requestId += 1);
  const retry = retryModels;
  retryModels = [];
  setBusy(true);
  for (let attempt = 0; controller === request; attempt += 1) {
    const body = { page, id, retry, ...content, dark: isDark(), cached: cachedKeys() };
    try {
      const response = await post("view", body, { signal: controller.signal });
      if (!response.ok) {
        const failure = await response.json().catch(() => ({}));
        deliver("notes", { sentences: [failure.error || response.statusText] });
      } else if (!(await receiveLines(response, controller))) throw new TypeError("the response ended early");
      deliver("connection", { lost: false });
      break;
    } catch (error) {
      if (controller !== request || error.name === "AbortError") return;
      deliver("connection", { lost: true });
      await pause(RETRY_DELAYS[Math.min(attempt, RETRY_DELAYS.length - 1)]);
    }
  }
  if (controller !== request) return;
  request = null;
  setBusy(false);
}

function cachedKeys() {
  const isShown = received.image && received.panels[state.tab] === received.image;
  return { image: received.image, tab: isShown ? state.tab : "", tables: received.tables, figures: received.figures[state.tab] || "", controls: received.controls, label_set: received.labelSet, hero: received.hero };
}

/* Until the time has passed or the browser says that there is a connection again. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, milliseconds);
    function finish() {
      clearTimeout(timer);
      window.removeEventListener("online", finish);
      resolve();
    }
    window.addEventListener("online", finish);
  });
}

/* Hands out each line as it arrives. Returns whether the response was complete. */
async function receiveLines(response, controller) {
  let complete = false;
  for await (const parts of readLines(response)) {
    if (controller !== request) return true;
    complete ||= Boolean(parts.done);
    receive(parts);
  }
  return complete;
}

/* The objects of a response that holds one a line, as they arrive. */
export async function* readLines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

function receive(parts) {
  if (parts.state) adopt(parts.state);
  for (const [part, payload] of Object.entries(parts)) {
    if (part === "panel") {
      received.panels[state.tab] = received.image;
      deliver(`panel:${state.tab}`, payload);
    } else if (part === "figures") {
      if (!payload.keep) received.figures[state.tab] = payload.key || "";
      deliver(`figures:${state.tab}`, payload);
    } else if (part === "reference") deliver(`reference:${state.tab}`, payload);
    else if (part === "crosshair") deliver(part, { src: latest.get(part)?.src, ...payload }); // pixels are sent once
    else if (part === "error") deliver("notes", { sentences: [payload] });
    else deliver(part, payload);
  }
}

/* Takes over the state as the server validated it. Display settings stay as they are: they may have changed since. */
function adopt({ state: validated, notes, image, opened, default_model: model }) {
  settings.model = model;
  const displayed = opened ? {} : Object.fromEntries(settings.display.map((name) => [name, state[name]]));
  replaceState({ ...validated, ...displayed });
  received.image = image;
  writeUrl(state, false);
  if (opened) document.dispatchEvent(new CustomEvent("lens:display", { detail: { key: "" } }));
  if (notes.length) deliver("notes", { sentences: notes });
}

function deliver(part, payload) {
  if (REPEATED.has(part) && !isDifferent(payload, latest.get(part))) return;
  latest.set(part, payload);
  try { subscribers.get(part)?.(payload); } catch (error) { reportError(error); } // a fault of one widget stops no other
}

// ---- widgets ----------------------------------------------------------------------------------------------------

/**
 * What a widget does:
 *   {x, y, image}     moves the query position, in pixels of the image of that key; another image's is ignored
 *   {change: {…}}     changes fields of the view state
 *   {retry: name}     loads a model once more; {instead: [name, other]} takes another in its place
 *   {ask}             "stop" stops the request on its way, "again" repeats it, and starts what takes long
 */
function act({ x, y, image, change, retry, instead, ask }) {
  if (x !== undefined) {
    if (image === undefined || image === received.image) update({ position: [x, y] });
  } else if (change) update(change);
  else if (retry) resend({ retry: [retry] });
  else if (instead) update({ models: [...new Set(state.models.map((name) => (name === instead[0] ? instead[1] : name)))] });
  else if (ask === "stop") stop();
  else if (ask === "again") resend({ start: true });
}

/**
 * @param {function} mountWidget - (element, props, act, watch); props.value: the latest payload
 * @param {HTMLElement} element - of the Gradio component
 * @param {*} value - the component's value in Python: the first payload, or {tab} of a part that each tab has
 * @param {string} part
 */
export function mount(mountWidget, element, value, part) {
  const props = { value };
  let render = () => {};
  mountWidget(element, props, act, (callback) => { render = callback; });
  subscribe(value?.tab ? `${part}:${value.tab}` : part, (payload) => {
    props.value = payload;
    render();
  });
}

// ---- history ----------------------------------------------------------------------------------------------------

const overlays = []; // {below, close}: what Back closes, the last first, and a mark in the state of the entry below it
let leaving = null; // the overlay whose entry is being removed

/**
 * Adds an entry to the history for what lies over the view, such as a dialog: Back removes it, and calls close().
 *
 * @returns {function(): void} removes the entry where Back has not
 */
export function pushOverlay(close) {
  const overlay = { below: 0, close };
  overlays.push(overlay);
  if (!leaving) addEntry(overlay); // else when that entry is gone
  return () => {
    const i = overlays.indexOf(overlay);
    if (i < 0) return;
    overlays.splice(i, 1);
    if (!overlay.below) return;
    leaving = overlay;
    history.back();
  };
}

function addEntry(overlay) {
  overlay.below = Date.now();
  history.replaceState({ ...history.state, below: overlay.below }, "");
  history.pushState({ ...history.state, below: 0 }, "");
}

/* Whether it was the entry of an overlay that was left: the view is the same, and there is nothing to ask the server. */
function closeOverlay(event) {
  const closed = leaving || overlays.pop(), isBelow = closed && event.state?.below === closed.below;
  if (!leaving) closed?.close();
  leaving = null;
  if (isBelow) writeUrl(state, false); // as the server has completed it meanwhile
  overlays.filter(({ below }) => !below).forEach(addEntry);
  return isBelow;
}

/* Back and Forward bring a state back; a page that is loaded again starts from the history, a new one from the URL. */
window.addEventListener("popstate", (event) => {
  if (closeOverlay(event)) return;
  if (event.state?.lens) {
    replaceState({ ...settings.defaults, ...event.state.lens });
    document.dispatchEvent(new CustomEvent("lens:display", { detail: { key: "" } }));
    send({ state });
  } else send({ query: currentQuery() });
});

for (const kind of ["offline", "online"]) window.addEventListener(kind, () => deliver("connection", { lost: kind === "offline" }));

export function start() {
  const stored = history.state?.lens;
  if (stored) {
    replaceState({ ...settings.defaults, ...stored });
    send({ state });
    return;
  }
  const query = new URLSearchParams(currentQuery());
  const tab = query.get("tab") ?? settings.tour[query.get("tour") - 1]; // shown at once, not when the server has read the URL
  if (settings.tabs.includes(tab)) replaceState({ ...state, tab });
  send({ query: currentQuery() });
}
