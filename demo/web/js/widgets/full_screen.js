import { createColorBar } from "../core/cells.js";
import { display } from "../core/display_store.js";
import { createButton, createNode, fillTemplate, isShortcut } from "../core/dom.js";
import { describe, nameButtons, visibleMaps } from "../core/enlargeable.js";
import { inPageLanguage } from "../core/language.js";
import { pushOverlay } from "../core/store.js";
import { createZoom } from "../core/zoom.js";
import { createMapDownload } from "./map_download.js";

/**
 * One map, as large as the window: a modal dialog with the map, its caption and color bar, the value under the pointer, and
 * its download. F opens the map under the pointer or with the focus (core/enlargeable.js); arrows go to the next one.
 * value: demo/i18n/strings/full_screen.py and downloads.py by language.
 */
const LONGEST = 1600, ZOOM_STEP = 1.5; // pixels drawn a side, at most; of buttons and keys
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export function mountFullScreen(element, props) {
  const strings = inPageLanguage(props.value), zoomed = { zoom_in: ZOOM_STEP, zoom_out: 1 / ZOOM_STEP };
  const createTool = (name, text, act) => createButton({ className: name, ariaLabel: strings[name], title: strings[name] }, text, act);
  const title = createNode("h2", { id: "lens-full-screen-title" }), number = createNode("p"), caption = createNode("p", "caption");
  const value = createNode("p", "value"), bar = createNode("div", "bar"), canvas = createNode("canvas", { role: "img" });
  const stage = createNode("div", { className: "stage", tabIndex: 0, role: "group", ariaLabel: strings.hint }, canvas);
  const zoom = createZoom(stage, canvas), download = createMapDownload(strings);
  const header = createNode("header", "", createNode("div", { ariaLive: "polite" }, title, number),
    createTool("zoom_out", "−", () => zoom.zoomBy(zoomed.zoom_out)), createTool("zoom_in", "+", () => zoom.zoomBy(zoomed.zoom_in)),
    createTool("previous", "←", () => go(-1)), createTool("next", "→", () => go(1)), createTool("close", "✕", () => dialog.close()));
  const dialog = createNode("dialog", "lens-full-screen", header, stage, createNode("footer", "", value, bar, caption, download.node));
  dialog.setAttribute("aria-labelledby", title.id);
  document.querySelector(".gradio-container .contain").append(dialog); // style sheets apply there
  nameButtons(strings.enlarge);
  let node = null, index = 0, shown = null; // the map, its place among all that are visible, and its description

  /** The map after a new answer has rebuilt the panel, above which others may have come. */
  function findAgain() {
    const maps = visibleMaps();
    return maps.find((map) => describe(map).title === shown.title) || maps[index] || node;
  }

  function draw() {
    if (!dialog.open) return;
    if (!node.isConnected) node = findAgain();
    shown = describe(node);
    const [height, width] = shown.size, longest = Math.max(stage.clientWidth, stage.clientHeight) * devicePixelRatio;
    canvas.style.setProperty("--ratio", width / height);
    shown.draw(canvas, Math.min(LONGEST, Math.ceil(longest)));
    canvas.ariaLabel = [shown.title, shown.caption].filter(Boolean).join(". ");
    title.textContent = shown.title;
    caption.textContent = shown.caption || "";
    const colors = shown.scale && createColorBar(shown.scale, display.scale === "normalized" ? shown.values : undefined);
    colors?.draw();
    bar.replaceChildren(...(colors ? [colors.bar] : []));
  }

  function show(target) {
    const maps = visibleMaps();
    [node, index] = [target, maps.indexOf(target)];
    number.textContent = fillTemplate(strings.number, { index: index + 1, count: maps.length });
    value.textContent = "";
    zoom.reset();
    draw();
    download.show(shown.file);
  }

  function go(step) {
    const maps = visibleMaps();
    if (node.isConnected) index = maps.indexOf(node); // others may have come above it
    if (maps.length) show(maps[(index + step + maps.length) % maps.length]);
  }

  // ---- opening and closing ----------------------------------------------------------------------------------------

  let removeEntry = () => {}, focused = null;

  function open(target) {
    if (dialog.open) return;
    removeEntry = pushOverlay(() => dialog.close());
    focused = document.activeElement;
    dialog.showModal();
    show(target);
    stage.focus();
  }

  dialog.addEventListener("close", () => {
    const target = focused !== document.body && focused.isConnected ? focused : node.querySelector(".lens-enlarge");
    target?.focus({ preventScroll: true });
    removeEntry();
  });

  // ---- events ---------------------------------------------------------------------------------------------------

  document.addEventListener("lens:enlarge", ({ target }) => open(target));
  for (const name of ["lens:display", "lens:drawn"]) document.addEventListener(name, draw);
  window.addEventListener("resize", () => { zoom.reset(); draw(); });

  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (!isShortcut(event)) return;
    if (dialog.open) {
      if (event.target.type === "checkbox" || document.querySelector("dialog[open]") !== dialog) return;
      if (STEPS[event.key]) go(STEPS[event.key]);
      else if (key === "f") dialog.close();
      else if (key === "+" || key === "=") zoom.zoomBy(ZOOM_STEP);
      else if (key === "-") zoom.zoomBy(1 / ZOOM_STEP);
      else return;
      event.preventDefault();
    } else if (key === "f") {
      const target = recent?.isConnected ? recent : document.activeElement.closest("[data-enlarge]");
      if (target) open(target);
    }
  });

  let recent = null; // the map that a pointer entered, or that got the focus, whichever was later
  document.addEventListener("pointerover", ({ target }) => { recent = target.closest("[data-enlarge]"); });
  document.addEventListener("focusin", ({ target }) => { recent = target.closest("[data-enlarge]") || recent; });

  for (const kind of ["pointerdown", "pointermove"]) stage.addEventListener(kind, (event) => {
    const box = canvas.getBoundingClientRect(), across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    const isInside = across >= 0 && across < 1 && down >= 0 && down < 1;
    value.textContent = isInside && shown?.linesAt ? shown.linesAt(across, down).join(", ") : "";
  });
}
