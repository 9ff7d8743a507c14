import { COLORMAPS } from "../core/colormaps.js";
import { display } from "../core/display_store.js";
import { createNode } from "../core/dom.js";
import { formatFixed, formatPercent } from "../core/format.js";
import { inPageLanguage } from "../core/language.js";

/* The display controls over the views: a line on a wide screen, folded on a narrow one. They write display
   (js/display.js) and follow it, whoever writes. value: the words of demo/i18n/strings/display.py, by language
   and key. */
const MASK_FROM = 0.3; // where a mask begins while no threshold is set; lent, and taken back with the mask
const SHOWN = ["opacity", "colormap", "diverging", "gamma", "threshold", "view", "seen"]; // what Reset resets
let lent = false;

function named(words, key, ...controls) {
  const label = createNode("label", "", words[key]);
  if (words[`${key}_hint`]) label.title = words[`${key}_hint`];
  label.append(...controls);
  return label;
}

function inputOf(type, name, more = {}) {
  const input = createNode("input");
  Object.assign(input, { type, name, ...more });
  return input;
}

/* A slider whose value is said beside it, and to a screen reader. */
function sliderOf(words, name, range, factor, say) {
  const input = inputOf("range", name, range), output = createNode("output");
  output.setAttribute("aria-hidden", "true"); // the slider's own value text is what is announced
  input.addEventListener("input", () => display.set(name, input.value / factor));
  const follow = () => {
    input.value = Math.round(display[name] * factor);
    output.textContent = say(display[name]);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  return [named(words, name, input, output), follow];
}

function selectOf(words, name, names) {
  const select = createNode("select");
  select.name = name;
  for (const value of ["", ...names]) select.append(new Option(value ? words[value] || value : words.own, value));
  select.addEventListener("change", () => display.set(name, select.value));
  return [named(words, name, select), () => { select.value = display[name]; }];
}

function choose(view) {
  const { set, threshold } = display;
  if (view === "masked" && !threshold) lent = set("threshold", MASK_FROM) > 0;
  if (view !== "masked" && lent) { if (threshold === MASK_FROM) set("threshold", 0); lent = false; }
  set("view", view);
}

function scalesOf(words) {
  const group = createNode("fieldset"), inputs = ["raw", "normalized", "masked"].map((value) => inputOf("radio", "view", { value }));
  group.append(createNode("legend", "", words.view));
  for (const input of inputs) {
    const label = createNode("label");
    label.title = words[`${input.value}_hint`];
    label.append(input, createNode("span", "", words[input.value]));
    input.addEventListener("change", () => choose(input.value));
    group.append(label);
  }
  return [group, () => inputs.forEach((input) => { input.checked = input.value === display.view; })];
}

function seenOf(words) {
  const input = inputOf("checkbox", "seen"), label = createNode("label");
  label.append(input, words.seen);
  input.addEventListener("change", () => display.set("seen", input.checked));
  return [label, () => { input.checked = display.seen; }];
}

/* Shown while anything differs. */
function resetOf(words) {
  const button = createNode("button", "reset", words.reset), { set, defaults } = display;
  button.type = "button";
  button.addEventListener("click", () => {
    const group = button.closest(".lens-display");
    lent = false;
    for (const key of SHOWN) set(key, defaults[key]);
    group.querySelector("[name=opacity]").focus({ preventScroll: true }); // the button is gone now
  });
  return [button, () => { button.hidden = SHOWN.every((key) => display[key] === defaults[key]); }];
}

function moreOf(words, ...controls) {
  const button = createNode("button", "more", words.more), box = createNode("div", "lens-display-more");
  button.type = "button";
  box.id = "lens-display-more";
  button.setAttribute("aria-controls", box.id);
  const open = (yes) => { box.hidden = !yes; button.setAttribute("aria-expanded", String(yes)); };
  button.addEventListener("click", () => open(box.hidden));
  box.append(...controls);
  open(false);
  let masked = false;
  return [button, box, () => {
    const now = display.view === "masked";
    if (now && !masked) open(true); // its threshold matters most
    masked = now;
  }];
}

/* On a phone results come first: the line is folded there, and open where there is room. */
function foldOf(words) {
  const fold = createNode("details", "lens-display-fold"), narrow = window.matchMedia("(max-width: 640px)");
  const fit = () => { fold.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
  fold.append(createNode("summary", "", words.title));
  return fold;
}

function controlsOf(words) {
  const { sequential, diverging } = COLORMAPS, percent = (share) => formatPercent(share, 0);
  const line = createNode("div", "lens-display"), fold = foldOf(words), status = createNode("p", "lens-display-warning");
  const [opacity, opacityFollows] = sliderOf(words, "opacity", { min: 0, max: 100 }, 100, percent);
  const [colors, colorsFollow] = selectOf(words, "colormap", sequential);
  const [scales, scalesFollow] = scalesOf(words);
  const [gamma, gammaFollows] = sliderOf(words, "gamma", { min: 30, max: 300, step: 5 }, 100, (v) => formatFixed(v, 2));
  const [threshold, thresholdFollows] = sliderOf(words, "threshold", { min: 0, max: 95 }, 100, percent);
  const [signed, signedFollows] = selectOf(words, "diverging", diverging);
  const [seen, seenFollows] = seenOf(words);
  const [reset, resetFollows] = resetOf(words);
  const [more, box, moreFollows] = moreOf(words, colors, signed, gamma, threshold, seen);
  const warningFollows = () => { status.textContent = display.view === "normalized" ? words.warning : ""; };
  status.setAttribute("role", "status");
  line.setAttribute("role", "group");
  line.setAttribute("aria-label", words.title);
  line.append(opacity, scales, more, reset, box, status);
  fold.append(line);
  const all = [
    opacityFollows, colorsFollow, scalesFollow, gammaFollows, thresholdFollows, signedFollows, seenFollows, resetFollows,
    moreFollows, warningFollows,
  ];
  return [fold, () => all.forEach((follow) => follow())];
}

export function mountDisplay(element, props, trigger, watch) {
  let follow = () => {};
  function build() {
    if (!props.value) return;
    const [fold, follows] = controlsOf((display.strings = inPageLanguage(props.value)));
    element.querySelector(".lens-controls").replaceChildren(fold);
    follow = follows;
    follow();
    document.dispatchEvent(new CustomEvent("lens:display", { detail: { key: "words" } })); // bars say them
  }
  document.addEventListener("lens:display", () => follow());
  watch("value", build);
  build();
}
