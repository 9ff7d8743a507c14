"""TransXNet Lens: see how TransXNet (arXiv 2310.19380) reaches its answer about one image.

`transxnet.load("pico")` (or "t", "b-384", "t@untrained", …) gives a model with its weights and where they came from.
Importing transxnet registers its variants with timm: `timm.create_model("transxnet_t", features_only=True)`.
"""

import os as _os

# OpenMP's idle threads spin for a while before they sleep. As long as by default, they fight with everything else on a
# small machine: a batch took four times as long on two busy cores; not at all, and two threads are no faster than one.
# Read once, when torch is loaded; who has set it, or has loaded torch before, keeps his own.
if "OMP_WAIT_POLICY" not in _os.environ:
    _os.environ.setdefault("GOMP_SPINCOUNT", "3000")

from . import timm_registry as _entrypoints  # noqa: F401  registers with timm
from .errors import LensError
from .model import TransXNet
from .trace import Trace
from .variants import UNTRAINED, VARIANTS, VariantSpec, find_variant, parse_variant
from .weights.load import Availability, LoadedModel, Provenance, available, load, resolve_device

__all__ = [
    "UNTRAINED",
    "VARIANTS",
    "Availability",
    "LensError",
    "LoadedModel",
    "Provenance",
    "Trace",
    "TransXNet",
    "VariantSpec",
    "available",
    "find_variant",
    "load",
    "parse_variant",
    "resolve_device",
]
