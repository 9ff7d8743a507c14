"""ViewState -> what the page shows: a stream of parts, the quick ones first, each sent as soon as it is computed.

One request of the browser is one call of `Renderer.render`. It depends on nothing but the request and the images that
were uploaded, so any request can be answered by itself, in any order, and repeated after a lost connection. Each step
is a mapping of part -> payload; the browser hands each payload to the widget of that name (web/js/core/store.js):

    state         the validated state, and sentences about what could not be used
    controls      values and choices of Gradio's controls
    crosshair     the image with its query position
    predictions   the first model's five best classes
    panel         the maps of the open tab
    figures       the figures below them
    progress      how far downloads and long computations are
    hero          kernels of the image and of the reference image, in Overview
    tour, reference, link
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from transxnet.errors import LensError
from transxnet.images import SourceImage, decode
from transxnet.study import StudyOptions
from transxnet.variants import UNTRAINED

from .cells import crosshair, predictions, progress
from .columns import Column, Scene, comparable_options, gather
from .controls import Controls, Thumbnails
from .examples import examples
from .figures import figures_of, finished_figures, none, not_started, stopped, waiting
from .i18n.translate import tr, tr_error
from .reference_image import ReferenceImage, find_reference, gather_reference
from .service import LONG_ANALYSES, StudyService
from .state import ViewState, canonical_name, center, from_query, known_class, last_block
from .tour import bar, step_changes
from .views import LAYER_INDEPENDENT, VIEWS, figure_options, tab_options, view
from .views.hero import first_with_kernels, hero

log = logging.getLogger(__name__)
Parts = dict[str, Any]
SHOW_FINISHED_AFTER = 0.5  # seconds after which finished columns are shown while others are still computed


@dataclass(frozen=True)
class RenderRequest:
    """What the browser asks for, and what it already holds.

    Attributes:
        state: The view state; its values are validated, but need not fit the models or the image.
        is_current: Whether the request is still the page's newest, and the visitor did not stop it.
        is_stopped: Whether the visitor stopped it and has requested nothing since.
        notes: Sentences about what a URL asked for in vain.
        image: The key of the image that the crosshair shows.
        tab: The tab whose panel shows that image.
        tables: Keys of the attention tables in the browser.
        figures: The key of the figures below the panel.
        controls: The key of the controls' choices.
        label_set: The label set of the class menu.
        hero: The key of the comparison in Overview.
        retry: Models whose failed loading is tried again.
        start: Whether figures that take long are computed: the visitor asked for them.
        opened: Whether the state is that of a URL, so that the browser takes its display settings from it.
        dark: Whether the page is dark, so that figures are.
    """

    state: ViewState
    is_current: Callable[[], bool]
    is_stopped: Callable[[], bool]
    notes: Sequence[str] = ()
    image: str = ""
    tab: str = ""
    tables: Collection[str] = ()
    figures: str = ""
    controls: str = ""
    label_set: str = ""
    hero: str = ""
    retry: Collection[str] = ()
    start: bool = False
    opened: bool = False
    dark: bool = False


@dataclass
class _Rendering:
    """One request on its way: its resolved state, image and options."""

    request: RenderRequest
    state: ViewState
    image_key: str
    image: SourceImage
    options: StudyOptions
    shown_tab: str = field(init=False)

    def __post_init__(self) -> None:
        same_image = self.request.image == self.image_key
        self.shown_tab = self.request.tab if same_image else ""

    @property
    def is_current(self) -> Callable[[], bool]:
        return self.request.is_current


class Renderer:
    """Renders view states with the models and images of a StudyService.

    Args:
        service: Models, images and studies.
        default_model: The model that the page opens with.
        backbones: Backbones that one switch adds to the receptive fields.
    """

    def __init__(self, service: StudyService, default_model: str = "pico", backbones: Sequence[str] = ()):
        self.service = service
        self.default_model = canonical_name(default_model)
        self.backbones = tuple(backbones) if service.backbones.policy != "none" else ()
        self.examples = examples()
        self.model_names = list(dict.fromkeys([*service.names(), self.default_model]))
        self.controls = Controls(service, self.model_names, self.default_model)
        self.thumbnails = Thumbnails(service, self.examples, [decode(example.path) for example in self.examples])

    # ---- the state ------------------------------------------------------------------------------------------------

    def open(self, pairs: Sequence[tuple[str, str]]) -> tuple[ViewState, list[str]]:
        """The state of a URL, with the step of the tour that it names, and sentences about what it cannot give."""
        state, notes = from_query(pairs)
        changes = step_changes(state.tour, self.model_names)
        if state.tour and not {"tab", "models", "stage", "block", "x"} & {key for key, _ in pairs}:
            state = state.changed(**changes)
        return state, notes

    def resolve(self, state: ViewState) -> tuple[ViewState, str, list[str]]:
        """Fit a state to the models, the image and the label sets that there are.

        Returns:
            The state without empty defaults for models, the key of its image, and sentences about what did not fit.
        """
        notes: list[str] = []
        names: list[str] = []
        for name in state.models or (self.default_model,):
            try:
                names += self.service.check_names([name])
            except LensError as error:
                notes.append(tr_error(error))
        models = tuple(dict.fromkeys(names)) or (self.default_model,)
        changes: dict[str, Any] = {"models": models}
        key = state.upload
        if key and not self.service.keeps(key):
            notes.append(tr("links.upload_gone"))
            changes |= {"upload": "", "position": None, "target": "", "mask": ""}
            key = ""
        example = next((e for e in self.examples if e.name == state.image), self.examples[0])
        if not key:
            key = self.service.add_example(example.path, example.name)
            changes["image"] = example.name
        width, height = self.service.image(key).size
        position = changes.get("position", state.position)
        if position is not None and (position[0] >= width or position[1] >= height):
            notes.append(tr("links.outside", x=position[0], y=position[1]))
            changes["position"] = None
        if state.target:
            try:
                known_class(state.target, models)
            except LensError as error:
                notes.append(tr_error(error))
                changes["target"] = ""
        if state.image_size:
            try:
                for name in models:
                    self.service.check_size(name, state.image_size)
            except LensError as error:
                notes.append(tr_error(error))
                changes["image_size"] = 0
        if state.block > last_block(state.stage, models):
            notes.append(tr("links.no_block", block=state.block, stage=state.stage))
            changes["block"] = 0
        return state.changed(**changes), key, list(dict.fromkeys(notes))

    # ---- rendering ------------------------------------------------------------------------------------------------

    def render(self, request: RenderRequest) -> Iterator[Parts]:
        """Yield the parts of the page for a state.

        Raises:
            LensError: The request cannot be answered at all.
        """
        for name in request.retry:
            with contextlib.suppress(LensError):
                self.service.forget_failure(canonical_name(name))
        state, key, notes = self.resolve(request.state)
        options = tab_options(state)
        rendering = _Rendering(request, state, key, self.service.image(key), options)
        yield self._first(rendering, [*request.notes, *notes])
        columns = yield from self._maps(rendering)
        if rendering.is_current() and state.tab == "overview":
            yield from self._hero(rendering, columns)
        if rendering.is_current() and state.tab == "compare":
            yield from self._comparison(rendering, columns)
        is_complete = rendering.is_current()
        if is_complete and VIEWS[state.tab].figures:
            is_complete = yield from self._figures(rendering, columns)
        if not is_complete and request.is_stopped():
            yield self._stopped(rendering, columns or [Column(name) for name in state.models])

    def _first(self, rendering: _Rendering, notes: Sequence[str]) -> Parts:
        """What needs no model: the state, the controls, and the image where the browser has another one."""
        state = rendering.state
        parts: Parts = {
            "state": {
                "state": state.model_dump(mode="json"),
                "notes": list(notes),
                "image": rendering.image_key,
                "opened": rendering.request.opened,
                "default_model": self.default_model,
            },
            "tour": bar(state.tour, self.model_names) if state.tour else {},
            "link": self._link(rendering),
        }
        if rendering.request.controls != _controls_key(state):
            parts["controls"] = self._controls(rendering)
            parts["image_size"] = self.controls.image_sizes(state.models)
        if rendering.request.image != rendering.image_key:
            parts["crosshair"] = self._crosshair(rendering, [])
            parts["predictions"] = predictions([])
        if VIEWS[state.tab].needs_reference:
            parts["reference"] = self.thumbnails.reference(state)
        return parts

    def _controls(self, rendering: _Rendering) -> Parts:
        state = rendering.state
        return self.controls.of(state, rendering.request.label_set) | {"key": _controls_key(state)}

    def _crosshair(self, rendering: _Rendering, columns: Sequence[Column]) -> Parts:
        position = rendering.state.position or center(rendering.image.size)
        is_unchanged = bool(columns) or rendering.request.image == rendering.image_key
        return crosshair(rendering.image, rendering.image_key, position, columns, with_image=not is_unchanged)

    def _maps(self, rendering: _Rendering) -> Generator[Parts, None, list[Column]]:
        """The panel of the open tab. Returns its columns."""
        state, options = rendering.state, rendering.options
        keeps = rendering.shown_tab == state.tab  # older maps of the same image may stay meanwhile
        since = time.perf_counter() if keeps else 0.0
        shown_columns, waited = -1, False
        columns: list[Column] = []
        reference = self.reference_key(state, options.analyses)
        for columns in gather(
            self.service, rendering.image_key, state.models, options, rendering.is_current, reference
        ):
            finished = sum(column.finished for column in columns)
            if not rendering.is_current():
                break
            late = finished != shown_columns and time.perf_counter() - since > SHOW_FINISHED_AFTER
            worth_showing = finished or not keeps or any(column.arrival or column.long for column in columns)
            if finished == len(columns) or (late and worth_showing):
                parts = {**self._panel(rendering, columns), "progress": progress(columns)}
                if waited:  # weights have arrived: their chips lose the arrow
                    parts["controls"] = self._controls(rendering)
                yield parts
                keeps, since, shown_columns = True, time.perf_counter(), finished
                if not finished and columns[0].long and rendering.is_current():
                    yield {"predictions": self._predictions_alone(rendering)}  # they need not wait as long as the maps
            elif shown_columns >= 0:  # the maps stay as they are, only the bars move
                yield {"progress": progress(columns)}
            waited = waited or any(column.arrival for column in columns)
        return columns

    def _panel(self, rendering: _Rendering, columns: Sequence[Column], **more: Any) -> Parts:
        """The panel with the image and the predictions. more: further fields of the Scene."""
        state = rendering.state
        scene = Scene(
            columns, rendering.image, state, image_key=rendering.image_key, cached_tables=rendering.request.tables,
            model_names=self.model_names,
            **self._comparison_scene(state, columns) | more,
        )  # fmt: skip
        parts: Parts = {"crosshair": self._crosshair(rendering, columns), "panel": view(state.tab, scene)}
        if any(column.study for column in columns) or all(column.finished for column in columns):
            parts["predictions"] = self._predictions(columns)
        return parts

    def _predictions(self, columns: Sequence[Column]) -> Any:
        """The first model's predictions, and which models have a newer revision."""
        sources = dict.fromkeys(column.study.provenance for column in columns if column.study is not None)
        newer = [source.location for source in sources if self.service.revisions.has_newer(source)]
        return predictions(columns, [tr("weights.newer", location=location) for location in newer])

    def _predictions_alone(self, rendering: _Rendering) -> Any:
        """The first model's predictions without any map: one forward pass."""
        name = rendering.state.models[0]
        entry = self.service.peek(name)
        if entry is None or entry.loaded is None:
            return predictions([])
        options = StudyOptions(target=rendering.state.target or None, analyses=())
        try:
            return self._predictions([Column(name, self.service.study(rendering.image_key, name, options))])
        except LensError:
            return predictions([])

    # ---- figures --------------------------------------------------------------------------------------------------

    def _figures(self, rendering: _Rendering, columns: list[Column]) -> Generator[Parts, None, bool]:
        """The figures below the panel. Returns whether they are there, or need not be."""
        state, names = rendering.state, list(rendering.state.models)
        analyses = VIEWS[state.tab].figures
        key = self._figures_key(rendering)
        if key == rendering.request.figures:
            return True
        options = figure_options(state, rendering.options)
        if not (rendering.request.start or self._takes_no_time(rendering, columns, options)):
            yield {"figures": not_started(state.tab)}
            return True
        columns = yield from self._columns_for_figures(rendering, names, options)
        extra: list[Column] = []
        if state.other_backbones and state.tab == "erf" and rendering.is_current():
            names = [name for name in self._backbone_names() if name not in state.models]
            options = replace(rendering.options, analyses=("receptive_field",), position=state.position)
            extra = yield from self._columns_for_figures(rendering, names, options)
        if not rendering.is_current():
            return False
        yield {"figures": waiting([], keep=True)}
        try:
            reference = self.reference_key(state, analyses)
            image = self.service.image(reference) if reference else None
            drawn = figures_of(state.tab, columns, rendering.image, extra, state.stage, image, rendering.request.dark)
            figures = finished_figures(drawn) | {"key": key}
        except Exception:  # the maps above stay; the log gets what happened
            log.exception("drawing the figures of %s", state.tab)
            figures = none(tr("progress.not_drawn"))
        if current := rendering.is_current():
            yield {"figures": figures}
        return current

    def _takes_no_time(self, rendering: _Rendering, columns: Sequence[Column], options: StudyOptions) -> bool:
        """Whether figures need no long analysis, or every model's is cached."""
        if LONG_ANALYSES.isdisjoint(options.analyses):
            return True
        first, reference = columns[0].study, self.reference_key(rendering.state, options.analyses)
        return all(
            self.service.is_cached(
                rendering.image_key, column.name, comparable_options(options, first if i else None), reference
            )
            for i, column in enumerate(columns)
            if column.study is not None
        )

    def _columns_for_figures(
        self, rendering: _Rendering, names: list[str], options: StudyOptions
    ) -> Generator[Parts, None, list[Column]]:
        """Columns that only figures need, with progress in their place. Returns them."""
        columns = [Column(name) for name in names]
        if rendering.is_current():
            yield {"figures": waiting(columns, keep=True)}
        reference = self.reference_key(rendering.state, options.analyses)
        for columns in gather(self.service, rendering.image_key, names, options, rendering.is_current, reference):
            if rendering.is_current() and not all(column.finished for column in columns):
                yield {"figures": waiting(columns, keep=True)}
        return columns

    def _figures_key(self, rendering: _Rendering) -> str:
        """Equal for requests whose figures are equal, so that figures in the browser are not drawn again."""
        state, only = rendering.state, VIEWS[rendering.state.tab].figures
        fixed = set(only) <= set(LAYER_INDEPENDENT)
        values = (
            state.tab, rendering.image_key, state.models, state.target, state.stage, self.reference_key(state, only),
            () if fixed else (state.block, state.cam_layer, state.position), state.other_backbones, state.locale,
            rendering.request.dark,
        )  # fmt: skip
        return sha256(repr(values).encode()).hexdigest()[:16]

    def _backbone_names(self) -> list[str]:
        """Other backbones: trained where their weights are on this disk, else with random weights."""
        ready = [name if self.service.ready(name) else f"{name}@{UNTRAINED}" for name in self.backbones]
        return list(dict.fromkeys(ready))

    def _stopped(self, rendering: _Rendering, columns: Sequence[Column]) -> Parts:
        """After the visitor stopped: what is finished, and a way to start again."""
        stopped_columns = [column if column.finished else replace(column, stopped=True) for column in columns]
        parts = {**self._panel(rendering, stopped_columns), "progress": {}}
        if all(column.study is None for column in columns):
            parts["predictions"] = self._predictions_alone(rendering)
        if VIEWS[rendering.state.tab].figures and stopped_columns == list(columns):
            parts["figures"] = stopped(columns[0])  # they were what took long
        return parts

    def _hero(self, rendering: _Rendering, columns: Sequence[Column]) -> Iterator[Parts]:
        """The first TransXNet's kernels for the image and for the reference image, after all else in Overview."""
        state, reference = rendering.state, self.reference(rendering.state)
        column = first_with_kernels(columns)
        if column is None:
            yield {"hero": {"key": ""}}
            return
        values = (
            rendering.image_key, reference.key, column.name, state.stage, state.block, state.image_size, state.locale,
        )  # fmt: skip
        key = sha256(repr(values).encode()).hexdigest()[:16]
        if key == rendering.request.hero:
            return
        options = replace(rendering.options, analyses=("kernels",), position=None, target=None)
        try:
            other = self.service.study(reference.key, column.name, options)
        except LensError as error:  # the maps are there
            yield {"notes": {"sentences": [tr_error(error)]}}
            return
        if rendering.is_current():
            comparison = hero(column, other, rendering.image, self.service.image(reference.key))
            names = {"first": "" if state.upload else state.image, "second": reference.example}
            names = {side: name or tr("page.your_image") for side, name in names.items()}
            yield {"hero": comparison | {"key": key, "names": names, "menu": self.thumbnails.menu(state)}}

    # ---- Compare and reference images -----------------------------------------------------------------------------

    def reference(self, state: ViewState) -> ReferenceImage:
        """The reference image of a resolved state."""
        return find_reference(state, self.service, self.examples)

    def reference_key(self, state: ViewState, analyses: Collection[str]) -> str:
        """The key of the reference image, empty where none of these analyses compares two images."""
        borrows = "ablation" in analyses and any(name.startswith("other_kernels") for name in state.ablations)
        if not borrows and not {"kernel_change", "ablation_table"} & set(analyses):
            return ""
        return self.reference(state).key

    def _comparison_scene(self, state: ViewState, columns: Sequence[Column]) -> dict[str, Any]:
        if state.tab != "compare":
            return {}
        if state.two_images:
            reference = self.reference(state)
            return {"reference_image": self.service.image(reference.key), "reference_label": reference.example}
        return {"timings": self.service.timer.cached(_loaded(columns))}

    def _comparison(self, rendering: _Rendering, columns: list[Column]) -> Iterator[Parts]:
        """What Compare shows after its maps: the reference image's columns, or what a pass of each model costs."""
        if rendering.state.two_images:
            key = self.reference(rendering.state).key
            for second in gather_reference(
                self.service, rendering.state, rendering.image_key, key, rendering.options, rendering.is_current
            ):
                if rendering.is_current() and all(column.finished for column in second):
                    yield self._panel(rendering, columns, reference_columns=second)
        elif self.service.timer.cached(_loaded(columns)) is None:
            timings = self.service.timer.run(_loaded(columns), rendering.is_current)
            if rendering.is_current():
                yield self._panel(rendering, columns, timings=timings)

    def _link(self, rendering: _Rendering) -> Parts:
        """What a link to this state does not hold, in a sentence."""
        state = rendering.state
        notes = []
        if state.upload:
            notes.append(tr("links.upload_left_out", example=self.examples[0].name))
        uses_reference = state.tab == "overview" or (
            VIEWS[state.tab].needs_reference and (state.tab != "compare" or state.two_images)
        )
        if uses_reference and not self.reference(state).example:
            notes.append(tr("links.reference_left_out"))
        if state.mask:
            notes.append(tr("links.mask_left_out"))
        return {"note": " ".join(notes)}


def _controls_key(state: ViewState) -> str:
    """Equal for states whose controls have the same choices."""
    return " ".join([*state.models, str(state.stage)])


def _loaded(columns: Sequence[Column]) -> list[str]:
    return [column.name for column in columns if column.study is not None]
