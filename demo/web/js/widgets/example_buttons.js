import { createButton, createNode } from "../core/dom.js";

/** Example images as buttons. value: {items: [{src, label, alt}], chosen}. trigger("select", {index}). */
export function mountThumbs(element, props, trigger, watch) {
  function draw() {
    const root = element.querySelector(".lens-thumbs"), { items = [], chosen } = props.value || {};
    const focusedIndex = [...root.children].indexOf(document.activeElement);
    root.replaceChildren(...items.map(({ src, label, alt }, index) => {
      const ariaPressed = String(index === chosen);
      const button = createButton({ title: label, ariaPressed }, "", () => trigger("select", { index }));
      button.append(createNode("img", { src, alt }));
      return button;
    }));
    root.children[focusedIndex]?.focus({ preventScroll: true });
  }
  watch("value", draw);
  draw();
}
