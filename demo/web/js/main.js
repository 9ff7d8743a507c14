/**
 * The page's own JavaScript, served by demo/web/__init__.py. The view state (core/store.js) is what a visitor looks at;
 * widgets and Gradio's controls change it and show the server's answers to it.
 *
 * `lens` is what the page's HTML calls: components of demo/ui/components.py are mounted by `lens.mount`, Gradio's controls
 * (demo/ui/page.py) call the other functions.
 */
import { addBackbone, addModel, changed, clear, pending } from "./core/controls.js";
import { crosshair } from "./core/position.js";
import { display } from "./core/display_store.js";
import { layOutMatrix, mountPanel } from "./core/panel.js";
import { mountProgress } from "./core/progress.js";
import { mount, start, state, update } from "./core/store.js";
import { layOutAblation } from "./views/ablation.js";
import { layOutAttention } from "./views/attention.js";
import { layOutCompare } from "./views/compare.js";
import { layOutKernels } from "./views/kernels.js";
import { layOutLive } from "./views/live.js";
import { layOutSequence } from "./views/sequence.js";
import { layOutTour, mountTour } from "./views/tour.js";
import { mountConnection } from "./widgets/connection.js";
import { mountDisplay } from "./widgets/controls.js";
import { mountCrosshair } from "./widgets/crosshair.js";
import { mountExports } from "./widgets/download_buttons.js";
import { mountReference, mountThumbnails } from "./widgets/example_buttons.js";
import { mountFigures } from "./widgets/figures.js";
import { mountFullScreen } from "./widgets/full_screen.js";
import { mountGradioControls } from "./widgets/gradio_controls.js";
import { mountHero } from "./widgets/hero.js";
import { mountImageInputs, uploaded } from "./widgets/image_inputs.js";
import { mountImageSize } from "./widgets/image_size.js";
import { mountLink, mountNotes } from "./widgets/link.js";
import { mountPredictions } from "./widgets/predictions.js";
import { mountPresentation } from "./widgets/presentation.js";
import { mountSettings } from "./widgets/settings_fold.js";
import { mountTerms } from "./widgets/terms.js";
import "./core/upload_errors.js";
import "./widgets/header.js";
import "./widgets/tabs.js";

const LAYOUTS = {
  matrix: layOutMatrix, columns: layOutMatrix, ablation: layOutAblation, attention: layOutAttention, compare: layOutCompare,
  kernels: layOutKernels, live: layOutLive, sequence: layOutSequence, tour: layOutTour,
};
const WIDGETS = { // by the part of the server's answers that each shows
  connection: mountConnection, crosshair: mountCrosshair, display: mountDisplay, exports: mountExports, figures: mountFigures,
  full_screen: mountFullScreen, gradio_controls: mountGradioControls, hero: mountHero, image_inputs: mountImageInputs,
  image_size: mountImageSize, link: mountLink, notes: mountNotes, panel: mountPanel(LAYOUTS), predictions: mountPredictions,
  presentation: mountPresentation, progress: mountProgress, reference: mountReference, settings_fold: mountSettings,
  terms: mountTerms, thumbnails: mountThumbnails, tour: mountTour,
};

window.lens = {
  mount: (part, element, value) => mount(WIDGETS[part], element, value, part),
  control: changed,
  pendingControls: pending,
  addBackbone,
  addModel,
  update,
  /** An image has been uploaded, or could not be read. */
  uploaded: (image) => {
    clear("upload");
    uploaded(image);
  },
  get state() { return state; },
  crosshair, display,
};
start();
