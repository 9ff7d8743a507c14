"""Models side by side: one Column each, filled as models are loaded and analyzed; with image and state, a Scene."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from transxnet.backbones.spec import PREFIX, is_backbone, spec_of
from transxnet.cost import Cost
from transxnet.errors import LensError
from transxnet.images import SourceImage
from transxnet.study import Study, StudyOptions

from .i18n.translate import message, tr, tr_group
from .jobs import LOOK_AGAIN, Job
from .service import Arrival, Loading, StudyService
from .state import ViewState, center
from .timing import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Column:
    """One model on the page: its study, or its progress until there is one."""

    name: str  # "pico", "t@untrained", "timm:resnet50"
    study: Study | None = None
    cost: Cost | None = None
    arrival: Arrival | None = None  # while its weights are loaded
    steps: tuple[str, int, int] | None = None  # while it is analyzed: analysis, steps done, steps in total
    seconds_left: float | None = None  # an estimate, once a step is done
    error: LensError | None = None
    long: bool = False  # while it is analyzed: whether a stop button is shown
    stopped: bool = False  # by the visitor, before it was analyzed

    @property
    def title(self) -> str:
        return model_title(self.name)

    @property
    def finished(self) -> bool:
        return self.study is not None or self.error is not None

    @property
    def badge(self) -> str:
        return tr("models.random_weights") if spec_of(self.name)[1] else ""


@dataclass(frozen=True)
class Scene:
    """What a view is rendered from.

    Attributes:
        columns: One per model, finished or not.
        image: What they explain, and `image_key`, by which the browser knows it.
        state: The resolved view state.
        cached_tables: Keys of the attention tables that the browser has.
        model_names: The models that some source has.
        reference_columns: The same models on the reference image, if it is compared.
        reference_image: None if nothing is compared.
        reference_label: Label of the example that the reference image is.
        timings: What a pass of each model costs here; None while it is measured, empty where it cannot be.
    """

    columns: Sequence[Column]
    image: SourceImage
    state: ViewState = field(default_factory=ViewState)
    image_key: str = ""
    cached_tables: Collection[str] = ()
    model_names: Collection[str] = ()
    reference_columns: Sequence[Column] = ()
    reference_image: SourceImage | None = None
    reference_label: str = ""
    timings: Run | None = None

    @property
    def position(self) -> tuple[int, int]:
        """The query position in pixels of the image."""
        return self.state.position or center(self.image.size)

    @property
    def studies(self) -> list[Study]:
        return [column.study for column in self.columns if column.study is not None]


def model_title(name: str) -> str:
    """Name of a model on the page: "T", "B (384 px)", "pico (no OSRA)", "T (random weights)", "resnet50 (timm)"."""
    spec, untrained = spec_of(name)
    title = tr_group("models.title_").get(spec.short, spec.short)
    if is_backbone(name):
        title = tr("models.title_backbone", name=spec.short.removeprefix(PREFIX))
    return tr("models.title_random", title=title) if untrained else title


def comparable_options(options: StudyOptions, first: Study | None) -> StudyOptions:
    """StudyOptions of a model that is compared with others. first: the first study among them.

    Without a requested target class all models explain the first one's, so that maps are comparable; a model without
    that class explains its own top prediction.
    """
    if first is None:
        return options
    return replace(options, target=options.target or first.target.wnid, allow_missing_target=True)


def with_costs(service: StudyService, names: Sequence[str], studies: Sequence[Study]) -> list[Column]:
    """Finished columns of these models with their cost."""
    return [Column(name, study, service.cost(name)) for name, study in zip(names, studies, strict=True)]


def gather(
    studio: StudyService,
    image: str,
    names: Sequence[str],
    options: StudyOptions,
    newest: Callable[[], bool],
    other: str = "",
) -> Iterator[list[Column]]:
    """Analyze an image with every model; yield all columns after each step.

    Loaded models come first, in order; columns of others show progress. Ends when every column has a study or an
    error, or when the request is superseded; computations that no request waits for are then stopped.

    Args:
        studio: Models and studies.
        image: Key of the image.
        names: Of the models.
        options: Of the studies.
        newest: Whether the request is still the visitor's newest.
        other: Key of the reference image.
    """
    gathering = _Gathering(studio, image, names, options, newest, other)
    try:
        gathering.hold_models()
        while newest():
            gathering.step()
            yield list(gathering.columns)
            if all(column.finished for column in gathering.columns):
                return
    finally:
        gathering.leave()


class _Gathering:
    def __init__(self, studio, image, names, options, newest, other):
        self.studio, self.image, self.options, self.newest, self.other = studio, image, options, newest, other
        self.columns = [Column(name) for name in names]
        self.jobs: dict[int, Job] = {}
        self.models: dict[int, Loading] = {}  # held until their columns are analyzed: others may need the memory

    def hold_models(self) -> None:
        """Request every model at once, so that all are loaded concurrently."""
        for i, column in enumerate(self.columns):
            self.models[i] = self.studio.hold(column.name)

    def step(self) -> None:
        """Analyze with the first loaded model, or wait briefly for one that is loading."""
        waited_for = None
        for i, column in enumerate(self.columns):
            if column.finished:
                continue
            entry = self.models[i]
            if entry.finished.is_set():
                self.columns[i] = self._analyze(i)
                if self.columns[i].finished:
                    self.studio.release(self.models.pop(i))
                self._repeat_other_targets(i)
                return
            self.columns[i] = replace(column, arrival=entry.arrival)
            waited_for = waited_for or entry
        if waited_for is not None:
            waited_for.finished.wait(LOOK_AGAIN)

    def leave(self) -> None:
        for job in self.jobs.values():
            self.studio.leave(job)
        for entry in self.models.values():
            self.studio.release(entry)
        self.jobs.clear()
        self.models.clear()

    def _analyze(self, i: int) -> Column:
        """The column with its study, or with its progress while the analysis runs."""
        column = replace(self.columns[i], arrival=None)
        try:
            if i not in self.jobs:
                self.jobs[i] = self.studio.explain(self.image, column.name, self._options(i), self.other)
            job = self.jobs[i]
            if not job.wait(LOOK_AGAIN):
                return replace(column, steps=job.steps, seconds_left=job.seconds_left, long=job.shows_progress)
            study = job.future.result()
        except LensError as error:
            return replace(column, error=error)
        except Exception:  # the page shows a message instead of waiting forever; details go to the log
            log.exception("analyzing with %s", column.name)
            return replace(
                column,
                error=LensError(
                    message("errors.analysis_failed", title=column.title),
                    remedy=message("errors.analysis_failed_remedy"),
                ),
            )
        return replace(column, steps=None, seconds_left=None, long=False, study=study, cost=self.models[i].cost)

    def _options(self, i: int) -> StudyOptions:
        return comparable_options(self.options, self._first_before(i))

    def _first_before(self, i: int) -> Study | None:
        return next((column.study for column in self.columns[:i] if column.study is not None), None)

    def _repeat_other_targets(self, i: int) -> None:
        """If column i is now the first with a study: repeat later columns that explained another class."""
        study = self.columns[i].study
        if study is None or self.options.target is not None or self._first_before(i) is not None:
            return
        for j, column in enumerate(self.columns[i + 1 :], i + 1):
            if j in self.jobs and (column.study is None or column.study.target.wnid != study.target.wnid):
                self.studio.leave(self.jobs.pop(j))
                self.columns[j] = Column(column.name)
                if j not in self.models:
                    self.models[j] = self.studio.hold(column.name)
