"""Hidden components that stand for an endpoint's parameters, so that Gradio describes and checks each by its type."""

from __future__ import annotations

from typing import Any

import gradio as gr

from transxnet.draw.colormaps import COLORMAPS, DIVERGING, SEQUENTIAL
from transxnet.draw.scale import MODES
from transxnet.explain.painting import FILLS
from transxnet.study import DRAWN

from ..captions import VIEWS
from ..exports import TYPES
from ..views.compare import MAPS
from .components import SafeImage

STAGES = (1, 2, 3, 4)
CHOICES: dict[str, tuple[str | int, ...]] = {  # parameter -> what it may be; of `part` see `parameter`
    "stage": STAGES,
    "cam_stage": STAGES,
    "fill": tuple(FILLS),
    "view": tuple(name for name in VIEWS if name != "tour"),
    "format": tuple(TYPES),
    "direction": ("from", "to"),
    "scale": MODES,
    "colormap": ("", *(c.name for c in COLORMAPS.values() if c.kind == SEQUENTIAL)),
    "diverging": ("", *(c.name for c in COLORMAPS.values() if c.kind == DIVERGING)),
}
PARTS = {"attention": tuple(MAPS), "erf_parts": DRAWN}  # default of a parameter called `part` -> what it may be


class Choice(gr.Dropdown):
    """One of few values, listed where the endpoints are described. Another one is refused by who is asked, in words."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        values = [value for _, value in self.choices]
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}

    def preprocess(self, payload: Any) -> Any:
        values = [value for _, value in self.choices]
        if isinstance(values[0], int) and not str(payload).strip().isdecimal():
            known = ", ".join(map(str, values))
            raise gr.Error(f"{self.label} is one of {known}, not {str(payload)[:40]!r}.", print_exception=False)
        return payload


def parameter(name: str, value: str | bool | float | None) -> Any:
    """By the type of its default; None is a picture's."""
    choices = PARTS.get(str(value)) if name == "part" else CHOICES.get(name)
    if choices is not None:
        return Choice(list(choices), value=value, label=name, visible=False)
    if value is None:
        return SafeImage(visible=False, label=name)
    if isinstance(value, str):
        return gr.Textbox(value, label=name, visible=False)
    if isinstance(value, bool):
        return gr.Checkbox(value, label=name, visible=False)
    return gr.Number(value, label=name, precision=0 if isinstance(value, int) else None, visible=False)
