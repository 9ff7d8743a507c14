"""The shared models: bounded in bytes, held while in use, and loading ends when no request waits for it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from demo import models as module
from demo.models import Arrival, Loading, Models
from transxnet.errors import SourceFailed

PATIENCE = 60  # seconds: a condition that holds ends the wait at once


class Model:
    """Stands for a LoadedModel."""


class Loader:
    """Stands for what loads: a model has so many bytes as its name says, and comes when its gate is opened."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun: dict[str, threading.Event] = {}
        self.gates: dict[str, threading.Event] = {}
        self.alive: dict[str, weakref.ref] = {}
        self.most = 0  # bytes of models that were there at the same moment
        self.errors: dict[str, Exception] = {}
        self.models: Models | None = None

    def make(self, max_bytes: int = 100, remote: tuple[str, ...] = (), pinned: tuple[str, ...] = ()) -> Models:
        self.models = Models(self, lambda name: int(name[1:]), lambda name: name in remote, max_bytes, pinned)
        return self.models

    def close(self, *names: str) -> None:
        """From now on these are loaded until `open` is called for them."""
        self.gates |= {name: threading.Event() for name in names}
        self.begun |= {name: threading.Event() for name in names}

    def open(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()

    def __call__(self, entry: Loading) -> None:
        self.asked.append(entry.name)
        if entry.name in self.gates:
            self.begun[entry.name].set()
            while not self.gates[entry.name].wait(0.01):
                self.models.keep_going(entry)
        if entry.name in self.errors:
            raise self.errors[entry.name]
        model = Model()
        self.alive[entry.name] = weakref.ref(model)
        self.most = max(self.most, sum(int(name[1:]) for name in self.here()))
        entry.loaded = model

    def here(self) -> list[str]:
        """Models that are in memory."""
        return sorted(name for name, model in list(self.alive.items()) if model() is not None)


@pytest.fixture
def loader(monkeypatch) -> Loader:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    return Loader()


def use(models: Models, *names: str) -> None:
    for name in names:
        entry = models.hold(name)
        assert entry.finished.wait(PATIENCE)
        models.release(entry)


@contextmanager
def holding(models: Models, name: str) -> Iterator[Loading]:
    entry = models.hold(name)
    try:
        yield entry
    finally:
        models.release(entry)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


# ---- memory -------------------------------------------------------------------------------------------------


def test_the_least_recently_used_is_evicted(loader):
    models = loader.make(100)
    use(models, "a40", "b40", "a40", "c30")
    assert loader.here() == ["a40", "c30"]
    use(models, "b40", "b40")
    assert loader.here() == ["b40", "c30"]
    assert loader.asked == ["a40", "b40", "c30", "b40"]
    assert loader.most <= 100


def test_looking_is_not_using(loader):
    models = loader.make(100)
    use(models, "a40", "b40")
    assert models.peek("a40").loaded is not None
    assert models.peek("z1") is None
    use(models, "c30")
    assert loader.here() == ["b40", "c30"]


def test_a_held_model_is_not_evicted(loader):
    models = loader.make(100)
    with holding(models, "a60") as entry:
        assert entry.finished.wait(PATIENCE)
        use(models, "b30", "c30", "d30")
        assert loader.here() == ["a60", "d30"]
        waiting = models.hold("e50")
        assert not waiting.finished.wait(0.2)  # nothing can make room for it
        assert "e50" not in loader.asked
        assert loader.here() == ["a60", "d30"]  # and nothing is evicted in vain
    assert waiting.finished.wait(PATIENCE)
    assert "a60" not in loader.here()
    assert loader.most <= 100


def test_models_on_their_way_count(loader):
    models = loader.make(100)
    loader.close("a60", "b60")
    first, second = models.hold("a60"), models.hold("b60")
    assert loader.begun["a60"].wait(PATIENCE)
    assert not loader.begun["b60"].wait(0.2)
    loader.open("a60", "b60")
    assert first.finished.wait(PATIENCE)
    assert not second.finished.wait(0.2)
    models.release(first)
    assert second.finished.wait(PATIENCE)
    assert loader.most == 60


def test_pinned_models_stay_and_do_not_count(loader):
    models = loader.make(100, pinned=("p90",))
    models.preload("p90").finished.wait(PATIENCE)
    use(models, *(f"{letter}50" for letter in "abcdefgh"))
    assert loader.here() == ["g50", "h50", "p90"]
    use(models, "p90")
    assert loader.asked.count("p90") == 1


def test_many_requests_at_once_stay_within_the_bound(loader):
    """Pages hold three and release whichever has come; measuring holds three until all are there."""
    models = loader.make(100)
    names = [f"{letter}{size}" for letter in "abcdefgh" for size in (10, 20, 33)]

    def visit(start: int) -> None:
        entries = [models.hold(names[(start + i) % len(names)]) for i in range(3)]
        while entries:
            entry = next((entry for entry in entries if entry.finished.wait(0.01)), None)
            if entry is not None:
                entries.remove(entry)
                models.release(entry)

    def measure(start: int) -> None:
        three = [names[(start + i) % len(names)] for i in range(3)]
        with models.hold_all(*three):
            assert all(models.peek(name).loaded is not None for name in three)

    work = [threading.Thread(target=visit if i % 3 else measure, args=(5 * i,)) for i in range(30)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in work)
    assert loader.most <= 100


# ---- loading ------------------------------------------------------------------------------------------------


def test_a_model_is_loaded_once_for_all(loader):
    models = loader.make()
    loader.close("a10")
    entries = [models.hold("a10") for _ in range(5)]
    loader.open("a10")
    assert entries[0].finished.wait(PATIENCE)
    assert {id(entry) for entry in entries} == {id(entries[0])}
    assert loader.asked == ["a10"]


def test_downloads_come_one_at_a_time(loader):
    models = loader.make(remote=("a10", "b10"))
    loader.close("a10", "b10", "c10")
    entries = [models.hold(name) for name in ("a10", "b10", "c10")]
    assert loader.begun["a10"].wait(PATIENCE)
    assert loader.begun["c10"].wait(PATIENCE)  # needs no network, and does not wait for those that do
    assert not loader.begun["b10"].wait(0.2)
    loader.open("a10")
    assert loader.begun["b10"].wait(PATIENCE)
    loader.open("b10", "c10")
    assert all(entry.finished.wait(PATIENCE) for entry in entries)


def test_the_program_itself_does_not_wait_for_visitors_downloads(loader):
    models = loader.make(remote=("a10", "b10"))
    loader.close("a10")
    waiting = models.hold("a10")
    assert loader.begun["a10"].wait(PATIENCE)
    assert models.preload("b10").finished.wait(PATIENCE)
    loader.open("a10")
    assert waiting.finished.wait(PATIENCE)


def test_what_nobody_waits_for_is_not_begun(loader):
    models = loader.make(remote=("a10", "b10", "c10"))
    loader.close("a10")
    first, dropped, kept = (models.hold(name) for name in ("a10", "b10", "c10"))
    assert loader.begun["a10"].wait(PATIENCE)
    models.release(dropped)
    loader.open("a10")
    assert kept.finished.wait(PATIENCE)
    assert first.loaded is not None
    assert loader.asked == ["a10", "c10"]
    assert models.peek("b10") is None
    use(models, "b10")  # asked for again, it comes
    assert loader.asked == ["a10", "c10", "b10"]


def test_a_download_that_nobody_waits_for_stops(loader):
    models = loader.make(remote=("a10", "b10"))
    loader.close("a10")
    left, waiting = models.hold("a10"), models.hold("b10")
    assert loader.begun["a10"].wait(PATIENCE)
    models.release(left)
    assert waiting.finished.wait(PATIENCE)  # its turn has come, although the gate of the first is still closed
    assert left.finished.wait(PATIENCE)
    assert str(left.error) == "Loading was canceled because no request was waiting for this model. Select it again."
    assert models.peek("a10") is None  # no failure is remembered
    loader.open("a10")
    use(models, "a10")
    assert loader.asked == ["a10", "b10", "a10"]


def test_a_download_goes_on_for_one_who_comes_back_soon(loader, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", PATIENCE)
    models = loader.make(remote=("a10",))
    loader.close("a10")
    entry = models.hold("a10")
    assert loader.begun["a10"].wait(PATIENCE)
    models.release(entry)
    assert models.hold("a10") is entry
    loader.open("a10")
    assert entry.finished.wait(PATIENCE)
    assert (entry.error, loader.asked) == (None, ["a10"])


def test_what_waits_for_memory_is_dropped_when_nobody_waits(loader):
    models = loader.make(100)
    with holding(models, "a90") as entry:
        assert entry.finished.wait(PATIENCE)
        dropped = models.hold("b90")
        models.release(dropped)
        assert dropped.finished.wait(PATIENCE)
    assert loader.asked == ["a90"]
    assert models.peek("b90") is None


def test_a_failure_is_remembered_until_forgotten(loader):
    models = loader.make()
    loader.errors["a10"] = SourceFailed("The Hub is down.")
    use(models, "a10", "a10")
    assert models.peek("a10").error is loader.errors["a10"]
    assert loader.asked == ["a10"]
    with pytest.raises(SourceFailed, match="down"), models.hold_all("b10", "a10"):
        pass
    del loader.errors["a10"]
    models.forget_failure("a10")
    use(models, "a10")
    assert models.peek("a10").loaded is not None
    use(models, "b99")  # all of it was released
    assert loader.here() == ["b99"]


def test_the_progress_of_a_download(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    entry = Loading("t")
    now[0] += 3
    assert entry.arrival == Arrival("", 0, 0, silent=0.0)  # it waits for its turn
    entry.begin()
    now[0] += 3
    assert entry.arrival == Arrival("", 0, 0, silent=3.0)
    assert entry.arrival.share is None
    entry.progress(12_000_000, 50_000_000, "the weights")
    now[0] += 4
    assert entry.arrival == Arrival("the weights", 12_000_000, 50_000_000, silent=4.0)
    assert (entry.arrival.share, entry.arrival.complete) == (0.24, False)
    entry.progress(12_000_000, 50_000_000, "the weights")  # told again, but nothing has come
    assert entry.arrival.silent == 4.0
    entry.progress(50_000_000, 50_000_000, "the weights")
    assert (entry.arrival.silent, entry.arrival.complete) == (0.0, True)
    entry.progress(3_400_000, 0, "more")  # a server that does not say how much there is
    assert (entry.arrival.share, entry.arrival.complete) == (None, False)
