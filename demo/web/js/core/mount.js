/** Connects a widget in the page to the part of the server's answers that it shows, and its actions to the view state. */
import { received, resend, state, stop, subscribe, update } from "./store.js";

/**
 * What a widget does:
 *   {x, y, image}     moves the query position, in pixels of the image of that key; another image's is ignored
 *   {change: {…}}     changes fields of the view state
 *   {retry: name}     loads a model once more; {instead: [name, other]} takes another in its place
 *   {ask}             "stop" stops the request on its way, "again" repeats it
 */
export function act({ x, y, image, change, retry, instead, ask }) {
  if (x !== undefined) {
    if (image === undefined || image === received.image) update({ position: [x, y] });
  } else if (change) update(change);
  else if (retry) resend([retry]);
  else if (instead) update({ models: [...new Set(state.models.map((name) => (name === instead[0] ? instead[1] : name)))] });
  else if (ask === "stop") stop();
  else if (ask === "again") resend();
}

/**
 * @param {function} mountWidget - (element, props, act, watch); props.value: the latest payload
 * @param {HTMLElement} element - of the Gradio component
 * @param {*} value - the component's value in Python: the first payload, or {tab} of a part that each tab has
 * @param {string} part
 */
export function mount(mountWidget, element, value, part) {
  const props = { value };
  let render = () => {};
  mountWidget(element, props, act, (callback) => { render = callback; });
  subscribe(value?.tab ? `${part}:${value.tab}` : part, (payload) => {
    props.value = payload;
    render();
  });
}
