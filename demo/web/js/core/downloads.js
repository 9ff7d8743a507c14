import { createNode, fillTemplate } from "./dom.js";
import { post } from "./store.js";

/** Files that the server makes: requested, then saved under the server's name. */
const REVOKE_AFTER = 60_000; // milliseconds: a slow disk may still be reading

function saveFile(blob, name) {
  const href = URL.createObjectURL(blob), link = Object.assign(createNode("a"), { href, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(href), REVOKE_AFTER);
}

const sizeOf = ({ size }) => (size >= 1e5 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.floor(size / 1000))} kB`);

/**
 * @param {Object} body - of lens/export
 * @param {Object} strings - demo/i18n/strings/downloads.py
 * @param {HTMLElement} status - says what happens
 */
export async function saveExport(body, strings, status) {
  status.classList.remove("failed");
  status.textContent = strings.creating;
  try {
    const response = await post("export", body);
    if (!response.ok) throw new Error((await response.json()).error);
    const name = decodeURIComponent(response.headers.get("content-disposition").split("''")[1]), blob = await response.blob();
    saveFile(blob, name);
    status.textContent = fillTemplate(strings.done, { name, size: sizeOf(blob) });
  } catch (error) {
    status.classList.add("failed");
    status.textContent = error instanceof TypeError ? strings.failed : error.message;
  }
}
