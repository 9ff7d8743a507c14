"""The parameters of the named endpoints; those that are options of the page derive from ViewState (demo/state.py).

    PARAMETERS["stage"].validate(9)  # InvalidValue: stage is one of 1, 2, 3, 4, not 9.

Endpoints (demo/ui/api.py) attach them to their components, and demo/ui/components.py validates whatever is sent to a
component before Gradio looks at it. Nothing here imports gradio.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from transxnet.explain.ablation.catalog import parse_ablations
from transxnet.explain.ablation.masking import parse_mask
from transxnet.study import FIGURE_ANALYSES

from .exports import TYPES
from .state import MAX_COORDINATE, MAX_MASK, MAX_NAME, MAX_QUERY_VALUE, TABS, ViewState
from .validation import (
    Kind,
    Parameter,
    choice,
    flag,
    image,
    number,
    text,
    text_or_number,
    whole_number,
)
from .views.compare import MAPS

ANALYSIS = "analysis"  # each endpoint has its own choices: `analysis_of`
EXPLANATIONS = {"attention": tuple(MAPS), "erf_pathways": FIGURE_ANALYSES}  # default of `analysis` -> its choices


def split(value: str) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b")."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_ablations(value: str) -> None:
    parse_ablations(split(value))


def _check_mask(value: str) -> None:
    if value.strip():
        parse_mask(value.strip())


def _declare(*parameters: Parameter) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.name: parameter for parameter in parameters})


def _option(name: str, kind: Kind, default: Any = ..., field: str = "", note: str = "") -> Parameter:
    """A parameter that is an option of the page: described, and with the default, as in ViewState."""
    option = ViewState.model_fields[field or name]
    description = f"{option.description}{note}" if option.description else note
    return Parameter(name, kind, option.default if default is ... else default, description)


def _choices(name: str) -> Kind:
    """One of the values that a field of ViewState allows."""
    return choice(*get_args(ViewState.model_fields[name].annotation))


def _bounds(name: str) -> tuple[Any, Any]:
    """The lowest and the highest value of a field of ViewState."""
    bounds = {type(limit).__name__: limit for limit in ViewState.model_fields[name].metadata}
    return bounds["Ge"].ge, bounds["Le"].le


POSITION = "query position in pixels of the upright image; -1 is the center"
PARAMETERS = _declare(
    Parameter("image", image(), None, "JPEG, PNG, WebP, GIF, BMP or AVIF"),
    Parameter("reference", image(), None, "reference image, for what compares two"),
    Parameter("model", text(MAX_NAME), "pico", "a model, a backbone as timm:NAME, or NAME@untrained"),
    Parameter("models", text(MAX_QUERY_VALUE), "pico", "up to three models, separated by commas"),
    Parameter("top", whole_number(1, 1000), 5, "number of predictions"),
    Parameter("autocast", flag(), False, "half precision on CUDA"),
    _option("stage", choice(*range(1, 5))),
    _option("cam_layer", choice(*range(1, 5))),
    _option("block", whole_number(*_bounds("block"))),
    Parameter("head", whole_number(0, 99), 0, "attention head, from 1; 0 is the mean"),
    Parameter("x", number(-1, MAX_COORDINATE), -1, f"column of the {POSITION}"),
    Parameter("y", number(-1, MAX_COORDINATE), -1, f"row of the {POSITION}"),
    Parameter("target", text_or_number(200), "", "class by name, WNID or index; empty for the model's own prediction"),
    Parameter("full_cascade", flag(), False, "run the full randomization cascade for multi-pass methods as well"),
    _option("ablations", text(2000, _check_ablations), "", note=", separated by commas"),
    _option("mask", text(MAX_MASK, _check_mask)),
    _option("fill", _choices("fill")),
    _option("tab", choice(*(name for name in TABS if name != "tour")), "attention"),
    Parameter("format", choice(*TYPES), "png", "file format"),
    _option("direction", _choices("direction")),
    _option("colormap", _choices("colormap")),
    _option("diverging", _choices("diverging")),
    _option("opacity", number(*_bounds("opacity"))),
    _option("gamma", number(*_bounds("gamma"))),
    _option("threshold", number(*_bounds("threshold"))),
    _option("scale", _choices("scale")),
)


def analysis_of(default: str) -> Parameter:
    """The parameter `analysis` of an endpoint, whose choices differ: those of which `default` is the first named."""
    return Parameter(ANALYSIS, choice(*EXPLANATIONS[default]), default, "analysis by name")
