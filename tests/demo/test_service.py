"""StudyService: what is kept, what is dropped, what is computed once, and what is refused."""

from __future__ import annotations

import json
import re
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
from demo import service as service_module
from demo.backbones import Backbones
from demo.i18n.translate import tr
from demo.jobs import Abandoned
from demo.service import AT_ONCE, IMAGES, WAITING, Loading, StudyService
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

OPTIONS = StudyOptions(stage=2, position=(30, 40), analyses=("attention",))


class Loads:
    """Replaces transxnet.load: records the requested names, and fails while `error` is set."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.error: Exception | None = None

    def __call__(self, name: str, **options: object) -> LoadedModel:
        self.names.append(name)
        options["progress"](12_000_000, 50_000_000, "the weights")
        if self.error is not None:
            raise self.error
        return small_model()


@pytest.fixture
def loads(monkeypatch) -> Loads:
    stand_in = Loads()
    monkeypatch.setattr(service_module, "load", stand_in)
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


# ---- studies --------------------------------------------------------------------------------------------------------


def test_equal_studies_are_computed_once(loads):
    gpu = Counted()
    service = StudyService(device="cpu", on_gpu=gpu)
    key = service.add(image())
    first = service.study(key, "pico", OPTIONS)
    assert service.study(key, "pico", StudyOptions(stage=2, position=(30, 40), analyses=("attention",))) is first
    assert gpu.calls == 1
    expected = study(small_model(), image(), OPTIONS)
    assert (first.attention.heads == expected.attention.heads).all()
    assert (first.predictions.logits == expected.predictions.logits).all()

    other = service.study(key, "pico", StudyOptions(stage=2, position=(70, 10), analyses=("attention",)))
    assert other.attention.query != first.attention.query
    service.study(service.add(image(1)), "pico", OPTIONS)
    service.study(key, "pico@untrained", OPTIONS)
    assert gpu.calls == 4
    assert loads.names == ["pico", "pico@untrained"]


def test_another_reference_image_is_another_study(loads):
    gpu = Counted()
    service = StudyService(device="cpu", on_gpu=gpu)
    key, references = service.add(image()), [service.add(image(seed)) for seed in (1, 2)]
    options = StudyOptions(stage=2, analyses=("kernel_change",))
    studies = [service.study(key, "pico", options, other) for other in (*references, references[0])]
    assert gpu.calls == 2
    assert studies[0] is studies[2]
    for compared, seed in zip(studies, (1, 2), strict=False):
        expected = study(small_model(), image(), options, image(seed))
        assert (compared.kernel_change.distance == expected.kernel_change.distance).all()
    assert "second image" in service.study(key, "pico", options).missing["kernel_change"]
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        service.study(key, "pico", options, "0" * 64)


def test_long_study_reports_progress_and_stops(loads, monkeypatch):
    reported, go, stopped = threading.Event(), threading.Event(), threading.Event()

    def slow(loaded, source, options, other, progress):
        try:
            progress("sanity_checks", 12, 40)
            reported.set()
            assert go.wait(60)
            progress("sanity_checks", 13, 40)
        except Abandoned:
            stopped.set()
            raise

    monkeypatch.setattr(service_module, "study", slow)
    service = StudyService(device="cpu")
    key = service.add(image())
    job = service.explain(key, "pico", StudyOptions(analyses=("sanity_checks",)))
    assert reported.wait(60)
    assert (job.long, job.steps) == (True, ("sanity_checks", 12, 40))
    service.leave(job)
    go.set()
    assert stopped.wait(60)


def test_two_studies_run_at_a_time(loads):
    gpu = Counted()
    gpu.meet = threading.Barrier(AT_ONCE, timeout=60).wait  # each waits for a second one: two do run together
    service = StudyService(device="cpu", on_gpu=gpu)
    key = service.add(image())
    all_options = [StudyOptions(position=(10 * i, 10), analyses=()) for i in range(2 * AT_ONCE)]
    threads = [threading.Thread(target=service.study, args=(key, "pico", options)) for options in all_options]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (gpu.calls, gpu.most, AT_ONCE) == (4, 2, 2)


def test_studies_are_bounded(loads, monkeypatch):
    monkeypatch.setattr(service_module, "STUDIES", 3)
    gpu = Counted()
    service = StudyService(device="cpu", on_gpu=gpu)
    key = service.add(image())
    all_options = [StudyOptions(position=(i, 0), analyses=()) for i in range(4)]
    for options in [*all_options, all_options[3]]:
        service.study(key, "pico", options)
    assert gpu.calls == 4
    service.study(key, "pico", all_options[0])  # the oldest had to go
    assert gpu.calls == 5


def test_large_backbone_is_refused_before_building(loads):
    service, name = StudyService(device="cpu"), "timm:convnext_xxlarge@untrained"
    entry = service.hold(name)
    assert entry.finished.wait(60)
    assert str(entry.error) == (
        "timm:convnext_xxlarge has 846 million parameters, more than this page allows. "
        "Select a backbone with at most 150 million parameters."
    )
    with pytest.raises(OutOfRange, match="more than this page allows"):
        service.check_names(["t", name])
    assert loads.names == []


def test_images_of_programs_evict_none_of_visitors(loads, monkeypatch):
    monkeypatch.setattr(service_module, "PROGRAM_IMAGES", 2)
    service = StudyService(device="cpu")
    visitors_key = service.add(image())
    keys = [service.add(decode(png_of(side)), visitor=False) for side in range(40, 140)]
    assert service.image(visitors_key).sha256 == visitors_key
    assert service.image(keys[-1]).size == (139, 139)
    with pytest.raises(ImageError):
        service.image(keys[0])


def png_of(side: int) -> bytes:
    return to_png(np.full((side, side, 3), side, np.uint8))


def test_ablations_evict_no_maps(loads, monkeypatch):
    monkeypatch.setattr(service_module, "ABLATIONS", 2)
    gpu = Counted()
    service = StudyService(device="cpu", on_gpu=gpu)
    key = service.add(image())
    service.study(key, "pico", OPTIONS)
    ablations = [StudyOptions(analyses=("ablation",), ablations=(f"no_osra@{stage}.0",)) for stage in (1, 2, 3)]
    for options in (*ablations, ablations[2], OPTIONS):  # the last two are still there
        service.study(key, "pico", options)
    assert gpu.calls == 4
    service.study(key, "pico", ablations[0])  # the oldest ablation had to go
    assert gpu.calls == 5


def test_evicted_example_is_read_again(loads, monkeypatch, tmp_path):
    path, names_read = tmp_path / "lion.png", []
    Image.fromarray(image(3, 20, 20).rgb).save(path)

    def counted(path, name):
        names_read.append(name)
        return decode(path, name=name)

    monkeypatch.setattr(service_module, "decode", counted)
    service = StudyService(device="cpu")
    key = service.add_example(path, "lion")
    assert service.add_example(path, "lion") == key == decode(path, name="lion").sha256
    assert (service.image(key).rgb == image(3, 20, 20).rgb).all()
    assert names_read == ["lion"]
    for seed in range(10, 10 + IMAGES - 1):
        service.add(image(seed, 20, 20))
    assert service.add_example(path, "lion") == key  # just used again, so not the oldest
    assert names_read == ["lion"]
    for seed in range(100, 100 + IMAGES):
        service.add(image(seed, 20, 20))
    assert service.add_example(path, "lion") == key
    assert names_read == ["lion", "lion"]
    assert service.image(key).sha256 == key


# ---- images ---------------------------------------------------------------------------------------------------------


def test_images_are_kept_by_their_pixels(loads):
    service = StudyService(device="cpu")
    keys = [service.add(image(seed, 20, 20)) for seed in range(IMAGES)]
    assert service.add(image(0, 20, 20)) == keys[0]  # the same pixels, the same key; and it is the newest again
    service.add(image(IMAGES, 20, 20))
    assert service.image(keys[0]).sha256 == keys[0]
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        service.image(keys[1])
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        service.study(keys[1], "pico", OPTIONS)
    assert loads.names == []  # no model is loaded for an image that is not here


def test_upload_has_a_random_key():
    service = StudyService(device="cpu")
    keys = [service.add_upload(image()) for _ in range(2)]
    assert keys[0] != keys[1]
    assert all(re.fullmatch("[0-9a-f]{32}", key) and service.keeps(key) for key in keys)
    assert service.image(keys[0]).sha256 == image().sha256
    assert not service.keeps("0" * 32)
    with pytest.raises(ImageError, match=tr("errors.image_gone")):
        service.image("0" * 32)


def test_oldest_upload_is_dropped():
    service = StudyService(device="cpu")
    keys = [service.add_upload(image(0, 20, 20)) for _ in range(IMAGES + 1)]
    assert [service.keeps(key) for key in keys] == [False, *[True] * IMAGES]


# ---- models ---------------------------------------------------------------------------------------------------------


def test_model_is_loaded_once_under_all_names(loads):
    service = StudyService(device="cpu")
    entry = service.preload("pico")
    assert entry.finished.wait(60)
    assert service.hold("transxnet_pico") is service.hold(" PICO ") is service.peek("pico") is entry
    assert service.hold("pico@Untrained") is service.hold("transxnet_pico@untrained") is not entry
    assert entry.loaded is small_model()
    assert entry.cost.parameters == sum(p.numel() for p in small_model().model.parameters())
    backbone = service.hold("timm:test_resnet@untrained")
    assert service.hold(" TIMM:test_resnet@Untrained") is backbone
    assert backbone.finished.wait(60)
    with pytest.raises(UnknownName):
        service.hold("zeta")
    with pytest.raises(UnknownName):
        service.hold("timm:zeta")


def test_failure_is_kept_until_it_is_forgotten(loads):
    service = StudyService(device="cpu")
    key = service.add(image())
    loads.error = SourceFailed("The Hub is down.", remedy="Wait.")
    for _ in range(2):
        with pytest.raises(SourceFailed, match="The Hub is down"):
            service.study(key, "t", OPTIONS)
    assert service.peek("t").error is loads.error
    assert loads.names == ["t"]
    loads.error = None
    service.forget_failure("t")
    again = service.hold("t")
    assert again.finished.wait(60)
    assert again.error is None
    assert loads.names == ["t", "t"]
    assert service.study(key, "t", OPTIONS).model == "small"


def test_unexpected_failure_becomes_a_sentence(loads):
    loads.error = RuntimeError("no room in /srv/secret")
    entry = StudyService(device="cpu").preload("t")
    assert entry.finished.wait(60)
    assert isinstance(entry.error, LensError)
    assert "t failed" in str(entry.error)
    assert "secret" not in str(entry.error)
    assert "/srv/secret" in entry.error.detail


def test_default_model_answers_while_others_load(monkeypatch):
    """Also while programs wait for downloads: those beyond a few are told to come again."""
    gate, started = threading.Event(), threading.Event()

    def blocked_load(name: str, **options: object) -> LoadedModel:
        if name != "pico":
            started.set()
            assert gate.wait(60)
        return small_model()

    monkeypatch.setattr(service_module, "load", blocked_load)
    monkeypatch.setattr(service_module, "available", lambda name, **where: AVAILABLE.get(name, Availability.RELEASE))
    service = StudyService(device="cpu", model_bytes=10**9)
    key = service.add(image())
    other_names = ["t", "b", "b_384", "t@untrained", "b@untrained", "timm:resnet50@untrained"]
    entries = [service.hold(name) for name in other_names]
    assert started.wait(60)
    assert service.study(key, "pico", OPTIONS).model == "small"
    waiting = [threading.Thread(target=service.study, args=(key, name, OPTIONS)) for name in other_names[:WAITING]]
    for thread in waiting:
        thread.start()
    while service._waiting._value:  # until all wait
        threading.Event().wait(0.01)
    with pytest.raises(Busy, match="b_384 has to be downloaded first"):
        service.study(key, "b_384", OPTIONS)
    assert service.study(key, "pico", replace(OPTIONS, stage=3)).model == "small"
    gate.set()
    for thread in waiting:
        thread.join(60)
    assert all(entry.finished.wait(60) for entry in entries)
    assert service.study(key, "b_384", OPTIONS).model == "small"


def test_default_and_pico_are_never_evicted(loads):
    service = StudyService(device="cpu", models=("s",), model_bytes=700 * 10**6)
    for name in ("s", "pico", "b", "b_384", "t", "b@untrained", "b_384@untrained"):
        entry = service.hold(name)
        assert entry.finished.wait(60)
        service.release(entry)
    for name in ("s", "pico"):
        assert service.peek(name).loaded is not None
    assert service.peek("b") is None  # the longest unused of the other_names
    assert service.cost("b") is not None  # as long as its studies may be shown


def test_model_is_held_until_its_study_ends(loads, monkeypatch):
    go, started = threading.Event(), threading.Event()

    def slow(*args: object) -> object:
        started.set()
        assert go.wait(60)
        return study(*args)

    monkeypatch.setattr(service_module, "study", slow)
    service = StudyService(device="cpu")
    job = service.explain(service.add(image()), "t@untrained", OPTIONS)
    assert started.wait(60)
    assert service.peek("t@untrained").holders == 1
    go.set()
    assert job.future.result().model == "small"
    service.leave(job)
    assert service.peek("t@untrained").holders == 0


def test_model_larger_than_a_third_is_refused(loads):
    service = StudyService(device="cpu", model_bytes=3 * 10**8)
    assert service.check_names(["t"]) == ["t"]
    with pytest.raises(OutOfRange, match="b needs more memory than this page allows for one model"):
        service.check_names(["t", "b"])
    with pytest.raises(OutOfRange, match="b needs more memory"):
        service.study(service.add(image()), "b", OPTIONS)
    assert loads.names == []


# ---- what one request names -----------------------------------------------------------------------------------------


def test_all_names_are_checked_before_loading(loads):
    service = StudyService(device="cpu")
    assert service.check_names(["transxnet_pico", " PICO ", "timm:test_resnet@Untrained", "t"]) == [
        "pico", "timm:test_resnet@untrained", "t",
    ]  # fmt: skip
    with pytest.raises(OutOfRange, match=r"At most 3 models can be selected; none was loaded\. Select fewer models\."):
        service.check_names(f"timm:{name}@untrained" for name in timm.list_models("resnet*"))
    with pytest.raises(UnknownName, match="zeta"):
        service.check_names(["pico", "zeta"])
    assert loads.names == []


@pytest.mark.parametrize("policy", ["none", "listed", "any"])
def test_policy_decides_which_backbones_are_allowed(loads, policy):
    service = StudyService(device="cpu", backbones=Backbones(policy, ("timm:test_resnet",)))
    allowed = {"none": [], "listed": ["timm:test_resnet"], "any": ["timm:test_resnet", "timm:test_vit"]}[policy]
    for name in ("timm:test_resnet", "timm:test_vit"):
        for requested in (name, f"{name}@untrained"):
            if name in allowed:
                assert service.check_names([requested]) == [requested]
                service.release(service.hold(requested))
            else:
                with pytest.raises(UnknownName, match="This page"):
                    service.check_names([requested])
                with pytest.raises(UnknownName, match="This page"):
                    service.study(service.add(image()), requested, OPTIONS)
    assert service.check_names(["t"]) == ["t"]


# ---- downloads that visitors cause ----------------------------------------------------------------------------------


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


def load_and_release(service: StudyService, name: str) -> Loading:
    entry = service.hold(name)
    assert entry.finished.wait(60)
    service.release(entry)
    return entry


def downloads(folder: Path) -> set[str]:
    """Of which backbones the weights are in a cache."""
    return {path.parents[2].name.rpartition("--")[2].partition(".")[0] for path in folder.rglob("model.safetensors")}


MINIATURES = ("test_resnet", "test_vit", "test_convnext")


def test_downloads_of_visitors_are_bounded(hub, tmp_path):
    visitors_cache, shared = tmp_path / "own" / "visitors", tmp_path / "shared"
    size = {
        name: (tmp_path / "hub" / find_backbone(name).hub_id / "model.safetensors").stat().st_size
        for name in MINIATURES
    }
    room = size["test_vit"] + size["test_convnext"] + 10_000
    load_model("timm:test_resnet", device="cpu")  # somebody else's download, in the client's own cache
    service = StudyService(device="cpu", backbones=Backbones("any", ("timm:test_vit",)), download_bytes=room)
    for name in ("timm:test_resnet", "timm:test_vit"):  # theirs, and the operator's
        assert load_and_release(service, name).error is None
    assert (downloads(visitors_cache), downloads(shared)) == (set(), {"test_resnet", "test_vit"})
    assert load_and_release(service, "timm:test_convnext").error is None
    assert downloads(visitors_cache) == {"test_convnext"}
    visitors = StudyService(device="cpu", download_bytes=room)
    (tmp_path / "shared").rename(tmp_path / "gone")
    assert load_and_release(visitors, "timm:test_vit").error is None
    assert downloads(visitors_cache) == {"test_convnext", "test_vit"}
    assert load_and_release(visitors, "timm:test_convnext").error is None  # from the folder, and the last used now
    assert load_and_release(visitors, "timm:test_resnet").error is None
    assert "test_vit" not in downloads(visitors_cache)
    assert hub.downloads("model.safetensors") == 5
    small = StudyService(device="cpu", download_bytes=1000)
    assert "this page stores at most 0.0 GB of downloads" in str(load_and_release(small, "timm:test_vit").error)
    assert downloads(tmp_path / "gone") == {"test_resnet", "test_vit"}


def test_abandoned_download_leaves_nothing(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "PATIENCE", 0.0)
    hub.hold(0.5, "model.safetensors")
    service = StudyService(device="cpu")
    entry = service.hold("timm:test_vit")
    assert hub.waiting.wait(60)
    service.release(entry)
    hub.hold(0.9, "model.safetensors")  # the next bytes come, and it hears of them
    assert entry.finished.wait(60)
    assert "no request was waiting" in str(entry.error)
    hub.heal()
    assert [path for path in (tmp_path / "own").rglob("*") if path.suffix in (".incomplete", ".safetensors")] == []
    assert load_and_release(service, "timm:test_vit").error is None


# ---- names ----------------------------------------------------------------------------------------------------------


NOWHERE = dict.fromkeys(("nano", *(spec.short for spec in SIBLINGS)), Availability.NOWHERE)
AVAILABLE = NOWHERE | {"s": Availability.FOLDER, "pico": Availability.BUNDLED}


def test_names_are_those_with_a_source(monkeypatch):
    monkeypatch.setattr(service_module, "available", lambda name, **where: AVAILABLE.get(name, Availability.RELEASE))
    service = StudyService(device="cpu")
    assert service.names() == ["s", "pico", "t", "b", "b_384", "pico@untrained", "t@untrained"]  # no source has nano
    assert service.ready("s")
    assert not service.ready("t")


def test_environment_names_the_sources_of_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "cache"))
    (tmp_path / "transxnet_nano.safetensors").touch()
    assert "nano" not in StudyService(device="cpu").names()
    assert StudyService(device="cpu", weights_dir=str(tmp_path)).availability("nano") == Availability.FOLDER
    monkeypatch.setenv("TRANSXNET_WEIGHTS", str(tmp_path))
    assert StudyService(device="cpu").availability("nano") == Availability.FOLDER
    monkeypatch.setenv("TRANSXNET_HUB_NAMESPACE", "lens-tests")
    assert StudyService(device="cpu").availability("t") == Availability.HUB
    assert str(StudyService(device="cpu").namespace) == "lens-tests"
    assert str(StudyService(device="cpu", hub_namespace="other@v1").namespace) == "other@v1"
    with pytest.raises(SourceFailed, match="'other@' is not a Hub namespace"):
        StudyService(device="cpu", hub_namespace="other@")


def test_loaded_model_is_ready(loads):
    service = StudyService(device="cpu")
    assert not service.ready("b_384")
    service.preload("b_384").finished.wait(60)
    assert service.ready("b_384")
