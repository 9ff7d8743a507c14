"""Accuracy: counts made by hand on models whose answers are known, and the protocol."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from tests import small
from tests.scripted import WNIDS, A, B, C, scripted
from tests.tiny import one_thread  # noqa: F401  small tensors
from transxnet.errors import DeviceError, ImageUnreadable, OutOfRange, UnknownName, WeightsError
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.training.data import digest
from transxnet.training.evaluate import assess, evaluate
from transxnet.training.protocol import Protocol
from transxnet.training.report import Report
from transxnet.training.samples import find_samples
from transxnet.training.scores import wilson
from transxnet.weights.load import LoadedModel, Provenance

TENCH = "n01440764"  # an ImageNet class that Tiny-ImageNet lacks


def always(logits: torch.Tensor) -> LoadedModel:
    """A model that answers every image with these 200 logits."""
    model = TransXNet(small.SPEC).eval().requires_grad_(False)
    model.classifier[2].weight.zero_()
    model.classifier[2].bias.copy_(logits)
    return LoadedModel(model, small.SPEC, Provenance("file", "x.safetensors"), torch.device("cpu"))


@pytest.mark.parametrize(
    "logits", [-torch.arange(200.0), torch.zeros(200)], ids=["falling", "all alike: ties go to the lower index"]
)
def test_counts_are_exact(make_images, logits):
    path = make_images("some.zip", {WNIDS[0]: 3, WNIDS[4]: 2, WNIDS[5]: 4, TENCH: 6})
    told = []
    result = evaluate(always(logits), [path], batch=4, progress=lambda *call: told.append(call))
    assert (result.images, result.left_out) == (9, 6)
    assert (result.top1, result.top5) == (3 / 9, 5 / 9)  # class 0 comes first, class 4 fifth, class 5 sixth
    assert (result.top1_interval, result.top5_interval) == (wilson(3, 9), wilson(5, 9))
    assert (result.model, result.image_size, result.crop_pct) == ("small", 64, 1.0)
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_several_paths_count_together(make_images):
    paths = [make_images("flat", {WNIDS[0]: 2}, flat=True), make_images("some", {WNIDS[1]: 1})]
    assert evaluate(always(-torch.arange(200.0)), paths).top1 == 2 / 3


def test_a_label_is_found_by_its_wnid_not_by_its_place(make_images):
    logits = torch.zeros(200)
    logits[77] = 1
    path = make_images("one class", {WNIDS[77]: 2})  # the only folder there
    assert evaluate(always(logits), [path]).top1 == 1


def random_image(folder, wnid: str) -> np.ndarray:
    rgb = np.random.default_rng(7).integers(0, 256, (80, 100, 3), dtype=np.uint8)  # 100 wide
    Image.fromarray(rgb).save(folder / f"{wnid}_x.png")
    return rgb


def by_hand(rgb: np.ndarray) -> np.ndarray:  # -> (1, 3, 64, 64)
    """The protocol at 64 px, crop_pct 0.9: 80 -> floor(64 / 0.9) = 71, 100 -> 88, the middle 64 x 64 of 88 x 71."""
    resized = np.asarray(Image.fromarray(rgb).resize((88, 71), Image.Resampling.BICUBIC))
    view = resized[4 : 4 + 64, 12 : 12 + 64] / 255  # (88 - 64) / 2 = 12; (71 - 64) / 2 = 3.5, and half goes to even
    return ((view - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).transpose(2, 0, 1)[None]


@pytest.mark.parametrize(("place", "top1", "top5"), [(1, 1, 1), (2, 0, 1), (5, 0, 1), (6, 0, 0), (200, 0, 0)])
def test_one_image_by_hand(tmp_path, place, top1, top5):
    loaded = small.small_model()
    loaded = dataclasses.replace(loaded, spec=dataclasses.replace(loaded.spec, image_size=32, crop_pct=0.9))
    x = torch.from_numpy(by_hand(random_image(tmp_path, "n00000000"))).float()
    with torch.no_grad():
        order = loaded.model(x)[0].numpy().argsort()[::-1]
    (tmp_path / "n00000000_x.png").rename(tmp_path / f"{WNIDS[order[place - 1]]}_x.png")
    seen = []
    handle = loaded.model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    try:
        result = evaluate(loaded, [tmp_path], image_size=64)
    finally:
        handle.remove()
    assert torch.allclose(seen[0], x, atol=1e-6)
    assert (result.top1, result.top5, result.image_size, result.crop_pct) == (top1, top5, 64, 0.9)


def test_the_size_is_the_variant_s_own_unless_said(make_images):
    path, loaded = make_images("some", {WNIDS[0]: 1}), always(torch.zeros(200))
    assert evaluate(loaded, [path]).image_size == 64
    assert evaluate(loaded, [path], image_size=96).image_size == 96


def test_images_that_cannot_be_judged_are_no_zero(make_images):
    with pytest.raises(UnknownName, match="None of the 2 images is of one of the model's 200 classes"):
        evaluate(always(torch.zeros(200)), [make_images("other", {TENCH: 2})])


def test_a_damaged_image_stops_it_and_is_named(make_images):
    path = make_images("some", {WNIDS[0]: 2})
    (path / "train" / WNIDS[0] / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageUnreadable) as caught:
        evaluate(always(torch.zeros(200)), [path])
    assert caught.value.detail.startswith(f"train/{WNIDS[0]}/1.png: ")


# --- Classes and confusions, by hand ----------------------------------------------------------------------------------

PROTOCOL = Protocol(image_size=32, crop_pct=1.0, batch=2)


@pytest.fixture
def images(make_images):
    return make_images("nine", {WNIDS[A]: 4, WNIDS[B]: 3, WNIDS[C]: 2})


def counted(report: Report) -> tuple:
    """(label, images, right, right in five) of each class; (label, answer, count) of each confusion."""
    return [tuple(score) for score in report.classes], [tuple(pair) for pair in report.confusions]


def test_classes_and_confusions_by_hand(images):
    report = assess(scripted(), [images], PROTOCOL)
    assert (report.accuracy.images, report.accuracy.top1, report.accuracy.top5) == (9, 4 / 9, 7 / 9)
    classes, pairs = counted(report)
    assert classes == [(A, 4, 1, 3), (B, 3, 1, 2), (C, 2, 2, 2)]
    assert pairs == [(A, B, 2), (A, 7, 1), (B, A, 1), (B, 5, 1)]
    assert report.data["digest"] == digest(find_samples([images]))  # as a card has it


def test_restricted_answers_by_hand(images):
    """Only A, B and C are left: the fourth image of A is answered C, the third of B is right."""
    report = assess(scripted(), [images], dataclasses.replace(PROTOCOL, restrict=True))
    assert (report.accuracy.top1, report.accuracy.top5) == (5 / 9, 1)
    assert counted(report) == ([(A, 4, 1, 4), (B, 3, 2, 3), (C, 2, 2, 2)], [(A, B, 2), (A, C, 1), (B, A, 1)])
    assert report.protocol["answers"] == "among the 3 classes of the images"


def test_a_model_of_a_thousand_classes_on_images_of_two_hundred(images):
    """The same answers by a model that numbers them otherwise: labels are matched by WNID."""
    wide = label_set("imagenet-1k").wnids
    shift = {index: wide.index(WNIDS[index]) for index in (A, B, C, 5, 6, 7, 8, 9)}
    report = assess(scripted(classes=1000, shift=shift), [images], PROTOCOL)
    assert (report.accuracy.top1, report.accuracy.top5) == (4 / 9, 7 / 9)
    a, b, c = (shift[index] for index in (A, B, C))
    assert [score[0] for score in report.classes] == sorted((a, b, c))
    assert {tuple(pair) for pair in report.confusions} == {(a, b, 2), (a, shift[7], 1), (b, a, 1), (b, shift[5], 1)}
    assert report.protocol["answers"] == "among all 1000 classes of the model"


def test_what_cannot_be_read_is_listed_and_in_no_share(images):
    lost = images / "train" / WNIDS[A] / "3.png"
    lost.write_bytes(lost.read_bytes()[:60])
    (images / "x.png").write_bytes(b"")
    report = assess(scripted(), [images], PROTOCOL)
    assert (report.accuracy.images, report.accuracy.top1) == (8, 4 / 8)
    assert counted(report)[0][0] == (A, 3, 1, 3)
    name = f"train/{WNIDS[A]}/3.png"
    ((found, problem),) = report.unreadable
    assert (found, problem.startswith(f"{name} is damaged")) == (name, True)
    assert (report.data["images"], report.data["unlabeled"]) == (9, 1)
    lines = list(report.lines())
    assert "1 images could not be read, and are in no share:" in lines
    assert "1 images without a label left out" in lines
    for path in images.rglob("*.png"):
        path.write_bytes(b"nothing")
    with pytest.raises(ImageUnreadable, match="None of the 9 images can be read"):
        assess(scripted(), [images], PROTOCOL)


# --- What is refused --------------------------------------------------------------------------------------------------


def test_answers_that_are_no_numbers_are_no_accuracy(make_images):
    with pytest.raises(WeightsError, match="small answers with values that are not numbers"):
        evaluate(always(torch.full((200,), torch.nan)), [make_images("some", {WNIDS[0]: 1})])


@pytest.mark.parametrize("change", [{"image_size": 0}, {"crop_pct": 0.0}, {"crop_pct": 1.1}, {"batch": 0}])
def test_no_protocol(images, change):
    with pytest.raises(OutOfRange, match="is no protocol"):
        assess(scripted(), [images], dataclasses.replace(PROTOCOL, **change))


def test_half_precision_is_for_cuda(images):
    with pytest.raises(DeviceError, match=r"Autocast bf16 on cpu is not offered\. Use bf16 or fp16, on CUDA"):
        assess(scripted(), [images], dataclasses.replace(PROTOCOL, autocast="bf16"))
