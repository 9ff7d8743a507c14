/* The display controls over the views; what they set is js/display.js. */
(() => {
  window.lensMountDisplay = (element) => {
    const { set } = window.lensDisplay;
    element.querySelector("[name=opacity]").addEventListener("input", (event) => {
      set("opacity", event.target.value / 100);
      element.querySelector("output").textContent = `${event.target.value} %`;
    });
    element.querySelector("[name=colormap]").addEventListener("change", (event) => set("colormap", event.target.value));
    element.querySelector("[name=seen]").addEventListener("change", (event) => set("seen", event.target.checked));
  };
})();
