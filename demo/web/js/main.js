/**
 * The page's own JavaScript. demo/web/__init__.py serves it, and a component of demo/ui/components.py is mounted by
 * `lens.mount(name, element, props, trigger, watch)`, the arguments that gr.HTML gives to js_on_load.
 */
import { crosshair } from "./core/crosshair_store.js";
import { display } from "./core/display_store.js";
import { layOutMatrix, mountPanel } from "./core/panel.js";
import { mountDownloads } from "./core/progress.js";
import { pendingEvents } from "./core/queue_stream.js";
import { mountOffline } from "./core/reconnect.js";
import { layOutAblation } from "./views/ablation.js";
import { layOutAttention } from "./views/attention.js";
import { layOutCompare } from "./views/compare.js";
import { layOutKernels } from "./views/kernels.js";
import { layOutTour, mountTour } from "./views/tour.js";
import { mountLink, mountNote } from "./widgets/address_bar.js";
import { mountAnswers } from "./widgets/answers.js";
import { mountDisplay } from "./widgets/controls.js";
import { mountCrosshair } from "./widgets/crosshair.js";
import { mountExports } from "./widgets/download_buttons.js";
import { mountThumbs } from "./widgets/example_buttons.js";
import { mountFigures } from "./widgets/figures.js";
import { mountSettings } from "./widgets/settings_fold.js";
import { mountTabs } from "./widgets/tabs.js";

const LAYOUTS = {
  matrix: layOutMatrix, columns: layOutMatrix, ablation: layOutAblation, attention: layOutAttention, compare: layOutCompare,
  kernels: layOutKernels, tour: layOutTour,
};
const COMPONENTS = {
  answers: mountAnswers, crosshair: mountCrosshair, display: mountDisplay, downloads: mountDownloads, exports: mountExports,
  figures: mountFigures, link: mountLink, note: mountNote, offline: mountOffline, panel: mountPanel(LAYOUTS),
  settings: mountSettings, tabs: mountTabs, thumbs: mountThumbs, tour: mountTour,
};

/** pendingEvents: the events whose response has not arrived completely. */
window.lens = {
  mount: (name, ...context) => COMPONENTS[name](...context),
  crosshair, display, pendingEvents,
};
