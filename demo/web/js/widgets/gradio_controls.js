import { createNode, fillTemplate } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";

/**
 * What Gradio 6.31's own controls lack. value: demo/i18n/strings/gradio_controls.py by language.
 *
 * The class search: Tab closes its list and goes on to the next control (Gradio opens the list again at every key, and the
 * list, which scrolls, takes the focus); a text that names no class is answered with a message, and the class stays.
 * Segmented controls: the radio buttons of one get the same name, so that they are one stop of the Tab key.
 */
const SEARCH = "#other input";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Tab" || !event.target.matches?.(SEARCH)) return;
  event.stopPropagation();
  document.querySelectorAll("ul[role=listbox]").forEach((list) => { list.tabIndex = -1; });
}, true);

function watchClassSearch(strings) {
  const message = createNode("p", { className: "lens-warning lens-unknown-class", role: "status", hidden: true });
  const hasMatches = () => document.querySelector("#other ul[role=listbox] li") !== null;
  const say = (text) => {
    message.hidden = !text;
    message.textContent = text;
    if (!message.isConnected) document.querySelector("#other").after(message);
  };
  document.addEventListener("input", ({ target }) => { if (target.matches?.(SEARCH)) say(""); });
  for (const kind of ["keydown", "blur"]) document.addEventListener(kind, ({ target, key }) => { // before Gradio puts the last class back
    if (!target.matches?.(SEARCH) || (kind === "keydown" && key !== "Enter")) return;
    const isUnknown = target.value.trim() && !hasMatches() && target.getAttribute("aria-expanded") === "true";
    if (isUnknown) say(fillTemplate(strings.unknown_class, { name: target.value.trim() }));
  }, true);
}

function nameRadios() {
  for (const radio of document.querySelectorAll("#lens fieldset.segments[id] input[type=radio]")) {
    const { id } = radio.closest("fieldset");
    if (radio.name !== id) radio.name = id;
  }
}

export function mountGradioControls(element, props) {
  watchClassSearch(inPageLanguage(props.value));
  for (const part of ["#side", "#main"]) new MutationObserver(nameRadios).observe(document.querySelector(part), { subtree: true, childList: true });
  nameRadios();
}
