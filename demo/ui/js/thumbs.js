/* Example images as buttons. value: {items: [{src, label, alt}], chosen}. trigger("select", {index}). */
(() => {
  window.lensMountThumbs = (element, props, trigger, watch) => {
    function draw() {
      const root = element.querySelector(".lens-thumbs"), value = props.value;
      const focused = [...root.children].indexOf(document.activeElement);
      root.replaceChildren();
      if (!value?.items) return;
      value.items.forEach((item, index) => {
        const button = document.createElement("button"), image = document.createElement("img");
        image.src = item.src;
        image.alt = item.alt;
        button.title = item.label;
        button.setAttribute("aria-pressed", String(index === value.chosen));
        button.append(image);
        button.addEventListener("click", () => trigger("select", { index }));
        root.append(button);
      });
      root.children[focused]?.focus({ preventScroll: true }); // as it was
    }
    watch("value", draw);
    draw();
  };
})();
