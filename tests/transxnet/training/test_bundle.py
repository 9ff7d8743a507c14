"""Bundling: the file holds the run's EMA weights to float16's rounding, and its card says what is true of it."""

from __future__ import annotations

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
from tests.tiny import one_thread  # noqa: F401  small tensors
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
from transxnet.variants import find_variant
from transxnet.weights import sources
from transxnet.weights.model_card import markdown

SMOKE = find_recipe("smoke")
NAME = "transxnet_pico"


class Made(NamedTuple):
    """A finished run of recipe `smoke`, what it was trained and measured on, and what was made of it."""

    run: Run
    data: list[Path]
    validation: list[Path]
    photos: list[Path]
    out: Path
    card: dict


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("bundle")
    data = [write_images(root, "data.zip", {FISH: 12, SALAMANDER: 11, TENCH: 5})]
    validation = [write_images(root, "val.zip", {FISH: 3, SALAMANDER: 4, TENCH: 2}, size=(70, 66))]
    photos = [write_images(root, "photos", {SALAMANDER: 2, TENCH: 1}, size=(300, 200), flat=True)]
    torch.manual_seed(0)
    images = load_images(data, label_set("tiny-imagenet-200").wnids)
    run = Run(SMOKE, TransXNet(find_variant(NAME)), images, root / "smoke", torch.device("cpu"))
    run.train(lambda *report: None)
    card = bundle(run.folder, data, validation, photos, root / "weights", device="cpu", command="as typed")
    return Made(run, data, validation, photos, root / "weights", card)


@pytest.fixture
def bundled(made: Made, monkeypatch: pytest.MonkeyPatch) -> transxnet.LoadedModel:
    """What was made, loaded as the bundled pico."""
    monkeypatch.setattr(sources, "BUNDLED", made.out)
    return transxnet.load("pico", device="cpu")


def test_weights_card_and_log_and_nothing_else(made):
    suffixes = ("csv", "json", "md", "png", "safetensors")
    assert sorted(path.name for path in made.out.iterdir()) == [f"{NAME}.{suffix}" for suffix in suffixes]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in made.out.iterdir())  # others may read them
    assert json.loads((made.out / f"{NAME}.json").read_text(encoding="utf-8")) == json.loads(json.dumps(made.card))
    assert (made.out / f"{NAME}.safetensors").stat().st_size == pytest.approx(4.6e6, rel=0.02)  # 2 bytes a number


def test_the_weights_are_the_average_to_float16_s_rounding(made):
    stored, ema = load_file(made.out / f"{NAME}.safetensors"), made.run.ema.state_dict()
    assert stored.keys() == ema.keys()
    for key, value in stored.items():
        expected = ema[key].half() if ema[key].is_floating_point() else ema[key]
        assert value.dtype == (torch.int64 if key.endswith("num_batches_tracked") else torch.float16), key
        assert torch.equal(value, expected), key


def test_the_written_file_answers_as_the_run_s_model(made, bundled):
    x = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.no_grad():
        expected = made.run.ema(x)
        assert torch.allclose(bundled.model(x), expected, atol=2e-3 * expected.abs().max())


def test_it_loads_as_bundled_and_equals_its_card(made, bundled):
    digest = hashlib.sha256((made.out / f"{NAME}.safetensors").read_bytes()).hexdigest()
    assert (bundled.provenance.kind, bundled.provenance.sha256) == ("bundled", digest)
    assert (made.card["name"], made.card["sha256"]) == (NAME, digest)


def test_accuracies_are_those_of_the_written_file(made, bundled):
    def measured(paths: list[Path], side: int) -> dict:
        return evaluate(bundled, paths, image_size=side).as_json()

    assert made.card["accuracy"] == measured(made.validation, 128)  # the variant's own size first
    assert made.card["accuracy_at_other_sizes"] == [measured(made.validation, 32)]  # then the recipe's others
    assert made.card["accuracy_on_photographs"] == [measured(made.photos, side) for side in (128, 32)]
    assert (made.card["accuracy"]["pictures"], made.card["accuracy"]["left_out"]) == (7, 2)
    assert made.card["accuracy_on_photographs"][0]["left_out"] == 1


def test_the_card_says_what_was_done(made):
    card, state = made.card, made.run
    assert card["data"] == {
        "what": "a handful of images", "files": ["data.zip"], "pictures": 23, "digest": state.data.digest,
        "held_out": 0,
    }  # fmt: skip
    assert (card["about"], card["run"]) == (find_variant(NAME).about, SMOKE.about)
    assert (card["recipe"], card["start"]) == (SMOKE.as_json(), "random weights")
    assert (card["steps"], card["steps_planned"]) == (2, 2)  # 23 images are two full batches of 8
    assert (card["loss"], card["seconds"]) == (round(state.loss, 4), round(state.seconds))
    assert re.fullmatch(r"\d+ CPU threads?, .+", card["hardware"])
    assert (card["classes"], card["label_set"]) == (200, "tiny-imagenet-200")
    assert card["parameters"] == sum(p.numel() for p in state.model.parameters()) == 2_214_983
    assert (card["limits"], card["command"]) == (list(SMOKE.limits), "as typed")
    assert (card["validation"]["files"], card["validation"]["pictures"]) == (["val.zip"], 7)
    assert (card["photographs"]["files"], card["photographs"]["pictures"]) == (["photos"], 2)
    assert str(made.out.parent) not in json.dumps(card)


