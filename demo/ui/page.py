"""The page: which event leads to which view. Layout: layout.py; text: i18n/; numbers: payload.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from functools import wraps
from typing import Any

import gradio as gr

from transxnet.backbones.spec import PREFIX, is_backbone, spec_of
from transxnet.images import SourceImage, decode

from ..i18n.translate import tr
from ..links import MOST_VARIANTS, canonical, known_class
from ..session import KEY, OWN, Controls, Session, changed
from ..studio import Studio
from ..validation import Parameter, whole_number
from ..visitors import Given, Visitors, given
from ..wanted import BESIDE
from . import api
from .components import PAGE, Blocks, in_words
from .events import read, sent
from .exporting import Exporting
from .layout import classes_of

BY_HAND = [field.name for field in fields(Controls)][1:]  # the controls of Page.inputs after the variants


class Page(Exporting):
    """Builds the Blocks (`blocks`) and answers its events. beside: as Layout takes it."""

    def __init__(self, studio: Studio, default: str = "pico", beside: Sequence[str] = BESIDE):
        super().__init__(studio, default, beside)
        with Blocks(title=tr("page.title"), fill_width=True, analytics_enabled=False) as self.blocks:
            self.session = gr.State(Session(variants=(self.default,)))
            self._build()
            self._wire()
            api.add_endpoints(studio)

    # ---- wiring -----------------------------------------------------------------------------------------

    def _wire(self) -> None:
        self.inputs = [
            self.session, self.variants, self.stage, self.cam_layer, self.block, self.slower, self.beside,
        ]  # fmt: skip
        self.outputs = [
            self.session, self.variants, self.stage, self.cam_layer, self.block, self.crosshair, self.thumbs,
            self.answers, self.other, self.upload, self.offer, self.downloads, self.view_choice, self.backbone,
            self.link, self.note, self.tour, *self.others.values(), *self.panels.values(), *self.figures.values(),
        ]  # fmt: skip
        quiet: dict[str, Any] = {
            "outputs": self.outputs, "api_visibility": "private", "show_progress": "hidden",
            "concurrency_id": PAGE, "concurrency_limit": None,  # one line: of several, Gradio takes any one's first
            "trigger_mode": "multiple",  # the default drops what is clicked while the last click is still answered
        }  # fmt: skip
        for event, handler, extra in self._events():
            answered = event(
                _in_words(_from_newest(handler, self.studio.visitors)), [*self.inputs, *extra], **quiet
            )  # fmt: skip
            if event == self.upload.input:  # what could not be read must not stay there as a broken image
                answered.failure(lambda: None, None, self.upload, api_visibility="private", show_progress="hidden")
        self.exports.select(
            self.exported, self.inputs, self.exports, api_visibility="private", show_progress="hidden",
            concurrency_limit=2,
        )  # fmt: skip
        self._offer_tiny()

    def _events(self) -> list[tuple[Callable, Callable[..., Iterator[dict]], list]]:
        """What listens, who answers, and what it gets after `inputs`."""
        return [
            (self.blocks.load, self.opened, []),
            (self.upload.input, self.uploaded, [self.upload]),
            (self.thumbs.select, self.example_chosen, []),
            (self.crosshair.select, self.moved, []),
            (self.answers.select, self.answer_chosen, []),
            (self.other.input, self.class_chosen, [self.other]),
            (self.variants.input, self.variants_chosen, []),
            (self.offer.click, self.offered, []),
            (self.backbone.submit, self.backbone_added, [self.backbone]),
            *((thumbs.select, self.other_chosen, []) for thumbs in self.others.values()),
            *((button.click, self._without(pair), []) for button, pair in self.parts.items()),
            *((panel.select, self.acted, []) for panel in self.panels.values()),
            (self.downloads.select, self.long_asked, []),
            *((part.select, self.acted, []) for part in (self.tour, self.link, self.view_choice)),
            *((control.input, self._by_hand(name), []) for name, control in zip(BY_HAND, self.inputs[2:], strict=True)),
        ]

    def _offer_tiny(self) -> None:
        """T loads in the background; once it is there the page offers it as a second column."""
        if self.default == "t":
            return
        timer = gr.Timer(2.0)

        def look(chosen: list[str]) -> tuple[Any, Any, Any]:  # its value was checked by demo/requests.py
            entry = self.studio.preload("t")
            if not entry.done.is_set():
                return gr.skip(), gr.skip(), gr.skip()
            useful = entry.loaded is not None and "t" not in chosen
            return (
                gr.Button(tr("page.offer"), visible=useful),
                gr.Timer(active=False),
                gr.CheckboxGroup(self._chips(chosen)),
            )

        timer.tick(
            look, self.variants, [self.offer, timer, self.variants], api_visibility="private",
            show_progress="hidden", queue=False,
        )  # fmt: skip

    # ---- events: each changes the session, then refreshes -----------------------------------------------

    # Gradio hands over its event and request by position, so they stand first

    def opened(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        yield from self._opened(getattr(request, "query_params", {}), session, controls, request)

    def example_chosen(
        self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any
    ) -> Iterator[dict]:
        yield from self._show_example(self._example_number(event), session, controls, request)

    def uploaded(self, request: gr.Request, session: Session, *controls_and_image: Any) -> Iterator[dict]:
        *controls, image = controls_and_image
        if image is None:
            yield self._nothing()
            return
        yield from self._show_image(image, -1, session, controls, request)

    def moved(self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        if read(event, "image") not in (None, session.image[:KEY]):  # of an image that was left meanwhile
            yield self._nothing()
            return
        x, y = int(read(event, "x")), int(read(event, "y"))
        width, height = self.studio.image(session.image).size
        position = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
        yield from self.refresh(request, replace(session, position=position), *controls)

    def acted(self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        """What a view's own script sent: {x, y} moves the crosshair, {change: {field: value}} the session's fields,
        {go: {…}} goes to a state (Going.go), {retry: name} loads a variant once more, {instead: [name, other]} takes
        another in its place.
        """
        if (asked := sent(event, "go")) is not None:
            yield from self.go(asked, session, controls, request)
        elif (change := sent(event, "change")) is not None:
            yield from self.refresh(request, changed(session, change), *controls)
        elif sent(event, "retry") is not None:
            self.studio.forget_failure(read(event, "retry"))
            yield from self.refresh(request, session, *controls)
        elif sent(event, "instead") is not None:
            old, new = (canonical(name) for name in read(event, "instead"))
            names = list(dict.fromkeys(new if name == old else name for name in session.variants))
            yield from self._with_variants(names, session, controls[1:], request)
        else:
            yield from self.moved(event, request, session, *controls)

    def long_asked(self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        """The button beside a long computation: "stop" ends it, whose own event says so on the page; "again" starts."""
        if read(event, "ask") == "again":
            yield from self.refresh(request, session, *controls)
            return
        self.studio.turns.stop(request.session_hash or "")
        yield self._nothing()

    def answer_chosen(
        self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any
    ) -> Iterator[dict]:
        session = replace(session, target=known_class(read(event, "wnid"), session.variants))
        yield from self.refresh(request, session, *controls, updates={self.other: ""})

    def class_chosen(self, request: gr.Request, session: Session, *controls_and_class: Any) -> Iterator[dict]:
        *controls, wnid = controls_and_class
        target = known_class(wnid, session.variants) if wnid else None
        yield from self.refresh(request, replace(session, target=target), *controls)

    def variants_chosen(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        chosen, *rest = controls
        yield from self._with_variants(list(chosen), session, rest, request, ticked=True)

    def offered(self, request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
        yield from self._with_variants([*session.variants, "t"], session, controls[1:], request)

    def backbone_added(self, request: gr.Request, session: Session, *controls_and_name: Any) -> Iterator[dict]:
        *controls, name = controls_and_name
        name = (name or "").strip()
        if not name:
            yield self._nothing()
            return
        chosen = [*session.variants, name if is_backbone(name) else PREFIX + name]
        yield from self._with_variants(chosen, session, controls[1:], request, {self.backbone: ""})

    def other_chosen(
        self, event: gr.EventData, request: gr.Request, session: Session, *controls: Any
    ) -> Iterator[dict]:
        chosen = read(event, "index")
        session = replace(session, other=chosen if chosen < len(self.examples) else OWN)
        yield from self.refresh(request, session, *controls)

    def _by_hand(self, name: str) -> Callable[..., Iterator[dict]]:
        def handler(request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
            yield from self.refresh(request, session, *controls, by_hand=name)

        return handler

    def _without(self, pair: tuple[str, str]) -> Callable[..., Iterator[dict]]:
        def handler(request: gr.Request, session: Session, *controls: Any) -> Iterator[dict]:
            yield from self._with_variants(list(pair), session, controls[1:], request)

        return handler

    def _with_variants(
        self, chosen: list[str], session: Session, rest: Any, request: gr.Request, more: dict | None = None,
        ticked: bool = False,
    ) -> Iterator[dict]:  # fmt: skip
        """ticked: whether the boxes already stand so, but for what this changes."""
        kept = [name for name in session.variants if name in chosen]  # the order in which they were chosen
        added = self.studio.check_names(name for name in chosen if name not in kept)
        names = list(dict.fromkeys([*kept, *added]))[-MOST_VARIANTS:] or [session.variants[0]]
        for name in added:
            self.studio.forget_failure(name)
        stands = ticked and set(names) == set(chosen)  # said again, it would undo a tick made meanwhile
        boxes = gr.CheckboxGroup(self._chips(names), **({} if stands else {"value": names}))
        updates: dict = {self.variants: boxes, **(more or {})}
        if "t" in names:
            updates[self.offer] = gr.Button(visible=False)  # taken up
        if spec_of(names[0])[0].label_set != spec_of(session.variants[0])[0].label_set:
            updates[self.other] = gr.Dropdown([(tr("page.predicted_class"), ""), *classes_of(names[0])], value="")
        session = replace(session, variants=tuple(names))
        yield from self.refresh(request, session, names, *rest, updates=updates)

    def _example_number(self, event: Any) -> int:
        """The example that was chosen. Raises InvalidValue for another number."""
        return Parameter("index", whole_number(0, len(self.examples) - 1)).validate(sent(event, "index"))

    def _show_example(self, index: int, session: Session, controls: Any, request: gr.Request) -> Iterator[dict]:
        image = decode(self.examples[index].path, name=self.examples[index].label)
        yield from self._show_image(image, index, session, controls, request)

    def _show_image(
        self, image: SourceImage, example: int, session: Session, controls: Any, request: gr.Request
    ) -> Iterator[dict]:
        key = self.studio.add(image)
        width, height = image.size
        position = ((width - 1) // 2, (height - 1) // 2)
        session = replace(session, image=key, example=example, position=position, target=None, mask="")
        if example < 0:
            session = session.on_upload(key)
        updates = {self.thumbs: self._thumbs(example), self.upload: None, self.other: ""}
        yield from self.refresh(request, session, *controls, updates=updates)


def _from_newest(handler: Callable[..., Iterator[dict]], visitors: Visitors) -> Callable[..., Iterator[dict]]:
    """Hands the handler its visitor's newest session, in the place of the one that travelled with the event."""

    @wraps(handler)
    def answer(*args: Any) -> Iterator[dict]:
        told = next(one for one in args if isinstance(one, Session))
        request = args[args.index(told) - 1]  # which stands before it
        visitor = request.session_hash or ""
        with visitors.answering(visitor) as alone:
            newest = visitors.newest(visitor, told)
            # A state without its visitor is a new one. With no other answer on its way, Gradio has dropped the old one
            # (demo/session_expiry.py), and the browser was told everything.
            known = newest if alone and not told.visitor else told
            given.set(Given(known, newest))  # gone with this step's context, in which `refresh` begins
            yield from handler(*(newest if one is told else one for one in args))

    return answer


def _in_words(handler: Callable[..., Iterator[dict]]) -> Callable[..., Iterator[dict]]:
    @wraps(handler)
    def answer(*args: Any) -> Iterator[dict]:
        with in_words():
            yield from handler(*args)

    return answer
