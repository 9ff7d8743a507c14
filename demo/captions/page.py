"""Words of the page's own controls, and of small pieces that every view is made of."""

from __future__ import annotations

WEIGHTS_FROM = "Weights from {where}"  # a chip; {where} is a name
DOWNLOADED_FIRST = "is downloaded first"
ARROW = "\u2193 is downloaded first"
LANGUAGE = "Language"
LANGUAGE_HINT = "Opens this page again in another language, with what is chosen now."
LANGUAGE_UPLOAD = "Opens this page again in another language. Your own image is not kept: send it once more there."
IN_ENGLISH = "Figures and their captions, names of layers and classes, and downloaded files are in English."

YOUR_IMAGE, DROP = "Your image", "Drop, paste or take an image"
IMAGES = ("cheetah", "lion", "tower", "toy figure", "portrait")  # of demo/examples.py
EXAMPLE = "Example: {label}"
EXPLAIN, EXPLAIN_ANY = "Explain this answer", "Explain any class"
LOOK_FROM, OWN_STAGE_HINT = "Look from", "Grad-CAM keeps a stage of its own"
STAGE, STAGE_NUMBER, BLOCK, LAST = "Stage", "stage {stage}", "Block", "last"
UP_TO, NUMBERS = "Compare up to {number}", {2: "two", 3: "three", 4: "four"}
VARIANTS, MORE = "Variants to compare", "More to compare"
WITHOUT = "What changes without\u2026"
WITHOUT_PARTS = ("generated kernels", "attention", "STE")  # of demo/ui/parts.py
ADD_BACKBONE, ADD_BACKBONE_HINT, ADD_BACKBONE_LABEL = (
    "Add a timm backbone",
    "Enter adds it",
    "Add a timm backbone, by name",
)
OFFER = "T is loaded: compare it"
OWN_STAGE, OWN_STAGE_LABEL = "Its own stage", "Grad-CAM's own stage"
SLOWER = "Also the slower ones: integrated gradients, SmoothGrad, occlusion"
BESIDE, COMPARE_WITH = "Beside other backbones", "Compare with"
COMPARE_WITH_HINT = "an example, or your image before this one"

CROSSHAIR_ROLE = "image with a crosshair"
CROSSHAIR_ALT = (
    "Your image, {width} by {height} pixels, crosshair at {x}, {y}. Arrow keys move it; with Shift, in big steps."
)
OUTLINED_ONE, OUTLINED = "Outlined: what {names} sees.", "Outlined: what {names} see."
AND, OR, FEW = " and ", " or ", "few"
CHOOSES = "{title} chooses among {classes} classes."
UNTRAINED_TITLE = "{title}, untrained"
NO_MODEL = "No answer: {titles} could not be had. The place of the maps says why, and what can be done."
TRY_AGAIN, INSTEAD = "Try again", "{title} instead"
SOME_MB, MB = "{done} of {total} MB", "{done} MB"
DOWNLOADING_WHAT = "Downloading {title}"
OF = "{what} of {title}"
EXACTLY = "{exactly}: {words}"
PEAK = "peak {peak}"
SHARED = "shared by {count} variants"
COST = "{parameters} M parameters, {macs} GMACs."
WEIGHTS = "Weights: {where}. {note}"
NO_SHARE = "none"
NUMBERS_OF, TABLE_OF, IMAGE_OF = "Its numbers", "{title}, table", "{title}, image"
SAVE, SAVE_TABLE = "Save figure (PNG)", "Save numbers (CSV)"

OVERVIEW = {  # of the overview's columns: what exactly
    "attention": "OSRA, stage {stage}, mean of heads",
    "kernels": "{tiles} that IDConv made for this image, stage {stage}",
    "grad_cam": "what raised {answer}, stage {cam_stage}",
    "receptive_field": "of the crosshair's unit, stage {stage}",
}
THE_ANSWER = "the answer"
CAM_RAW, CAM_RAW_HINT, CAM_RAISED = "Raised and lowered", "raw Grad-CAM", "Raised only"
CAM_WORDS = "{exactly}: raw {low} to {high}, sum {sum}, not normalized"
CAM_ALT = "Raw Grad-CAM of {title}"
DRAWN = "{shows} Drawn: {scaling}."
GRADIENT = "Gradient at the unit"
TESTED, TESTED_HINT = "Tested", "the answer whose maps are tested"
