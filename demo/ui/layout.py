"""The page's components and where they are. What a visitor does with one changes the view state in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from ..controls import MODELS_WITHOUT, classes_of
from ..i18n.translate import in_every_locale, tr, tr_group, tr_message
from ..renderer import Renderer
from ..state import MAX_MODELS, TABS
from ..views import VIEWS
from .components import Mounted, SafeImage
from .language import Translations, chooser

OWN_MODEL_COMMAND = "python app.py --model NAME=FILE --class-names NAME=names.txt"
BACKBONE_EXAMPLES = "convnext_tiny, resnet50@untrained, …"
PAPER = "https://arxiv.org/abs/2310.19380"
CODE = "https://github.com/LMMMEng/TransXNet"
BIBTEX = """@article{lou2025transxnet,
  title   = {TransXNet: Learning Both Global and Local Dynamics with a Dual Dynamic Token Mixer for Visual Recognition},
  author  = {Lou, Meng and Zhang, Shu and Zhou, Hong-Yu and Yang, Sibei and Wu, Chuan and Yu, Yizhou},
  journal = {IEEE Transactions on Neural Networks and Learning Systems},
  year    = {2025}
}"""
_BIBTEX_HTML = BIBTEX.replace("{", "&#123;").replace("}", "&#125;")  # Gradio's translation marker ends at a brace
SEGMENTS: dict[str, Any] = {"elem_classes": "segments", "container": False}


def _texts(prefix: str) -> dict[str, Mapping[str, str]]:
    """The text of a widget by locale."""
    return in_every_locale(lambda: tr_group(prefix))


def _own_model_help() -> str:
    """How to open the page with a checkpoint of the reader's own."""
    return (
        f"<details><summary>{tr('own_model.title')}</summary><p>{tr('own_model.text')}</p>"
        f"<code>{escape(OWN_MODEL_COMMAND)}</code><p>{tr('own_model.more')}</p></details>"
    )


def _links() -> str:
    """The paper, its authors' code, and the BibTeX entry with a button that copies it (js/widgets/header.js)."""
    links = "".join(
        f'<a href="{href}" target="_blank" rel="noreferrer">{tr(key)}</a>'
        for key, href in (("page.paper", PAPER), ("page.code", CODE))
    )
    copied, selected = escape(tr("page.cite_copied")), escape(tr("page.cite_selected"))
    button = f'<button type="button" data-copied="{copied}" data-selected="{selected}">{tr("page.cite_copy")}</button>'
    return (
        f'<nav aria-label="{escape(tr("page.paper_links"))}">{links}<details class="lens-cite">'
        f'<summary>{tr("page.cite")}</summary><div><pre tabindex="0">{_BIBTEX_HTML}</pre>{button}'
        '<span role="status"></span></div></details></nav>'
    )


