import { display } from "../core/display_store.js";
import { createButton, createNode } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";

/**
 * Buttons that download what is shown. value: {words: by language {title, hint, making, kinds: [[format, label, hint]]},
 * said, failed, serial, file: {name, type, data (base64)} or null}. trigger("select", {format, display}) asks for a file;
 * its bytes come back in the value, so that no file is stored on the server.
 */
const WIDE = "(min-width: 641px)", REVOKE_AFTER = 60_000; // milliseconds: a slow disk may still be reading

function saveFile({ name, type, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const href = URL.createObjectURL(new Blob([bytes], { type }));
  const link = createNode("a", { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), REVOKE_AFTER);
}

export function mountExports(element, props, trigger, watch) {
  const { title, hint, making, kinds } = inPageLanguage(props.value.words);
  const status = createNode("p", { className: "said", role: "status" });
  let savedSerial = props.value.serial, lastButton = null;
  const setBusy = (isBusy) => buttons.forEach((button) => { button.ariaDisabled = String(isBusy); });
  const buttons = kinds.map(([format, label, buttonHint]) => {
    const ariaLabel = `${title}: ${label}. ${buttonHint}`;
    const button = createButton({ title: buttonHint, ariaLabel, data: { kind: format } }, label, () => {
      if (button.ariaDisabled === "true") return;
      lastButton = button;
      setBusy(true);
      status.classList.remove("failed");
      status.textContent = making;
      trigger("select", { format, display: display.all() });
    });
    return button;
  });
  const properties = { className: "group", role: "group", ariaLabel: `${title}: ${hint}`, data: { title } };
  const group = createNode("div", properties, ...buttons, status);
  const fold = createNode("details", "", createNode("summary", "", title), group);
  fold.open = window.matchMedia(WIDE).matches;
  element.querySelector(".lens-exports").replaceChildren(fold);
  setBusy(false);
  watch("value", () => {
    const { file, said, failed, serial } = props.value;
    setBusy(false);
    status.textContent = said || "";
    status.classList.toggle("failed", Boolean(failed));
    if (!file || serial === savedSerial) return;
    savedSerial = serial;
    saveFile(file);
    if (lastButton && document.activeElement === document.body) lastButton.focus({ preventScroll: true });
  });
}
