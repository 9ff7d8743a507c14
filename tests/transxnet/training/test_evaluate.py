"""Accuracy of models with known predictions, counted by hand; the protocol; refused evaluations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from tests.fixtures import small_model
from tests.fixtures.scripted_model import WNIDS, A, B, C, scripted_model
from transxnet.errors import DeviceError, ImageUnreadable, OutOfRange, UnknownName, WeightsError
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.training.data import combine_hashes, image_hashes
from transxnet.training.evaluate import assess, evaluate
from transxnet.training.protocol import Protocol
from transxnet.training.report import Report
from transxnet.training.samples import list_images
from transxnet.training.scores import wilson
from transxnet.weights.load import LoadedModel, Provenance

TENCH = "n01440764"  # an ImageNet class that Tiny-ImageNet lacks


def constant_model(logits: torch.Tensor) -> LoadedModel:
    """A model that predicts these 200 logits for every image."""
    model = TransXNet(small_model.SPEC).eval().requires_grad_(False)
    model.classifier[2].weight.zero_()
    model.classifier[2].bias.copy_(logits)
    return LoadedModel(model, small_model.SPEC, Provenance("file", "x.safetensors"), torch.device("cpu"))


@pytest.mark.parametrize(
    "logits", [-torch.arange(200.0), torch.zeros(200)], ids=["decreasing", "equal: the lower index wins"]
)
def test_counts_are_exact(make_images, logits):
    path = make_images("some.zip", {WNIDS[0]: 3, WNIDS[4]: 2, WNIDS[5]: 4, TENCH: 6})
    calls = []
    result = evaluate(constant_model(logits), [path], batch_size=4, progress=lambda *call: calls.append(call))
    assert (result.images, result.left_out) == (9, 6)
    assert (result.top1, result.top5) == (3 / 9, 5 / 9)  # class 0 comes first, class 4 fifth, class 5 sixth
    assert (result.top1_interval, result.top5_interval) == (wilson(3, 9), wilson(5, 9))
    assert (result.model, result.image_size, result.crop_pct) == ("small", 64, 1.0)
    assert calls == [(4, 9), (8, 9), (9, 9)]


def test_several_paths_are_combined(make_images):
    paths = [make_images("flat", {WNIDS[0]: 2}, flat=True), make_images("some", {WNIDS[1]: 1})]
    assert evaluate(constant_model(-torch.arange(200.0)), paths).top1 == 2 / 3


def test_labels_are_matched_by_wnid(make_images):
    logits = torch.zeros(200)
    logits[77] = 1
    path = make_images("one class", {WNIDS[77]: 2})  # the only folder
    assert evaluate(constant_model(logits), [path]).top1 == 1


def random_image(folder, wnid: str) -> np.ndarray:
    rgb = np.random.default_rng(7).integers(0, 256, (80, 100, 3), dtype=np.uint8)  # 100 wide
    Image.fromarray(rgb).save(folder / f"{wnid}_x.png")
    return rgb


def by_hand(rgb: np.ndarray) -> np.ndarray:  # -> (1, 3, 64, 64)
    """The protocol at 64 px, crop_pct 0.9: 80 -> floor(64 / 0.9) = 71, 100 -> 88, the central 64 x 64 of 88 x 71."""
    resized = np.asarray(Image.fromarray(rgb).resize((88, 71), Image.Resampling.BICUBIC))
    view = resized[4 : 4 + 64, 12 : 12 + 64] / 255  # (88 - 64) / 2 = 12; (71 - 64) / 2 = 3.5, rounded to even
    return ((view - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).transpose(2, 0, 1)[None]


@pytest.mark.parametrize(("rank", "top1", "top5"), [(1, 1, 1), (2, 0, 1), (5, 0, 1), (6, 0, 0), (200, 0, 0)])
def test_single_image_by_hand(tmp_path, rank, top1, top5):
    loaded = small_model.small_model()
    loaded = dataclasses.replace(loaded, spec=dataclasses.replace(loaded.spec, image_size=32, crop_pct=0.9))
    x = torch.from_numpy(by_hand(random_image(tmp_path, "n00000000"))).float()
    with torch.no_grad():
        order = loaded.model(x)[0].numpy().argsort()[::-1]
    (tmp_path / "n00000000_x.png").rename(tmp_path / f"{WNIDS[order[rank - 1]]}_x.png")
    inputs = []
    handle = loaded.model.register_forward_pre_hook(lambda module, args: inputs.append(args[0]))
    try:
        result = evaluate(loaded, [tmp_path], image_size=64)
    finally:
        handle.remove()
    assert torch.allclose(inputs[0], x, atol=1e-6)
    assert (result.top1, result.top5, result.image_size, result.crop_pct) == (top1, top5, 64, 0.9)


def test_default_size_is_the_variants(make_images):
    path, loaded = make_images("some", {WNIDS[0]: 1}), constant_model(torch.zeros(200))
    assert evaluate(loaded, [path]).image_size == 64
    assert evaluate(loaded, [path], image_size=96).image_size == 96


def test_images_of_other_classes_are_refused(make_images):
    with pytest.raises(UnknownName, match="None of the 2 images belongs to one of the model's 200 classes"):
        evaluate(constant_model(torch.zeros(200)), [make_images("other", {TENCH: 2})])


def test_damaged_image_is_named(make_images):
    path = make_images("some", {WNIDS[0]: 2})
    (path / "train" / WNIDS[0] / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageUnreadable) as caught:
        evaluate(constant_model(torch.zeros(200)), [path])
    assert caught.value.detail.startswith(f"train/{WNIDS[0]}/1.png: ")


# --- Classes and confusions, by hand ----------------------------------------------------------------------------------

PROTOCOL = Protocol(image_size=32, crop_pct=1.0, batch_size=2)


@pytest.fixture
def images(make_images):
    return make_images("nine", {WNIDS[A]: 4, WNIDS[B]: 3, WNIDS[C]: 2})


def counts(report: Report) -> tuple:
    """(label, images, top-1 hits, top-5 hits) of each class; (label, prediction, count) of each confusion."""
    return [tuple(score) for score in report.classes], [tuple(pair) for pair in report.confusions]


def test_classes_and_confusions_by_hand(images):
    report = assess(scripted_model(), [images], PROTOCOL)
    assert (report.accuracy.images, report.accuracy.top1, report.accuracy.top5) == (9, 4 / 9, 7 / 9)
    classes, pairs = counts(report)
    assert classes == [(A, 4, 1, 3), (B, 3, 1, 2), (C, 2, 2, 2)]
    assert pairs == [(A, B, 2), (A, 7, 1), (B, A, 1), (B, 5, 1)]
    assert report.data["digest"] == combine_hashes(
        image_hashes(list_images([images], label_set("imagenet-1k")).samples)
    )  # as on a card


def test_restricted_classes_by_hand(images):
    """Over A, B and C only, the fourth image of A is predicted C, the third of B is correct."""
    report = assess(scripted_model(), [images], dataclasses.replace(PROTOCOL, restrict_classes=True))
    assert (report.accuracy.top1, report.accuracy.top5) == (5 / 9, 1)
    assert counts(report) == ([(A, 4, 1, 4), (B, 3, 2, 3), (C, 2, 2, 2)], [(A, B, 2), (A, C, 1), (B, A, 1)])
    assert report.protocol["classes"] == "restricted to the 3 classes of the images"


def test_imagenet_model_on_tiny_imagenet_images(images):
    """The same predictions by a model with other indices: labels are matched by WNID."""
    wnids = label_set("imagenet-1k").wnids
    shift = {index: wnids.index(WNIDS[index]) for index in (A, B, C, 5, 6, 7, 8, 9)}
    report = assess(scripted_model(classes=1000, shift=shift), [images], PROTOCOL)
    assert (report.accuracy.top1, report.accuracy.top5) == (4 / 9, 7 / 9)
    a, b, c = (shift[index] for index in (A, B, C))
    assert [score[0] for score in report.classes] == sorted((a, b, c))
    assert {tuple(pair) for pair in report.confusions} == {(a, b, 2), (a, shift[7], 1), (b, a, 1), (b, shift[5], 1)}
    assert report.protocol["classes"] == "all 1000 classes of the model"


def test_unreadable_images_are_not_counted(images):
    damaged = images / "train" / WNIDS[A] / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    (images / "x.png").write_bytes(b"")
    report = assess(scripted_model(), [images], PROTOCOL)
    assert (report.accuracy.images, report.accuracy.top1) == (8, 4 / 8)
    assert counts(report)[0][0] == (A, 3, 1, 3)
    name = f"train/{WNIDS[A]}/3.png"
    ((image, error),) = report.unreadable
    assert (image, error.startswith(f"{name} is damaged")) == (name, True)
    assert (report.data["images"], report.data["unlabeled"]) == (9, 1)
    lines = list(report.lines())
    assert "1 images could not be read and are not counted:" in lines
    assert "1 images without a label excluded" in lines
    for path in images.rglob("*.png"):
        path.write_bytes(b"nothing")
    with pytest.raises(ImageUnreadable, match="None of the 9 images can be read"):
        assess(scripted_model(), [images], PROTOCOL)


# --- Refused evaluations ----------------------------------------------------------------------------------------------


def test_logits_must_be_finite(make_images):
    with pytest.raises(WeightsError, match="small predicts logits that are not finite"):
        evaluate(constant_model(torch.full((200,), torch.nan)), [make_images("some", {WNIDS[0]: 1})])


@pytest.mark.parametrize("change", [{"image_size": 0}, {"crop_pct": 0.0}, {"crop_pct": 1.1}, {"batch_size": 0}])
def test_invalid_protocol(images, change):
    with pytest.raises(OutOfRange, match="Invalid protocol"):
        assess(scripted_model(), [images], dataclasses.replace(PROTOCOL, **change))


def test_half_precision_needs_cuda(images):
    with pytest.raises(DeviceError, match=r"Autocast bf16 is not available on cpu\. Use bf16 or fp16 on CUDA"):
        assess(scripted_model(), [images], dataclasses.replace(PROTOCOL, autocast="bf16"))
