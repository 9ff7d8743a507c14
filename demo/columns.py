"""The variants side by side: one Column each, filled as models arrive and explain. No gradio here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from transxnet.cost import Cost
from transxnet.errors import LensError
from transxnet.study import Options, Study
from transxnet.variants import parse_variant

from .captions import FAILED, FAILED_REMEDY, TITLES, UNTRAINED
from .studio import Arrival, Studio

LOOK_AGAIN = 0.3  # seconds between two looks at a model that is being loaded
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Column:
    """One variant on the page: its study, or what stands where it will be."""

    name: str  # "pico", "t@untrained"
    study: Study | None = None
    cost: Cost | None = None
    arrival: Arrival | None = None  # while its weights are on their way
    error: LensError | None = None

    @property
    def title(self) -> str:
        return variant_title(self.name)

    @property
    def finished(self) -> bool:
        return self.study is not None or self.error is not None

    @property
    def badge(self) -> str:
        return UNTRAINED if parse_variant(self.name)[1] else ""


def variant_title(name: str) -> str:
    """How a variant is called on a chip: "T", "B at 384", "pico", "pico, no OSRA", "T, untrained"."""
    spec, untrained = parse_variant(name)
    title = TITLES.get(spec.short, spec.short)
    return f"{title}, untrained" if untrained else title


def gather(
    studio: Studio, picture: str, names: Sequence[str], options: Options, newest: Callable[[], bool]
) -> Iterator[list[Column]]:
    """Explain a kept picture with every variant, yielding the columns after each step.

    Whatever is ready is explained first, in order; of a model on its way it is told how far it is. Ends when every
    column holds a study or an error, or when `newest` says that the visitor has asked for something else.
    """
    columns = [Column(name) for name in names]
    while newest():
        columns = _step(studio, picture, columns, options)
        yield columns
        if all(column.finished for column in columns):
            return


def _step(studio: Studio, picture: str, columns: list[Column], options: Options) -> list[Column]:
    """Explain with the first model that is ready, or wait a little for one that is being loaded."""
    result = list(columns)
    waited_for = None
    for i, column in enumerate(columns):
        if column.finished:
            continue
        entry = studio.loading(column.name)
        if entry.done.is_set():
            result[i] = _explained(studio, picture, column, _same_answer(options, columns, i))
            return result
        result[i] = replace(column, arrival=entry.arrival)
        waited_for = waited_for or entry
    if waited_for is not None:
        waited_for.done.wait(LOOK_AGAIN)
    return result


def _same_answer(options: Options, columns: Sequence[Column], i: int) -> Options:
    """Without a chosen answer, all columns explain the first one's, so that their maps compare."""
    first = columns[0].study
    return replace(options, target=first.target.wnid) if i and options.target is None and first else options


def _explained(studio: Studio, picture: str, column: Column, options: Options) -> Column:
    try:
        study = studio.study(picture, column.name, options)
    except LensError as error:
        return replace(column, error=error)
    except Exception:  # a visitor gets a sentence, never a page that waits for ever; the log gets the rest
        log.exception("explaining with %s", column.name)
        return replace(column, error=LensError(FAILED.format(title=column.title), remedy=FAILED_REMEDY))
    return replace(column, arrival=None, study=study, cost=studio.loading(column.name).cost)
