import { createButton, createNode, fillTemplate } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { post, state } from "../core/store.js";

/** Buttons that download what is shown. value: demo/i18n/strings/downloads.py by language. */
const FORMATS = ["png", "svg", "npz", "html"];
const WIDE = "(min-width: 641px)", REVOKE_AFTER = 60_000; // milliseconds: a slow disk may still be reading

function saveFile(blob, name) {
  const href = URL.createObjectURL(blob), link = Object.assign(createNode("a"), { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), REVOKE_AFTER);
}

const sizeOf = ({ size }) => (size >= 1e5 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.floor(size / 1000))} kB`);

export function mountExports(element, props) {
  const strings = inPageLanguage(props.value), status = createNode("p", "status");
  const setBusy = (isBusy) => buttons.forEach((button) => button.setAttribute("aria-disabled", String(isBusy)));

  async function download(format) {
    setBusy(true);
    status.classList.remove("failed");
    status.textContent = strings.creating;
    try {
      const response = await post("export", { state, format });
      if (!response.ok) throw new Error((await response.json()).error);
      const name = decodeURIComponent(response.headers.get("content-disposition").split("''")[1]), blob = await response.blob();
      saveFile(blob, name);
      status.textContent = fillTemplate(strings.done, { name, size: sizeOf(blob) });
    } catch (error) {
      status.classList.add("failed");
      status.textContent = error instanceof TypeError ? strings.failed : error.message;
    }
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
