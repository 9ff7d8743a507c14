import { createButton, createNode } from "./dom.js";

/**
 * Progress of downloads and long computations, with a button that stops or restarts them. cell: {variant, text, stalled?,
 * share? (0 to 1, null if unknown), amount?, label?, stop?, again?}, made by demo/cells.py.
 */
const CLICK_PAUSE = 2000; // milliseconds in which a second click does nothing
let ask = () => {}, isStopping = false;

/** Updates a progress box, and nothing around it. */
export function updateProgress(box, cell) {
  const [text, bar, amount, stalled, button] = box.firstElementChild.children, hasShare = cell.share !== undefined;
  text.textContent = cell.text;
  amount.textContent = cell.amount || "";
  if (stalled.textContent !== (cell.stalled || "")) stalled.textContent = cell.stalled || ""; // it is announced
  box.classList.toggle("loading", hasShare);
  button.dataset.ask = cell.again ? "again" : cell.stop ? "stop" : "";
  button.hidden = !button.dataset.ask;
  button.textContent = cell.again || cell.stop || "";
  bar.hidden = !hasShare;
  if (!hasShare) return;
  const ariaValueNow = cell.share === null ? null : Math.round(100 * cell.share); // null removes the attribute
  Object.assign(bar, { ariaLabel: cell.label, ariaValueText: cell.amount, ariaValueNow });
  bar.firstElementChild.style.width = `${100 * (cell.share ?? 1)}%`;
}

export function createProgress(cell) {
  const properties = { className: "lens-progress", role: "progressbar", ariaValueMin: 0, ariaValueMax: 100 };
  const bar = createNode("div", properties, createNode("span")), stalled = createNode("p", { className: "stalled", role: "status" });
  const button = createButton("", "", () => {
    isStopping = button.dataset.ask === "stop";
    button.disabled = true;
    setTimeout(() => { button.disabled = false; }, CLICK_PAUSE); // by then the box may show something else
    ask(button.dataset.ask);
  });
  const content = createNode("div", "", createNode("p", "what"), bar, createNode("p", "amount"), stalled, button);
  const className = cell.again ? "lens-stopped" : "lens-skeleton", data = { variant: cell.variant || "" };
  const box = createNode("div", { className, data }, content);
  updateProgress(box, cell);
  if (cell.again && isStopping) requestAnimationFrame(() => button.focus({ preventScroll: true })); // replaces the stop button
  if (cell.again) isStopping = false;
  return box;
}

/** Updates every progress box of the page. value: {variant: cell}. Its button acts {ask: "stop" or "again"}. */
export function mountProgress(element, props, act, watch) {
  ask = (action) => act({ ask: action });
  watch(() => {
    for (const [variant, cell] of Object.entries(props.value || {})) {
      document.querySelectorAll(".lens-skeleton").forEach((box) => {
        if (box.dataset.variant === variant) updateProgress(box, cell);
      });
    }
  });
}
