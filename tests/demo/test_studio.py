"""The studio: what is kept, what is forgotten, what is computed once, and who may go on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
from PIL import Image
from safetensors.torch import save_file

from demo import models
from demo import studio as module
from demo.backbones import Backbones
from demo.i18n.translate import tr
from demo.jobs import Abandoned
from demo.studio import AT_ONCE, IMAGES, WAITING, Loading, Studio
from tests.fixtures.small_model import image, small_model
from tests.hub import HubServer, use_hub
from transxnet import load as load_model
from transxnet.backbones.spec import find_backbone
from transxnet.draw.overlay import to_png
from transxnet.errors import Busy, ImageError, LensError, OutOfRange, SourceFailed, UnknownName
from transxnet.images import decode
from transxnet.study import StudyOptions, study
from transxnet.variants import SIBLINGS
from transxnet.weights.load import Availability, LoadedModel

ONE = StudyOptions(stage=2, position=(30, 40), analyses=("attention",))


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
    key = studio.add(image())
    first = studio.study(key, "pico", ONE)
    assert studio.study(key, "pico", StudyOptions(stage=2, position=(30, 40), analyses=("attention",))) is first
    assert gpu.calls == 1
    expected = study(small_model(), image(), ONE)
    assert (first.attention.heads == expected.attention.heads).all()
    assert (first.predictions.logits == expected.predictions.logits).all()

    other = studio.study(key, "pico", StudyOptions(stage=2, position=(70, 10), analyses=("attention",)))
    assert other.attention.query != first.attention.query
    studio.study(studio.add(image(1)), "pico", ONE)
    studio.study(key, "pico@untrained", ONE)
    assert gpu.calls == 4
    assert loads.asked == ["pico", "pico@untrained"]


def test_another_second_image_is_another_question(loads):
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key, others = studio.add(image()), [studio.add(image(seed)) for seed in (1, 2)]
    asked = StudyOptions(stage=2, analyses=("kernel_change",))
    found = [studio.study(key, "pico", asked, other) for other in (*others, others[0])]
    assert gpu.calls == 2
    assert found[0] is found[2]
    for one, seed in zip(found, (1, 2), strict=False):
        expected = study(small_model(), image(), asked, image(seed))
        assert (one.kernel_change.distance == expected.kernel_change.distance).all()
    assert "second image" in studio.study(key, "pico", asked).missing["kernel_change"]
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        studio.study(key, "pico", asked, "0" * 64)


def test_a_long_study_tells_how_far_it_is_and_stops_when_nobody_waits(loads, monkeypatch):
    told, go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(loaded, shown, options, other, progress):
        try:
            progress("sanity_checks", 12, 40)
            told.set()
            assert go.wait(60)
            progress("sanity_checks", 13, 40)
        except Abandoned:
            ended.set()
            raise

    monkeypatch.setattr(module, "study", slow)
    studio = Studio(device="cpu")
    key = studio.add(image())
    job = studio.explain(key, "pico", StudyOptions(analyses=("sanity_checks",)))
    assert told.wait(60)
    assert (job.long, job.steps) == (True, ("sanity_checks", 12, 40))
    studio.leave(job)
    go.set()
    assert ended.wait(60)


def test_no_more_than_two_explain_at_the_same_moment(loads):
    gpu = Counted()
    gpu.meet = threading.Barrier(AT_ONCE, timeout=60).wait  # each waits for a second one: two do run together
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(image())
    asked = [StudyOptions(position=(10 * i, 10), analyses=()) for i in range(2 * AT_ONCE)]
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
    key = studio.add(image())
    asked = [StudyOptions(position=(i, 0), analyses=()) for i in range(4)]
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
        "timm:convnext_xxlarge has 846 million parameters, more than this page allows. "
        "Select a backbone with at most 150 million parameters."
    )
    with pytest.raises(OutOfRange, match="more than this page allows"):
        studio.check_names(["t", name])
    assert loads.asked == []


def test_images_of_programs_push_out_no_visitors(loads, monkeypatch):
    monkeypatch.setattr(module, "SENT", 2)
    studio = Studio(device="cpu")
    mine = studio.add(image())
    sent = [studio.add(decode(png_of(side)), visitor=False) for side in range(40, 140)]
    assert studio.image(mine).sha256 == mine
    assert studio.image(sent[-1]).size == (139, 139)
    with pytest.raises(ImageError):
        studio.image(sent[0])


def png_of(side: int) -> bytes:
    return to_png(np.full((side, side, 3), side, np.uint8))


def test_strokes_push_out_no_maps(loads, monkeypatch):
    monkeypatch.setattr(module, "TRIALS", 2)
    gpu = Counted()
    studio = Studio(device="cpu", on_gpu=gpu)
    key = studio.add(image())
    studio.study(key, "pico", ONE)
    strokes = [StudyOptions(analyses=("ablation",), ablations=(f"no_osra@{stage}.0",)) for stage in (1, 2, 3)]
    for options in (*strokes, strokes[2], ONE):  # the last two are still there
        studio.study(key, "pico", options)
    assert gpu.calls == 4
    studio.study(key, "pico", strokes[0])  # the oldest stroke had to go
    assert gpu.calls == 5


def test_an_example_is_read_where_it_is_not_kept_any_more(loads, monkeypatch, tmp_path):
    path, read = tmp_path / "lion.png", []
    Image.fromarray(image(3, 20, 20).rgb).save(path)

    def counted(path, name):
        read.append(name)
        return decode(path, name=name)

    monkeypatch.setattr(module, "decode", counted)
    studio = Studio(device="cpu")
    key = studio.add_example(path, "lion")
    assert studio.add_example(path, "lion") == key == decode(path, name="lion").sha256
    assert (studio.image(key).rgb == image(3, 20, 20).rgb).all()
    assert read == ["lion"]
    for seed in range(10, 10 + IMAGES - 1):
        studio.add(image(seed, 20, 20))
    assert studio.add_example(path, "lion") == key  # just used again, so not the oldest
    assert read == ["lion"]
    for seed in range(100, 100 + IMAGES):
        studio.add(image(seed, 20, 20))
    assert studio.add_example(path, "lion") == key
    assert read == ["lion", "lion"]
    assert studio.image(key).sha256 == key


# ---- images -----------------------------------------------------------------------------------------------


def test_images_are_kept_by_their_pixels_and_the_oldest_goes(loads):
    studio = Studio(device="cpu")
    keys = [studio.add(image(seed, 20, 20)) for seed in range(IMAGES)]
    assert studio.add(image(0, 20, 20)) == keys[0]  # the same pixels, the same key; and it is the newest again
    studio.add(image(IMAGES, 20, 20))
    assert studio.image(keys[0]).sha256 == keys[0]
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        studio.image(keys[1])
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        studio.study(keys[1], "pico", ONE)
    assert loads.asked == []  # no model is loaded for an image that is not here


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
    backbone = studio.hold("timm:test_resnet@untrained")
    assert studio.hold(" TIMM:test_resnet@Untrained") is backbone
    assert backbone.done.wait(60)
    with pytest.raises(UnknownName):
        studio.hold("zeta")
    with pytest.raises(UnknownName):
        studio.hold("timm:zeta")


def test_a_failure_is_remembered_until_somebody_asks_again(loads):
    studio = Studio(device="cpu")
    key = studio.add(image())
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
    assert studio.study(key, "t", ONE).model == "small"


def test_an_unexpected_failure_becomes_a_sentence(loads):
    loads.error = RuntimeError("no room in /srv/secret")
    entry = Studio(device="cpu").preload("t")
    assert entry.done.wait(60)
    assert isinstance(entry.error, LensError)
    assert "t failed" in str(entry.error)
    assert "secret" not in str(entry.error)
    assert "/srv/secret" in entry.error.detail


def test_the_default_is_answered_while_others_load(monkeypatch):
    """Also while programs wait for downloads: those beyond a few are told to come again."""
    gate, begun = threading.Event(), threading.Event()

    def held_up(name: str, **options: object) -> LoadedModel:
        if name != "pico":
            begun.set()
            assert gate.wait(60)
        return small_model()

    monkeypatch.setattr(module, "load", held_up)
    monkeypatch.setattr(module, "available", lambda name, **where: AVAILABLE.get(name, Availability.RELEASE))
    studio = Studio(device="cpu", model_bytes=10**9)
    key, others = studio.add(image()), ["t", "b", "b_384", "t@untrained", "b@untrained", "timm:resnet50@untrained"]
    entries = [studio.hold(name) for name in others]
    assert begun.wait(60)
    assert studio.study(key, "pico", ONE).model == "small"
    waiting = [threading.Thread(target=studio.study, args=(key, name, ONE)) for name in others[:WAITING]]
    for thread in waiting:
        thread.start()
    while studio._waiting._value:  # until all wait
        threading.Event().wait(0.01)
    with pytest.raises(Busy, match="b_384 has to be downloaded first"):
        studio.study(key, "b_384", ONE)
    assert studio.study(key, "pico", replace(ONE, stage=3)).model == "small"
    gate.set()
    for thread in waiting:
        thread.join(60)
    assert all(entry.done.wait(60) for entry in entries)
    assert studio.study(key, "b_384", ONE).model == "small"


def test_the_default_and_pico_are_never_evicted(loads):
    studio = Studio(device="cpu", default="s", model_bytes=700 * 10**6)
    for name in ("s", "pico", "b", "b_384", "t", "b@untrained", "b_384@untrained"):
        entry = studio.hold(name)
        assert entry.done.wait(60)
        studio.release(entry)
    for name in ("s", "pico"):
        assert studio.peek(name).loaded is not None
    assert studio.peek("b") is None  # the longest unused of the others
    assert studio.cost("b") is not None  # as long as its studies may be shown


def test_a_model_is_held_until_its_study_is_computed(loads, monkeypatch):
    go, asked = threading.Event(), threading.Event()

    def slow(*args: object) -> object:
        asked.set()
        assert go.wait(60)
        return study(*args)

    monkeypatch.setattr(module, "study", slow)
    studio = Studio(device="cpu")
    job = studio.explain(studio.add(image()), "t@untrained", ONE)
    assert asked.wait(60)
    assert studio.peek("t@untrained").holders == 1
    go.set()
    assert job.future.result().model == "small"
    studio.leave(job)
    assert studio.peek("t@untrained").holders == 0


def test_a_model_larger_than_a_third_of_the_memory_is_refused(loads):
    studio = Studio(device="cpu", model_bytes=3 * 10**8)
    assert studio.check_names(["t"]) == ["t"]
    with pytest.raises(OutOfRange, match="b needs more memory than this page allows for one model"):
        studio.check_names(["t", "b"])
    with pytest.raises(OutOfRange, match="b needs more memory"):
        studio.study(studio.add(image()), "b", ONE)
    assert loads.asked == []


# ---- what one request names -----------------------------------------------------------------------------------


def test_all_names_are_checked_and_few_are_enough(loads):
    studio = Studio(device="cpu")
    assert studio.check_names(["transxnet_pico", " PICO ", "timm:test_resnet@Untrained", "t"]) == [
        "pico", "timm:test_resnet@untrained", "t",
    ]  # fmt: skip
    with pytest.raises(OutOfRange, match=r"At most 3 models can be selected; none was loaded\. Select fewer models\."):
        studio.check_names(f"timm:{name}@untrained" for name in timm.list_models("resnet*"))
    with pytest.raises(UnknownName, match="zeta"):
        studio.check_names(["pico", "zeta"])
    assert loads.asked == []


@pytest.mark.parametrize("policy", ["none", "listed", "any"])
def test_visitors_name_the_backbones_that_the_operator_lets_them(loads, policy):
    studio = Studio(device="cpu", backbones=Backbones(policy, ("timm:test_resnet",)))
    allowed = {"none": [], "listed": ["timm:test_resnet"], "any": ["timm:test_resnet", "timm:test_vit"]}[policy]
    for name in ("timm:test_resnet", "timm:test_vit"):
        for asked in (name, f"{name}@untrained"):
            if name in allowed:
                assert studio.check_names([asked]) == [asked]
                studio.release(studio.hold(asked))
            else:
                with pytest.raises(UnknownName, match="This page"):
                    studio.check_names([asked])
                with pytest.raises(UnknownName, match="This page"):
                    studio.study(studio.add(image()), asked, ONE)
    assert studio.check_names(["t"]) == ["t"]


# ---- downloads that visitors cause ----------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[HubServer]:
    """timm's repositories of three miniatures; the caches are empty."""
    for name in MINIATURES:
        spec = find_backbone(name)
        folder = tmp_path / "hub" / spec.hub_id
        folder.mkdir(parents=True)
        state = load_model(f"timm:{name}@untrained", device="cpu").model.net.state_dict()
        save_file({key: value.clone() for key, value in state.items()}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps({"architecture": name, "num_classes": 1000}), encoding="utf-8")
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "own"))
    with HubServer(tmp_path / "hub") as server:
        use_hub(monkeypatch, server.url, tmp_path / "shared")
        yield server


