import { inPageLanguage } from "./language.js";

/* When the connection goes, the page stays. Left alone, Gradio's front end loads the whole page again once it is back,
   and an upload is lost. Here what is asked meanwhile waits, and is asked again; a notice says so. (What was being answered:
   stream.js.) Only if another server answers then, which knows nothing of this visitor, the page is opened again: its
   address says what was looked at. connected(): resolves when there is a connection again.
   value: demo/i18n/strings/offline.py by language. */
const AGAIN = 2000, LONG = 4000; // milliseconds: between two looks, and that the good news stands
const TRIES = 3; // of one thing that is asked, after the connection has come back
const ask = window.fetch.bind(window);
let words = {}, coming = null, notice = null, later = 0;

function say(text) {
  clearTimeout(later);
  if (!notice) return;
  notice.textContent = text || "";
  notice.hidden = !text;
}

const pause = () => new Promise((go) => {
  const done = () => { clearTimeout(timer); removeEventListener("online", done); go(); };
  const timer = setTimeout(done, AGAIN);
  addEventListener("online", done);
});

async function again() {
  say(words.gone);
  for (;;) {
    await pause();
    const answer = navigator.onLine && (await ask(`${window.gradio_config.root}${window.gradio_config.api_prefix}/app_id`).then((r) => r.json(), () => null));
    if (!answer) continue;
    if (answer.app_id !== window.gradio_config.app_id) location.reload();
    say(words.back);
    later = setTimeout(() => say(""), LONG);
    return;
  }
}
/** Resolves when there is a connection again. */
export const connected = () => (coming ||= again().finally(() => { coming = null; }));

/* Of a refused upload Gradio shows the body: the sentence in it (demo/server.py, demo/temporary_files.py), not the JSON. */
async function readable(response, input) {
  if (response.ok || !/\/upload(\?|$)/.test(input)) return response;
  const text = await response.text();
  let sentence = text;
  try { sentence = JSON.parse(text).error || text; } catch { /* a text of Gradio's own */ }
  return new Response(sentence, { status: response.status });
}

window.fetch = async (input, init = {}) => {
  if (init.method !== "POST" || input instanceof Request) return ask(input, init);
  for (let left = TRIES; ; left--) {
    try {
      return await readable(await ask(input, init), String(input));
    } catch (error) {
      if (init.signal?.aborted || !left) throw error; // the server is there, and hangs up on this one
      await connected();
    }
  }
};
addEventListener("offline", connected);

export function mountOffline(element, props, trigger, watch) {
  const draw = () => {
    notice = element.querySelector(".lens-offline");
    notice.setAttribute("role", "status");
    if (props.value) words = inPageLanguage(props.value);
    say(coming ? words.gone : "");
  };
  watch("value", draw);
  draw();
}