def test_the_log_is_the_run_s_and_its_plot_a_image(made):
    assert (made.card["log"], made.card["plot"]) == (f"{NAME}.csv", f"{NAME}.png")
    assert (made.out / f"{NAME}.csv").read_bytes() == (made.run.folder / "log.csv").read_bytes()
    with Image.open(made.out / f"{NAME}.png") as plot:
        assert plot.size == (1000, 500)
        assert len(set(plot.convert("RGB").get_flattened_data())) > 20  # something is drawn


def test_the_markdown_card_is_made_of_the_card(made):
    assert (made.out / f"{NAME}.md").read_text(encoding="utf-8") == markdown(made.card)


def test_preprocessing_is_what_timm_is_told(made):
    known = get_pretrained_cfg(NAME)
    assert made.card["preprocessing"] == {
        "image_size": known.input_size[-1], "crop_pct": known.crop_pct, "interpolation": known.interpolation,
        "mean": list(known.mean), "std": list(known.std),
    }  # fmt: skip


def test_the_same_run_gives_the_same_file(made, tmp_path):
    write_half(made.run.ema.state_dict(), tmp_path / "again.safetensors")
    assert hashlib.sha256((tmp_path / "again.safetensors").read_bytes()).hexdigest() == made.card["sha256"]


# --- What is refused; `out` then keeps what it held ------------------------------------------------------------------


def attempt(made: Made, folder: Path, out: Path, **changes: object) -> dict:
    """Bundle the run again with some entries of its checkpoint changed; None removes one."""
    shutil.copytree(made.run.folder, folder)
    state = torch.load(folder / "checkpoint.pt", weights_only=True) | changes
    torch.save({key: value for key, value in state.items() if value is not None}, folder / "checkpoint.pt")
    return bundle(folder, made.data, made.validation, made.photos, out, device="cpu", hardware="an abacus")


@pytest.fixture
def out(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{NAME}.json").write_text("what was there", encoding="utf-8")
    yield tmp_path / "out"
    assert [(path.name, path.read_text(encoding="utf-8")) for path in (tmp_path / "out").iterdir()] == [
        (f"{NAME}.json", "what was there")
    ]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"data": "0" * 64}, WeightsMismatch, "from other images: their digest is 0000000000000000…"),
        ({"settings": SMOKE.as_json() | {"lr": 1.0}}, WeightsMismatch, "by another recipe: smoke, not smoke as it"),
        ({"recipe": "unheard-of"}, UnknownName, "no recipe called 'unheard-of'"),
        ({"ema": None}, SourceFailed, "is damaged, or no training run's"),
        ({"ema": {"weight": torch.zeros(1)}}, NoWeights, "do not fit the model"),
    ],
)
def test_what_does_not_belong_together_is_refused(made, tmp_path, out, change, error, message):
    with pytest.raises(error, match=message):
        attempt(made, tmp_path / "run", out, **change)


def test_a_image_that_was_trained_on_is_not_measured_on(made, out, tmp_path):
    copied = tmp_path / "val" / SALAMANDER
    copied.mkdir(parents=True)
    with zipfile.ZipFile(made.data[0]) as archive:  # the same bytes under another class and another name
        (copied / "9.png").write_bytes(archive.read(f"train/{FISH}/3.png"))
    with pytest.raises(WeightsMismatch, match="1 of the 1 images of val were trained on"):
        bundle(made.run.folder, made.data, [tmp_path / "val"], made.photos, out, device="cpu")
    with pytest.raises(WeightsMismatch, match="1 of the 1 images of val were trained on"):
        bundle(made.run.folder, made.data, made.validation, [tmp_path / "val"], out, device="cpu")


@pytest.mark.parametrize(
    ("value", "message"),
    [(float("nan"), "up to nan"), (float("inf"), "up to inf"), (65520.0, "up to 65520, and float16 ends at 65504")],
)
def test_values_that_float16_cannot_hold_are_refused(tmp_path, value, message):
    state = {"fine": torch.ones(2), "stem.weight": torch.tensor([1.0, value])}
    with pytest.raises(WeightsMismatch, match=f"stem.weight holds values {message}"):
        write_half(state, tmp_path / "x.safetensors")


def test_values_at_the_edge_are_kept(tmp_path):
    state = {"a": torch.tensor([65504.0, -65519.0, 1 / 3]), "b.num_batches_tracked": torch.tensor(2**40)}
    write_half(state, tmp_path / "x.safetensors")
    stored = load_file(tmp_path / "x.safetensors")
    assert stored["a"].tolist() == [65504.0, -65504.0, 0.333251953125]
    assert stored["b.num_batches_tracked"].item() == 2**40


def test_too_large_a_file_is_refused(made, tmp_path, out, monkeypatch):
    monkeypatch.setattr(half, "LARGEST", 4_000_000)
    with pytest.raises(WeightsError, match=r"would be 4.6 MB, and bundled files stay under 4 MB"):
        attempt(made, tmp_path / "run", out)


def test_a_folder_without_a_run_is_refused(made, tmp_path, out):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceFailed, match="The folder empty holds no training run"):
        bundle(tmp_path / "empty", made.data, made.validation, made.photos, out)


# --- Runs from before the checkpoint said so -------------------------------------------------------------------------


def test_what_the_run_does_not_say_is_said_by_hand_or_not_at_all(made, tmp_path):
    card = attempt(made, tmp_path / "run", tmp_path / "new", settings=None, hardware=None)
    assert (card["hardware"], card["recipe"], card["sha256"]) == ("an abacus", SMOKE.as_json(), made.card["sha256"])
    measured = [key for key in card if key.startswith("accuracy")]
    assert {key: card[key] for key in measured} == {key: made.card[key] for key in measured}
