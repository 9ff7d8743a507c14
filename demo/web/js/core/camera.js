import { createButton, createNode } from "./dom.js";
import { notify } from "./store.js";

/** The camera as an input: opening it, with a sentence for everything that prevents it, and a dialog that takes a photo. */
const REASONS = { NotFoundError: "no_camera", OverconstrainedError: "no_camera", NotAllowedError: "denied", SecurityError: "denied" };

/**
 * Opens the camera.
 *
 * @param {Object} strings - demo/i18n/strings/live.py
 * @param {function(string): void} say - gets a sentence if there is none
 * @returns {Promise<MediaStream|null>}
 */
export async function openCamera(strings, say) {
  if (!window.isSecureContext || !navigator.mediaDevices) { // browsers hide it on an insecure address
    say(strings.insecure);
    return null;
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    say(strings[REASONS[error.name] || "in_use"]);
    return null;
  }
}

/** Shows the camera's picture in a dialog; `send` gets the photo as a file. The camera stops when the dialog closes. */
export async function takePhoto(strings, send) {
  const stream = await openCamera(strings, notify);
  if (!stream) return;
  const video = createNode("video", { srcObject: stream, autoplay: true, muted: true, playsInline: true });
  const dialog = createNode("dialog", { className: "lens-camera", ariaLabel: strings.camera }, video);
  const take = createButton("lens-go first", strings.take, () => {
    const canvas = createNode("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => { if (blob) send(new File([blob], "photo.jpg", { type: blob.type })); }, "image/jpeg", 0.95);
    dialog.close();
  });
  dialog.append(createNode("div", "lens-ways", take, createButton("lens-go", strings.cancel, () => dialog.close())));
  dialog.addEventListener("close", () => {
    stream.getTracks().forEach((track) => track.stop());
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}
