"""One image, one model, every question at once: `study` runs one traced forward pass and explains from it.

    loaded = weights.load("pico")
    result = study(loaded, images.decode("cat.jpg"), StudyOptions(stage=3, target="tabby"))
    result.attention, result.kernels, result.grad_cam, result.receptive_field

A Study holds numpy arrays and words only: no tensor, no graph, nothing of the model. Drawing it is somebody else's
work. Integrated gradients and occlusion run the model many times more, so they come only where they are asked for.
"""

from .analyses import ANALYSES, DEFAULT, DRAWN
from .options import OVERVIEW, StudyOptions, Target
from .result import Study, View
from .run import find_class, study, view_of

__all__ = [
    "DEFAULT", "DRAWN", "OVERVIEW", "ANALYSES", "StudyOptions", "Study", "Target", "View", "find_class", "study",
    "view_of",
]  # fmt: skip
