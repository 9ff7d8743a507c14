/* The URL of a state, as demo/state.py's to_query writes it; queries that are not ours stay. */
import { settings } from "./settings.js";

const ours = new Set([...settings.url.map(([, key]) => key), "x", "y"]);

const LEFT_OUT = ["image", "previous_image"]; // while an upload is looked at

/* The query of a state, key by key; what has its default is left out. */
export function toQuery(state) {
  const query = {};
  for (const [name, key] of settings.url) {
    const value = state[name], usual = settings.defaults[name];
    if (JSON.stringify(value) === JSON.stringify(usual) || (LEFT_OUT.includes(name) && state.upload)) continue;
    if (name === "previous_image" && value === "previous") continue; // an upload, which is in no link
    if (name === "models" && value.length === 1 && value[0] === settings.model) continue;
    if (name === "image" && value === settings.image) continue;
    if (name === "position") {
      if (!state.upload) [query.x, query.y] = value.map(String);
    } else query[key] = text(value);
  }
  return query;
}

function text(value) {
  if (value === true) return "1";
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return Array.isArray(value) ? value.join(",") : String(value);
}

export const currentQuery = () => location.search;

/* Writes the URL and the whole state into the browser's history. push: as a new entry, for Back. */
export function writeUrl(state, push) {
  const foreign = [...new URLSearchParams(location.search)].filter(([key]) => !ours.has(key));
  const own = Object.entries(toQuery(state));
  const address = location.pathname + search([...own, ...foreign]) + location.hash;
  history[push ? "pushState" : "replaceState"]({ ...history.state, lens: state }, "", address);
  showInParent(search(own));
}

function search(entries) {
  const readable = (part) => encodeURIComponent(part).replace(/%(2C|3A|40)/g, decodeURIComponent);
  const pairs = entries.map((pair) => pair.map(readable).join("="));
  return pairs.length ? `?${pairs.join("&")}` : "";
}

/* On a Space the page is in a frame, and the parent puts the query that it is sent into its own address
   (huggingface.co/docs/hub/spaces-handle-url-parameters). Only our own keys: a Space's query may hold a token. Who may
   be the parent is up to the frame-ancestors directive, so that the message goes to no other site. */
let sentQuery = location.search;
function showInParent(queryString) {
  if (window.parent === window || queryString === sentQuery) return;
  const origin = location.ancestorOrigins?.[0] || (document.referrer && new URL(document.referrer).origin);
  sentQuery = queryString;
  window.parent.postMessage({ queryString, hash: location.hash }, origin || "https://huggingface.co");
}
