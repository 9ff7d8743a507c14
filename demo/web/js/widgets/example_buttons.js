import { createButton, createNode } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { onChange, state, update } from "../core/store.js";

/** Images as buttons. items: [{value, src, label, alt}]. choose: called with the value of the one that is clicked. */
function drawButtons(root, items, chosen, choose) {
  const focusedIndex = [...root.children].indexOf(document.activeElement);
  root.replaceChildren(...items.map(({ value, src, label, note, alt }) => {
    const button = createButton("", "", () => choose(value));
    button.title = label;
    button.setAttribute("aria-pressed", String(value === chosen));
    button.append(createNode("img", { src, alt }), createNode("span", "", label, note && createNode("em", "", note)));
    return button;
  }));
  root.children[focusedIndex]?.focus({ preventScroll: true });
}

/** The examples. value: items by language. */
export function mountThumbnails(element, props) {
  const root = element.querySelector(".lens-thumbs"), items = inPageLanguage(props.value);
  const draw = () => drawButtons(root, items, state.upload ? "" : state.image, (image) => update({ image, upload: "" }));
  onChange(["image", "upload"], draw);
  draw();
}

/** Images to compare with. value: {items, chosen}, made by demo/controls.py. */
export function mountReference(element, props, act, watch) {
  const root = element.querySelector(".lens-thumbs");
  watch(() => drawButtons(root, props.value.items, props.value.chosen, (reference) => update({ reference })));
}
