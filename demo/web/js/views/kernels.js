import { crosshair } from "../core/position.js";
import { isUnmodified, restoreFocus } from "../core/dom.js";
import { decodeFloats } from "../core/map_renderer.js";
import { layOutMatrix } from "../core/panel.js";
import { createInspector } from "./kernel_inspector.js";

/**
 * The kernels view: the matrix of panel.js, whose tiles can be pointed at, pressed, or moved through with the arrow keys;
 * below its first row the inspector shows the kernel that was selected last. A press holds it; Escape or a second press
 * releases it. payload.inspected: the channels of each column, or null; payload.coming: models that are not loaded yet.
 */
const selection = { variant: "", channel: -1, held: false }; // outlives a payload: a new position keeps the kernel

/** The tiles of every column, [column][row][tile]; those of the first row are buttons. */
function tilesOf(body, columns) {
  const rows = [...body.querySelectorAll(".lens-row")].map((row) => [...row.querySelectorAll(".lens-cell")]);
  return columns.map((_, i) => rows.map((cells) => [...(cells[i]?.querySelectorAll(".lens-tile") || [])]));
}

function decodeColumn(column) {
  const arrays = Object.entries(column.base64).map(([name, text]) => [name, decodeFloats(text)]);
  return { ...column, arrays: Object.fromEntries(arrays) };
}

/** The tile that a key leads to from tile i, or -1: left and right by one, up and down by a line. */
function tileAfterKey(tiles, i, key) {
  const perLine = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
  const keys = { ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: i - perLine, ArrowDown: i + perLine, Home: 0, End: tiles.length - 1 };
  const next = keys[key];
  return next === undefined ? -1 : next < 0 || next >= tiles.length ? i : next;
}

function addInspector(body, payload, act) {
  const columns = payload.inspected.map((column) => column && decodeColumn(column)), tiles = tilesOf(body, columns);
  const first = columns.find(Boolean);
  if (!first) return () => {};
  const groups = Math.max(...columns.map((column) => column?.groups || 0));
  const inspector = createInspector({ ...payload.strings, groups }, first.size, {
    hover: ({ x, y }) => crosshair.hover(x, y),
    leave: () => crosshair.leave(),
    click: ({ x, y }) => act({ x, y }),
  });
  body.querySelector(".lens-row").after(inspector.root);

  let current = selection; // another kernel while the column of the selected one is not loaded yet
  function show() {
    const shownColumn = columns.findIndex((column) => column?.variant === current.variant);
    const shownTile = columns[shownColumn].channels.indexOf(current.channel);
    tiles.forEach((rows, c) => rows.forEach((row, r) => row.forEach((tile, i) => {
      const isShown = c === shownColumn && i === shownTile;
      tile.classList.toggle("here", isShown);
      if (r > 0) return;
      tile.ariaPressed = String(isShown && current.held);
      tile.tabIndex = (c === shownColumn ? isShown : i === 0) ? 0 : -1; // one tab stop per column
    })));
    inspector.show(columns[shownColumn], shownTile, current.held);
  }
  const isShown = (c, i) => current.variant === columns[c].variant && current.channel === columns[c].channels[i];
  function select(c, i, isHeld) {
    current = Object.assign(selection, { variant: columns[c].variant, channel: columns[c].channels[i], held: isHeld });
    show();
  }
  const preview = (c, i) => { if (!selection.held && !isShown(c, i)) select(c, i, false); };
  const press = (c, i) => select(c, i, !(current.held && isShown(c, i)));

  function listenToKeys(tile, row, c, i) {
    tile.parentNode.role = "group";
    Object.assign(tile, { role: "button", ariaLabel: columns[c].names[i] });
    tile.dataset.keep = `tile ${columns[c].variant} ${columns[c].channels[i]}`;
    tile.addEventListener("focus", () => preview(c, i));
    tile.addEventListener("keydown", (event) => {
      if (!isUnmodified(event)) return;
      const next = tileAfterKey(row, i, event.key);
      if (next < 0 && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (next < 0) press(c, i);
      else row[next].focus();
    });
  }
  tiles.forEach((rows, c) => columns[c] && rows.forEach((row, r) => row.forEach((tile, i) => {
    tile.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") preview(c, i); });
    tile.addEventListener("click", (event) => {
      event.preventDefault(); // enlarges nothing
      press(c, i);
    });
    if (r === 0) listenToKeys(tile, row, c, i);
  })));
  body.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !selection.held) return;
    event.preventDefault(); // closes nothing
    selection.held = false;
    show();
  });

  const selected = columns.find((column) => column?.variant === selection.variant) || first;
  if (selected.variant !== selection.variant || !selected.channels.includes(selection.channel)) {
    const fallback = { variant: selected.variant, channel: selected.channels[0], held: false };
    current = payload.coming.includes(selection.variant) ? fallback : Object.assign(selection, fallback);
  }
  body.addEventListener("lens:position", inspector.showUnit);
  return show;
}

export function layOutKernels(body, payload, act) {
  const redraw = layOutMatrix(body, payload, act);
  body.dataset.columns = payload.heads.length;
  const show = addInspector(body, payload, act);
  restoreFocus(body);
  return () => { redraw(); show(); };
}
