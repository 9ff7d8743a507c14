import { createButton, createNode, fillTemplate } from "../core/dom.js";
import { saveExport } from "../core/downloads.js";
import { settings } from "../core/settings.js";
import { state } from "../core/store.js";

/** Downloads one map alone. Its options are those of transxnet/export/map_file.py, in settings.map_file: {name: {default, choices}}. */
const TEXTS = { format: (value) => value.toUpperCase() };

export function createMapDownload(strings) {
  const chosen = Object.fromEntries(Object.entries(settings.map_file).map(([name, option]) => [name, option.default]));
  let file = null;

  function createSelect(name) {
    const { choices } = settings.map_file[name], select = createNode("select", { name });
    const textOf = TEXTS[name] || ((value) => fillTemplate(strings[`${name}_value`], { value }));
    select.append(...choices.map((value) => new Option(textOf(value), value, false, value === chosen[name])));
    select.addEventListener("change", () => { chosen[name] = choices[select.selectedIndex]; });
    return createNode("label", "", strings[name], select);
  }

  function createBox(name) {
    const box = createNode("input", { type: "checkbox", name, checked: chosen[name] });
    box.addEventListener("change", () => { chosen[name] = box.checked; });
    return createNode("label", "", box, strings[name]);
  }

  const status = createNode("p", { className: "status", role: "status" });
  const button = createButton("download", strings.download, async () => {
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    const { change, ...map } = file;
    await saveExport({ state: { ...state, ...change }, map: { ...map, options: chosen } }, strings, status);
    button.ariaDisabled = "false";
  });
  const isBox = (name) => typeof settings.map_file[name].default === "boolean";
  const controls = Object.keys(settings.map_file).map((name) => (isBox(name) ? createBox(name) : createSelect(name)));
  const node = createNode("div", { className: "lens-map-download", role: "group", ariaLabel: strings.download }, ...controls, button, status);

  /** newFile: by which the server knows the map; undefined for one that it does not draw. */
  function show(newFile) {
    file = newFile;
    node.hidden = !file;
    status.textContent = "";
  }
  return { node, show };
}