class Layout:
    """Makes the components inside the Blocks that is being built.

    Attributes:
        controls: Gradio's own controls by the field of the view state that each sets, or by its name.
    """

    def __init__(self, renderer: Renderer):
        self.renderer = renderer
        self.service = renderer.service
        self.translations = Translations()
        self.controls: dict[str, Any] = {}
        self.without: dict[gr.Button, tuple[str, str]] = {}  # button -> the two models that it shows
        self._header()
        with gr.Row(elem_id="models"):
            self._models()
        with gr.Row(elem_id="lens", equal_height=False):
            with gr.Column(elem_id="side", scale=1, min_width=300):
                self._side()
            with gr.Column(elem_id="main", scale=3, min_width=320):
                self._tabs()

    def _header(self) -> None:
        device = {"cuda": "GPU", "mps": "Apple GPU", "xpu": "Intel GPU", "npu": "NPU"}.get(
            self.service.device.type, "CPU"
        )
        default = self.renderer.default_model
        availability = self.service.availability(default)
        namespace = f"<b>hf-hub:{escape(str(self.service.namespace))}</b>"

        def header() -> str:
            source = tr_message(availability.value) if availability.ready else tr("page.downloaded_first")
            hub = f'<span class="chip">{tr("page.weights_from", where=namespace)}</span>'
            return (
                f'<header class="lens-top"><a class="lens-skip" href="#views">{tr("page.skip")}</a>'
                f"<h1>{tr('page.title')}</h1><p>{tr('page.tagline')}</p>"
                f'<span class="weights"><span class="chip"><b>{default}</b> {source}</span></span>'
                f"{hub if self.service.namespace else ''}{_links()}"
                f'<span class="chip"><b>{device}</b></span>{chooser()}</header>'
            )

        gr.HTML(self.translations.marker(header), js_on_load=None)
        Mounted("connection", _texts("offline."))
        Mounted("terms", _texts("terms."), visible="hidden")

    # ---- side -----------------------------------------------------------------------------------------------------

    def _side(self) -> None:
        Mounted("crosshair", elem_id="crosshair")
        image_inputs = in_every_locale(lambda: tr_group("live.") | tr_group("images_in."))  # both open the camera
        with gr.Column(elem_id="images", min_width=0):
            Mounted("thumbnails", in_every_locale(self.renderer.thumbnails.items), elem_id="thumbs")
            Mounted("image_inputs", image_inputs, elem_id="image-inputs")
        self.controls["upload"] = SafeImage(
            label=self.translations("page.your_image"), sources=["upload"], elem_id="upload", visible="hidden"
        )
        self.uploaded = gr.JSON(visible="hidden", elem_id="uploaded")
        with gr.Column(elem_id="classes", min_width=0):
            self._heading("page.explain")
            Mounted("predictions", {"predictions": [], "note": ""}, elem_id="predictions")
        Mounted("settings_fold", _texts("settings."), elem_id="settings-fold")
        with gr.Column(elem_id="settings", min_width=0):
            self.controls["target"] = gr.Dropdown(
                [(self.translations("page.any_class"), ""), *map(tuple, classes_of(self.renderer.default_model))],
                value="", label=self.translations("page.explain_any"), elem_id="other", filterable=True,
                container=False,
            )  # fmt: skip
            self._layer()
            Mounted("image_size", _texts("image_size."), elem_id="image-size")

    def _layer(self) -> None:
        self._heading("page.layer", "page.layer_hint")
        self.controls["stage"] = gr.Radio(
            self._stages(), value=3, label=self.translations("page.stage"), elem_id="stage", **SEGMENTS
        )
        self.controls["block"] = gr.Radio(
            [(self.translations("page.last_block"), 0)],
            value=0,
            label=self.translations("page.block"),
            elem_id="block",
            **SEGMENTS,
        )

    def _models(self) -> None:
        self._heading("page.models_heading", "page.models_hint", number=str(MAX_MODELS))
        default = self.renderer.default_model
        self.controls["models"] = gr.CheckboxGroup(
            [(title, name) for title, name in self.renderer.controls.model_choices((default,))], value=[default],
            label=self.translations("page.models"), elem_id="variants", elem_classes="chips", container=False,
        )  # fmt: skip
        self.controls["offer"] = gr.Button("", visible=False, size="sm", elem_id="offer")
        names, backbones = self.renderer.model_names, self.service.backbones
        with gr.Accordion(self.translations("page.more"), open=False, elem_id="more"):
            pairs = {part: pair for part, pair in MODELS_WITHOUT.items() if set(pair) <= set(names)}
            if pairs:
                self._heading("page.without")
            with gr.Row(elem_id="parts"):
                for part, pair in pairs.items():
                    label = self.translations.of_group("page.without_", part)
                    self.without[gr.Button(label, size="sm", elem_classes="part", min_width=60)] = pair
            if backbones.offered:
                self._heading("page.add_backbone", "page.add_backbone_hint")
            self.controls["backbone"] = gr.Textbox(
                "", label=self.translations("page.add_backbone_label"), elem_id="backbone", max_lines=1,
                container=False, visible=backbones.offered,
                placeholder=BACKBONE_EXAMPLES if backbones.policy == "any" else ", ".join(backbones.listed),
            )  # fmt: skip
            gr.HTML(self.translations.marker(_own_model_help), elem_id="own-model", js_on_load=None)

    # ---- tabs -----------------------------------------------------------------------------------------------------

    def _tabs(self) -> None:
        Mounted("tour", elem_id="tour-bar")
        with gr.Row(elem_id="toolbar"):  # js/widgets/tabs.js puts it between the tabs and their panels
            Mounted("display", _texts("display."), elem_id="display")
            Mounted("link", _texts("link."), elem_id="link")
            Mounted("exports", _texts("downloads."), elem_id="exports")
            Mounted("presentation", _texts("presentation."), elem_id="presentation")
            Mounted("gradio_controls", _texts("gradio_controls."))
            Mounted("full_screen", in_every_locale(lambda: tr_group("downloads.") | tr_group("full_screen.")))
        Mounted("progress", elem_id="downloads")
        Mounted("notes", _texts("link."), elem_id="note")
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            for name in TABS:
                with gr.Tab(self.translations.of_group("tabs.", name), id=name, elem_id=f"tab-{name}"):
                    self._tab_controls(name)
                    if name == "overview":
                        Mounted("hero", _texts("hero."), elem_id="hero")
                    Mounted("panel", {"tab": name}, elem_id=f"panel-{name}")
                    if VIEWS[name].figures:
                        Mounted("figures", {"tab": name}, elem_id=f"figures-{name}")

    def _tab_controls(self, tab: str) -> None:
        if tab == "grad_cam":
            with gr.Row(elem_classes="controls"):
                self._heading("page.cam_layer")
                label = self.translations("page.cam_layer")
                self.controls["cam_layer"] = gr.Radio(
                    self._stages(), value=4, label=label, elem_id="cam-stage", **SEGMENTS
                )
                self.controls["slow_methods"] = self._switch("page.slower", "slower")
        if tab == "erf":
            visible = bool(self.renderer.backbones)
            self.controls["other_backbones"] = self._switch("page.other_backbones", "beside", visible)
        if VIEWS[tab].needs_reference:
            with gr.Row(elem_classes="controls"):
                self._heading("page.reference_image", "page.reference_image_hint")
                Mounted("reference", {"tab": tab}, elem_id=f"other-{tab}")

    def _switch(self, key: str, elem_id: str, visible: bool = True) -> gr.Checkbox:
        """A switch that looks like the chips of models."""
        return gr.Checkbox(
            False, label=self.translations(key), elem_id=elem_id, container=False, elem_classes="chips chip-box",
            visible=visible,
        )  # fmt: skip

    def _heading(self, key: str, hint: str = "", number: str = "") -> None:
        """A heading with a hint next to it. number: names the word that fills its placeholder."""

        def heading() -> str:
            text = tr(key, number=tr_group("page.number_")[number]) if number else tr(key)
            return f'<h2 class="lens-label">{text}<span>{tr(hint) if hint else ""}</span></h2>'

        gr.HTML(self.translations.marker(heading), js_on_load=None)

    def _stages(self) -> list[tuple[Any, int]]:
        return [(self.translations("page.stage_number", stage=i), i) for i in (1, 2, 3, 4)]
