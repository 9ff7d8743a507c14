import { createButton, createNode, fillTemplate, isShortcut } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { settings } from "../core/settings.js";
import { onChange, pushOverlay, state, update } from "../core/store.js";

/**
 * Presentation mode, for a projector: the figures of a tab one at a time, then those of the next tab. The figure and what
 * is shown with it carry data-presented, what they are in data-presents; css/presentation.css hides everything else, so that
 * the page stays as live as it is otherwise. value: demo/i18n/strings/presentation.py by language.
 */
const FIGURES = [".lens-hero", "[data-layout=matrix] .lens-cell", "[data-layout]:not([data-layout=matrix]) .lens-row", ".lens-inspector",
  ".lens-ablation", ".lens-sequence", ".lens-live", ".lens-architecture", ".lens-panel:empty", ".lens-figure", ".lens-figures-status"].join();
const STEPS = { PageUp: -1, PageDown: 1 };

const findFigures = () => [...document.querySelectorAll(`#tab-${state.tab} :is(${FIGURES})`)];

/** The headings of a figure: of its row and its column in a matrix, else of all columns. */
function headingsOf(figure) {
  const row = figure.closest(".lens-row"), heads = row?.parentNode.querySelector(":scope > .lens-heads");
  if (figure === row || !heads) return heads ? [heads] : [];
  const column = figure.matches(".wide") ? undefined : heads.children[[...figure.parentNode.children].indexOf(figure)];
  return [row.querySelector("header"), ...(column ? [column] : [])];
}

export function mountPresentation(element, props) {
  const strings = inPageLanguage(props.value), root = document.documentElement;
  const tab = createNode("b"), number = createNode("span"), next = createButton("next", strings.next, () => go(1));
  const bar = createNode("div", { className: "lens-presentation", role: "toolbar", ariaLabel: strings.name, hidden: true },
    createNode("p", { ariaLive: "polite" }, tab, " ", number),
    createButton("previous", strings.previous, () => go(-1)), next, createButton("exit", strings.exit, exit));
  const present = createButton({ className: "lens-copy", title: strings.hint }, strings.present, enter);
  element.querySelector(".lens-presenter").append(present);
  document.querySelector(".gradio-container .contain").append(bar);
  const observer = new MutationObserver(show); // an answer rebuilds the panel
  let index = 0, removeEntry = () => {}; // index: Infinity for the last figure of a tab that is still on its way

  /** Marks these nodes, and all that they are in. */
  function mark(nodes) {
    document.querySelectorAll("[data-presented], [data-presents]").forEach(({ dataset }) => { delete dataset.presented; delete dataset.presents; });
    for (const node of nodes) {
      node.dataset.presented = "";
      for (let outer = node.parentElement; outer; outer = outer.parentElement) outer.dataset.presents = "";
    }
  }

  function show() {
    const figures = findFigures(), i = Math.min(index, figures.length - 1), figure = figures[i];
    mark(figure ? [figure, ...headingsOf(figure)] : [document.querySelector("#views > .tab-wrapper")]);
    tab.textContent = document.querySelector(`#tab-${state.tab}-button`).textContent;
    number.textContent = figure ? fillTemplate(strings.number, { index: i + 1, count: figures.length }) : "";
  }

  function go(step) {
    const count = findFigures().length, target = Math.min(index, count - 1) + step;
    const other = settings.tabs[settings.tabs.indexOf(state.tab) + step], isInside = target >= 0 && target < count;
    if (!isInside && !other) return;
    if (!isInside) update({ tab: other });
    index = isInside ? target : step > 0 ? 0 : Infinity;
    show();
    window.scrollTo(0, 0);
  }

  function enter() {
    index = 0;
    bar.hidden = false;
    root.classList.add("lens-presenting");
    removeEntry = pushOverlay(exit);
    observer.observe(document.querySelector("#views"), { childList: true, subtree: true });
    show();
    next.focus();
    window.scrollTo(0, 0);
  }

  function exit() {
    if (bar.hidden) return;
    observer.disconnect();
    bar.hidden = true;
    root.classList.remove("lens-presenting");
    mark([]);
    present.focus();
    removeEntry();
  }

  onChange(["tab"], () => { // also by a box of the architecture
    index = 0;
    if (!bar.hidden) show();
  });
  document.addEventListener("keydown", (event) => {
    if (bar.hidden || event.defaultPrevented || !isShortcut(event) || document.querySelector("dialog[open]")) return;
    if (STEPS[event.key]) go(STEPS[event.key]);
    else if (event.key === "Escape") exit();
    else return;
    event.preventDefault();
  });
}
