"""The page: its components, and the JavaScript that each of Gradio's own controls runs when a visitor uses it.

Only two kinds of events reach Python through Gradio: an uploaded image (`open_upload`) and the named endpoints
(api.py). All else is a change of the view state in the browser, answered by demo/page_routes.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import gradio as gr

from transxnet.images import SourceImage

from ..controls import OFFERED
from ..i18n.translate import tr
from ..renderer import Renderer
from . import api
from .components import Blocks
from .layout import Layout

STATE_CONTROLS = ("models", "stage", "block", "cam_layer", "target", "slow_methods", "other_backbones")
CONTROLS = (*STATE_CONTROLS, "offer", "upload", "backbone")  # in the order of js/core/controls.js


class Page:
    """Builds the Blocks of a renderer's page.

    Attributes:
        blocks: The page, to be launched.
        translations: Its text in every language, for Gradio's front end.
    """

    def __init__(self, renderer: Renderer):
        self.renderer = renderer
        with Blocks(title=tr("page.title"), fill_width=True, analytics_enabled=False) as self.blocks:
            layout = Layout(renderer)
            self.translations = layout.translations
            self._connect(layout)
            api.add_endpoints(renderer.service)

    def mount(self, app: Any, path: str, options: Mapping[str, Any]) -> Any:
        """Add the page to a FastAPI application, with those keyword arguments of Blocks.launch that apply to it."""
        self.blocks.state_session_capacity = options["state_session_capacity"]
        accepted = inspect.signature(gr.mount_gradio_app).parameters.keys() - {
            "server_name",
            "server_port",
            "root_path",
        }
        return gr.mount_gradio_app(
            app, self.blocks, path, **{name: options[name] for name in accepted & options.keys()}
        )

    def _connect(self, layout: Layout) -> None:
        controls = layout.controls
        for name in STATE_CONTROLS:
            _on(controls[name].input, f"(value) => {{ window.lens.control('{name}', value); }}", controls[name])
        _on(controls["offer"].click, f"() => {{ window.lens.addModel('{OFFERED}'); }}")
        _on(controls["backbone"].submit, "(name) => { window.lens.addBackbone(name); }", controls["backbone"])
        for button, pair in layout.without.items():
            _on(button.click, f"() => {{ window.lens.update({{ models: {list(pair)} }}); }}")
        apply = gr.Button(elem_id="apply-controls", visible="hidden")
        outputs = [controls[name] for name in CONTROLS]
        apply.click(fn=None, outputs=outputs, js="() => window.lens.pendingControls()", api_visibility="private")
        opened = controls["upload"].input(
            self.open_upload, controls["upload"], layout.uploaded, api_visibility="private", show_progress="hidden"
        )
        _on(opened.success, "(image) => { window.lens.uploaded(image); }", layout.uploaded)
        _on(opened.failure, "() => { window.lens.uploaded(null); }")  # what cannot be read must not stay there

    def open_upload(self, image: SourceImage | None) -> dict[str, Any] | None:
        """Keep an uploaded image. Returns the random key under which this visitor's browser asks for it."""
        return None if image is None else {"key": self.renderer.service.add_upload(image)}


def _on(event: Any, js: str, *inputs: Any) -> None:
    """Run JavaScript on an event; no request."""
    event(fn=None, inputs=list(inputs) or None, js=js, api_visibility="private")
