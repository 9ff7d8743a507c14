"""TransXNet Lens: see how TransXNet (arXiv 2310.19380) reaches its answer about one image.

`transxnet.load("pico")` (or "t", "b-384", "t@untrained", …) gives a model with its weights and where they came from;
`transxnet.load("birds", "birds.pth.tar")` one of your own, `transxnet.wrap(model)` one that is in memory.
Importing transxnet registers its variants with timm: `timm.create_model("transxnet_t", features_only=True)`.
"""

import sys as _sys
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import console as _console

# A command: Python imports this package, and with it torch, before __main__.py. `python -m` has "-m" here until then.
if _sys.argv[:1] == ["-m"] or _console.is_console_script():
    _console.limit_spinning()

from . import timm_registry as _entrypoints  # noqa: F401  registers with timm
from .errors import LensError
from .in_memory import wrap
from .model import TransXNet
from .trace import Trace
from .variants import UNTRAINED, VARIANTS, VariantSpec, find_variant, parse_variant
from .weights.load import Availability, LoadedModel, Provenance, available, load, register, resolve_device

if _TYPE_CHECKING:
    from .export.notebook import show


def __getattr__(name: str) -> object:
    """`show` draws, and so needs OpenCV and Matplotlib, which the rest of these names do without."""
    if name == "show":
        from .export.notebook import show

        return show
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
    "register",
    "resolve_device",
    "show",
    "wrap",
]
