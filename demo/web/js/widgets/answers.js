import { createPredictionBars } from "../core/cells.js";

/* The answers as bars that are also buttons. value: {chosen, answers: [{index, wnid, label, share}], note, warning}.
   trigger("select", {wnid}) chooses the explained class. */
/* The header's chips: which weights from where, one a variant. */
function tellWeights(weights) {
  const place = document.querySelector(".lens-top .weights");
  if (!place || !weights.length) return;
  place.replaceChildren(...weights.map(({ title, where, more }) => {
    const chip = document.createElement("span"), name = document.createElement("b");
    chip.className = "chip";
    chip.title = more;
    name.textContent = title;
    chip.append(name, ` ${where}`);
    return chip;
  }));
}

export function mountAnswers(element, props, trigger, watch) {
  function draw() {
    const root = element.querySelector(".lens-answers"), value = props.value;
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.index : null;
    root.replaceChildren();
    if (!value) return;
    tellWeights(value.weights || []);
    if (!value.answers.length && !value.note) {
      for (let i = 0; i < 5; i++) root.insertAdjacentHTML("beforeend", '<div class="lens-skeleton line"></div>');
      return;
    }
    const list = createPredictionBars(value.answers, value.chosen, "button");
    list.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row) trigger("select", { wnid: row.dataset.wnid });
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
  watch("value", draw);
  draw();
}
