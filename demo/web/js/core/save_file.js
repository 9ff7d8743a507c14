import { createNode } from "./dom.js";

/** Files that the server made, saved by the browser. */
const REVOKE_AFTER = 60_000; // milliseconds: a slow disk may still be reading

/** Saves the file of a response under the name that its header says. Returns {name, blob}. */
export async function saveResponse(response) {
  const name = decodeURIComponent(response.headers.get("content-disposition").split("''")[1]), blob = await response.blob();
  saveFile(blob, name);
  return { name, blob };
}

function saveFile(blob, name) {
  const href = URL.createObjectURL(blob), link = Object.assign(createNode("a"), { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), REVOKE_AFTER);
}
