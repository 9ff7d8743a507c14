"""The studio: what is kept, what is forgotten, what is computed once, and who may go on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from demo import studio as module
from demo.captions import PICTURE_GONE
from demo.jobs import Abandoned
from demo.studio import AT_ONCE, PICTURES, Studio
from tests.small import picture, small_model
from transxnet.draw.png import to_png
from transxnet.errors import LensError, OutOfRange, PictureError, SourceFailed, UnknownName
from transxnet.images import decode
from transxnet.study import Options, study
from transxnet.variants import SIBLINGS
from transxnet.weights import Availability, LoadedModel

ONE = Options(stage=2, point=(30, 40), only=("attention",))


class Loads:
    """Stands for transxnet.load: remembers what it was asked for, and fails while `error` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    def __call__(self, name: str, **options: object) -> LoadedModel:
        self.asked.append(name)
        options["progress"](12_000_000, 50_000_000, "the weights")
        if self.error is not None:
            raise self.error
        return small_model()


@pytest.fixture
def loads(monkeypatch) -> Loads:
    stand_in = Loads()
    monkeypatch.setattr(module, "load", stand_in)
    return stand_in


class Counted:
    """A decorator like spaces.GPU: counts calls, and how many ran at the same moment."""

    def __init__(self) -> None:
        self.calls = self.now = self.most = 0
        self.meet: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def __call__(self, function: Callable) -> Callable:
        def wrapped(*args: object) -> object:
            with self._lock:
                self.calls, self.now = self.calls + 1, self.now + 1
                self.most = max(self.most, self.now)
            self.meet()
            try:
                return function(*args)
            finally:
                with self._lock:
                    self.now -= 1

        return wrapped


# ---- studies ------------------------------------------------------------------------------------------------


def test_the_same_question_is_computed_once(loads):
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(picture())
    first = studio.study(key, "pico", ONE)
    assert studio.study(key, "pico", Options(stage=2, point=(30, 40), only=("attention",))) is first
    assert gpu.calls == 1
    expected = study(small_model(), picture(), ONE)
    assert (first.attention.heads == expected.attention.heads).all()
    assert (first.prediction.logits == expected.prediction.logits).all()

    other = studio.study(key, "pico", Options(stage=2, point=(70, 10), only=("attention",)))
    assert other.attention.query != first.attention.query
    studio.study(studio.add(picture(1)), "pico", ONE)
    studio.study(key, "pico@untrained", ONE)
    assert gpu.calls == 4
    assert loads.asked == ["pico", "pico@untrained"]


def test_another_second_picture_is_another_question(loads):
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key, others = studio.add(picture()), [studio.add(picture(seed)) for seed in (1, 2)]
    asked = Options(stage=2, only=("kernel_change",))
    found = [studio.study(key, "pico", asked, other) for other in (*others, others[0])]
    assert gpu.calls == 2
    assert found[0] is found[2]
    for one, seed in zip(found, (1, 2), strict=False):
        expected = study(small_model(), picture(), asked, picture(seed))
        assert (one.kernel_change.distance == expected.kernel_change.distance).all()
    assert "second picture" in studio.study(key, "pico", asked).missing["kernel_change"]
    with pytest.raises(PictureError, match=PICTURE_GONE):
        studio.study(key, "pico", asked, "0" * 64)


def test_a_long_study_tells_how_far_it_is_and_stops_when_nobody_waits(loads, monkeypatch):
    told, go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(loaded, shown, options, other, progress):
        try:
            progress("trust", 12, 40)
            told.set()
            assert go.wait(60)
            progress("trust", 13, 40)
        except Abandoned:
            ended.set()
            raise

    monkeypatch.setattr(module, "study", slow)
    studio = Studio(device="cpu")
    key = studio.add(picture())
    job = studio.explain(key, "pico", Options(only=("trust",)))
    assert told.wait(60)
    assert (job.long, job.steps) == (True, ("trust", 12, 40))
    studio.leave(job)
    go.set()
    assert ended.wait(60)


