"""A TransXNet of the user's own: architecture, classes, input size and preprocessing are read from its source."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.fixtures.tiny_model import SPEC, recipe_weights
from transxnet.errors import InvalidValue, NoWeights, UnknownName
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.registry import clear_models
from transxnet.variants import VARIANTS, VariantSpec
from transxnet.weights.load import Availability, LoadedModel, available, load, register

PICO = VARIANTS["transxnet_pico"]
NAMES = [f"bird {i}" for i in range(7)]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    clear_models()


def state(spec: VariantSpec = SPEC, num_classes: int = 7, bias_size: int | None = None) -> dict[str, torch.Tensor]:
    return recipe_weights(TransXNet(spec, num_classes, bias_size=bias_size))


def saved(path: Path, content: object | None = None) -> Path:
    torch.save({"state_dict": state()} if content is None else content, path)
    return path


def own(path: Path, name: str = "birds", **options: object) -> LoadedModel:
    return load(name, path, "cpu", **options)


# --- Architecture -----------------------------------------------------------------------------------------------------

PARTS = ("idconv", "osra", "ste")


@pytest.mark.parametrize("missing", [(), *((part,) for part in PARTS), ("idconv", "ste")])
def test_architecture_is_read_from_the_tensors(missing, tmp_path):
    spec = replace(SPEC, sr_ratios=(8, 2, 2, 1), **dict.fromkeys(missing, False))
    weights = state(spec)
    loaded = own(saved(tmp_path / "a.pth", weights))
    fields = ("depths", "dims", "mlp_ratios", "kernel_size", *PARTS)
    fields += () if "osra" in missing else ("heads", "sr_ratios", "bias_size")
    fields += () if "idconv" in missing else ("kernel_groups",)
    for field in fields:
        assert getattr(loaded.spec, field) == getattr(spec, field), field
    expected = TransXNet(spec, 7).eval()
    expected.load_state_dict(weights)
    x = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    assert torch.equal(loaded.model(x), expected(x))
    assert loaded.provenance.note.startswith("Architecture: 2 1 3 2 blocks, 8 16 24 40 channels")


@pytest.mark.parametrize("variant", [spec for spec in VARIANTS.values() if spec.name != "transxnet_b"])
def test_known_architectures_get_their_name(variant, tmp_path):
    with torch.device("meta"):
        shapes = TransXNet(variant, 37).state_dict()
    loaded = own(saved(tmp_path / "a.pth", {key: torch.zeros(value.shape) for key, value in shapes.items()}))
    known = VARIANTS[loaded.spec.architecture]
    assert known.depths == variant.depths
    assert (known.idconv, known.osra, known.ste) == (variant.idconv, variant.osra, variant.ste)
    assert loaded.spec.num_classes == 37
    assert loaded.spec.image_size == known.image_size
    assert loaded.name == "birds"


def test_a_variants_name_needs_its_architecture(tmp_path):
    path = saved(tmp_path / "a.pth", state(replace(SPEC, depths=(1, 1, 1, 1))))
    with pytest.raises(NoWeights, match=r"a\.pth does not have the architecture of transxnet_pico: 1 1 1 1 blocks"):
        own(path, "pico")


def test_impossible_shapes_are_refused(tmp_path):
    weights = state()
    for key, shape in (
        ("relative_pos_enc.0", (1, 0, 256, 4)), ("network.0.0.norm1.weight", (0,)),
        ("network.0.0.mlp.fc1.0.weight", ()), ("relative_pos_enc.0", (1, 10**6, 0, 0)),
    ):  # fmt: skip
        with pytest.raises(NoWeights, match="birds"):
            own(saved(tmp_path / "a.pth", weights | {key: torch.zeros(shape)}))


def test_gray_images_are_refused(tmp_path):
    weights = recipe_weights(TransXNet(SPEC, in_chans=1))
    with pytest.raises(NoWeights, match=r"a\.pth takes images of 1 channels"):
        own(saved(tmp_path / "a.pth", weights))


# --- Input size -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "extras", "bias_size", "size", "origin"),
    [
        ({"pretrained_cfg": {"input_size": [3, 160, 160]}}, {"args": {"img_size": 96}}, 96, 160, "config.json"),
        ({}, {"args": argparse.Namespace(img_size=96, input_size=None)}, 160, 96, "the checkpoint itself"),
        ({}, {"args": argparse.Namespace(img_size=None, input_size=[3, 192, 192])}, 64, 192, "the checkpoint itself"),
        ({}, {"hyper_parameters": {"image_size": 96}}, 64, 96, "the checkpoint itself"),
        ({}, {"args": {"img_size": "large", "input_size": [3, 96, 128]}}, 160, 160, "its bias tables"),
        ({}, {}, 64, 64, "its bias tables"),
    ],
)
def test_input_size(config, extras, bias_size, size, origin, tmp_path):
    saved(tmp_path / "model.safetensors", {"state_dict": state(bias_size=bias_size)} | extras)
    (tmp_path / "model.safetensors").rename(tmp_path / "a.pth")
    if config:
        save_file(state(bias_size=bias_size), tmp_path / "model.safetensors")
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    loaded = own(tmp_path if config else tmp_path / "a.pth")
    assert loaded.spec.image_size == size
    assert f"Input size {size} px, from {origin}." in loaded.provenance.note


def test_bias_tables_of_the_usual_size_say_nothing(tmp_path):
    """pico's tables are for 224 px, and it takes images of 128 px."""
    shapes = {key: torch.zeros(value.shape) for key, value in TransXNet(PICO, 3).state_dict().items()}
    loaded = own(saved(tmp_path / "a.pth", shapes))
    assert loaded.spec.image_size == 128
    assert "Input size 128 px, from its architecture." in loaded.provenance.note


