"""What explanations return and draw draws: frozen dataclasses of numpy arrays, raw values, no images.

Coordinates. A pixel's number is the place of its center. A *unit* of a stage with stride s is centerd on
view pixel s*i (definitions: not s*i + (s-1)/2, because of the paddings), OSRA's keys on 32*j. The *view* is
exactly what the model saw; the *upload* is the upright image the person gave. People's points are (x, y)
in upload pixels; rows and columns of units count from 0, stages, blocks and heads from 1.
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
