import { createButton, createNode } from "../core/dom.js";
import { drawArchitecture } from "./architecture.js";

/**
 * The guided tour: its tab (demo/views/tour.py), and the bar above the views while a step is active (value: demo/tour.py).
 * Their buttons change the view state. The page scrolls to the element that a step describes, and outlines it.
 */
const OUTLINE = "lens-toured", USER_INPUT = ["wheel", "touchmove", "pointerdown", "keydown"];

/** A button or a link that goes to a state; a link can also be opened in another browser tab. */
function createStep(tag, className, { text, go, href }, act) {
  const node = createNode(tag, className, text);
  Object.assign(node, tag === "button" ? { type: "button" } : { href });
  node.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    act({ change: go });
  });
  return node;
}

export function layOutTour(body, { tour, architecture, note, photo, images }, act) {
  const figure = createNode("div", "lens-architecture");
  const steps = tour.steps.map(({ title, go, href, view }) =>
    createNode("li", "", createStep("a", "", { text: title, go, href }, act), createNode("span", "", view)));
  body.append(createNode("div", "lens-start", createStep("button", "lens-go first", tour.start, act), createNode("p", "", tour.how)));
  if (note) body.append(createNode("p", "lens-note", note));
  body.append(figure, createNode("h3", "", tour.title), createNode("ol", "lens-steps", ...steps));
  drawArchitecture(figure, architecture, images[photo]?.src, act);
}

export function mountTour(element, props, act, watch) {
  let drawnContent = "", previousStep = 0;
  let target = "", outlined = null, follows = false; // follows: scrolls to the target, until the visitor does anything

  function draw() {
    const value = props.value || {}, step = value.step || 0, root = element.querySelector(".lens-tour");
    const content = JSON.stringify([step, value.title, value.sentences]); // Gradio adds marks to other fields on a second send
    if (content === drawnContent) return;
    drawnContent = content;
    root.hidden = !step;
    element.closest("#lens").classList.toggle("lens-touring", Boolean(step));
    if (step) build(root, value);
    else {
      root.replaceChildren();
      if (previousStep) document.querySelector("#views [role=tab][aria-selected=true]")?.focus({ preventScroll: true });
    }
    target = step ? value.target : "";
    if (step && step !== previousStep) {
      root.querySelector("h2").focus({ preventScroll: true });
      follow();
    } else outline();
    previousStep = step;
  }

  /** Outlines the target once it is there, and again after its panel has been rebuilt. */
  function outline() {
    const found = target && document.querySelector(target), node = found?.offsetParent ? found : null;
    if (node === outlined) return;
    outlined?.classList.remove(OUTLINE);
    node?.classList.add(OUTLINE);
    outlined = node;
    if (node && follows) scrollTo(node);
  }

  function follow() {
    follows = true;
    outline();
    const node = outlined || document.querySelector("#views"); // not there yet while the page opens
    if (node) scrollTo(node);
  }

  /** Into what the bar leaves free, which lies above the views, or on a phone at the bottom. */
  function scrollTo(node) {
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches, height = element.querySelector(".lens-tour").offsetHeight;
    const isPhone = matchMedia("(max-width: 640px)").matches;
    document.documentElement.style.scrollPadding = isPhone ? `64px 0 ${height + 14}px` : `${height + 20}px 0 14px`;
    const fits = node === outlined && node.offsetHeight <= innerHeight - height - 78; // a taller one begins at the top
    node.scrollIntoView({ behavior: isReduced ? "auto" : "smooth", block: fits ? "center" : "start" });
  }

  function build(root, value) {
    Object.assign(root, { role: "region", ariaLabel: value.name });
    root.dataset.step = value.step;
    const title = createNode("h2", { tabIndex: -1 }, value.title);
    const dots = Array.from({ length: value.of }, (_, i) => createNode("i", i < value.step ? "done" : ""));
    const leave = createStep("button", "lens-plain leave", value.leave, act);
    const header = createNode("header", "", createNode("p", "lens-count", value.count),
      createNode("div", { className: "lens-dots", ariaHidden: "true" }, ...dots), leave, title);
    const text = createNode("div", { className: "lens-tour-text", ariaLive: "polite" }, ...value.sentences.map((paragraph) => createNode("p", "", paragraph)));
    text.append(createNode("p", "source", value.source));
    const fold = createButton("lens-plain fold", value.more, () => setOpen(text.classList.contains("folded"))); // on a phone
    const setOpen = (isOpen) => {
      text.classList.toggle("folded", !isOpen);
      fold.ariaExpanded = String(isOpen);
    };
    setOpen(true);
    const named = [["back", value.back], ["next first", value.next], ["again", value.again]].filter(([, button]) => button);
    const buttons = named.map(([name, button]) =>
      createStep("button", name === "again" ? "lens-plain again" : `lens-go ${name}`, button, act));
    buttons.at(-1).addEventListener("click", follow);
    root.replaceChildren(header, fold, text, createNode("footer", "", ...buttons));
  }
  const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-view"] }; // of the open tab
  new MutationObserver(outline).observe(document.documentElement, changes);
  const keep = () => { if (outlined && follows) scrollTo(outlined); }; // what is above it may arrive later
  new ResizeObserver(() => requestAnimationFrame(keep)).observe(document.body);
  for (const kind of USER_INPUT) window.addEventListener(kind, () => { follows = false; }, { capture: true, passive: true });
  watch(draw);
  draw();
}
