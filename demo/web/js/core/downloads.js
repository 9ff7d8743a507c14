import { fillTemplate } from "./dom.js";
import { saveResponse } from "./save_file.js";
import { post } from "./store.js";

/** What is shown, or one map of it, as a file. */
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
    const { name, blob } = await saveResponse(response);
    status.textContent = fillTemplate(strings.done, { name, size: sizeOf(blob) });
  } catch (error) {
    status.classList.add("failed");
    status.textContent = error instanceof TypeError ? strings.failed : error.message;
  }
}
