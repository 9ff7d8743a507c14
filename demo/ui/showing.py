"""From what a visitor asks to what is shown: the active view's panel, then the figures below it."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.errors import LensError
from transxnet.study import StudyOptions
from transxnet.variants import UNTRAINED, VariantSpec

from ..below import Below, below, standing
from ..columns import Column, gather
from ..figures import figures_of, none, shown, stopped, waiting
from ..i18n.translate import tr
from ..in_order import begun
from ..options import options_below, options_of
from ..payload import answers, crosshair, progress
from ..places import link, state_of
from ..second import own_before
from ..session import KEY, Controls, Session
from ..tables import updated_keys
from ..tour import bar
from ..turns import TURN, Turn
from ..views import Scene, view
from ..visitors import given
from ..wanted import WANTED
from .comparing import Comparing

log = logging.getLogger(__name__)
SENT = ("stage", "cam_layer", "block")  # the controls that `go` sets: what follows the number in Session.gone
ON_ITS_WAY = 5.0  # seconds in which the answer of a `go` may not have reached the browser
SHOW_PARTS_AFTER = 0.5  # seconds after which finished columns are shown while others still work


class Showing(Comparing):
    """Answers every event alike: `refresh` shows what a Session and the Controls ask for."""

    def refresh(
        self, request: gr.Request, session: Session, *values: Any, updates: dict | None = None, by_hand: str = ""
    ) -> Iterator[dict]:
        """Show the active view of every chosen variant: what is there at once, the rest as it comes, then its figures.

        While weights are on their way only `downloads` changes: what is shown can be looked at and clicked.
        by_hand: the control, one of Controls, that was moved.
        """
        if not session.image:  # an event before the page has opened
            yield self._nothing()
            return
        start = given.get()
        given.set(None)
        told = start.told if start else session
        session, controls = _where_sent(told, session, Controls(*values), by_hand)
        session = self._keep(replace(session, visitor=request.session_hash or ""), start and start.newest)
        table = below(session, controls.stage) if session.active == "ablation" else None
        session = self._keep(table.session, session) if table else session
        newest = self.studio.begin(session.visitor)
        begun.get()()
        block, radio = self._blocks(session, controls)
        updates = {
            self.session: session, self.block: radio, self.link: self._link(session, replace(controls, block=block)),
            self.view_choice: {"view": session.active, "clicks": session.clicks},
            **self._others(session), **self._missed(told, session, controls), **self._moved(by_hand, session, controls),
            **(updates or {}),
        }  # fmt: skip
        if table and table.clear:
            updates[self.figures["ablation"]] = none()
        options = options_of(session, controls, block)
        for step in self._answer(session, controls, options, newest, updates, table):
            yield {**step, TURN: newest}
        if not newest():
            yield self._nothing()  # overtaken, perhaps before anything was told

    def _answer(
        self,
        session: Session,
        controls: Controls,
        options: StudyOptions,
        newest: Turn,
        updates: dict,
        table: Below | None,
    ) -> Iterator[dict]:
        """The steps of an answer. table: what becomes of the one below What if."""
        columns = yield from self._maps(session, options, newest, updates)
        if newest() and session.active == "compare":
            yield from self._compare(session, options, columns, newest)
        done = newest()
        if done and session.active in self.figures and (table is None or table.draw):
            done = yield from self._figures(session, options, controls, columns, newest)
            if done and table:
                yield {self.session: self._keep(standing(session, controls.stage), session)}
        if newest.stopped and not done:
            yield {**updates, **self._stopped(session, columns or [Column(name) for name in session.variants])}

    def _maps(self, session: Session, options: StudyOptions, newest: Turn, updates: dict) -> Iterator[dict]:
        """The active view's panel. Returns its columns."""
        since = time.perf_counter() if session.shown == (session.image, session.active) else 0.0
        before, waited = -1, False
        columns: list[Column] = []
        for columns in gather(
            self.studio, session.image, session.variants, options, newest, self._other_key(session, options.analyses)
        ):
            finished = sum(column.finished for column in columns)
            if not newest():
                break
            late = finished != before and time.perf_counter() - since > SHOW_PARTS_AFTER
            empty = session.shown != (session.image, session.active)  # nothing stands there that may be left standing
            telling = finished or empty or any(column.arrival or column.long for column in columns)
            if finished == len(columns) or (late and telling):
                if waited and self.variants not in updates:  # somebody's weights have arrived: no arrow any more
                    updates[self.variants] = gr.CheckboxGroup(self._chips(session.variants))
                found = {**updates, **self._shown(session, columns), self.downloads: progress(columns)}
                if not newest():  # overtaken while it was made
                    break
                session = found[self.session] = self._keep(found[self.session], session)
                yield found
                updates, since, before = {}, time.perf_counter(), finished
                if not finished and columns[0].long:
                    yield {self.answers: self._answer_alone(session)}  # need not wait as long as the maps
            elif before >= 0:  # the maps stay as they are, only the bars move
                yield {self.downloads: progress(columns)}
            waited = waited or any(column.arrival for column in columns)
        return columns

    def _figures(
        self, session: Session, options: StudyOptions, controls: Controls, columns: list[Column], newest: Turn
    ) -> Generator[dict, None, bool]:
        """The figures below the active view: drawn from its columns, or from studies of their own.

        Returns whether they are there.
        """
        place, parts = self.figures[session.active], WANTED[session.active].figures
        alone = not set(parts) <= set(options.analyses)
        if alone:
            names, options = list(session.variants), options_below(session, options)
            columns = yield from self._waited(session, names, options, newest, place, keep=True)
        others: list[Column] = []
        if controls.beside and session.active == "erf" and newest():
            names = [name for name in self._beside() if name not in session.variants]
            options = replace(options, analyses=("receptive_field",))
            others = yield from self._waited(session, names, options, newest, place, keep=True)
        if not newest():
            return False
        yield {place: waiting([], keep=alone)}
        try:
            image = self.studio.image(session.image)
            key = self._other_key(session, parts)
            second = self.studio.image(key) if key else None
            found = shown(figures_of(session.active, columns, image, others, controls.stage, second))
        except Exception:  # the maps above stay; the log gets what happened
            log.exception("drawing the figures of %s", session.active)
            found = none(tr("progress.not_drawn"))
        if done := newest():
            yield {place: found}
        return done

    def _waited(
        self, session: Session, names: list[str], options: StudyOptions, newest: Turn, place: Any, keep: bool
    ) -> Iterator[dict]:
        """Columns for figures, telling at their place how far they are. Returns them."""
        columns = [Column(name) for name in names]
        if newest():
            yield {place: waiting(columns, keep)}
        other = self._other_key(session, options.analyses)
        for columns in gather(self.studio, session.image, names, options, newest, other):
            if newest() and not all(column.finished for column in columns):
                yield {place: waiting(columns, keep)}
        return columns

    def _stopped(self, session: Session, columns: Sequence[Column]) -> dict:
        """What a visitor sees who would not wait: what was finished, and a way to start again."""
        left = [column if column.finished else replace(column, stopped=True) for column in columns]
        found = {**self._shown(session, left), self.downloads: {}}
        found[self.session] = self._keep(found[self.session], session)
        if all(column.study is None for column in columns):
            found[self.answers] = self._answer_alone(session)
        if session.active in self.figures and left == columns:  # they were what took long
            found[self.figures[session.active]] = stopped(columns[0])
        return found

    def _answer_alone(self, session: Session) -> Any:
        """The first variant's answers without any map, which is one look at the image."""
        name = session.variants[0]
        entry = self.studio.peek(name)
        if entry is None or entry.loaded is None:
            return answers([])
        try:
            study = self.studio.study(session.image, name, StudyOptions(target=session.target, analyses=()))
        except LensError:
            return answers([])
        return answers([Column(name, study)])

    def _link(self, session: Session, controls: Controls) -> Any:
        size = self.studio.image(session.image).size
        state = state_of(session, controls, size, self.default)
        second = session.active in self.others and (session.active != "compare" or session.photos)
        own = second and self._second(session).example < 0
        key = session.image[:KEY] if session.example < 0 else ""
        return link(state, upload=bool(key), painted=bool(session.mask), second=own) | {"own": key}

    def _keep(self, session: Session, before: Session | None) -> Session:
        """The visitor's newest session, with what differs between these two changed in it."""
        return self.studio.visitors.keep(session.visitor, session, before)

    def _missed(self, told: Session, session: Session, controls: Controls) -> dict:
        """What the browser was not told of, because the answer that would have told it was overtaken."""
        found: dict = {}
        if told.example != session.example:
            found[self.thumbs] = self._thumbs(session.example)
        if told.variants != session.variants:
            found[self.variants] = gr.CheckboxGroup(self._chips(session.variants), value=list(session.variants))
        if told.gone != session.gone:
            found |= {self.stage: controls.stage, self.cam_layer: controls.cam_layer}
            found[self.tour] = bar(session.tour, self.names)
        return found

    def _moved(self, by_hand: str, session: Session, controls: Controls) -> dict:
        """What was moved by hand stays so, although the answer that sent it elsewhere may be on its way."""
        control = {"stage": self.stage, "cam_layer": self.cam_layer}.get(by_hand)  # blocks are told with every answer
        if control is None or time.monotonic() - session.went > ON_ITS_WAY:
            return {}
        return {control: getattr(controls, by_hand)}

    def _nothing(self) -> dict:
        """Leave everything as it is. A generator that yields nothing at all would set every output to null."""
        return {self.crosshair: gr.skip()}

    def _shown(self, session: Session, columns: list[Column], **more: Any) -> dict:
        """The panel and what stands beside it. The session in it is kept (`_keep`) once it is sent.

        more: what Scene gets besides, where a view shows what takes longer than its maps."""
        image = self.studio.image(session.image)
        panel = view(session.active, Scene(columns, image, session, **self._scene(session, columns) | more))
        found = {self.crosshair: crosshair(image, session.position, columns), self.panels[session.active]: panel}
        if session.shown[0] != session.image or any(c.study for c in columns) or all(c.finished for c in columns):
            found[self.answers] = answers(columns)  # those of the same image stand until there are new ones
        keys = updated_keys(session.held, panel["tables"]) if "tables" in panel else session.held
        found[self.session] = replace(session, held=keys, shown=(session.image, session.active))
        wanted = WANTED[session.active]
        if wanted.figures and set(wanted.figures) <= set(wanted.maps):  # of another answer or image, and slow to come
            found[self.figures[session.active]] = none()
        return found

    # ---- what is asked ----------------------------------------------------------------------------------

    def _other_key(self, session: Session, only: Sequence[str]) -> str:
        """The key of the second image, '' where no part of these compares two."""
        lent = "ablation" in only and any(key.startswith("other_kernels") for key in session.edits)
        if not lent and not {"kernel_change", "ablation_table"} & set(only):
            return ""
        return self._second(session).key

    def _others(self, session: Session) -> dict:
        if session.active not in self.others:
            return {}
        chosen, own = self._second(session).example, own_before(session, self.studio)
        return {self.others[session.active]: self._thumbs(chosen if chosen >= 0 else len(self.examples), own)}

    def _beside(self) -> list[str]:
        """The backbones of one click: trained where their weights are on this disk, else with random weights."""
        ready = [name if self.studio.ready(name) else f"{name}@{UNTRAINED}" for name in self.beside_names]
        return list(dict.fromkeys(ready))

    def _blocks(self, session: Session, controls: Controls) -> tuple[int, gr.Radio]:
        """Blocks to choose from: those that every chosen variant has at this stage. Backbones have none."""
        depth = min((spec.depths[controls.stage - 1] for spec in _own(session.variants)), default=1)
        choices = [(str(i), i) for i in range(1, depth + 1)] + [(tr("page.last_block"), 0)]
        block = controls.block if controls.block <= depth else 0
        return block, gr.Radio(choices, value=block)


def _where_sent(told: Session, session: Session, controls: Controls, by_hand: str) -> tuple[Session, Controls]:
    """The controls where `go` sent them, if the browser does not know of that yet, but for the one moved by hand."""
    if not session.gone or told.gone == session.gone:
        return session, controls
    went = dict(zip(SENT, session.gone[1:], strict=True))
    went |= {name: getattr(controls, name) for name in SENT if name == by_hand}
    return replace(session, gone=(session.gone[0], *went.values())), replace(controls, **went)


def _own(names: Sequence[str]) -> list[VariantSpec]:
    """Specs of those that are TransXNets."""
    return [spec_of(name)[0] for name in names if not is_backbone(name)]
