"""Accuracy: exact counts on a model whose answers are known, the protocol by hand, Wilson's interval."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from tests import small
from tests.tiny import one_thread  # noqa: F401  small tensors
from transxnet.errors import PictureUnreadable, UnknownName
from transxnet.labels import label_set
from transxnet.model import TransXNet
from transxnet.training.evaluate import evaluate, wilson
from transxnet.weights import LoadedModel, Provenance

WNIDS = label_set("tiny-imagenet-200").wnids
TENCH = "n01440764"  # an ImageNet class that Tiny-ImageNet lacks


def always(logits: torch.Tensor) -> LoadedModel:
    """A model that answers every picture with these 200 logits."""
    model = TransXNet(small.SPEC).eval().requires_grad_(False)
    model.classifier[2].weight.zero_()
    model.classifier[2].bias.copy_(logits)
    return LoadedModel(model, small.SPEC, Provenance("file", "x.safetensors"), torch.device("cpu"))


@pytest.mark.parametrize(
    "logits", [-torch.arange(200.0), torch.zeros(200)], ids=["falling", "all alike: ties go to the lower index"]
)
def test_counts_are_exact(make_pictures, logits):
    path = make_pictures("some.zip", {WNIDS[0]: 3, WNIDS[4]: 2, WNIDS[5]: 4, TENCH: 6})
    told = []
    result = evaluate(always(logits), [path], batch=4, progress=lambda *call: told.append(call))
    assert (result.pictures, result.left_out) == (9, 6)
    assert (result.top1, result.top5) == (3 / 9, 5 / 9)  # class 0 comes first, class 4 fifth, class 5 sixth
    assert (result.top1_interval, result.top5_interval) == (wilson(3, 9), wilson(5, 9))
    assert (result.model, result.image_size, result.crop_pct) == ("small", 64, 1.0)
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_several_paths_count_together(make_pictures):
    paths = [make_pictures("flat", {WNIDS[0]: 2}, flat=True), make_pictures("some", {WNIDS[1]: 1})]
    assert evaluate(always(-torch.arange(200.0)), paths).top1 == 2 / 3


def test_a_label_is_found_by_its_wnid_not_by_its_place(make_pictures):
    logits = torch.zeros(200)
    logits[77] = 1
    path = make_pictures("one class", {WNIDS[77]: 2})  # the only folder there
    assert evaluate(always(logits), [path]).top1 == 1


def random_picture(folder, wnid: str) -> np.ndarray:
    rgb = np.random.default_rng(7).integers(0, 256, (80, 100, 3), dtype=np.uint8)  # 100 wide
    Image.fromarray(rgb).save(folder / f"{wnid}_x.png")
    return rgb


def by_hand(rgb: np.ndarray) -> np.ndarray:  # -> (1, 3, 64, 64)
    """The protocol at 64 px, crop_pct 0.9: 80 -> floor(64 / 0.9) = 71, 100 -> 88, the middle 64 x 64 of 88 x 71."""
    resized = np.asarray(Image.fromarray(rgb).resize((88, 71), Image.Resampling.BICUBIC))
    view = resized[4 : 4 + 64, 12 : 12 + 64] / 255  # (88 - 64) / 2 = 12; (71 - 64) / 2 = 3.5, and half goes to even
    return ((view - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).transpose(2, 0, 1)[None]


@pytest.mark.parametrize(("place", "top1", "top5"), [(1, 1, 1), (2, 0, 1), (5, 0, 1), (6, 0, 0), (200, 0, 0)])
def test_one_picture_by_hand(tmp_path, place, top1, top5):
    loaded = small.small_model()
    loaded = dataclasses.replace(loaded, spec=dataclasses.replace(loaded.spec, image_size=32, crop_pct=0.9))
    x = torch.from_numpy(by_hand(random_picture(tmp_path, "n00000000"))).float()
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


def test_the_size_is_the_variant_s_own_unless_said(make_pictures):
    path, loaded = make_pictures("some", {WNIDS[0]: 1}), always(torch.zeros(200))
    assert evaluate(loaded, [path]).image_size == 64
    assert evaluate(loaded, [path], image_size=96).image_size == 96


def test_pictures_that_cannot_be_judged_are_no_zero(make_pictures):
    with pytest.raises(UnknownName, match="None of the 2 pictures is of one of the model's 200 classes"):
        evaluate(always(torch.zeros(200)), [make_pictures("other", {TENCH: 2})])


def test_a_damaged_picture_stops_it_and_is_named(make_pictures):
    path = make_pictures("some", {WNIDS[0]: 2})
    (path / "train" / WNIDS[0] / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(PictureUnreadable) as caught:
        evaluate(always(torch.zeros(200)), [path])
    assert caught.value.detail.startswith(f"train/{WNIDS[0]}/1.png: ")


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # the roots of (p - hits/n)^2 = z^2 p (1 - p) / n, z = 1.95996: E. B. Wilson, 1927
        (50, 100, 0.40383153, 0.59616847),
        (0, 10, 0.0, 0.27753279),
        (10, 10, 0.72246721, 1.0),
        (2155, 5000, 0.41733170, 0.44477424),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_s_interval(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-6)
    assert 0 <= wilson(hits, n)[0] <= wilson(hits, n)[1] <= 1
