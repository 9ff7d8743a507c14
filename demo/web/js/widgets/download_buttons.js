import { createButton, createNode } from "../core/dom.js";
import { saveExport } from "../core/downloads.js";
import { inPageLanguage } from "../core/language.js";
import { state } from "../core/store.js";

/** Buttons that download what is shown. value: demo/i18n/strings/downloads.py by language. */
const FORMATS = ["png", "svg", "npz", "html"];
const WIDE = "(min-width: 641px)";

export function mountExports(element, props) {
  const strings = inPageLanguage(props.value), status = createNode("p", "status");
  const setBusy = (isBusy) => buttons.forEach((button) => button.setAttribute("aria-disabled", String(isBusy)));

  async function download(format) {
    setBusy(true);
    await saveExport({ state, format }, strings, status);
    setBusy(false);
  }

  const buttons = FORMATS.map((format) => {
    const label = strings[`kind_${format}`], hint = strings[`kind_${format}_hint`];
    const button = createButton("", label, () => { if (button.getAttribute("aria-disabled") !== "true") download(format); });
    button.title = hint;
    button.dataset.kind = format;
    button.setAttribute("aria-label", `${strings.title}: ${label}. ${hint}`);
    return button;
  });
  const group = createNode("div", "group", ...buttons, status);
  const fold = createNode("details", "", createNode("summary", "", strings.title), group);
  fold.open = window.matchMedia(WIDE).matches;
  group.dataset.title = strings.title;
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", `${strings.title}: ${strings.hint}`);
  status.setAttribute("role", "status");
  element.querySelector(".lens-exports").replaceChildren(fold);
  setBusy(false);
}
