"""Bundles: weights rounded to float16, measured accuracies, card and log; runs and images that are refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.models import get_pretrained_cfg

import transxnet
from tests.fixtures.labeled_images import FISH, SALAMANDER, TENCH, write_images
from transxnet.errors import NoWeights, SourceFailed, UnknownName, WeightsError, WeightsMismatch
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.training import half
from transxnet.training.bundle import bundle
from transxnet.training.data import load_images
from transxnet.training.evaluate import evaluate
from transxnet.training.half import write_half
from transxnet.training.loop import Run
from transxnet.training.recipes import find_recipe
from transxnet.training.samples import list_images
from transxnet.variants import find_variant
from transxnet.weights import sources
from transxnet.weights.model_card import markdown

SMOKE = find_recipe("smoke")
NAME, TINY = "transxnet_pico", label_set("tiny-imagenet-200")


class Bundle(NamedTuple):
    """A finished run of recipe `smoke`, its images, and its bundle."""

    run: Run
    data: list[Path]
    validation: list[Path]
    photos: list[Path]
    out: Path
    card: dict


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    root = tmp_path_factory.mktemp("bundle")
    data = [write_images(root, "data.zip", {FISH: 12, SALAMANDER: 11, TENCH: 5})]
    validation = [write_images(root, "val.zip", {FISH: 3, SALAMANDER: 4, TENCH: 2}, size=(70, 66))]
    photos = [write_images(root, "photos", {SALAMANDER: 2, TENCH: 1}, size=(300, 200), flat=True)]
    torch.manual_seed(0)
    images = load_images(list_images(data, TINY), TINY)
    run = Run(SMOKE, TransXNet(find_variant(NAME)), images, root / "smoke", torch.device("cpu"))
    run.train(lambda *report: None)
    card = bundle(run.folder, data, validation, photos, root / "weights", device="cpu", command="as given")
    return Bundle(run, data, validation, photos, root / "weights", card)


@pytest.fixture
def loaded(bundled: Bundle, monkeypatch: pytest.MonkeyPatch) -> transxnet.LoadedModel:
    """The bundle, loaded as the bundled pico."""
    monkeypatch.setattr(sources, "BUNDLED", bundled.out)
    return transxnet.load("pico", device="cpu")


def test_bundle_holds_weights_card_and_log(bundled):
    suffixes = ("csv", "json", "md", "png", "safetensors")
    assert sorted(path.name for path in bundled.out.iterdir()) == [f"{NAME}.{suffix}" for suffix in suffixes]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in bundled.out.iterdir())  # readable for other users
    assert json.loads((bundled.out / f"{NAME}.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(bundled.card)
    )
    assert (bundled.out / f"{NAME}.safetensors").stat().st_size == pytest.approx(4.6e6, rel=0.02)  # 2 bytes each


def test_weights_are_the_ema_in_float16(bundled):
    stored, ema = load_file(bundled.out / f"{NAME}.safetensors"), bundled.run.ema.state_dict()
    assert stored.keys() == ema.keys()
    for key, value in stored.items():
        expected = ema[key].half() if ema[key].is_floating_point() else ema[key]
        assert value.dtype == (torch.int64 if key.endswith("num_batches_tracked") else torch.float16), key
        assert torch.equal(value, expected), key


def test_logits_are_those_of_the_ema(bundled, loaded):
    x = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.no_grad():
        expected = bundled.run.ema(x)
        assert torch.allclose(loaded.model(x), expected, atol=2e-3 * expected.abs().max())


def test_digest_is_that_of_the_card(bundled, loaded):
    digest = hashlib.sha256((bundled.out / f"{NAME}.safetensors").read_bytes()).hexdigest()
    assert (loaded.provenance.kind, loaded.provenance.sha256) == ("bundled", digest)
    assert (bundled.card["name"], bundled.card["sha256"]) == (NAME, digest)


def test_card_has_accuracies_of_the_file(bundled, loaded):
    def measure(paths: list[Path], size: int) -> dict:
        accuracy = dataclasses.asdict(evaluate(loaded, paths, image_size=size))
        return {"pictures" if key == "images" else key: value for key, value in accuracy.items()}

    assert bundled.card["accuracy"] == measure(bundled.validation, 128)  # the variant's size first
    assert bundled.card["accuracy_at_other_sizes"] == [measure(bundled.validation, 32)]  # then the recipe's others
    assert bundled.card["accuracy_on_photographs"] == [measure(bundled.photos, size) for size in (128, 32)]
    assert (bundled.card["accuracy"]["pictures"], bundled.card["accuracy"]["left_out"]) == (7, 2)
    assert bundled.card["accuracy_on_photographs"][0]["left_out"] == 1


def test_card_describes_the_run(bundled):
    card, run = bundled.card, bundled.run
    assert card["data"] == {
        "what": "a few images", "files": ["data.zip"], "pictures": 23, "digest": run.data.digest,
        "held_out": 0,
    }  # fmt: skip
    assert (card["about"], card["run"]) == (find_variant(NAME).about, SMOKE.about)
    assert (card["recipe"], card["start"]) == (SMOKE.as_json(), "random weights")
    assert (card["steps"], card["steps_planned"]) == (2, 2)  # 23 images are two full batches of 8
    assert (card["loss"], card["seconds"]) == (round(run.loss, 4), round(run.seconds))
    assert re.fullmatch(r"\d+ CPU threads?, .+", card["hardware"])
    assert (card["classes"], card["label_set"]) == (200, "tiny-imagenet-200")
    assert card["parameters"] == sum(p.numel() for p in run.model.parameters()) == 2_214_983
    assert (card["limits"], card["command"]) == (list(SMOKE.limits), "as given")
    assert (card["validation"]["files"], card["validation"]["pictures"]) == (["val.zip"], 7)
    assert (card["photographs"]["files"], card["photographs"]["pictures"]) == (["photos"], 2)
    assert str(bundled.out.parent) not in json.dumps(card)


def test_bundle_has_log_and_plot(bundled):
    assert (bundled.card["log"], bundled.card["plot"]) == (f"{NAME}.csv", f"{NAME}.png")
    assert (bundled.out / f"{NAME}.csv").read_bytes() == (bundled.run.folder / "log.csv").read_bytes()
    with Image.open(bundled.out / f"{NAME}.png") as plot:
        assert plot.size == (1000, 500)
        assert len(set(plot.convert("RGB").get_flattened_data())) > 20  # something is drawn


def test_markdown_card_equals_the_json(bundled):
    assert (bundled.out / f"{NAME}.md").read_text(encoding="utf-8") == markdown(bundled.card)


def test_preprocessing_is_that_of_timms_registry(bundled):
    cfg = get_pretrained_cfg(NAME)
    assert bundled.card["preprocessing"] == {
        "image_size": cfg.input_size[-1], "crop_pct": cfg.crop_pct, "interpolation": cfg.interpolation,
        "mean": list(cfg.mean), "std": list(cfg.std),
    }  # fmt: skip


def test_weights_file_is_reproducible(bundled, tmp_path):
    write_half(bundled.run.ema.state_dict(), tmp_path / "again.safetensors")
    assert hashlib.sha256((tmp_path / "again.safetensors").read_bytes()).hexdigest() == bundled.card["sha256"]


# --- Refused bundles leave `out` unchanged ----------------------------------------------------------------------------


def bundle_changed(bundled: Bundle, folder: Path, out: Path, **changes: object) -> dict:
    """Bundle the run again with some entries of its checkpoint changed; None removes one."""
    shutil.copytree(bundled.run.folder, folder)
    state = torch.load(folder / "checkpoint.pt", weights_only=True) | changes
    torch.save({key: value for key, value in state.items() if value is not None}, folder / "checkpoint.pt")
    return bundle(folder, bundled.data, bundled.validation, bundled.photos, out, device="cpu", hardware="an abacus")


@pytest.fixture
def out(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{NAME}.json").write_text("earlier card", encoding="utf-8")
    yield tmp_path / "out"
    assert [(path.name, path.read_text(encoding="utf-8")) for path in (tmp_path / "out").iterdir()] == [
        (f"{NAME}.json", "earlier card")
    ]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": "0" * 64}, WeightsMismatch, "from other images: their digest is 0000000000000000…"),
        (
            {"settings": SMOKE.as_json() | {"lr": 1.0}},
            WeightsMismatch,
            "by another recipe: smoke, not the current smoke",
        ),
        ({"recipe": "unheard-of"}, UnknownName, "no recipe called 'unheard-of'"),
        ({"ema": None}, SourceFailed, "is damaged or not that of a training run"),
        ({"ema": {"weight": torch.zeros(1)}}, NoWeights, "are not those of a TransXNet"),
    ],
)
def test_checkpoint_of_another_run_is_refused(bundled, tmp_path, out, change, error, message):
    with pytest.raises(error, match=message):
        bundle_changed(bundled, tmp_path / "run", out, **change)


def test_training_images_are_not_measured_on(bundled, out, tmp_path):
    copied = tmp_path / "val" / SALAMANDER
    copied.mkdir(parents=True)
    with zipfile.ZipFile(bundled.data[0]) as archive:  # the same bytes under another class and another name
        (copied / "9.png").write_bytes(archive.read(f"train/{FISH}/3.png"))
    with pytest.raises(WeightsMismatch, match="1 of the 1 images of val are training images"):
        bundle(bundled.run.folder, bundled.data, [tmp_path / "val"], bundled.photos, out, device="cpu")
    with pytest.raises(WeightsMismatch, match="1 of the 1 images of val are training images"):
        bundle(bundled.run.folder, bundled.data, bundled.validation, [tmp_path / "val"], out, device="cpu")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "up to nan"),
        (float("inf"), "up to inf"),
        (65520.0, "up to 65520, but the largest float16 is 65504"),
    ],
)
def test_values_outside_float16_are_refused(tmp_path, value, message):
    state = {"fine": torch.ones(2), "stem.weight": torch.tensor([1.0, value])}
    with pytest.raises(WeightsMismatch, match=f"stem.weight holds values {message}"):
        write_half(state, tmp_path / "x.safetensors")


def test_largest_float16_values(tmp_path):
    state = {"a": torch.tensor([65504.0, -65519.0, 1 / 3]), "b.num_batches_tracked": torch.tensor(2**40)}
    write_half(state, tmp_path / "x.safetensors")
    stored = load_file(tmp_path / "x.safetensors")
    assert stored["a"].tolist() == [65504.0, -65504.0, 0.333251953125]
    assert stored["b.num_batches_tracked"].item() == 2**40


def test_too_large_file_is_refused(bundled, tmp_path, out, monkeypatch):
    monkeypatch.setattr(half, "MAX_BYTES", 4_000_000)
    with pytest.raises(WeightsError, match=r"has 4.6 MB, but the limit of bundled files is 4 MB"):
        bundle_changed(bundled, tmp_path / "run", out)


def test_folder_without_run_is_refused(bundled, tmp_path, out):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceFailed, match="The folder empty holds no training run"):
        bundle(tmp_path / "empty", bundled.data, bundled.validation, bundled.photos, out)


# --- Checkpoints of earlier versions ----------------------------------------------------------------------------------


def test_hardware_can_be_given(bundled, tmp_path):
    card = bundle_changed(bundled, tmp_path / "run", tmp_path / "new", settings=None, hardware=None)
    assert (card["hardware"], card["recipe"], card["sha256"]) == ("an abacus", SMOKE.as_json(), bundled.card["sha256"])
    accuracies = [key for key in card if key.startswith("accuracy")]
    assert {key: card[key] for key in accuracies} == {key: bundled.card[key] for key in accuracies}
