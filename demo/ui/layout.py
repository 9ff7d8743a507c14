"""The page's components: what stands where. What they do is page.py's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape
from typing import Any

import gradio as gr

from transxnet.backbones.spec import spec_of
from transxnet.images import SourceImage, decode
from transxnet.labels import label_set
from transxnet.variants import find_variant

from ..cells import jpeg
from ..columns import variant_title
from ..downloads import downloads
from ..examples import examples
from ..i18n.tabs import TABS
from ..i18n.translate import tr, tr_message
from ..links import MOST_VARIANTS, canonical
from ..parameters import CONTROLS
from ..studio import Studio
from ..wanted import BESIDE, WANTED
from .components import (
    Answers,
    Chips,
    ClassChoice,
    Crosshair,
    Display,
    Downloads,
    Exports,
    Figures,
    Link,
    Note,
    Offline,
    Panel,
    SafeImage,
    Segments,
    Settings,
    Thumbs,
    Tour,
    ViewChoice,
)
from .language import Words, chooser
from .parts import SIBLINGS, pairs_of, part_buttons

BACKBONE_EXAMPLES = "convnext_tiny, resnet50@untrained, …"
NUMBERS = {2: "page.number_2", 3: "page.number_3", 4: "page.number_4"}


class Layout:
    """Makes the components, as attributes, inside the Blocks that is being built.

    beside: the backbones that one click sets beside the variants' receptive fields.
    """

    def __init__(self, studio: Studio, default: str = "pico", beside: Sequence[str] = BESIDE):
        self.studio = studio
        self.default = find_variant(default).short
        self.beside_names = tuple(canonical(name) for name in beside) if studio.backbones.policy != "none" else ()
        self.examples = examples()
        self.names = list(dict.fromkeys([*studio.names(), self.default]))
        self.words = Words()

    def _build(self) -> None:
        self._header()
        with gr.Row(elem_id="lens", equal_height=False):
            with gr.Column(elem_id="side", scale=1, min_width=300):
                self._side()
            with gr.Column(elem_id="main", scale=3, min_width=320):
                self._views()
        for name, parameter in CONTROLS.items():
            getattr(self, name).parameter = parameter

    def _header(self) -> None:
        device = {"cuda": "GPU", "mps": "Apple GPU"}.get(self.studio.device.type, "CPU")
        where = self.studio.availability(self.default)
        namespace = f"<b>hf-hub:{escape(str(self.studio.namespace))}</b>"

        def header() -> str:
            source = tr_message(where.value) if where.ready else tr("page.downloaded_first")
            hub = f'<span class="chip">{tr("page.weights_from", where=namespace)}</span>'
            return (
                f'<header class="lens-top"><a class="lens-skip" href="#views">{tr("page.skip")}</a>'
                f"<h1>{tr('page.title')}</h1><p>{tr('page.tagline')}</p>"
                f'<span class="weights"><span class="chip"><b>{self.default}</b> {source}</span></span>'
                f"{hub if self.studio.namespace else ''}"
                f'<span class="chip"><b>{device}</b></span>{chooser()}</header>'
            )

        gr.HTML(self.words.made(header), js_on_load=None)
        Offline()

    def _side(self) -> None:
        self._choose_image()
        self._choose_answer()
        Settings()
        with gr.Column(elem_id="settings", min_width=0):
            self._choose_any_answer()
            self._choose_unit()
            self._choose_variants()

    def _choose_image(self) -> None:
        self.crosshair = Crosshair(elem_id="crosshair")
        self.thumb_images = [jpeg(_thumb(decode(e.path))) for e in self.examples]
        self.thumbs = Thumbs(self._thumbs(0), elem_id="thumbs")
        self.upload = SafeImage(
            label=self.words("page.your_image"), sources=["upload", "clipboard", "webcam"], elem_id="upload",
            height=44, show_label=False, placeholder=self.words("page.drop"), buttons=[],
        )  # fmt: skip

    def _choose_unit(self) -> None:
        """Stage and block, shared by all views but Grad-CAM."""
        options: dict[str, Any] = {"elem_classes": "segments", "container": False}
        self._label("page.layer", "page.layer_hint")
        self.stage = gr.Radio(self._stages(), value=3, label=self.words("page.stage"), elem_id="stage", **options)
        self.block = Segments(
            [(self.words("page.last_block"), 0)], value=0, label=self.words("page.block"), elem_id="block", **options
        )

    def _choose_variants(self) -> None:
        self._label("page.models_heading", "page.models_hint", number=NUMBERS[MOST_VARIANTS])
        self.variants = Chips(
            self._chips(), value=[self.default], label=self.words("page.models"), elem_id="variants",
            elem_classes="chips", container=False,
        )  # fmt: skip
        self.offer = gr.Button("", visible=False, size="sm", elem_id="offer")
        with gr.Accordion(self.words("page.more"), open=False, elem_id="more"):
            pairs = pairs_of(self.names)
            if pairs:
                self._label("page.without")
            self.parts = part_buttons(pairs, self.words)
            backbones = self.studio.backbones
            if backbones.offered:
                self._label("page.add_backbone", "page.add_backbone_hint")
            self.backbone = gr.Textbox(
                "", label=self.words("page.add_backbone_label"), elem_id="backbone", max_lines=1, container=False,
                placeholder=BACKBONE_EXAMPLES if backbones.policy == "any" else ", ".join(backbones.listed),
                visible=backbones.offered,
            )  # fmt: skip

    def _choose_answer(self) -> None:
        self._label("page.explain")
        self.answers = Answers({"answers": [], "chosen": -1, "note": ""}, elem_id="answers")

    def _choose_any_answer(self) -> None:
        self.other = ClassChoice(
            [(self.words("page.predicted_class"), ""), *classes_of(self.default)], value="",
            label=self.words("page.explain_any"), elem_id="other", filterable=True, container=False,
        )  # fmt: skip

    def _views(self) -> None:
        self.panels: dict[str, Panel] = {}
        self.figures: dict[str, Figures] = {}
        self.others: dict[str, Thumbs] = {}
        self.tour = Tour({}, elem_id="tour-bar")
        with gr.Row(elem_id="toolbar"):  # tabs.js sets it between the tabs and their views
            Display()
            self.link = Link({}, elem_id="link")
            self.exports = Exports(downloads(), elem_id="exports")
        self.downloads = Downloads({}, elem_id="downloads")
        self.note = Note({}, elem_id="note")
        self.view_choice = ViewChoice({}, elem_id="view-choice")
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            for name, title in TABS.items():
                with gr.Tab(self.words(title), id=name, elem_id=f"tab-{name}"):
                    self._controls(name)
                    self.panels[name] = Panel(elem_id=f"panel-{name}")
                    if WANTED[name].figures:
                        self.figures[name] = Figures(elem_id=f"figures-{name}")

    def _controls(self, name: str) -> None:
        options: dict[str, Any] = {"elem_classes": "segments", "container": False}
        if name == "grad_cam":
            with gr.Row(elem_classes="controls"):
                self._label("page.cam_layer")
                label = self.words("page.cam_layer")
                self.cam_layer = gr.Radio(self._stages(), value=4, label=label, elem_id="cam-stage", **options)
                self.slower = _chip(self.words("page.slower"), "slower")
        if name == "erf":
            self.beside = _chip(self.words("page.other_backbones"), "beside", visible=bool(self.beside_names))
        if WANTED[name].other:
            with gr.Row(elem_classes="controls"):
                self._label("page.reference_image", "page.reference_image_hint")
                self.others[name] = Thumbs(self._thumbs(1), elem_id=f"other-{name}")

    def _label(self, text: str, hint: str = "", number: str = "") -> None:
        """A heading of the side's, what it is about beside it. number: a word of its placeholder."""

        def heading() -> str:
            title = tr(text, number=tr(number)) if number else tr(text)
            return f'<h2 class="lens-label">{title}<span>{tr(hint) if hint else ""}</span></h2>'

        gr.HTML(self.words.made(heading), js_on_load=None)

    def _stages(self) -> list[tuple[Any, int]]:
        return [(self.words("page.stage_number", stage=i), i) for i in (1, 2, 3, 4)]

    def _thumbs(self, chosen: int, own: str = "") -> dict[str, Any]:
        """The examples as buttons, in the language that is being spoken. chosen: which one is pressed, -1 for none.

        own: the key of a visitor's image that stands after them.
        """
        names = [tr(example.key) for example in self.examples]
        items = [
            {"src": src, "label": name, "alt": tr("page.example", label=name)}
            for src, name in zip(self.thumb_images, names, strict=True)
        ]
        if own:
            name = tr("page.your_image")
            items.append({"src": jpeg(_thumb(self.studio.image(own))), "label": name, "alt": name})
        return {"items": items, "chosen": chosen}

    def _chips(self, chosen: Collection[str] = ()) -> list[tuple[str, str]]:
        """Every variant to choose, always in the same order, with an arrow where it would be downloaded first.

        Siblings have buttons of their own (parts.py), backbones a field and untrained ones links: they are here only
        while
        they are chosen.
        """
        names = [name for name in self.names if name not in SIBLINGS or name in {*chosen, self.default}]
        names += [name for name in chosen if name not in names]  # backbones, and what only a link asks for
        return [(variant_title(name) + ("" if self.studio.ready(name) else " \u2193"), name) for name in names]


def _chip(label: Any, elem_id: str, visible: bool = True) -> gr.Checkbox:
    """A switch that looks like the chips."""
    return gr.Checkbox(
        False, label=label, elem_id=elem_id, container=False, elem_classes="chips chip-box", visible=visible
    )  # fmt: skip


def classes_of(variant: str) -> list[tuple[str, str]]:
    labels = label_set(spec_of(variant)[0].label_set)
    return sorted(zip(labels.names, labels.wnids, strict=True))


def _thumb(image: SourceImage) -> Any:
    rgb = image.rgb
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    step = max(1, side // 128)
    return rgb[top : top + side : step, left : left + side : step]
