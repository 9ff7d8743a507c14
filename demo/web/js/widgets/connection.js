import { inPageLanguage } from "../core/language.js";

/** A notice while there is no connection, and for a moment after it is back. value: strings by language, then {lost}. */
const SHOWN_FOR = 4000; // milliseconds

export function mountConnection(element, props, act, watch) {
  const notice = element.querySelector(".lens-offline"), strings = inPageLanguage(props.value);
  let lost = false, timer = 0;
  notice.setAttribute("role", "status");
  const show = (text) => {
    clearTimeout(timer);
    notice.textContent = text;
    notice.hidden = !text;
  };
  const change = (isLost) => {
    if (isLost === lost) return;
    lost = isLost;
    show(strings[lost ? "gone" : "back"]);
    if (!lost) timer = setTimeout(() => show(""), SHOWN_FOR);
  };
  show("");
  watch(() => change(props.value.lost));
}
