import { createCell, createHeading, imageOf } from "../core/cells.js";
import { createButton, createNode, createSection } from "../core/dom.js";
import { state } from "../core/store.js";
import { createBrush } from "./brush.js";

/**
 * The Ablation view: switches, an image to paint on, and every model's predictions before and after. Payload:
 * demo/views/ablation.py. A switch sends {change: {ablations: […]}}, a stroke {change: {mask}}, a fill {change: {fill}}. An
 * ablation is "NAME@STAGE.BLOCK" or "NAME:HEAD@STAGE.BLOCK".
 */
const selectedScopes = {}; // name of a switch -> the scope chosen for it while it is off
let send = () => {}, brush = null, ablations = [];

function sendAblations(newAblations) {
  ablations = newAblations;
  send({ ablations: newAblations });
}

// ---- switches -------------------------------------------------------------------------------------------------------

const scopeOf = (ablation) => ablation.split("@")[1] || "0.0";
const ablationsOf = (name) => ablations.filter((ablation) => ablation.split(/[:@]/)[0] === name);

function createScopeSelect(row, payload) {
  const select = createNode("select"), [ablation] = ablationsOf(row.name), scopes = [...payload.scopes];
  const ownScope = payload.on.find(({ key }) => key === ablation)?.scope;
  if (ownScope && !scopes.some(({ value }) => value === ownScope.value)) scopes.push(ownScope); // chosen at another stage
  for (const scope of scopes) select.append(new Option(scope.label, scope.value));
  const selected = ablation ? scopeOf(ablation) : selectedScopes[row.name];
  const fallback = row.heads && scopes[1] ? scopes[1].value : scopes[0].value;
  select.value = scopes.some(({ value }) => value === selected) ? selected : fallback;
  select.dataset.focus = `where-${row.name}`;
  select.ariaLabel = payload.strings.scope.replace("{label}", row.title);
  select.addEventListener("change", () => {
    selectedScopes[row.name] = select.value;
    const changed = ablationsOf(row.name);
    if (changed.length) sendAblations(ablations.map((other) => (changed.includes(other) ? `${other.split("@")[0]}@${select.value}` : other)));
  });
  return select;
}

/** A switch of one ablation; it is checked while the part works. */
function createSwitch(text, focusName, ablation, label) {
  const ariaChecked = String(!ablations.includes(ablation));
  const properties = { className: "lens-switch", role: "switch", ariaChecked, ariaLabel: label, data: { focus: focusName } };
  return createButton(properties, text, () =>
    sendAblations(ablations.includes(ablation) ? ablations.filter((other) => other !== ablation) : [...ablations, ablation]));
}

function createSwitches(row, scope, { scopes, strings }) {
  const [ablation] = ablationsOf(row.name);
  if (!row.heads) return [createSwitch(ablation ? strings.off : strings.on, `switch-${row.name}`, ablation || `${row.name}@${scope}`, row.title)];
  const heads = scopes.find(({ value }) => value === scope)?.heads ?? Math.max(0, ...scopes.map((other) => other.heads));
  return Array.from({ length: heads }, (_, i) => i + 1).map((head) =>
    createSwitch(String(head), `head-${head}`, `${row.name}:${head}@${scope}`, strings.head.replace("{head}", head)));
}

function createSwitchRow(row, payload) {
  const select = createScopeSelect(row, payload), text = createNode("div", "what", createNode("b", "", row.title), createNode("span", "", row.hint));
  const item = createNode("li", "", text, select, createNode("div", "lens-heads-off", ...createSwitches(row, select.value, payload)));
  item.classList.toggle("off", ablationsOf(row.name).length > 0);
  item.dataset.switch = row.name;
  if (row.heads) select.addEventListener("change", () => { // another scope may have other heads
    const replacement = createSwitchRow(row, payload);
    item.replaceWith(replacement);
    replacement.querySelector("select").focus({ preventScroll: true });
  });
  return item;
}

function createSwitchList(payload) {
  const { strings } = payload, section = createSection("lens-switches", "h3", strings.switch_title);
  const properties = { className: "lens-restore", disabled: !ablations.length, data: { focus: "restore" } };
  const restore = createButton(properties, strings.restore, () => sendAblations([]));
  section.append(createNode("p", "", strings.switch_hint), createNode("ul", "", ...payload.switches.map((row) => createSwitchRow(row, payload))), restore);
  return section;
}

// ---- predictions ----------------------------------------------------------------------------------------------------

function createBarPairs({ alt, rows, target }) {
  const items = rows.map((row) => {
    const track = createNode("div", { className: "track", ariaHidden: "true" }, ...["before", "after"].map((name) => {
      const bar = createNode("i", name);
      bar.style.width = `${Math.max(0.5, 100 * row[name])}%`;
      return bar;
    }));
    const texts = [createNode("span", "label", row.label), createNode("span", "shares", row.shares)];
    const item = createNode("li", row.index === target ? "chosen" : "", ...texts, track, createNode("span", "logit", row.logit));
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
  if (cell.crop) {
    const image = createNode("img", { src: cell.crop, alt: cell.given });
    section.append(createNode("figure", "", image, createNode("figcaption", "", cell.given)));
  }
  return section;
}

function createOutcome({ columns, strings }) {
  const cells = columns.map(({ cell }) => cell).filter(({ kind }) => kind === "ablation");
  const hasNoEffect = cells.length && !cells.some((cell) => cell.changed);
  const texts = hasNoEffect ? [strings.nothing] : cells.map(({ summary }) => summary);
  return createNode("div", { className: "lens-outcome", role: "status" }, ...texts.map((text) => createNode("p", "", text)));
}

export function layOutAblation(body, payload, act) {
  const { painting, images } = payload, columns = payload.columns.map((column) => createColumn(column, payload));
  send = (change) => act({ change });
  brush ||= createBrush((change) => send(change));
  ablations = [...state.ablations];
  const active = document.activeElement, focusName = active?.closest?.(".lens-ablation") ? active.dataset.focus : "";
  const results = createNode("div", "lens-tried-all", ...columns);
  results.style.setProperty("--columns", columns.length);
  const parts = [createSwitchList(payload), painting ? brush.node : undefined, createOutcome(payload), results];
  body.append(createNode("div", "lens-ablation", ...parts));
  let isFirst = true;
  return () => {
    if (painting) brush.show(painting, imageOf(images[painting.image]));
    if (isFirst && focusName) body.querySelector(`[data-focus="${focusName}"]`)?.focus({ preventScroll: true });
    isFirst = false;
  };
}