def test_no_more_than_two_explain_at_the_same_moment(loads):
    gpu = Counted()
    gpu.meet = threading.Barrier(AT_ONCE, timeout=60).wait  # each waits for a second one: two do run together
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(picture())
    asked = [Options(point=(10 * i, 10), only=()) for i in range(2 * AT_ONCE)]
    threads = [threading.Thread(target=studio.study, args=(key, "pico", options)) for options in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (gpu.calls, gpu.most, AT_ONCE) == (4, 2, 2)


def test_studies_are_bounded(loads, monkeypatch):
    monkeypatch.setattr(module, "STUDIES", 3)
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(picture())
    asked = [Options(point=(i, 0), only=()) for i in range(4)]
    for options in [*asked, asked[3]]:
        studio.study(key, "pico", options)
    assert gpu.calls == 4
    studio.study(key, "pico", asked[0])  # the oldest had to go
    assert gpu.calls == 5


def test_a_backbone_that_is_too_large_is_refused_before_it_is_made(loads):
    studio, name = Studio(device="cpu"), "timm:convnext_xxlarge@untrained"
    entry = studio.hold(name)
    assert entry.done.wait(60)
    assert str(entry.error) == (
        "timm:convnext_xxlarge has 846 million parameters, too many for this page. "
        "Choose a backbone of up to 150 million."
    )
    with pytest.raises(OutOfRange, match="too many for this page"):
        studio.check_names(["t", name])
    assert loads.asked == []


def test_pictures_of_programs_push_out_no_visitors(loads, monkeypatch):
    monkeypatch.setattr(module, "SENT", 2)
    studio = Studio(device="cpu")
    mine = studio.add(picture())
    sent = [studio.add(decode(png_of(side)), visitor=False) for side in range(40, 140)]
    assert studio.picture(mine).sha256 == mine
    assert studio.picture(sent[-1]).size == (139, 139)
    with pytest.raises(PictureError):
        studio.picture(sent[0])


def png_of(side: int) -> bytes:
    return to_png(np.full((side, side, 3), side, np.uint8))


def test_strokes_push_out_no_maps(loads, monkeypatch):
    monkeypatch.setattr(module, "TRIALS", 2)
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(picture())
    studio.study(key, "pico", ONE)
    strokes = [Options(only=("trial",), edits=(f"no_osra@{stage}.0",)) for stage in (1, 2, 3)]
    for options in (*strokes, strokes[2], ONE):  # the last two are still there
        studio.study(key, "pico", options)
    assert gpu.calls == 4
    studio.study(key, "pico", strokes[0])  # the oldest stroke had to go
    assert gpu.calls == 5


def test_an_example_is_read_where_it_is_not_kept_any_more(loads, monkeypatch, tmp_path):
    path, read = tmp_path / "lion.png", []
    Image.fromarray(picture(3, 20, 20).rgb).save(path)

    def counted(path, name):
        read.append(name)
        return decode(path, name=name)

    monkeypatch.setattr(module, "decode", counted)
    studio = Studio(device="cpu")
    key = studio.add_example(path, "lion")
    assert studio.add_example(path, "lion") == key == decode(path, name="lion").sha256
    assert (studio.picture(key).rgb == picture(3, 20, 20).rgb).all()
    assert read == ["lion"]
    for seed in range(10, 10 + PICTURES - 1):
        studio.add(picture(seed, 20, 20))
    assert studio.add_example(path, "lion") == key  # just used again, so not the oldest
    assert read == ["lion"]
    for seed in range(100, 100 + PICTURES):
        studio.add(picture(seed, 20, 20))
    assert studio.add_example(path, "lion") == key
    assert read == ["lion", "lion"]
    assert studio.picture(key).sha256 == key


# ---- pictures -----------------------------------------------------------------------------------------------


def test_pictures_are_kept_by_their_pixels_and_the_oldest_goes(loads):
    studio = Studio(device="cpu")
    keys = [studio.add(picture(seed, 20, 20)) for seed in range(PICTURES)]
    assert studio.add(picture(0, 20, 20)) == keys[0]  # the same pixels, the same key; and it is the newest again
    studio.add(picture(PICTURES, 20, 20))
    assert studio.picture(keys[0]).sha256 == keys[0]
    with pytest.raises(PictureError, match=PICTURE_GONE):
        studio.picture(keys[1])
    with pytest.raises(PictureError, match=PICTURE_GONE):
        studio.study(keys[1], "pico", ONE)
    assert loads.asked == []  # no model is loaded for a picture that is not here


# ---- whose turn ---------------------------------------------------------------------------------------------


def test_the_newest_request_of_a_visitor_wins():
    studio = Studio(device="cpu")
    first, other = studio.begin("ann"), studio.begin("bob")
    assert first()
    second = studio.begin("ann")
    assert [first(), second(), other()] == [False, True, True]
    assert not first()


# ---- models -------------------------------------------------------------------------------------------------


def test_a_model_is_loaded_once_under_all_its_names(loads):
    studio = Studio(device="cpu")
    entry = studio.preload("pico")
    assert entry.done.wait(60)
    assert studio.hold("transxnet_pico") is studio.hold(" PICO ") is studio.peek("pico") is entry
    assert studio.hold("pico@Untrained") is studio.hold("transxnet_pico@untrained") is not entry
    assert entry.loaded is small_model()
    assert entry.cost.parameters == sum(p.numel() for p in small_model().model.parameters())
    peer = studio.hold("timm:test_resnet@untrained")
    assert studio.hold(" TIMM:test_resnet@Untrained") is peer
    assert peer.done.wait(60)
    with pytest.raises(UnknownName):
        studio.hold("zeta")
    with pytest.raises(UnknownName):
        studio.hold("timm:zeta")


def test_a_failure_is_remembered_until_somebody_asks_again(loads):
    studio = Studio(device="cpu")
    key = studio.add(picture())
    loads.error = SourceFailed("The Hub is down.", remedy="Wait.")
    for _ in range(2):
        with pytest.raises(SourceFailed, match="The Hub is down"):
            studio.study(key, "t", ONE)
    assert studio.peek("t").error is loads.error
    assert loads.asked == ["t"]
    loads.error = None
    studio.forget_failure("t")
    again = studio.hold("t")
    assert again.done.wait(60)
    assert again.error is None
    assert loads.asked == ["t", "t"]
    assert studio.study(key, "t", ONE).variant == "small"


def test_an_unexpected_failure_becomes_a_sentence(loads):
    loads.error = RuntimeError("no room in /srv/secret")
    entry = Studio(device="cpu").preload("t")
    assert entry.done.wait(60)
    assert isinstance(entry.error, LensError)
    assert "t failed" in str(entry.error)
    assert "secret" not in str(entry.error)
    assert "/srv/secret" in entry.error.detail


# ---- names --------------------------------------------------------------------------------------------------


NOWHERE = dict.fromkeys(("nano", *(spec.short for spec in SIBLINGS)), Availability.NOWHERE)
AVAILABLE = NOWHERE | {"s": Availability.FOLDER, "pico": Availability.BUNDLED}


def test_names_are_those_that_some_source_has_the_ready_ones_first(monkeypatch):
    monkeypatch.setattr(module, "available", lambda name, **where: AVAILABLE.get(name, Availability.RELEASE))
    studio = Studio(device="cpu")
    assert studio.names() == ["s", "pico", "t", "b", "b_384", "pico@untrained", "t@untrained"]  # nobody has nano
    assert studio.ready("s")
    assert not studio.ready("t")


def test_where_weights_come_from_may_be_said_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "transxnet_nano.safetensors").touch()
    assert "nano" not in Studio(device="cpu").names()
    assert Studio(device="cpu", weights_dir=str(tmp_path)).availability("nano") == Availability.FOLDER
    monkeypatch.setenv("TRANSXNET_WEIGHTS", str(tmp_path))
    assert Studio(device="cpu").availability("nano") == Availability.FOLDER
    monkeypatch.setenv("TRANSXNET_HUB_NAMESPACE", "lens-tests")
    assert Studio(device="cpu").availability("t") == Availability.HUB
    assert str(Studio(device="cpu").namespace) == "lens-tests"
    assert str(Studio(device="cpu", hub_namespace="other@v1").namespace) == "other@v1"
    with pytest.raises(SourceFailed, match="'other@' is no Hub namespace"):
        Studio(device="cpu", hub_namespace="other@")


def test_a_model_that_is_loaded_is_ready(loads):
    studio = Studio(device="cpu")
    assert not studio.ready("b_384")
    studio.preload("b_384").done.wait(60)
    assert studio.ready("b_384")