# --- Classes ----------------------------------------------------------------------------------------------------------


def test_classes_without_names_are_numbered(tmp_path):
    loaded = own(saved(tmp_path / "a.pth"))
    assert loaded.spec.labels.names == tuple(f"class {i}" for i in range(7))
    assert "7 classes without names" in loaded.provenance.note


@pytest.mark.parametrize("form", ["file", "list", "next to it", "stem", "metadata", "class_to_idx", "config.json"])
def test_sources_of_class_names(form, tmp_path):
    path, options = tmp_path / "a.pth", {}
    text = "\n".join(NAMES)
    (tmp_path / "names").mkdir()
    if form == "file":
        (tmp_path / "names" / "birds.txt").write_text(text, encoding="utf-8")
        options = {"class_names": str(tmp_path / "names" / "birds.txt")}
    elif form == "list":
        options = {"class_names": NAMES}
    elif form in ("next to it", "stem"):
        (tmp_path / ("class_names.txt" if form == "next to it" else "a.txt")).write_text(text, encoding="utf-8")
    extras = {"class_to_idx": {name: i for i, name in enumerate(NAMES)}} if form == "class_to_idx" else {}
    saved(path, {"state_dict": state()} | extras)
    if form in ("metadata", "config.json"):
        path = tmp_path / "model.safetensors"
        save_file(state(), path, metadata={"class_names": json.dumps(NAMES)} if form == "metadata" else None)
    if form == "config.json":
        (tmp_path / "config.json").write_text(json.dumps({"label_names": NAMES}), encoding="utf-8")
    loaded = own(path, **options)
    assert loaded.spec.labels.names == tuple(NAMES)
    assert "7 classes, named in" in loaded.provenance.note


