"""Several analyses of one image by one model: `study` runs one traced forward pass and computes them from it.

    loaded = weights.load("pico")
    result = study(loaded, images.decode("cat.jpg"), StudyOptions(stage=3, target="tabby"))
    result.attention, result.kernels, result.grad_cam, result.receptive_field

A Study holds numpy arrays and text only: no tensor, no graph, nothing of the model. `draw` draws it. Multi-pass
analyses, such as integrated gradients and occlusion, run only if they are named.
"""

from .analyses import ANALYSES, DEFAULT_ANALYSES, FIGURE_ANALYSES
from .options import OVERVIEW_ANALYSES, StudyOptions, Target
from .result import InputCrop, Study
from .run import find_class, study

__all__ = [
    "ANALYSES", "DEFAULT_ANALYSES", "FIGURE_ANALYSES", "OVERVIEW_ANALYSES", "InputCrop", "Study", "StudyOptions",
    "Target", "find_class", "study",
]  # fmt: skip
