/* The answers as bars that are also buttons. value: {chosen, answers: [{index, wnid, label, share}], note, warning}.
   trigger("select", {wnid}) chooses the explained class. */
(() => {
  window.lensBars = (answers, chosen, tag) => {
    const list = document.createElement("ol");
    list.className = "lens-bars";
    for (const answer of answers) {
      const item = document.createElement("li"), row = document.createElement(tag);
      row.className = "lens-bar";
      row.dataset.index = answer.index;
      row.dataset.wnid = answer.wnid;
      row.dataset.share = answer.share;
      if (tag === "button") row.setAttribute("aria-pressed", String(answer.index === chosen));
      else if (answer.index === chosen) row.classList.add("chosen");
      const label = document.createElement("span"), track = document.createElement("span"), share = document.createElement("span");
      label.textContent = answer.label;
      track.className = "track";
      track.innerHTML = `<i style="width:${Math.max(1.5, 100 * answer.share)}%"></i>`;
      share.textContent = `${(100 * answer.share).toFixed(answer.share < 0.0995 ? 1 : 0)} %`;
      row.append(label, track, share);
      item.append(row);
      list.append(item);
    }
    return list;
  };

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

  window.lensMountAnswers = (element, props, trigger, watch) => {
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
      const list = window.lensBars(value.answers, value.chosen, "button");
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
  };
})();
