"""Hidden components that stand for an endpoint's parameters, so that Gradio describes each by its type."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ..parameters import ANALYSIS, PARAMETERS, analysis_of
from ..validation import Parameter
from .components import SafeImage


class Choice(gr.Dropdown):
    """One of few values, listed where the endpoints are described; its parameter has checked it."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        values = [value for _, value in self.choices]
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}

    def preprocess(self, payload: str | int) -> str | int:
        return payload


def parameter_of(name: str, default: Any) -> tuple[Parameter, Any]:
    """The definition of an endpoint's parameter, and its default. default: the endpoint's own, or `...`."""
    parameter = analysis_of(default) if name == ANALYSIS else PARAMETERS[name]
    return parameter, parameter.default if default is ... else default


def component_of(parameter: Parameter, default: Any) -> Any:
    """A component of the parameter's type, which Blocks.preprocess_data finds as its `parameter`."""
    options: dict[str, Any] = {"label": parameter.name, "visible": False}
    if parameter.kind.choices:
        component = Choice(list(parameter.kind.choices), value=default, **options)
    elif default is None:
        component = SafeImage(**options)
    elif isinstance(default, str):
        component = gr.Textbox(default, **options)
    elif isinstance(default, bool):
        component = gr.Checkbox(default, **options)
    else:
        component = gr.Number(default, precision=0 if isinstance(default, int) else None, **options)
    component.parameter = parameter
    return component
