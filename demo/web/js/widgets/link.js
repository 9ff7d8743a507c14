import { createNode } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { settings } from "../core/settings.js";
import { onChange } from "../core/store.js";

/** Copies the address of what is shown. value: strings by language, then {note}: what the address does not hold. */
export function mountLink(element, props, act, watch) {
  const root = element.querySelector(".lens-link"), strings = inPageLanguage(props.value);
  root.innerHTML = `<button type="button" class="lens-copy"></button><span class="status" role="status"></span>
    <input class="address" type="text" readonly hidden><p class="lens-note"></p>`;
  const [button, status, address, note] = root.children;
  button.textContent = strings.copy;
  address.setAttribute("aria-label", strings.address);
  button.addEventListener("click", async () => {
    address.value = location.href;
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false); // where allowed
    address.hidden = Boolean(copied);
    status.textContent = strings[copied ? "copied" : "selected"];
    if (!copied) { address.focus(); address.select(); }
    const forget = onChange(settings.url.map(([name]) => name), () => { // the address is another one now
      status.textContent = "";
      address.hidden = true;
      forget();
    });
  });
  watch(() => { note.textContent = props.value.note; });
}

/** Sentences about what could not be used, until they are closed. value: {close} by language, then {sentences}. */
export function mountNotes(element, props, act, watch) {
  const root = element.querySelector(".lens-notes"), strings = inPageLanguage(props.value);
  watch(() => {
    const { sentences } = props.value, close = createNode("button", "", strings.close);
    close.type = "button";
    close.addEventListener("click", () => root.replaceChildren());
    const text = createNode("div", "", ...sentences.map((sentence) => createNode("p", "", sentence)));
    root.replaceChildren(...(sentences.length ? [text, close] : []));
  });
}
