import { createCell, createHeading, imageOf } from "../core/cells.js";
import { createButton, createNode, createSection } from "../core/dom.js";
import { createBrush } from "./brush.js";

/**
 * The Ablation view: switches, an image to paint on, and every model's predictions before and after. Payload:
 * demo/views/ablation.py. A switch sends {change: {edits: […]}}, a stroke {change: {mask}}, a fill {change: {fill}}, the
 * button at the bottom {change: {every: true}}. An edit is "NAME@STAGE.BLOCK" or "NAME:HEAD@STAGE.BLOCK".
 */
const GRACE = 3000; // milliseconds in which a response to older switches does not flip newer ones back
const selectedScopes = {}; // name of a switch -> the scope chosen for it while it is off
let send = () => {}, brush = null, edits = [], sentEdits = null, sentAt = 0;

function sendEdits(newEdits) {
  edits = newEdits;
  sentEdits = JSON.stringify(newEdits);
  sentAt = performance.now();
  send({ edits: newEdits });
}

// ---- switches -------------------------------------------------------------------------------------------------------

const scopeOf = (edit) => edit.split("@")[1] || "0.0";
const editsOf = (name) => edits.filter((edit) => edit.split(/[:@]/)[0] === name);

function createScopeSelect(row, payload) {
  const select = createNode("select"), [edit] = editsOf(row.name), scopes = [...payload.scopes];
  const ownScope = payload.on.find(({ key }) => key === edit)?.scope;
  if (ownScope && !scopes.some(({ value }) => value === ownScope.value)) scopes.push(ownScope); // chosen at another stage
  for (const scope of scopes) select.append(new Option(scope.words, scope.value));
  const selected = edit ? scopeOf(edit) : selectedScopes[row.name];
  const fallback = row.heads && scopes[1] ? scopes[1].value : scopes[0].value;
  select.value = scopes.some(({ value }) => value === selected) ? selected : fallback;
  select.dataset.focus = `where-${row.name}`;
  select.ariaLabel = payload.words.where.replace("{words}", row.title);
  select.addEventListener("change", () => {
    selectedScopes[row.name] = select.value;
    const changed = editsOf(row.name);
    if (changed.length) sendEdits(edits.map((other) => (changed.includes(other) ? `${other.split("@")[0]}@${select.value}` : other)));
  });
  return select;
}

/** A switch of one edit; it is checked while the part works. */
function createSwitch(text, focusName, edit, label) {
  const ariaChecked = String(!edits.includes(edit));
  const properties = { className: "lens-switch", role: "switch", ariaChecked, ariaLabel: label, data: { focus: focusName } };
  return createButton(properties, text, () =>
    sendEdits(edits.includes(edit) ? edits.filter((other) => other !== edit) : [...edits, edit]));
}

function createSwitches(row, scope, { scopes, words: strings }) {
  const [edit] = editsOf(row.name);
  if (!row.heads) return [createSwitch(edit ? strings.off : strings.on, `switch-${row.name}`, edit || `${row.name}@${scope}`, row.title)];
  const heads = scopes.find(({ value }) => value === scope)?.heads ?? Math.max(0, ...scopes.map((other) => other.heads));
  return Array.from({ length: heads }, (_, i) => i + 1).map((head) =>
    createSwitch(String(head), `head-${head}`, `${row.name}:${head}@${scope}`, strings.head.replace("{head}", head)));
}

function createSwitchRow(row, payload) {
  const select = createScopeSelect(row, payload), text = createNode("div", "what", createNode("b", "", row.title), createNode("span", "", row.hint));
  const item = createNode("li", "", text, select, createNode("div", "lens-heads-off", ...createSwitches(row, select.value, payload)));
  item.classList.toggle("off", editsOf(row.name).length > 0);
  item.dataset.switch = row.name;
  if (row.heads) select.addEventListener("change", () => { // another scope may have other heads
    const replacement = createSwitchRow(row, payload);
    item.replaceWith(replacement);
    replacement.querySelector("select").focus({ preventScroll: true });
  });
  return item;
}

