import { createButton, createNode } from "../core/dom.js";
import { drawArchitecture } from "./architecture.js";

/**
 * The guided tour: its tab (demo/views/tour.py), and the bar above the views while a step is active (value: demo/tour.py).
 * Their buttons change the view state.
 */

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

  function draw() {
    const value = props.value || {}, step = value.step || 0, root = element.querySelector(".lens-tour");
    const content = JSON.stringify([step, value.title, value.sentences]); // Gradio adds marks to other fields on a second send
    if (content === drawnContent) return;
    drawnContent = content;
    root.hidden = !step;
    document.documentElement.classList.toggle("lens-touring", Boolean(step));
    if (step) build(root, value);
    else {
      root.replaceChildren();
      if (previousStep) document.querySelector("#views [role=tab][aria-selected=true]")?.focus({ preventScroll: true });
    }
    if (step && step !== previousStep) showBar(root);
    previousStep = step;
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
    const targets = [["back", value.back], ["next first", value.next], ["again", value.again]].filter(([, target]) => target);
    const buttons = targets.map(([name, target]) =>
      createStep("button", name === "again" ? "lens-plain again" : `lens-go ${name}`, target, act));
    root.replaceChildren(header, fold, text, createNode("footer", "", ...buttons));
  }

  /** Moves the focus to a new step's heading. On a phone the bar is at the bottom, and its view scrolls into sight. */
  function showBar(root) {
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches, isPhone = matchMedia("(max-width: 640px)").matches;
    root.querySelector("h2").focus({ preventScroll: true });
    const target = isPhone ? document.querySelector("#views") : root;
    target.scrollIntoView({ behavior: isReduced ? "auto" : "smooth", block: isPhone ? "start" : "nearest" });
  }
  watch(draw);
  draw();
}
