import { COLORMAPS } from "../core/colormaps.js";
import { display } from "../core/display_store.js";
import { createNode } from "../core/dom.js";
import { formatFixed, formatPercent } from "../core/format.js";
import { inPageLanguage } from "../core/language.js";

/* The display controls over the views: a line on a wide screen, folded on a narrow one. They set
   `display` (core/display_store.js) and follow its changes. value: the strings of demo/i18n/strings/display.py, by language
   and key. */
const MASK_FROM = 0.3; // threshold of a mask where none is set; removed again with the mask
const RESETTABLE = ["opacity", "colormap", "diverging", "gamma", "threshold", "scale", "model_resolution"]; // what Reset resets
let addedThreshold = false;

function createLabel(strings, key, ...controls) {
  const label = createNode("label", "", strings[key]);
  if (strings[`${key}_hint`]) label.title = strings[`${key}_hint`];
  label.append(...controls);
  return label;
}

function createInput(type, name, more = {}) {
  const input = createNode("input");
  Object.assign(input, { type, name, ...more });
  return input;
}

/* A slider whose value is written next to it, and to a screen reader. */
function createSlider(strings, name, range, factor, format) {
  const input = createInput("range", name, range), output = createNode("output");
  output.setAttribute("aria-hidden", "true"); // the slider's own value text is what is announced
  input.addEventListener("input", () => display.set(name, input.value / factor));
  const follow = () => {
    input.value = Math.round(display[name] * factor);
    output.textContent = format(display[name]);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  return [createLabel(strings, name, input, output), follow];
}

function createSelect(strings, name, names) {
  const select = createNode("select");
  select.name = name;
  for (const value of ["", ...names]) select.append(new Option(value ? strings[value] || value : strings.own, value));
  select.addEventListener("change", () => display.set(name, select.value));
  return [createLabel(strings, name, select), () => { select.value = display[name]; }];
}

function choose(scale) {
  const { set, threshold } = display;
  if (scale === "masked" && !threshold) addedThreshold = set("threshold", MASK_FROM) > 0;
  if (scale !== "masked" && addedThreshold) { if (threshold === MASK_FROM) set("threshold", 0); addedThreshold = false; }
  set("scale", scale);
}

function createScales(strings) {
  const group = createNode("fieldset"), inputs = ["raw", "normalized", "masked"].map((value) => createInput("radio", "scale", { value }));
  group.append(createNode("legend", "", strings.scale));
  for (const input of inputs) {
    const label = createNode("label");
    label.title = strings[`${input.value}_hint`];
    label.append(input, createNode("span", "", strings[input.value]));
    input.addEventListener("change", () => choose(input.value));
    group.append(label);
  }
  return [group, () => inputs.forEach((input) => { input.checked = input.value === display.scale; })];
}

function createResolutionBox(strings) {
  const input = createInput("checkbox", "model_resolution"), label = createNode("label");
  label.append(input, strings.model_resolution);
  input.addEventListener("change", () => display.set("model_resolution", input.checked));
  return [label, () => { input.checked = display.model_resolution; }];
}

/* Shown while anything differs. */
function createReset(strings) {
  const button = createNode("button", "reset", strings.reset), { set, defaults } = display;
  button.type = "button";
  button.addEventListener("click", () => {
    const group = button.closest(".lens-display");
    addedThreshold = false;
    for (const key of RESETTABLE) set(key, defaults[key]);
    group.querySelector("[name=opacity]").focus({ preventScroll: true }); // the button is gone now
  });
  return [button, () => { button.hidden = RESETTABLE.every((key) => display[key] === defaults[key]); }];
}

function createMore(strings, ...controls) {
  const button = createNode("button", "more", strings.more), box = createNode("div", "lens-display-more");
  button.type = "button";
  box.id = "lens-display-more";
  button.setAttribute("aria-controls", box.id);
  const open = (yes) => { box.hidden = !yes; button.setAttribute("aria-expanded", String(yes)); };
  button.addEventListener("click", () => open(box.hidden));
  box.append(...controls);
  open(false);
  let masked = false;
  return [button, box, () => {
    const now = display.scale === "masked";
    if (now && !masked) open(true); // its threshold matters most
    masked = now;
  }];
}

/* On a phone results come first: the line is folded there, and open where there is room. */
function createFold(strings) {
  const fold = createNode("details", "lens-display-fold"), narrow = window.matchMedia("(max-width: 640px)");
  const fit = () => { fold.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
  fold.append(createNode("summary", "", strings.title));
  return fold;
}

function createControls(strings) {
  const { sequential, diverging } = COLORMAPS, percent = (share) => formatPercent(share, 0);
  const line = createNode("div", "lens-display"), fold = createFold(strings), status = createNode("p", "lens-display-warning");
  const [opacity, opacityFollows] = createSlider(strings, "opacity", { min: 0, max: 100 }, 100, percent);
  const [colors, colorsFollow] = createSelect(strings, "colormap", sequential);
  const [scales, scalesFollow] = createScales(strings);
  const [gamma, gammaFollows] = createSlider(strings, "gamma", { min: 30, max: 300, step: 5 }, 100, (v) => formatFixed(v, 2));
  const [threshold, thresholdFollows] = createSlider(strings, "threshold", { min: 0, max: 95 }, 100, percent);
  const [signed, signedFollows] = createSelect(strings, "diverging", diverging);
  const [resolution, resolutionFollows] = createResolutionBox(strings);
  const [reset, resetFollows] = createReset(strings);
  const [more, box, moreFollows] = createMore(strings, colors, signed, gamma, threshold, resolution);
  const warningFollows = () => { status.textContent = display.scale === "normalized" ? strings.warning : ""; };
  status.setAttribute("role", "status");
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", strings.title);
  line.append(opacity, scales, more, reset, box, status);
  fold.append(line);
  const all = [
    opacityFollows, colorsFollow, scalesFollow, gammaFollows, thresholdFollows, signedFollows, resolutionFollows, resetFollows,
    moreFollows, warningFollows,
  ];
  return [fold, () => all.forEach((follow) => follow())];
}

export function mountDisplay(element, props, act, watch) {
  let follow = () => {};
  function build() {
    if (!props.value) return;
    const [fold, follows] = createControls((display.strings = inPageLanguage(props.value)));
    element.querySelector(".lens-controls").replaceChildren(fold);
    follow = follows;
    follow();
    document.dispatchEvent(new CustomEvent("lens:display", { detail: { key: "strings" } })); // color bars use them
  }
  document.addEventListener("lens:display", () => follow());
  watch(build);
  build();
}
