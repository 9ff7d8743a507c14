"""Going to a state of the page: of a link that was opened, or of a script that asks for it, the tour's above all."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from transxnet.backbones.spec import spec_of
from transxnet.errors import LensError

from ..i18n.translate import current_locale, tr, tr_error
from ..links import State, from_query, query_of, updated
from ..places import arrived, asked_of, middle, number, number_of, state_of, wish
from ..session import KEY, Controls, Session
from ..tour import bar, expanded
from .layout import classes_of
from .showing import Showing


class Going(Showing):
    """`go` changes the session and the controls at once and answers once."""

    def go(
        self, asked: Mapping[str, Any], session: Session, values: Sequence[Any], request: gr.Request
    ) -> Iterator[dict]:
        """Go to a state; what is not asked for stays, but another image comes with its own middle and answer.

        asked: view, example (index) or image (label), variants (list), stage, block (0: the last), cam, x and y (in
        pixels of the image) or fx and fy (0 to 1 of it), class (a WNID, "" for the own answer), compared, with (label
        of the second image), off (list of parts switched off), photos (1: two of
        them), tour (step, 0: none), own (how the key of one of the visitor's own images begins, where no image is
        named). What cannot be used is said above the views.
        """
        if not session.image:  # before the page has opened
            yield self._nothing()
            return
        controls, asked = Controls(*values), dict(asked_of(expanded(wish(asked), self.names)))
        own = str(asked.pop("own", ""))[:KEY]
        now = state_of(session, controls, self.studio.image(session.image).size, self.default)
        if asked.get("image", now.image) != now.image or not session.image.startswith(own):
            asked = {"x": "", "y": "", "class": "", **asked}
        state, said = updated(now, asked)
        yield from self._to(state, said, session, controls, request, shares=_shares(asked), own=own)

    def _opened(self, query: Any, session: Session, values: Sequence[Any], request: gr.Request) -> Iterator[dict]:
        """The first answer: what the address asks for, else the first example from its middle."""
        state, said = from_query(query)
        session = replace(session, language=current_locale(), asked_language=state.language)
        step = expanded({key: text for key, text in query_of(state).items() if key in query}, self.names)
        state, _ = updated(state, step)
        yield from self._to(state, said, session, Controls(*values), request, shares=_shares(step))

    def _to(
        self, state: State, said: list[str], session: Session, controls: Controls, request: gr.Request,
        shares: tuple[float, float] | None = None, own: str = "",
    ) -> Iterator[dict]:  # fmt: skip
        before = session.variants
        state, said = self._offered(state, said)
        session, controls = arrived(state, self._on(state.image, session, own), controls, self.default)
        size = width, height = self.studio.image(session.image).size
        position = state.position or middle(size)
        if shares is not None:
            position = int(shares[0] * (width - 1)), int(shares[1] * (height - 1))  # of halves as `middle` has it
        if position[0] >= width or position[1] >= height:
            said = [*said, tr("links.outside", x=position[0], y=position[1])]
            position = middle(size)
        for name in session.variants:
            if name not in before:
                self.studio.forget_failure(name)
        gone = (session.gone[0] + 1 if session.gone else 1, controls.stage, controls.cam_layer, controls.block)
        session = replace(session, position=position, gone=gone, went=time.monotonic())
        if not session.shown[0]:  # the page opens: what is clicked before its first answer comes with these
            block = self._blocks(session, controls)[1]
            yield {self.stage: controls.stage, self.cam_layer: controls.cam_layer, self.block: block}
        updates = self._controls_of(session, controls, before) | {self.note: _note(said)}
        updates[self.tour] = bar(session.tour, self.names)
        yield from self.refresh(request, session, *vars(controls).values(), updates=updates)

    def _offered(self, state: State, said: list[str]) -> tuple[State, list[str]]:
        """The state without the variants that this page does not offer, and a sentence for each reason."""
        names, reasons = [], []
        for name in state.variants:
            try:
                names += self.studio.check_names([name])
            except LensError as error:
                reasons.append(tr_error(error))
        return replace(state, variants=tuple(names)), [*said, *dict.fromkeys(reasons)]

    def _on(self, label: str, session: Session, own: str) -> Session:
        """The session on the example of that name; "" is the visitor's own image, the last one or the one whose key
        begins so, else the one that is there, else the first example."""
        if not label and (own or session.example >= 0):
            mine = next((key for key in session.uploads if key.startswith(own)), "")
            if mine and mine != session.image and self.studio.keeps(mine):
                return replace(session, image=mine, example=-1, mask="")
        if session.image and (not label or number_of(label) == session.example):
            return session
        place = max(0, number_of(label))
        key = self.studio.add_example(self.examples[place].path, self.examples[place].label)
        return replace(session, image=key, example=place, mask="")

    def _controls_of(self, session: Session, controls: Controls, before: Sequence[str]) -> dict:
        """What the components show of a session that no click of theirs has made. before: the variants until now."""
        names = list(session.variants)
        found: dict = {
            self.variants: gr.CheckboxGroup(self._chips(names), value=names), self.stage: controls.stage,
            self.cam_layer: controls.cam_layer, self.upload: None, self.thumbs: self._thumbs(session.example),
            self.other: "",
        }  # fmt: skip
        if "t" in names:
            found[self.offer] = gr.Button(visible=False)
        if spec_of(names[0])[0].label_set != spec_of(before[0])[0].label_set:
            found[self.other] = gr.Dropdown([(tr("page.predicted_class"), ""), *classes_of(names[0])], value="")
        return found


def _shares(asked: Mapping[str, Any]) -> tuple[float, float] | None:
    """fx and fy, within the image."""
    if "fx" not in asked or "fy" not in asked:
        return None
    x, y = (min(max(number(asked[key], "A place"), 0.0), 1.0) for key in ("fx", "fy"))
    return x, y


def _note(said: Sequence[str]) -> dict[str, Any]:
    return {"sentences": list(said), "close": tr("links.close")}
