"""Results of explanations, which draw/ draws: frozen dataclasses of numpy arrays, raw values, no images.

Coordinates: whole numbers are pixel centers. A *unit* of a stage with stride s is centered on model-input pixel s * i
(not s * i + (s - 1) / 2, because of the paddings), OSRA's keys on 32 * j. The *model input* is the crop that the model
receives; the *source image* is the uploaded image after EXIF rotation. Positions are (x, y) in source-image pixels;
rows and columns of units count from 0, stages, blocks and heads from 1.
"""

from .attention import AttentionFrom, AttentionTable, query_key_distances
from .explanation import Explanation
from .geometry import Geometry
from .kernels import KernelSet
from .predictions import Prediction, Predictions

__all__ = [
    "Prediction",
    "AttentionFrom",
    "AttentionTable",
    "Explanation",
    "Geometry",
    "KernelSet",
    "Predictions",
    "query_key_distances",
]
