import { createPredictionBars } from "../core/cells.js";
import { update } from "../core/store.js";

/* Predictions as bars that are also buttons: a click chooses the target class.
   value: {chosen, predictions: [{index, wnid, label, share}], note, warning}. */

/* The header's chips: which weights from where, one per model. */
function showWeights(weights) {
  const provenance = document.querySelector(".lens-top .weights");
  if (!provenance || !weights.length) return;
  provenance.replaceChildren(...weights.map(({ title, where, more }) => {
    const chip = document.createElement("span"), name = document.createElement("b");
    chip.className = "chip";
    chip.title = more;
    name.textContent = title;
    chip.append(name, ` ${where}`);
    return chip;
  }));
}

export function mountPredictions(element, props, act, watch) {
  function draw() {
    const root = element.querySelector(".lens-predictions"), value = props.value;
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.index : null;
    root.replaceChildren();
    if (!value) return;
    showWeights(value.weights || []);
    if (!value.predictions.length && !value.note) {
      for (let i = 0; i < 5; i++) root.insertAdjacentHTML("beforeend", '<div class="lens-skeleton line"></div>');
      return;
    }
    const list = createPredictionBars(value.predictions, value.chosen, "button");
    list.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row) update({ target: row.dataset.wnid });
    });
    const note = document.createElement("p");
    note.className = "lens-note";
    note.textContent = value.note;
    root.append(list, note);
    if (value.warning) {
      const warning = document.createElement("p");
      warning.className = "lens-warning";
      warning.setAttribute("role", "status");
      warning.textContent = value.warning;
      root.append(warning);
    }
    if (focused) list.querySelector(`[data-index="${focused}"]`)?.focus({ preventScroll: true }); // as it was
  }
  watch(draw);
  draw();
}
