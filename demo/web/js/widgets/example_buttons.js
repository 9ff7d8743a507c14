import { createButton, createNode } from "../core/dom.js";

/** Example images as buttons. value: {items: [{src, label, alt}], chosen}. trigger("select", {index}). */
export function mountThumbs(element, props, trigger, watch) {
  function draw() {
    const root = element.querySelector(".lens-thumbs"), { items = [], chosen } = props.value || {};
    const focusedIndex = [...root.children].indexOf(document.activeElement);
    root.replaceChildren(...items.map(({ src, label, alt }, index) => {
      const button = createButton("", "", () => trigger("select", { index }));
      button.title = label;
      button.setAttribute("aria-pressed", String(index === chosen));
      button.append(Object.assign(createNode("img"), { src, alt }));
      return button;
    }));
    root.children[focusedIndex]?.focus({ preventScroll: true });
  }
  watch("value", draw);
  draw();
}
