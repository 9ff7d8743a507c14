"""The page: what stands where, and which event leads to which view. Words in captions, numbers in payload."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import wraps
from html import escape
from typing import Any

import gradio as gr

from transxnet.images import Picture, decode
from transxnet.labels import label_set
from transxnet.study import Options
from transxnet.variants import find_variant, parse_variant

from ..captions import ANY_CLASS, TAGLINE, TITLE, VIEWS
from ..cells import jpeg
from ..columns import Column, gather, variant_title
from ..examples import examples
from ..payload import answers, crosshair, progress, view
from ..studio import Studio
from . import api
from .components import Answers, Blocks, Crosshair, Display, Downloads, Panel, SafeImage, Thumbs, in_words
from .parts import SIBLINGS, pairs_of, part_buttons

MOST_VARIANTS = 3
PARTS = {  # what a study must hold for each view
    "overview": ("attention", "kernels", "grad_cam", "receptive_field"),
    "answers": (),
    "attention": ("attention",),
    "kernels": ("kernels",),
    "grad_cam": ("grad_cam",),
    "erf": ("receptive_field",),
}
SHOW_PARTS_AFTER = 0.5  # seconds after which finished columns are shown while others still work


@dataclass(frozen=True)
class Session:
    """What one visitor looks at: ids and numbers only."""

    picture: str = ""
    example: int = -1
    point: tuple[int, int] = (0, 0)
    target: str | None = None  # a WNID, so that variants with other label sets can look it up
    active: str = "overview"
    variants: tuple[str, ...] = ("pico",)


class Page:
    """Builds the Blocks (`blocks`) and answers its events."""

    def __init__(self, studio: Studio, default: str = "pico"):
        self.studio = studio
        self.default = find_variant(default).short
        self.examples = examples()
        self.names = list(dict.fromkeys([*studio.names(), self.default]))
        with Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as self.blocks:
            self._header()
            self.session = gr.State(Session(variants=(self.default,)))
            with gr.Row(elem_id="lens", equal_height=False):
                with gr.Column(elem_id="side", scale=1, min_width=300):
                    self._side()
                with gr.Column(elem_id="main", scale=3, min_width=320):
                    self._views()
            self._wire()
            api.add_endpoints(studio)

    # ---- layout -----------------------------------------------------------------------------------------

    def _header(self) -> None:
        device = {"cuda": "GPU", "mps": "Apple GPU"}.get(self.studio.device.type, "CPU")
        where = self.studio.availability(self.default)
        source = where.value if where.ready else "is downloaded first"
        hub = f'<span class="chip">Weights from <b>hf-hub:{escape(str(self.studio.namespace))}</b></span>'
        gr.HTML(
            f'<header class="lens-top"><h1>{TITLE}</h1><p>{TAGLINE}</p>'
            f'<span class="chip"><b>{self.default}</b> {source}</span>{hub if self.studio.namespace else ""}'
            f'<span class="chip"><b>{device}</b></span></header>',
            js_on_load=None,
        )

    def _side(self) -> None:
        self.crosshair = Crosshair(elem_id="crosshair")
        thumbs = [{"src": jpeg(_thumb(e.path)), "label": e.label} for e in self.examples]
        self.thumbs = Thumbs({"items": thumbs, "chosen": 0}, elem_id="thumbs")
        self.upload = SafeImage(
            label="Your picture", sources=["upload", "clipboard", "webcam"], elem_id="upload", height=84,
            show_label=False, placeholder="Drop, paste or take a picture", buttons=[],
        )  # fmt: skip
        _label(f"Compare up to {_words(MOST_VARIANTS)}", "\u2193 is downloaded first")
        self.variants = gr.CheckboxGroup(
            self._chips(), value=[self.default], label="Variants to compare", elem_id="variants", elem_classes="chips",
            container=False,
        )  # fmt: skip
        self.offer = gr.Button("", visible=False, size="sm", elem_id="offer")
        pairs = pairs_of(self.names)
        if pairs:
            _label("What changes without…")
        self.parts = part_buttons(pairs)
        _label("Explain this answer")
        self.answers = Answers({"answers": [], "chosen": -1, "note": ""}, elem_id="answers")
        self.other = gr.Dropdown(
            [(ANY_CLASS, ""), *_classes(self.default)], value="", label="Explain any class", elem_id="other",
            filterable=True, container=False,
        )  # fmt: skip
        _label("Look from", "Grad-CAM keeps a stage of its own")
        self.stage = gr.Radio(
            [(f"stage {i}", i) for i in (1, 2, 3, 4)], value=3, label="Stage", elem_id="stage",
            elem_classes="segments", container=False,
        )  # fmt: skip

    def _views(self) -> None:
        self.panels: dict[str, Panel] = {}
        self.tabs: dict[str, gr.Tab] = {}
        Display()
        self.downloads = Downloads({}, elem_id="downloads")
        with gr.Tabs(elem_id="views"):
            for name, title in VIEWS.items():
                with gr.Tab(title, id=name, elem_id=f"tab-{name}") as self.tabs[name]:
                    self._controls(name)
                    self.panels[name] = Panel(elem_id=f"panel-{name}")

    def _controls(self, name: str) -> None:
        options: dict[str, Any] = {"elem_classes": "segments", "container": False}
        if name in ("attention", "kernels"):
            with gr.Row(elem_classes="controls"):
                _label("Block")
                block = gr.Radio([("last", 0)], value=0, label="Block", elem_id=f"block-{name}", **options)
                setattr(self, f"{name}_block", block)
        if name == "attention":
            with gr.Row(elem_classes="controls"):
                _label("Head")
                self.head = gr.Radio([("mean", 0), ("1", 1)], value=0, label="Head", elem_id="head", **options)
        if name == "grad_cam":
            with gr.Row(elem_classes="controls"):
                _label("Its own stage")
                stages = [(f"stage {i}", i) for i in (1, 2, 3, 4)]
                self.cam_stage = gr.Radio(stages, value=4, label="Grad-CAM's own stage", elem_id="cam-stage", **options)

    def _chips(self, chosen: Collection[str] = ()) -> list[tuple[str, str]]:
        """Every variant to choose, always in the same order, with an arrow where it would be downloaded first.

        The siblings have buttons of their own (parts.py), so they are here only while they are chosen.
        """
        names = [name for name in self.names if name not in SIBLINGS or name in {*chosen, self.default}]
        return [(variant_title(name) + ("" if self.studio.ready(name) else " \u2193"), name) for name in names]

    # ---- wiring -----------------------------------------------------------------------------------------

    def _wire(self) -> None:
        self.inputs = [
            self.session, self.variants, self.stage, self.cam_stage, self.attention_block, self.kernels_block,
            self.head,
        ]  # fmt: skip
        self.outputs = [
            self.session, self.variants, self.crosshair, self.thumbs, self.answers, self.other, self.attention_block,
            self.kernels_block, self.head, self.upload, self.offer, self.downloads,
            *self.panels.values(),
        ]  # fmt: skip
        quiet: dict[str, Any] = {
            "outputs": self.outputs, "api_visibility": "private", "show_progress": "hidden", "concurrency_limit": 16,
            "trigger_mode": "multiple",  # the default drops what is clicked while the last click is still answered
        }  # fmt: skip
        for event, handler, extra in (
            (self.blocks.load, self.opened, []),
            (self.upload.input, self.uploaded, [self.upload]),
            (self.thumbs.select, self.example_chosen, []),
            (self.crosshair.select, self.moved, []),
            (self.answers.select, self.answer_chosen, []),
            (self.other.input, self.class_chosen, [self.other]),
            (self.variants.input, self.variants_chosen, []),
            (self.offer.click, self.offered, []),
            *((button.click, self._without(pair), []) for button, pair in self.parts.items()),
            *((panel.select, self.moved, []) for panel in self.panels.values()),
            *((control.input, self.refresh, []) for control in self.inputs[2:]),
            *((tab.select, self.tab_chosen, []) for tab in self.tabs.values()),
        ):
            answered = event(_in_words(handler), [*self.inputs, *extra], **quiet)
            if event == self.upload.input:  # what could not be read must not stay there as a broken picture
                answered.failure(lambda: None, None, self.upload, api_visibility="private", show_progress="hidden")
        self._offer_tiny()

    def _offer_tiny(self) -> None:
        """T loads in the background; once it is there the page offers it as a second column."""
        if self.default == "t":
            return
        timer = gr.Timer(2.0)

        def look(chosen: list[str]) -> tuple[Any, Any, Any]:
            entry = self.studio.loading("t")
            if not entry.done.is_set():
                return gr.skip(), gr.skip(), gr.skip()
            useful = entry.loaded is not None and "t" not in chosen
            text = "T is loaded: compare it"
            return gr.Button(text, visible=useful), gr.Timer(active=False), gr.CheckboxGroup(self._chips(chosen))

        timer.tick(
            look, self.variants, [self.offer, timer, self.variants], api_visibility="private",
            show_progress="hidden", queue=False,
        )  # fmt: skip

    # ---- events: each changes the session, then refreshes -----------------------------------------------

    # Gradio hands over its event and request by position, so they stand first

    def opened(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        yield from self._show_example(0, session, controls, request)

    def example_chosen(
        self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any
    ) -> Iterator[dict]:
        yield from self._show_example(int(event.index), session, controls, request)

    def uploaded(self, request: gr.Request, session: Session, *controls_and_picture: Any) -> Iterator[dict]:
        *controls, picture = controls_and_picture
        if picture is None:
            yield self._nothing()
            return
        yield from self._show_picture(picture, -1, session, controls, request)

    def moved(self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        width, height = self.studio.picture(session.picture).size
        point = min(max(int(event.x), 0), width - 1), min(max(int(event.y), 0), height - 1)
        yield from self.refresh(request, replace(session, point=point), *controls)

    def answer_chosen(
        self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any
    ) -> Iterator[dict]:
        yield from self.refresh(request, replace(session, target=str(event.wnid)), *controls)

    def class_chosen(self, request: gr.Request, session: Session, *controls_and_class: Any) -> Iterator[dict]:
        *controls, wnid = controls_and_class
        yield from self.refresh(request, replace(session, target=wnid or None), *controls)

    def tab_chosen(self, event: gr.SelectData, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        name = next((key for key, title in VIEWS.items() if title == event.value), session.active)
        yield from self.refresh(request, replace(session, active=name), *controls)

    def variants_chosen(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        chosen, *rest = controls
        yield from self._with_variants(list(chosen), session, rest, request)

    def offered(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        yield from self._with_variants([*session.variants, "t"], session, controls[1:], request)

    def _without(self, pair: tuple[str, str]) -> Callable[..., Iterator[dict]]:
        def handler(request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
            yield from self._with_variants(list(pair), session, controls[1:], request)

        return handler

    def _with_variants(self, chosen: list[str], session: Session, rest: Any, request: gr.Request) -> Iterator[dict]:
        kept = [name for name in session.variants if name in chosen]  # the order in which they were chosen
        added = [name for name in chosen if name not in kept]
        names = [*kept, *added][-MOST_VARIANTS:] or [session.variants[0]]
        for name in added:
            self.studio.loading(name, retry=True)
        updates: dict = {self.variants: gr.CheckboxGroup(self._chips(names), value=names)}
        if "t" in names:
            updates[self.offer] = gr.Button(visible=False)  # taken up
        if parse_variant(names[0])[0].label_set != parse_variant(session.variants[0])[0].label_set:
            updates[self.other] = gr.Dropdown([(ANY_CLASS, ""), *_classes(names[0])], value="")
        session = replace(session, variants=tuple(names))
        yield from self.refresh(request, session, names, *rest, updates=updates)

    def _show_example(self, index: int, session: Session, controls: Any, request: gr.Request) -> Iterator[dict]:
        picture = decode(self.examples[index].path, name=self.examples[index].label)
        yield from self._show_picture(picture, index, session, controls, request)

    def _show_picture(
        self, picture: Picture, example: int, session: Session, controls: Any, request: gr.Request
    ) -> Iterator[dict]:
        key = self.studio.add(picture)
        width, height = picture.size
        point = ((width - 1) // 2, (height - 1) // 2)
        session = replace(session, picture=key, example=example, point=point, target=None)
        items = {"items": self.thumbs.value["items"], "chosen": example}
        updates = {self.thumbs: items, self.upload: None, self.other: ""}
        yield from self.refresh(request, session, *controls, updates=updates)

    # ---- the one way from a session to what is shown ------------------------------------------------------

    def refresh(
        self, request: gr.Request, session: Session, variants: list[str], stage: int, cam_stage: int,
        attention_block: int, kernels_block: int, head: int, updates: dict | None = None,
    ) -> Iterator[dict]:  # fmt: skip
        """Show the active view of every chosen variant: what is there at once, the rest as it comes.

        While weights are on their way only `downloads` changes: what is shown can be looked at and clicked.
        """
        if not session.picture:  # an event before the page has opened
            yield self._nothing()
            return
        newest = self.studio.begin(request.session_hash or "")
        block, blocks = self._blocks(session, stage, {"attention": attention_block, "kernels": kernels_block})
        head, heads = self._heads(session, stage, head)
        updates = {self.session: session, **blocks, **heads, **(updates or {})}
        options = Options(
            stage=stage, block=block, point=session.point, target=session.target, cam_stage=cam_stage,
            only=PARTS[session.active],
        )  # fmt: skip
        shown, before, waited = 0.0, -1, False
        for columns in gather(self.studio, session.picture, session.variants, options, newest):
            finished = sum(column.finished for column in columns)
            if not newest():
                break
            if finished == len(columns) or (finished != before and time.perf_counter() - shown > SHOW_PARTS_AFTER):
                if waited and self.variants not in updates:  # somebody's weights have arrived: no arrow any more
                    updates[self.variants] = gr.CheckboxGroup(self._chips(session.variants))
                yield {**updates, **self._shown(session, columns, head), self.downloads: progress(columns)}
                updates, shown, before = {}, time.perf_counter(), finished
            elif before >= 0:  # the maps stay as they are, only the bars move
                yield {self.downloads: progress(columns)}
            waited = waited or any(column.arrival for column in columns)
        if not newest():
            yield self._nothing()  # overtaken: Gradio sends a generator's last values again, so let them be none

    def _nothing(self) -> dict:
        """Leave everything as it is. A generator that yields nothing at all would set every output to null."""
        return {self.crosshair: gr.skip()}

    def _shown(self, session: Session, columns: list[Column], head: int) -> dict:
        picture = self.studio.picture(session.picture)
        return {
            self.crosshair: crosshair(picture, session.point, columns),
            self.answers: answers(columns),
            self.panels[session.active]: view(session.active, columns, picture, head),
        }

    def _blocks(self, session: Session, stage: int, chosen: dict[str, int]) -> tuple[int, dict]:
        """Blocks to choose from: those that every chosen variant has at this stage."""
        depth = min(parse_variant(name)[0].depths[stage - 1] for name in session.variants)
        choices = [(str(i), i) for i in range(1, depth + 1)] + [("last", 0)]
        block = chosen.get(session.active, 0)
        block = block if block <= depth else 0
        radio = {"attention": self.attention_block, "kernels": self.kernels_block}.get(session.active)
        return block, ({radio: gr.Radio(choices, value=block)} if radio else {})

    def _heads(self, session: Session, stage: int, head: int) -> tuple[int, dict]:
        specs = [parse_variant(name)[0] for name in session.variants]
        most = max((spec.heads[stage - 1] for spec in specs if spec.osra), default=0)
        head = head if head <= most else 0
        choices = [("mean", 0), *((str(i), i) for i in range(1, most + 1))]
        return head, ({self.head: gr.Radio(choices, value=head)} if session.active == "attention" else {})


def _in_words(handler: Callable[..., Iterator[dict]]) -> Callable[..., Iterator[dict]]:
    @wraps(handler)
    def answer(*args: Any) -> Iterator[dict]:
        with in_words():
            yield from handler(*args)

    return answer


def _label(text: str, hint: str = "") -> None:
    gr.HTML(f'<h2 class="lens-label">{text}<span>{hint}</span></h2>', js_on_load=None)


def _classes(variant: str) -> list[tuple[str, str]]:
    labels = label_set(parse_variant(variant)[0].label_set)
    return sorted(zip(labels.words, labels.wnids, strict=True))


def _thumb(path: Any) -> Any:
    rgb = decode(path).rgb
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    step = max(1, side // 128)
    return rgb[top : top + side : step, left : left + side : step]


def _words(n: int) -> str:
    return {2: "two", 3: "three", 4: "four"}.get(n, str(n))