def arrived(studio: Studio, name: str) -> Loading:
    entry = studio.hold(name)
    assert entry.done.wait(60)
    studio.release(entry)
    return entry


def downloads(folder: Path) -> set[str]:
    """Of which backbones the weights are in a cache."""
    return {path.parents[2].name.rpartition("--")[2].partition(".")[0] for path in folder.rglob("model.safetensors")}


MINIATURES = ("test_resnet", "test_vit", "test_convnext")


def test_visitors_downloads_are_bounded_and_others_stay(hub, tmp_path):
    own, shared = tmp_path / "own" / "visitors", tmp_path / "shared"
    size = {
        name: (tmp_path / "hub" / find_backbone(name).hub_id / "model.safetensors").stat().st_size
        for name in MINIATURES
    }
    room = size["test_vit"] + size["test_convnext"] + 10_000
    load_model("timm:test_resnet", device="cpu")  # somebody else's download, in the client's own cache
    studio = Studio(device="cpu", backbones=Backbones("any", ("timm:test_vit",)), download_bytes=room)
    for name in ("timm:test_resnet", "timm:test_vit"):  # theirs, and the operator's
        assert arrived(studio, name).error is None
    assert (downloads(own), downloads(shared)) == (set(), {"test_resnet", "test_vit"})
    assert arrived(studio, "timm:test_convnext").error is None
    assert downloads(own) == {"test_convnext"}
    visitors = Studio(device="cpu", download_bytes=room)
    (tmp_path / "shared").rename(tmp_path / "gone")
    assert arrived(visitors, "timm:test_vit").error is None
    assert downloads(own) == {"test_convnext", "test_vit"}
    assert arrived(visitors, "timm:test_convnext").error is None  # from the folder, and the last used now
    assert arrived(visitors, "timm:test_resnet").error is None
    assert "test_vit" not in downloads(own)
    assert hub.downloads("model.safetensors") == 5
    small = Studio(device="cpu", download_bytes=1000)
    assert "this page stores at most 0.0 GB of downloads" in str(arrived(small, "timm:test_vit").error)
    assert downloads(tmp_path / "gone") == {"test_resnet", "test_vit"}


def test_a_download_that_nobody_waits_for_leaves_nothing(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "PATIENCE", 0.0)
    hub.hold(0.5, "model.safetensors")
    studio = Studio(device="cpu")
    entry = studio.hold("timm:test_vit")
    assert hub.waiting.wait(60)
    studio.release(entry)
    hub.hold(0.9, "model.safetensors")  # the next bytes come, and it hears of them
    assert entry.done.wait(60)
    assert "Loading was canceled" in str(entry.error)
    hub.heal()
    assert [path for path in (tmp_path / "own").rglob("*") if path.suffix in (".incomplete", ".safetensors")] == []
    assert arrived(studio, "timm:test_vit").error is None


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
    with pytest.raises(SourceFailed, match="'other@' is not a Hub namespace"):
        Studio(device="cpu", hub_namespace="other@")


def test_a_model_that_is_loaded_is_ready(loads):
    studio = Studio(device="cpu")
    assert not studio.ready("b_384")
    studio.preload("b_384").done.wait(60)
    assert studio.ready("b_384")
