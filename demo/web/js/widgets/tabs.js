import { isUnmodified } from "../core/dom.js";
import { onChange, state, update } from "../core/store.js";

/* The tabs of the views as the ARIA pattern has them: one stop for the Tab key, arrows, Home and End move along them,
   Enter or Space opens. The line of what holds for all of them (#toolbar) stands between them and the views, which
   Gradio's tabs have no place for, and data-view at the root says which is open. On a narrow screen they are a strip that
   scrolls; the chosen one comes into sight, and an edge behind which there are more fades. The skip link leads to the
   chosen one. A click changes the tab of the view state, and the state opens its tab. */
const tabsOf = (list) => [...list.querySelectorAll("[role=tab]")];

function rove(list, to) {
  for (const tab of tabsOf(list)) tab.tabIndex = tab === to ? 0 : -1;
}

function fade(list) {
  const rest = list.scrollWidth - list.clientWidth - list.scrollLeft;
  list.classList.toggle("more-before", list.scrollLeft > 2);
  list.classList.toggle("more-after", rest > 2);
}

function show(list, tab) {
  const left = tab.offsetLeft - 48, right = tab.offsetLeft + tab.offsetWidth + 48;
  if (left < list.scrollLeft) list.scrollLeft = left;
  else if (right > list.scrollLeft + list.clientWidth) list.scrollLeft = right - list.clientWidth;
  fade(list);
}

function begin(list) {
  const chosen = () => list.querySelector("[aria-selected=true]") || tabsOf(list)[0];
  const settle = () => {
    rove(list, chosen());
    show(list, chosen());
    document.documentElement.dataset.view = chosen().dataset.tabId;
    if (chosen().dataset.tabId !== state.tab) open(); // the state has changed again before Gradio had drawn its tab
  };
  new MutationObserver(settle).observe(list, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected"] });
  new ResizeObserver(() => fade(list)).observe(list);
  list.addEventListener("click", choose, true);
  list.addEventListener("scroll", () => fade(list), { passive: true });
  list.addEventListener("focusout", (event) => { if (!list.contains(event.relatedTarget)) rove(list, chosen()); });
  list.addEventListener("keydown", (event) => {
    const tabs = tabsOf(list), i = tabs.indexOf(event.target), last = tabs.length - 1;
    const to = { ArrowRight: i === last ? 0 : i + 1, ArrowLeft: i ? i - 1 : last, Home: 0, End: last }[event.key];
    if (i < 0 || to === undefined || !isUnmodified(event)) return;
    event.preventDefault();
    rove(list, tabs[to]);
    tabs[to].focus({ preventScroll: true });
    show(list, tabs[to]);
  });
  settle();
}

function moveToolbar(list) {
  const toolbar = document.querySelector("#toolbar");
  if (toolbar) list.closest(".tab-wrapper").after(toolbar);
}

let isOpening = false;

/* Heard before Gradio changes the tab: a click on the open one changes nothing. */
function choose({ target }) {
  const tab = target.closest("[role=tab]");
  if (!isOpening && tab && tab.getAttribute("aria-selected") !== "true") update({ tab: tab.dataset.tabId });
}

/* Opens the tab of the state, which may come from the URL, Back, a link or the tour. */
function open() {
  isOpening = true;
  document.querySelector(`#views [role=tab][data-tab-id="${state.tab}"][aria-selected=false]`)?.click();
  isOpening = false;
}
onChange(["tab"], open);

const findTabList = () => document.querySelector("#views [role=tablist]");
const pageObserver = new MutationObserver(() => {
  if (!findTabList()) return;
  pageObserver.disconnect();
  moveToolbar(findTabList());
  begin(findTabList());
  open();
});
pageObserver.observe(document, { subtree: true, childList: true });

/* The header may arrive after the tabs. */
document.addEventListener("click", (event) => {
  if (event.target.closest?.(".lens-skip")) skipToTabs(event);
});

function skipToTabs(event) {
  event.preventDefault();
  const tab = document.querySelector("#views [role=tab][aria-selected=true]");
  tab?.focus();
  tab?.scrollIntoView({ block: "start" });
}
