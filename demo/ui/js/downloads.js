/* Columns whose weights are on their way. lensPending(cell) makes what stands there; lensMountDownloads moves it on,
   wherever it stands, without touching the maps beside it. value: {variant: cell}; cell: {variant, text, stalled?,
   share? (0 to 1, null where nobody knows), amount?, label?}, made by demo/cells.py. */
(() => {
  function fill(box, cell) {
    const bar = box.querySelector(".lens-progress"), told = cell.share !== undefined;
    box.querySelector(".what").textContent = cell.text;
    box.querySelector(".amount").textContent = cell.amount || "";
    const stalled = box.querySelector(".stalled");
    if (stalled.textContent !== (cell.stalled || "")) stalled.textContent = cell.stalled || "";
    box.classList.toggle("loading", told);
    bar.hidden = !told;
    if (!told) return;
    bar.setAttribute("aria-label", cell.label);
    bar.setAttribute("aria-valuetext", cell.amount);
    if (cell.share === null) bar.removeAttribute("aria-valuenow"); // how much there is, nobody said
    else bar.setAttribute("aria-valuenow", Math.round(100 * cell.share));
    bar.firstElementChild.style.width = `${100 * (cell.share ?? 1)}%`;
  }

  window.lensPending = (cell) => {
    const box = document.createElement("div");
    box.className = "lens-skeleton";
    box.dataset.variant = cell.variant || "";
    box.innerHTML = `<div><p class="what"></p><div class="lens-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100"
      ><span></span></div><p class="amount"></p><p class="stalled" role="status"></p></div>`;
    fill(box, cell);
    return box;
  };

  window.lensMountDownloads = (element, props, trigger, watch) => {
    watch("value", () => {
      for (const [variant, cell] of Object.entries(props.value || {}))
        document.querySelectorAll(".lens-skeleton").forEach((box) => { if (box.dataset.variant === variant) fill(box, cell); });
    });
  };
})();
