"""The parameters of the named endpoints; those that are options of the page derive from ViewState (demo/state.py).

    PARAMETERS["stage"].validate(9)  # InvalidValue: stage must be one of 1, 2, 3, 4, not 9.

Endpoints (demo/ui/api.py) attach them to their components, and demo/ui/components.py validates whatever is sent to a
component before Gradio looks at it. Nothing here imports gradio.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from transxnet.explain.ablation.catalog import parse_ablations
from transxnet.explain.ablation.masking import parse_mask
from transxnet.explain.attribution.cam_layers import parse_cam_layers
from transxnet.study import FIGURE_ANALYSES

from .exports import TYPES, WITHOUT_MAPS
from .state import MAX_COORDINATE, MAX_MASK, MAX_NAME, MAX_QUERY_VALUE, TABS, ViewState
from .validation import Parameter
from .views.compare import MAPS

ANALYSES = {"attention": tuple(MAPS), "erf_pathways": FIGURE_ANALYSES}  # default of `analysis` -> its choices
STAGES = {str(stage): stage for stage in range(1, 5)}
Stage = Annotated[Literal[1, 2, 3, 4], BeforeValidator(lambda value: STAGES.get(str(value)))]  # also as text
Coordinate = Annotated[float, Field(ge=-1, le=MAX_COORDINATE)]  # in pixels of the upright image; -1 is the center


def split(value: str) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b")."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _text(most: int) -> Any:
    return Annotated[str, Field(max_length=most)]


def _as_text(value: Any) -> Any:
    """A short integer as text: a class by its index."""
    return str(value) if type(value) is int and abs(value) < 10**9 else value


Target = Annotated[
    str, Field(max_length=200, json_schema_extra={"expected": "parameters.text_or_number"}), BeforeValidator(_as_text)
]


Layer = Annotated[str, Field(max_length=MAX_QUERY_VALUE), BeforeValidator(_as_text)]  # a stage also as a number


def _check_mask(value: str) -> None:
    if value.strip():
        parse_mask(value.strip())


def _option(name: str) -> Parameter:
    """A parameter that is an option of the page: of the same type and bounds, with the same default."""
    option = ViewState.model_fields[name]
    return Parameter(name, Annotated[option.annotation, option], option.default)


def parameter_of(name: str, default: Any = None) -> Parameter:
    """The definition of an endpoint's parameter. default: the endpoint's own; those of `analysis` differ in choices."""
    if name == "analysis":
        return Parameter(name, Literal[ANALYSES[default]], default)
    return PARAMETERS[name] if default is None else replace(PARAMETERS[name], default=default)


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("image", dict | None),
        Parameter("reference", dict | None),
        Parameter("model", _text(MAX_NAME), "pico"),
        Parameter("models", _text(MAX_QUERY_VALUE), "pico"),
        Parameter("top", Annotated[int, Field(ge=1, le=1000)], 5),
        Parameter("autocast", bool, False),
        Parameter("stage", Stage, ViewState().stage),
        Parameter("cam_layer", Layer, "4", check=lambda value: value and parse_cam_layers(value)),
        Parameter("head", Annotated[int, Field(ge=0, le=99)], 0),  # from 1; 0 is the mean
        Parameter("x", Coordinate, -1),
        Parameter("y", Coordinate, -1),
        Parameter("target", Target, ""),
        Parameter("full_cascade", bool, False),
        Parameter("ablations", _text(2000), "", check=lambda value: parse_ablations(split(value))),
        Parameter("mask", _text(MAX_MASK), "", check=_check_mask),
        Parameter("tab", Literal[tuple(name for name in TABS if name not in WITHOUT_MAPS)], "attention"),
        Parameter("format", Literal[tuple(TYPES)], "png"),
        *map(
            _option,
            (
                "block",
                "image_size",
                "fill",
                "direction",
                "colormap",
                "diverging",
                "opacity",
                "gamma",
                "threshold",
                "scale",
            ),
        ),
    )
}
