/* Columns whose weights are on their way, and what takes long to compute. lensPending(cell) makes what stands there;
   lensMountDownloads moves it on, wherever it stands, without touching the maps beside it. value: {variant: cell};
   cell: {variant, text, stalled?, share? (0 to 1, null where nobody knows), amount?, label?, stop?, again?}, made by
   demo/cells.py. Its button asks Python: trigger("select", {ask: "stop" or "again"}). */
(() => {
  const REST = 2000; // milliseconds
  let ask = () => {}, stopping = false;

  function fill(box, cell) {
    const bar = box.querySelector(".lens-progress"), told = cell.share !== undefined;
    box.querySelector(".what").textContent = cell.text;
    box.querySelector(".amount").textContent = cell.amount || "";
    const stalled = box.querySelector(".stalled"), button = box.querySelector("button");
    if (stalled.textContent !== (cell.stalled || "")) stalled.textContent = cell.stalled || "";
    box.classList.toggle("loading", told);
    button.dataset.ask = cell.again ? "again" : cell.stop ? "stop" : "";
    button.hidden = !button.dataset.ask;
    button.textContent = cell.again || cell.stop || "";
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
    box.className = cell.again ? "lens-stopped" : "lens-skeleton";
    box.dataset.variant = cell.variant || "";
    box.innerHTML = `<div><p class="what"></p><div class="lens-progress" role="progressbar" aria-valuemin="0" aria-valuemax="100"
      ><span></span></div><p class="amount"></p><p class="stalled" role="status"></p><button type="button"></button></div>`;
    fill(box, cell);
    const button = box.querySelector("button");
    button.addEventListener("click", () => {
      stopping = button.dataset.ask === "stop";
      button.disabled = true; // once is enough, but the box may soon stand for something else
      setTimeout(() => { button.disabled = false; }, REST);
      ask(button.dataset.ask);
    });
    if (cell.again && stopping) requestAnimationFrame(() => button.focus({ preventScroll: true })); // the other's place
    if (cell.again) stopping = false;
    return box;
  };
  window.lensPending.fill = fill;

  window.lensMountDownloads = (element, props, trigger, watch) => {
    ask = (what) => trigger("select", { ask: what });
    watch("value", () => {
      for (const [variant, cell] of Object.entries(props.value || {}))
        document.querySelectorAll(".lens-skeleton").forEach((box) => { if (box.dataset.variant === variant) fill(box, cell); });
    });
  };
})();
