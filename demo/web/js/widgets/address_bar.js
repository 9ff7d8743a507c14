import { display } from "../core/display_store.js";
import { createNode } from "../core/dom.js";

/* The address bar holds what is looked at. value: {query: {key: text}, keys, first, own, upload, words: {copy, copied,
   selected, address}}, made by demo/places.py; what only the browser knows (display) is added here. own: the key
   of a visitor's own image, which no address holds: the browser's history remembers it. A display control
   changes the address alone: no request. Settings of an address that is opened are in the store before anything is drawn;
   what cannot be used is said by Python (demo/links.py), which knows the same bounds. */
const FIELDS = { // key of the query -> field of the store
  colors: "colormap", signed: "diverging", opacity: "opacity", gamma: "gamma", threshold: "threshold", show: "view",
  seen: "seen", head: "head", direction: "direction",
};
const WAIT = 200; // milliseconds: browsers refuse an address that changes with every step of a slider
const STEPS = ["view", "tour", "image", "variants"]; // what Back and Forward go through
const LONGEST = 10_000; // milliseconds that the answer to Back or Forward is waited for
const text = (value) => (typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : value === true ? "1" : String(value || ""));

function restore(query) {
  for (const [key, field] of Object.entries(FIELDS)) {
    const given = query.getAll(key), usual = display.defaults[field];
    if (given.length !== 1 || !given[0]) continue;
    const number = typeof usual === "number", clean = display.set(field, given[0]);
    const same = number ? /^[0-9](\.[0-9]{1,6})?$/.test(given[0]) && clean === Number(given[0]) : text(clean) === given[0];
    if (!same) display.set(field, usual); // not the nearest that could be: nobody asked for that
  }
}

function shown() {
  const query = {};
  for (const [key, field] of Object.entries(FIELDS)) {
    const now = text(display[field]);
    if (now !== text(display.defaults[field])) query[key] = now;
  }
  return query;
}

function addressOf(value) {
  const ours = new Set(value.keys), others = [...new URLSearchParams(location.search)].filter(([key]) => !ours.has(key));
  const pairs = [...Object.entries({ ...value.query, ...shown() }), ...others];
  const readable = (part) => encodeURIComponent(part).replace(/%(2C|3A|40)/g, decodeURIComponent);
  const query = pairs.map((pair) => pair.map(readable).join("=")).join("&");
  return location.pathname + (query ? `?${query}` : "") + location.hash;
}

/* The nodes of the component, once: {button, said, address, note}. */
function build(root, copy) {
  root.innerHTML = `<button type="button" class="lens-copy"></button><span class="said" role="status"></span>
    <input class="address" type="text" readonly hidden><p class="lens-note"></p>`;
  const find = (what) => root.querySelector(what);
  const nodes = { button: find("button"), said: find(".said"), address: find("input"), note: find(".lens-note") };
  nodes.button.addEventListener("click", () => copy(nodes));
  return nodes;
}

const stepOf = (query, own) => JSON.stringify([...STEPS.map((key) => query[key] || ""), own]);

export function mountLink(element, props, trigger, watch) {
  let nodes = null, later = 0, patience = 0;
  let written = null; // the step that the address holds; null before the first answer: what was asked still stands there
  let awaited = null; // the step that Back or Forward asked for, until its answer comes

  function write() {
    clearTimeout(later);
    later = 0;
    if (!props.value?.query) return;
    const { own } = props.value, address = addressOf(props.value), step = stepOf(props.value.query, own);
    if (awaited !== null && awaited !== step) return; // an answer to what was asked before
    awaited = null;
    const how = written === null || written === step ? "replaceState" : "pushState";
    written = step;
    const there = location.pathname + location.search + location.hash, was = history.state?.lensOwn || "";
    if (address !== there || own !== was) history[how]({ ...history.state, lensOwn: own }, "", address);
  }

  /* Back and Forward: the browser's part of the address at once, the server's by asking for it. */
  function back() {
    if (written === null) return;
    const query = new URLSearchParams(location.search), own = history.state?.lensOwn || "", go = { own };
    for (const key of props.value.keys) if (!(key in FIELDS) && key !== "lang") go[key] = query.get(key) || "";
    if (own) { delete go.x; delete go.y; } // nor does it hold a position of it: that stays
    else go.image ||= props.value.first;
    written = awaited = stepOf(Object.fromEntries(query), own);
    for (const [key, field] of Object.entries(FIELDS)) {
      if (!query.has(key)) display.set(field, display.defaults[field]);
    }
    restore(query);
    trigger("select", { go });
    clearTimeout(patience);
    patience = setTimeout(() => {
      if (awaited === null) return;
      awaited = null; // another state came of it: it takes the place of what was asked for
      written = stepOf(props.value.query, props.value.own);
      write();
    }, LONGEST);
  }

  async function copy({ said, address }) {
    write();
    address.value = location.href;
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false); // where allowed
    address.hidden = Boolean(copied);
    said.textContent = props.value.words[copied ? "copied" : "selected"];
    if (!copied) { address.focus(); address.select(); }
  }

  function draw() {
    const value = props.value;
    if (!value || !value.query) return;
    nodes ||= build(element.querySelector(".lens-link"), copy);
    nodes.button.textContent = value.words.copy;
    nodes.address.setAttribute("aria-label", value.words.address);
    nodes.note.textContent = value.upload;
    nodes.said.textContent = ""; // of another address
    nodes.address.hidden = true;
    write();
  }

  document.addEventListener("lens:display", () => {
    if (!nodes) return;
    nodes.said.textContent = "";
    nodes.address.hidden = true;
    later ||= setTimeout(write, WAIT);
  });
  window.addEventListener("popstate", back);
  watch("value", draw);
  draw();
}

/* What a link could not give back. value: {sentences, close}. */
export function mountNote(element, props, trigger, watch) {
  function draw() {
    const root = element.querySelector(".lens-told"), value = props.value;
    root.replaceChildren();
    if (!value?.sentences?.length) return;
    const words = createNode("div"), close = createNode("button", "", value.close);
    close.type = "button";
    close.addEventListener("click", () => root.replaceChildren());
    words.append(...value.sentences.map((sentence) => createNode("p", "", sentence)));
    root.append(words, close);
  }
  watch("value", draw);
  draw();
}

restore(new URLSearchParams(location.search));
