/* Display controls: opacity, colour map, and whether the photograph stands sharp or as the model saw it.
   They live in the browser only; every panel listens for "lens:display" and draws again. No request. */
(() => {
  const state = (window.lensDisplay = { opacity: 0.85, colormap: "", seen: false });

  window.lensMountDisplay = (element) => {
    const tell = () => document.dispatchEvent(new CustomEvent("lens:display"));
    element.querySelector("[name=opacity]").addEventListener("input", (event) => {
      state.opacity = Number(event.target.value) / 100;
      element.querySelector("output").textContent = `${event.target.value} %`;
      tell();
    });
    element.querySelector("[name=colormap]").addEventListener("change", (event) => {
      state.colormap = event.target.value;
      tell();
    });
    element.querySelector("[name=seen]").addEventListener("change", (event) => {
      state.seen = event.target.checked;
      tell();
    });
  };
})();