def test_wrong_number_of_names(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo", encoding="utf-8")
    path = saved(tmp_path / "b.pth")
    with pytest.raises(InvalidValue, match=r"a\.txt names 2 classes, but the model has 7"):
        own(path, class_names=tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text("one\ntwo", encoding="utf-8")
    loaded = own(path)  # lies next to it by chance
    assert loaded.spec.labels.names[0] == "class 0"
    assert "b.txt next to the file was not used" in loaded.provenance.note


def test_a_label_set_by_name(tmp_path):
    path = saved(tmp_path / "a.pth", state(num_classes=200))
    assert own(path).spec.labels.names[0] == "class 0"
    assert own(path, class_names="tiny-imagenet-200").spec.labels == label_set("tiny-imagenet-200")
    with pytest.raises(InvalidValue, match="imagenet-1k names 1000 classes, but the model has 200"):
        own(path, class_names="imagenet-1k")


def test_own_classes_never_pass_as_a_variants(tmp_path):
    """A model of bird species in a weights folder is not shown with Tiny-ImageNet's names."""
    weights = {key: torch.zeros(value.shape) for key, value in TransXNet(PICO).state_dict().items()}
    save_file(weights, tmp_path / "model.safetensors")
    config = {"architecture": "transxnet_pico", "label_names": [f"species {i}" for i in range(200)]}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    fallback = load("pico", device="cpu", weights_dir=tmp_path)
    assert fallback.provenance.kind == "bundled"
    assert "has other classes than transxnet_pico" in fallback.provenance.note
    assert own(tmp_path, "pico").spec.labels.names[3] == "species 3"


# --- Preprocessing and activation -------------------------------------------------------------------------------------


def test_preprocessing_of_its_own_is_used_and_shown(tmp_path):
    save_file(state(), tmp_path / "model.safetensors")
    preprocessing = {"mean": [0.5, 0.5, 0.5], "std": 0.25, "crop_pct": 0.875, "crop_mode": "squash",
                     "interpolation": "bilinear"}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": preprocessing}), encoding="utf-8")
    loaded = own(tmp_path)
    assert loaded.spec.mean == (0.5, 0.5, 0.5)
    assert loaded.spec.std == (0.25, 0.25, 0.25)
    assert (loaded.spec.crop_pct, loaded.spec.crop_mode, loaded.spec.interpolation) == (0.875, "squash", "bilinear")
    assert "mean 0.5 0.5 0.5, std 0.25 0.25 0.25, crop_pct 0.875" in loaded.provenance.note


@pytest.mark.parametrize(
    ("key", "value"),
    [("mean", [1, 2]), ("mean", ["a"] * 3), ("std", [0, 1, 1]), ("std", [float("nan")] * 3), ("crop_pct", 0),
     ("interpolation", "magic"), ("input_size", [3, 10, 10]), ("crop_mode", "border")],
)  # fmt: skip
def test_unusable_values_of_a_config_are_refused(key, value, tmp_path):
    save_file(state(), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": {key: value}}), encoding="utf-8")
    with pytest.raises(InvalidValue, match=rf"{key} in config\.json is not usable"):
        own(tmp_path)


def test_activations(tmp_path):
    path, single = saved(tmp_path / "a.pth"), saved(tmp_path / "one.pth", state(num_classes=1))
    assert own(path).spec.activation == "softmax"
    assert own(path, activation="sigmoid").spec.activation == "sigmoid"
    assert own(single).spec.activation == "sigmoid"
    assert own(single, class_names=["sick", "healthy"]).spec.labels.names == ("healthy",)
    with pytest.raises(UnknownName, match="no activation called 'relu'"):
        own(path, activation="relu")


# --- Names ------------------------------------------------------------------------------------------------------------


def test_registered_names_work_like_variants(tmp_path):
    path = saved(tmp_path / "a.pth")
    spec = register("Birds-2", path, class_names=NAMES)
    assert (spec.short, spec.labels.names) == ("Birds-2", tuple(NAMES))
    assert available("birds_2") == Availability.OWN
    loaded = load("BIRDS-2", device="cpu")
    assert (loaded.name, loaded.spec) == ("Birds-2", spec)
    untrained = load("Birds-2@untrained", device="cpu")
    assert (untrained.name, untrained.untrained, untrained.spec) == ("Birds-2@untrained", True, spec)


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a:b", "a=b", "a@b", "-x", "a,b", "x" * 61, "<b>"])
def test_names_that_cannot_be_used(name, tmp_path):
    with pytest.raises(UnknownName, match="cannot be the name of a model"):
        register(name, saved(tmp_path / "a.pth"))


def test_a_registered_variant_replaces_the_built_in_one(tmp_path):
    weights = {key: torch.zeros(value.shape) for key, value in TransXNet(PICO, 3).state_dict().items()}
    register("transxnet_pico", saved(tmp_path / "a.pth", weights))
    assert load("pico", device="cpu").spec.num_classes == 3


# --- Folders ----------------------------------------------------------------------------------------------------------


def test_the_only_checkpoint_of_a_folder_is_taken(tmp_path):
    saved(tmp_path / "model_best.pth.tar")
    (tmp_path / "args.yaml").write_text("lr: 1", encoding="utf-8")
    assert own(tmp_path).provenance.location == "model_best.pth.tar"
    saved(tmp_path / "last.pth")
    with pytest.raises(NoWeights, match=r"contains several checkpoints: last\.pth, model_best\.pth\.tar"):
        own(tmp_path)
    saved(tmp_path / "birds.pt")
    assert own(tmp_path).provenance.location == "birds.pt"


def test_a_folder_without_a_checkpoint(tmp_path):
    with pytest.raises(NoWeights, match="contains no checkpoint") as caught:
        own(tmp_path)
    assert str(tmp_path) not in str(caught.value)