function createSwitchList(payload) {
  const [title, hint] = payload.words.switches, section = createSection("lens-switches", "h3", title);
  const properties = { className: "lens-restore", disabled: !edits.length, data: { focus: "restore" } };
  const restore = createButton(properties, payload.words.restore, () => sendEdits([]));
  section.append(createNode("p", "", hint), createNode("ul", "", ...payload.switches.map((row) => createSwitchRow(row, payload))), restore);
  return section;
}

// ---- predictions ----------------------------------------------------------------------------------------------------

function createBarPairs({ alt, rows, explained }) {
  const items = rows.map((row) => {
    const track = createNode("div", { className: "track", ariaHidden: "true" }, ...["before", "after"].map((name) => {
      const bar = createNode("i", name);
      bar.style.width = `${Math.max(0.5, 100 * row[name])}%`;
      return bar;
    }));
    const texts = [createNode("span", "label", row.label), createNode("span", "shares", row.shares)];
    const item = createNode("li", row.index === explained ? "chosen" : "", ...texts, track, createNode("span", "logit", row.logit));
    const [logitBefore, logitAfter] = row.logits;
    Object.assign(item.dataset, { index: row.index, before: row.before, after: row.after, logitBefore, logitAfter });
    return item;
  });
  return createNode("ol", { className: "lens-pairs", ariaLabel: alt }, ...items);
}

function createColumn(column, payload) {
  const { cell } = column, section = createNode("section", "lens-tried", createHeading("div", "lens-head", column, []));
  if (cell.kind !== "ablation") {
    section.append(createCell(cell, null, payload.images, () => {}, []));
    return section;
  }
  section.dataset.variant = cell.variant;
  section.append(createBarPairs(cell), ...cell.lines.map((line) => createNode("p", "lens-line", line)));
  if (cell.view) {
    const image = createNode("img", { src: cell.view, alt: cell.given });
    section.append(createNode("figure", "", image, createNode("figcaption", "", cell.given)));
  }
  return section;
}

function createOutcome({ columns, words: strings }) {
  const cells = columns.map(({ cell }) => cell).filter(({ kind }) => kind === "ablation");
  const hasNoEffect = cells.length && !cells.some((cell) => cell.changed);
  const texts = hasNoEffect ? [strings.nothing] : cells.map(({ said }) => said);
  return createNode("div", { className: "lens-outcome", role: "status" }, ...texts.map((text) => createNode("p", "", text)));
}

function createTableButton({ words: strings }) {
  const button = createButton({ data: { focus: "every" } }, strings.every, () => send({ every: true }));
  return createNode("div", "lens-every", button, createNode("span", "", strings.every_hint));
}

export function layOutAblation(body, payload, trigger) {
  const { painting, images } = payload, columns = payload.columns.map((column) => createColumn(column, payload));
  send = (change) => trigger("select", { change });
  brush ||= createBrush((change) => send(change));
  if (sentEdits === JSON.stringify(payload.edits) || performance.now() - sentAt > GRACE) sentEdits = null;
  if (sentEdits === null) edits = payload.edits;
  const active = document.activeElement, focusName = active?.closest?.(".lens-ablation") ? active.dataset.focus : "";
  const results = createNode("div", "lens-tried-all", ...columns);
  results.style.setProperty("--columns", columns.length);
  const parts = [createSwitchList(payload), painting ? brush.node : undefined, createOutcome(payload), results];
  body.append(createNode("div", "lens-ablation", ...parts), createTableButton(payload));
  let isFirst = true;
  return () => {
    if (painting) brush.show(painting, imageOf(images[painting.image]));
    if (isFirst && focusName) body.querySelector(`[data-focus="${focusName}"]`)?.focus({ preventScroll: true });
    isFirst = false;
  };
}
