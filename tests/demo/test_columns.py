"""Columns filled one after the other: what is ready first, one answer for all, every failure in its own column."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.columns import Column, comparable_options, gather, model_title
from demo.jobs import Job
from demo.service import Arrival, Loading
from tests.fixtures.small_model import image, small_model
from transxnet.errors import OutOfRange, SourceFailed
from transxnet.study import StudyOptions, study
from transxnet.variants import VARIANTS

PLAIN = StudyOptions(analyses=())


class Desk:
    """Stands for the studio: entries are put into its hands, studies are the small model's."""

    def __init__(self, **entries: str) -> None:
        self.entries = {name: Loading(name, _progress=(what, 0, 0)) for name, what in entries.items()}
        self.asked: list[tuple[str, StudyOptions]] = []
        self.fails: dict[str, Exception] = {}
        self.slow: tuple[str, ...] = ()  # variants whose studies stay on their way
        self.left: list[Job] = []
        self.held: list[str] = []  # models
        self.own: dict[str, str] = {}  # what a variant answers where nobody says what to explain

    def hold(self, name: str) -> Loading:
        self.held.append(name)
        return self.entries[name]

    def release(self, entry: Loading) -> None:
        self.held.remove(entry.name)

    def arrive(self, name: str) -> None:
        self.entries[name].finished.set()

    def explain(self, key: str, name: str, options: StudyOptions, other: str = "") -> Job:
        self.asked.append((name, options))
        if name in self.fails:
            raise self.fails[name]
        self.job = Job(watchers=1)
        if name in self.slow:
            self.job.steps = ("sanity_checks", 12, 40)
        else:
            options = replace(options, target=options.target or self.own.get(name))
            self.job.future.set_result(study(small_model(), image(), options))
        return self.job

    def leave(self, job: Job) -> None:
        self.left.append(job)


def states(columns: list[Column]) -> list[str]:
    def waiting(column: Column) -> str:
        return column.arrival.what if column.arrival else "working"

    return ["there" if c.study else "failed" if c.error else waiting(c) for c in columns]


def test_loaded_models_come_first_with_one_target():
    desk = Desk(t="its file", pico="", s="")
    desk.arrive("pico")
    steps = gather(desk, "key", ["t", "pico", "s"], PLAIN, lambda: True)
    assert states(next(steps)) == ["its file", "there", "working"]
    assert states(next(steps)) == ["its file", "there", ""]
    desk.arrive("t")
    desk.arrive("s")
    assert states(next(steps)) == ["there", "there", ""]
    last = next(steps)
    assert states(last) == ["there", "there", "there"]
    with pytest.raises(StopIteration):
        next(steps)
    first = last[0].study.target.wnid
    # pico had to choose by itself, because the first column was not there yet
    assert [(name, options.target) for name, options in desk.asked] == [("pico", None), ("t", None), ("s", first)]


def test_columns_with_another_target_are_repeated():
    cat, fish = "n02123045", "n01443537"
    desk = Desk(t="its file", pico="", s="")
    desk.own = {"t": cat, "pico": fish, "s": fish}
    desk.arrive("pico")
    steps = gather(desk, "key", ["t", "pico", "s"], PLAIN, lambda: True)
    assert next(steps)[1].study.target.wnid == fish
    desk.arrive("t")
    assert states(next(steps)) == ["there", "working", "working"]
    desk.arrive("s")
    *_, last = steps
    assert [column.study.target.wnid for column in last] == [cat] * 3
    assert len(desk.left) == 1 + 3  # one that was asked in vain, and all at the end


def test_models_without_the_class_explain_their_own():
    """Of a label set that no other shares, as a backbone of 21,841 classes has."""
    alone = comparable_options(StudyOptions(target="class 16960"), study(small_model(), image(), PLAIN))
    assert (alone.target, alone.allow_missing_target) == ("class 16960", True)
    found = study(small_model(), image(), replace(alone, analyses=()))
    assert found.target.wnid == study(small_model(), image(), PLAIN).target.wnid


def test_requested_target_applies_to_all_models():
    desk = Desk(pico="", t="")
    for name in ("pico", "t"):
        desk.arrive(name)
    for _ in gather(desk, "key", ["pico", "t"], StudyOptions(analyses=(), target="n02123045"), lambda: True):
        pass
    assert [options.target for _, options in desk.asked] == ["n02123045"] * 2


