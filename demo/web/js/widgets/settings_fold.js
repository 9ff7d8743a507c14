import { inPageLanguage } from "../core/language.js";

/* On a narrow screen what is not needed to see a first result folds behind one button, which summarizes them:
   "Settings: stage 3 · last block". On a wide one css/side.css hides the button. value: demo/i18n/strings/settings.py,
   SETTINGS by language. */
const OF = "#stage label.selected, #block label.selected";

function summarize(strings) {
  return [...document.querySelectorAll(OF)]
    .map((label) => {
      const input = label.querySelector("input"), text = label.textContent.trim();
      if (!label.closest("#block")) return text;
      return input.value === "0" ? strings.last : strings.block.replace("{block}", text);
    }).join(" \u00b7 ");
}

export function mountSettings(element, props, act, watch) {
  const root = element.querySelector(".lens-settings");
  root.innerHTML = '<button type="button" aria-expanded="false" aria-controls="settings"><b></b> <span></span></button>';
  const button = root.querySelector("button");
  button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", String(document.querySelector("#side").classList.toggle("open")));
  });
  const draw = () => {
    if (!props.value) return;
    const strings = inPageLanguage(props.value);
    root.querySelector("b").textContent = strings.settings;
    root.querySelector("span").textContent = summarize(strings);
  };
  watch(draw);
  requestAnimationFrame(() => { // the settings come after it in the document
    const options = { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] };
    new MutationObserver(draw).observe(document.querySelector("#settings"), options);
    draw();
  });
}
