import { inPageLanguage } from "../core/language.js";
import { onChange, state, update } from "../core/store.js";

/* A menu of the sides of the model input. value: first demo/i18n/strings/image_size.py by language, then the choices for
   the chosen models, {choices: [[side, text, disabled]]}. */
export function mountImageSize(element, props, act, watch) {
  const root = element.querySelector(".lens-size");
  root.innerHTML = "<label><span></span><select></select></label>";
  const select = root.querySelector("select");
  root.querySelector("span").textContent = inPageLanguage(props.value).label;
  select.addEventListener("change", () => update({ image_size: Number(select.value) }));
  const show = () => { select.value = String(state.image_size); };
  watch(() => {
    select.replaceChildren(...props.value.choices.map(([side, text, disabled]) => {
      const option = new Option(text, String(side));
      option.disabled = disabled;
      return option;
    }));
    show();
  });
  onChange(["image_size"], show);
}