def test_failure_affects_its_own_column_only(caplog):
    desk = Desk(t="", s="", pico="")
    for name in ("t", "s", "pico"):
        desk.arrive(name)
    desk.fails = {"t": OutOfRange("T has no stage 9."), "s": ZeroDivisionError("in /srv/secret")}
    columns = list(gather(desk, "key", ["t", "s", "pico"], PLAIN, lambda: True))[-1]
    assert states(columns) == ["failed", "failed", "there"]
    assert all(column.finished for column in columns)
    assert columns[0].error is desk.fails["t"]
    assert str(columns[1].error).startswith("S could not analyze this image")
    assert "secret" not in str(columns[1].error)
    assert "ZeroDivisionError: in /srv/secret" in caplog.text  # for whoever runs the server


def test_superseded_requests_compute_nothing():
    desk = Desk(pico="", t="")
    for name in ("pico", "t"):
        desk.arrive(name)
    turns = iter([True, False])
    assert len(list(gather(desk, "key", ["pico", "t"], PLAIN, lambda: next(turns)))) == 1
    assert [name for name, _ in desk.asked] == ["pico"]


def test_long_computations_report_progress():
    desk = Desk(pico="")
    desk.arrive("pico")
    desk.slow = ("pico",)
    steps = gather(desk, "key", ["pico"], PLAIN, lambda: True)
    assert next(steps)[0].steps == ("sanity_checks", 12, 40)
    desk.job.steps = ("sanity_checks", 13, 40)
    (column,) = next(steps)
    assert (column.steps, column.finished) == (("sanity_checks", 13, 40), False)
    desk.job.future.set_result(study(small_model(), image(), PLAIN))
    (column,) = next(steps)
    assert (states([column]), column.steps) == (["there"], None)
    assert len(desk.asked) == 1  # asked once, however often it was looked at
    assert next(steps, None) is None
    assert desk.left == [desk.job]


def test_leaving_stops_waiting():
    desk = Desk(pico="")
    desk.arrive("pico")
    desk.slow = ("pico",)
    turns = iter([True, True, False])
    assert len(list(gather(desk, "key", ["pico"], PLAIN, lambda: next(turns)))) == 2
    assert desk.left == [desk.job]
    steps = gather(desk, "key", ["pico"], PLAIN, lambda: True)
    next(steps)
    steps.close()  # the browser is gone
    assert len(desk.left) == 2


def test_models_are_held_until_analyzed():
    desk = Desk(t="its file", pico="", s="")
    steps = gather(desk, "key", ["t", "pico", "s"], PLAIN, lambda: True)
    next(steps)
    assert desk.held == ["t", "pico", "s"]  # all on their way at once
    desk.arrive("pico")
    assert states(next(steps))[1] == "there"
    assert desk.held == ["t", "s"]
    desk.arrive("s")
    desk.slow = ("s",)
    assert next(steps)[2].steps
    assert desk.held == ["t", "s"]  # while it is explained
    steps.close()
    assert desk.held == []


def test_title_of_a_timm_backbone():
    names = ["timm:resnet50", "timm:resnet50.a1_in1k", "timm:test_resnet@untrained"]
    assert [model_title(name) for name in names] == [
        "resnet50 (timm)", "resnet50.a1_in1k (timm)", "test_resnet (timm) (random weights)",
    ]  # fmt: skip
    assert Column("timm:test_resnet@untrained").badge
    assert not Column("timm:test_resnet").badge


def test_title_of_a_model():
    names = ["t", "transxnet_s", "b-384", "pico", "pico@untrained", "T@untrained"]
    assert [model_title(name) for name in names] == [
        "T",
        "S",
        "B (384 px)",
        "pico",
        "pico (random weights)",
        "T (random weights)",
    ]
    names = ["pico_matched", "pico_static", "pico_noosra", "pico-noste"]
    titles = ["pico (matched)", "pico (static)", "pico (no OSRA)", "pico (no STE)"]
    assert [model_title(name) for name in names] == titles
    assert Column("t").badge == ""
    assert Column("t@untrained").badge
    assert not Column("t", arrival=Arrival("its file")).finished
    assert Column("t", error=SourceFailed("down")).finished


def test_titles_have_no_commas():
    """Several titles are listed with commas: "pico, pico, random weights" would be three models."""
    names = [spec.short for spec in VARIANTS.values()]
    assert not [title for name in names for title in map(model_title, (name, f"{name}@untrained")) if "," in title]
