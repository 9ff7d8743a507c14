import { appendColorBar, createCell } from "../core/cells.js";
import { createButton, createNode, whenVisible } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { received, state, update } from "../core/store.js";

/**
 * Two images, two sets of kernels: image A, its kernels, the difference, image B's kernels, image B. Emphasis alternates
 * between the two, unless the browser asks for reduced motion or a click on an image has chosen one. Image B is the
 * reference image: a menu, a drop on it (image_inputs.js) and "Swap" change it.
 *
 * value: demo/i18n/strings/hero.py by language, then {key, title, sentence, layer, images, cells, scale, data, menu} made
 * by demo/views/hero.py.
 */
const PERIOD = 3000; // milliseconds of emphasis on one image
const PREVIOUS = "previous"; // as demo/state.py
const SIDES = ["first", "second"];

/** Looks at image B; what was looked at becomes the previous image, with which a state without a reference compares. */
function swap(chosen) {
  const change = chosen === PREVIOUS ? { upload: state.previous_upload, image: "" } : { image: chosen, upload: "" };
  update({ ...change, reference: "" });
}

export function mountHero(element, props, act, watch) {
  const root = element.querySelector(".lens-hero"), strings = inPageLanguage(props.value);
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  let emphasized = "", chosen = "", isPlaying = !reduced.matches, buttons = {}, play = null, drawings = [];

  function emphasize(side) {
    emphasized = side;
    root.dataset.emphasized = side;
    for (const name of SIDES) buttons[name]?.setAttribute("aria-pressed", String(name === chosen));
    if (play) play.textContent = isPlaying ? strings.pause : strings.play;
  }

  function choose(side) {
    chosen = chosen === side ? "" : side;
    isPlaying = false;
    emphasize(chosen);
  }

  function createImage(side, src, name) {
    const label = `${side === "first" ? "A" : "B"}: ${name}`;
    const button = createButton({ className: `lens-hero-image ${side}`, title: strings.emphasize }, "", () => choose(side));
    button.append(createNode("img", { src, alt: "" }), createNode("span", "", label));
    return (buttons[side] = button);
  }

  function createMenu({ items, chosen: value }) {
    const select = createNode("select", "", ...items.map(([key, name]) => new Option(name, key)));
    select.value = value;
    select.addEventListener("change", () => update({ reference: select.value }));
    return createNode("label", { title: strings.menu_hint }, `${strings.menu} `, select);
  }

  function build() {
    const { value } = props;
    if (!("key" in value)) return;
    received.hero = value.key;
    if (!value.key) {
      root.replaceChildren(createNode("p", "lens-note", strings.none));
      return;
    }
    drawings = [];
    const { cells, scale, images, menu, names } = value;
    const tiles = (name) => {
      const cell = createCell({ ...cells[name], tiles: { ...cells[name].tiles } }, scale, {}, act, drawings);
      cell.classList.add(name);
      return cell;
    };
    const foot = createNode("div", "lens-hero-foot"), row = createNode("div", { className: "lens-hero-row", data: value.data },
      createImage("first", images.first, names.first), tiles("first"), tiles("difference"), tiles("second"),
      createImage("second", images.second, names.second), foot);
    play = createButton("lens-plain", "", () => {
      isPlaying = !isPlaying;
      chosen = "";
      emphasize(isPlaying ? "first" : "");
    });
    appendColorBar(foot, scale, drawings);
    foot.append(createMenu(menu), createButton({ className: "lens-plain", title: strings.swap_hint }, strings.swap, () => swap(menu.chosen)), play);
    root.replaceChildren(createNode("h2", "", value.title), createNode("p", "", createNode("span", "", `${value.layer} `), value.sentence), row);
    root.dataset.serial = value.key;
    emphasize(chosen || (isPlaying ? "first" : ""));
    drawings.forEach((draw) => draw());
  }

  setInterval(() => {
    if (isPlaying && !document.hidden && root.offsetParent) emphasize(emphasized === "first" ? "second" : "first");
  }, PERIOD);
  document.addEventListener("lens:display", whenVisible(element, () => drawings.forEach((draw) => draw())));
  watch(build);
}
