"""The parameters of the named endpoints, and the values of the page's components: each is declared here once.

    PARAMETERS["stage"].validate(9)  # InvalidValue: stage is one of 1, 2, 3, 4, not 9.

Endpoints (demo/ui/api.py) and the page's layout attach them to their components, and demo/ui/components.py validates
whatever is sent to a component before Gradio looks at it. Nothing here imports gradio.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from transxnet.draw.colormaps import COLORMAPS, DIVERGING, SEQUENTIAL
from transxnet.draw.scale import MODES
from transxnet.explain.ablation.catalog import parse_ablations
from transxnet.explain.ablation.masking import FILLS, parse_mask
from transxnet.study import FIGURE_ANALYSES

from .exports import TYPES
from .i18n.tabs import TABS
from .links import LONGEST, canonical
from .session import MASK_TEXT, NAME_LENGTH
from .validation import (
    Parameter,
    choice,
    flag,
    image,
    number,
    optional,
    text,
    text_or_number,
    texts,
    whole_number,
)
from .views.compare import MAPS

STAGES = (1, 2, 3, 4)
FARTHEST = 999_999  # pixels of a coordinate
PART = "part"  # an endpoint's own choice: `part_of`
EXPLANATIONS = {"attention": tuple(MAPS), "erf_pathways": FIGURE_ANALYSES}  # default of `part` -> its choices


def _colormaps(kind: str) -> tuple[str, ...]:
    return ("", *(colormap.name for colormap in COLORMAPS.values() if colormap.kind == kind))


def split(value: str) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b")."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_edits(value: str) -> None:
    parse_ablations(split(value))


def _check_mask(value: str) -> None:
    if value.strip():
        parse_mask(value.strip())


def _declare(*parameters: Parameter) -> Mapping[str, Parameter]:
    return MappingProxyType({parameter.name: parameter for parameter in parameters})


PARAMETERS = _declare(
    Parameter("image", image(), None, "JPEG, PNG, WebP, GIF, BMP or AVIF"),
    Parameter("second", image(), None, "another image, for what compares two"),
    Parameter("variant", text(NAME_LENGTH), "pico", "a variant, a backbone as timm:NAME, or NAME@untrained"),
    Parameter("variants", text(LONGEST), "pico", "up to three variants, with commas"),
    Parameter("top", whole_number(1, 1000), 5, "number of predictions"),
    Parameter("autocast", flag(), False, "half precision on CUDA"),
    Parameter("stage", choice(*STAGES), 3, "stage, from 1"),
    Parameter("cam_layer", choice(*STAGES), 4, "stage of Grad-CAM, from 1"),
    Parameter("block", whole_number(0, 99), 0, "block of the stage, from 1; 0 is the last"),
    Parameter("head", whole_number(0, 99), 0, "attention head, from 1; 0 is the mean"),
    Parameter("x", number(-1, FARTHEST), -1, "column of the point, in pixels of the upright image; -1 is the middle"),
    Parameter("y", number(-1, FARTHEST), -1, "row of the point, in pixels of the upright image; -1 is the middle"),
    Parameter("target", text_or_number(200), "", "class by name, WNID or index; empty for the model's own answer"),
    Parameter("thorough", flag(), False, "randomize layer by layer for the slow methods, too"),
    Parameter("edits", text(2000, _check_edits), "", "parts switched off, with commas"),
    Parameter("mask", text(MASK_TEXT, _check_mask), "", "region painted out, as ROWSxCOLS:BASE64"),
    Parameter("fill", choice(*FILLS), "gray", "what replaces the region"),
    Parameter("view", choice(*(name for name in TABS if name != "tour")), "attention", "tab of the page"),
    Parameter("format", choice(*TYPES), "png", "file format"),
    Parameter("direction", choice("from", "to"), "from", "attention from or to the point"),
    Parameter("colormap", choice(*_colormaps(SEQUENTIAL)), "", "color map of magnitudes; empty for each map's own"),
    Parameter("diverging", choice(*_colormaps(DIVERGING)), "", "color map of signed maps; empty for each map's own"),
    Parameter("opacity", number(0, 1), 0.85, "opacity of the map"),
    Parameter("gamma", number(0.3, 3), 1.0, "exponent of the scale"),
    Parameter("threshold", number(0, 0.95), 0.0, "share of the scale's maximum below which nothing is drawn"),
    Parameter("scale", choice(*MODES), "raw", "how values become colors"),
)

CONTROLS = _declare(  # values of the page's components, by their names in demo/ui/layout.py
    Parameter("variants", optional(texts(8, NAME_LENGTH, canonical)), description="chosen variants"),
    PARAMETERS["stage"],
    PARAMETERS["cam_layer"],
    Parameter("block", optional(whole_number(0, 99)), 0, "block of the stage, from 1; 0 is the last"),
    Parameter("slower", flag(), False, "also the maps of many passes"),
    Parameter("beside", flag(), False, "also the receptive fields of other backbones"),
    Parameter("upload", image(), None, "the visitor's image"),
    Parameter("other", optional(text(NAME_LENGTH)), "", "WNID of the class to explain"),
    Parameter("backbone", optional(text(NAME_LENGTH)), "", "name of a timm backbone"),
)

EVENTS = _declare(  # what the page's own scripts send with an event
    Parameter("x", number(-FARTHEST, FARTHEST), description="column, in pixels of the upright image"),
    Parameter("y", number(-FARTHEST, FARTHEST), description="row, in pixels of the upright image"),
    Parameter("image", optional(text(64)), description="how the key of the image begins"),
    Parameter("index", whole_number(0, 999), description="number of an example"),
    Parameter("wnid", text(NAME_LENGTH), description="class to explain"),
    Parameter("ask", choice("stop", "again"), description="what becomes of a long computation"),
    Parameter("format", choice(*TYPES), description="file format"),
    Parameter("retry", text(NAME_LENGTH, canonical), description="model to load once more"),
    Parameter("instead", texts(2, NAME_LENGTH, canonical, least=2), description="a model, and what replaces it"),
)


def part_of(default: str) -> Parameter:
    """The parameter `part` of an endpoint, whose choices differ: those of which `default` is the first named."""
    return Parameter(PART, choice(*EXPLANATIONS[default]), default, "explanation by name")
