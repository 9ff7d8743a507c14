/* Gradio's own controls: what a visitor does with one changes the state, and a state that comes from elsewhere (URL,
   Back, the tour, the server) sets them. They are set through a hidden button, whose Gradio event runs `pending` and has
   the controls as its outputs; a control is only touched where it shows something else. */
import { onChange, state, subscribe, update, received, post } from "./store.js";

const ORDER = ["models", "stage", "block", "cam_layer", "target", "slow_methods", "other_backbones", "offer", "upload", "backbone"]; // as demo/ui/page.py
const MAX_MODELS = 3;
const OFFER_DELAY = 2000; // milliseconds between two looks at a model that loads in the background
const displayed = { upload: null, backbone: "" }; // what the controls show, as JSON
let properties = {}; // other properties of the controls, such as choices
let scheduled = false;

/* A visitor changed a control. */
export function changed(name, value) {
  displayed[name] = JSON.stringify(value);
  const isUnchanged = name !== "models" && displayed[name] === JSON.stringify(state[name]); // the class search says so when it is left
  if (isUnchanged) return;
  if (name === "models") update({ models: chosen(value) });
  else update({ [name]: value ?? "" });
  schedule(); // the state may be another one than was chosen
}

/* At most three models, in the order in which they were chosen; at least one. */
function chosen(names) {
  const remaining = state.models.filter((name) => names.includes(name));
  const models = [...remaining, ...names.filter((name) => !remaining.includes(name))].slice(-MAX_MODELS);
  return models.length ? models : state.models.slice(0, 1);
}

export function addModel(name) {
  update({ models: [...state.models.filter((other) => other !== name), name].slice(-MAX_MODELS) });
}

/* A visitor typed the name of a timm backbone, with or without the prefix. */
export function addBackbone(text) {
  const name = text.trim();
  clear("backbone");
  if (name) addModel(name.startsWith("timm:") ? name : `timm:${name}`);
}

/* Empties a control. */
export function clear(name) {
  displayed[name] = undefined;
  schedule();
}

/* For the hidden button: an update for each control, in ORDER. */
export function pending() {
  scheduled = false;
  return ORDER.map((name) => {
    const result = { __type__: "update" }, value = valueFor(name), extra = JSON.stringify(properties[name] || {});
    if (displayed[`${name}.properties`] !== extra) Object.assign(result, properties[name]);
    if (value !== undefined && (displayed[name] !== JSON.stringify(value) || "choices" in result)) result.value = value;
    displayed[`${name}.properties`] = extra;
    if (value !== undefined) displayed[name] = JSON.stringify(value);
    return result;
  });
}

function valueFor(name) {
  if (name === "offer") return undefined; // its text is a property
  if (name === "upload") return null;
  return name === "backbone" ? "" : state[name];
}

function schedule() {
  const differs = ORDER.some((name) => {
    const value = valueFor(name);
    return (value !== undefined && displayed[name] !== JSON.stringify(value)) || displayed[`${name}.properties`] !== JSON.stringify(properties[name] || {});
  });
  if (!differs || scheduled) return;
  const button = document.querySelector("#apply-controls");
  if (!button) { setTimeout(schedule, 50); return; }
  scheduled = true;
  button.click();
}

function receive({ target, offer, key, ...controls }) {
  const { waiting, ...button } = offer;
  properties = { ...properties, ...controls, offer: button };
  if (key) received.controls = key;
  if (target?.choices) {
    received.labelSet = target.label_set;
    properties.target = { choices: target.choices };
  }
  schedule();
  if (waiting) setTimeout(lookAtOffer, OFFER_DELAY);
}

async function lookAtOffer() {
  const response = await post("models", { state }).catch(() => null);
  if (response?.ok) receive({ ...(await response.json()) });
}

subscribe("controls", receive);
onChange(ORDER, schedule);
