import { takePhoto } from "../core/camera.js";
import { createButton, createNode } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";
import { notify, update } from "../core/store.js";

/**
 * Ways to bring an image onto the page: upload, camera, clipboard, and a drop or a paste anywhere. Each ends in the file
 * input of Gradio's hidden upload (#upload), which sends the file; `uploaded` gets the server's answer. A file dropped on
 * the comparison's image B becomes the reference image. value: demo/i18n/strings/images_in.py by language.
 */
const PATIENCE = 5000; // milliseconds for which the file input of an upload under way is waited for
let strings = {}, isReference = false;

const findInput = () => document.querySelector("#upload input[type=file]");
const imageIn = (data) => [...(data?.files || [])].find((file) => file.type.startsWith("image/") || !file.type);

/** The file input, which is not there while the page opens and while an upload is under way. */
async function waitForInput() {
  const until = performance.now() + PATIENCE;
  while (!findInput() && performance.now() < until) await new Promise((resolve) => { setTimeout(resolve, 50); });
  if (!findInput()) notify(strings.busy);
  return findInput();
}

async function send(file, asReference = false) {
  const input = await waitForInput(), transfer = new DataTransfer();
  if (!input) return;
  isReference = asReference;
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** An upload has been decoded: {key}; null if it could not be read. */
export function uploaded(image) {
  const asReference = isReference;
  isReference = false;
  if (!image) return;
  update(asReference ? { previous_upload: image.key, reference: "previous" } : { upload: image.key, image: "" });
}

// ---- clipboard --------------------------------------------------------------------------------------------------

async function paste() {
  let items;
  try {
    items = await navigator.clipboard.read();
  } catch {
    return notify(strings.no_clipboard);
  }
  for (const item of items) {
    const type = item.types.find((name) => name.startsWith("image/"));
    if (type) return send(new File([await item.getType(type)], `clipboard.${type.slice(6)}`, { type }));
  }
  return notify(strings.nothing_copied);
}

document.addEventListener("paste", (event) => {
  const file = imageIn(event.clipboardData);
  if (!file && event.target.closest?.("input, textarea, select, [contenteditable]")) return; // text for a field
  event.preventDefault();
  if (file) send(file);
  else notify(strings.nothing_copied);
});

// ---- drag and drop ----------------------------------------------------------------------------------------------

const target = createNode("div", { className: "lens-drop", hidden: true, ariaHidden: "true" }, createNode("p"));
const overReference = (event) => event.target.closest?.(".lens-hero .second");

for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault(); // or the browser would open the file
  if (!target.isConnected) document.body.append(target);
  const reference = overReference(event), box = reference?.getBoundingClientRect();
  target.hidden = false;
  target.classList.toggle("second", Boolean(reference));
  target.style.inset = box ? `${box.top}px ${innerWidth - box.right}px ${innerHeight - box.bottom}px ${box.left}px` : "";
  target.firstChild.textContent = reference ? strings.drop_second : strings.drop;
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) target.hidden = true; });
document.addEventListener("drop", (event) => {
  target.hidden = true;
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  const file = imageIn(event.dataTransfer);
  if (file) send(file, Boolean(overReference(event)));
  else notify(strings.no_file);
});

export function mountImageInputs(element, props) {
  strings = inPageLanguage(props.value);
  const choose = createButton("lens-way", strings.upload, async () => (await waitForInput())?.click());
  const camera = createButton("lens-way", strings.camera, () => takePhoto(strings, send));
  const clipboard = createButton("lens-way", strings.paste, paste);
  element.querySelector(".lens-image-inputs").replaceChildren(choose, camera, clipboard, createNode("span", "", strings.hint));
}
