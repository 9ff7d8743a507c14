"""The published protocol: the average by hand, merged sums, images and previews."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torchvision import transforms

from tests.fixtures.small_model import image, small_model
from tests.fixtures.tiny_model import leftover_state, recipe_model
from transxnet.draw.overlay import to_png
from transxnet.errors import DeviceError, LensError, OutOfRange
from transxnet.explain.erf import protocol as erf_protocol
from transxnet.explain.erf.protocol import (
    ErfSum,
    UnitLocation,
    add_image,
    image_name,
    is_published_image_set,
    published_erf,
    warp_to_square,
)
from transxnet.weights.load import load

SIZE = 96
LOCATION = UnitLocation("tiny", "stage 4, block 2", (1, 1), (32.0, 32.0))


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [image(0).rgb, image(1, 60, 90).rgb]


def compute_gradient(model, rgb: np.ndarray, stage: int, row: int, col: int) -> np.ndarray:
    """One image as in RepLKNet's script: torchvision's resize and normalization, ReLU twice, summed over RGB."""
    steps = [
        transforms.Resize((SIZE, SIZE), interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.ToTensor(),
        transforms.Normalize(IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    ]
    x = transforms.Compose(steps)(Image.fromarray(rgb))[None].requires_grad_()
    features = model.forward_intermediates(x, [stage - 1], intermediates_only=True)[0]
    (gradient,) = torch.autograd.grad(features[:, :, row, col].relu().sum(), x)
    return gradient.relu().sum(dim=(0, 1)).numpy()


# --- The average ------------------------------------------------------------------------------------


def test_average_of_two_images_by_hand(model, images):
    result = published_erf(model, images, SIZE)
    expected = np.mean(
        [compute_gradient(model, rgb, 4, 1, 1) for rgb in images], axis=0
    )  # 3 x 3 units: the middle is 1, 1
    np.testing.assert_allclose(result.heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert (result.heatmap.dtype, result.size, result.count) == (np.float64, SIZE, 2)
    assert (result.layer, result.unit, result.position) == ("stage 4, block 2", (1, 1), (32, 32))
    scaled = np.log10(result.heatmap + 1)
    np.testing.assert_allclose(result.log_heatmap, scaled / scaled.max())
    assert result.raw_curve.center == (32, 32)  # the unit's pixel
    assert result.published_curve.center == (48, 48)  # the model input's middle
    assert result.numbers["raw/r50"] == result.raw_curve.area_at(0.5)
    assert result.numbers["total"] == pytest.approx(expected.sum(), rel=1e-5)


def test_any_stage_and_unit(model, images):
    result = published_erf(model, images[:1], SIZE, stage=2, unit=(3, 5))
    expected = compute_gradient(model, images[0], 2, 3, 5)
    np.testing.assert_allclose(result.heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert (result.layer, result.unit, result.position) == ("stage 2, block 1", (3, 5), (40, 24))


def test_backbone_uses_its_origin_and_normalization(images):
    """A ViT's unit i sits at 16 i + 7.5, and its weights need colors centered on 0.5."""
    loaded = load("timm:vit_tiny_patch16_224@untrained", device="cpu", image_size=64)
    result = published_erf(loaded, images[:1], 64)
    assert (result.unit, result.position) == ((2, 2), (39.5, 39.5))
    assert loaded.spec.mean == (0.5, 0.5, 0.5)
    model_input = warp_to_square(image(0), 64, loaded.spec)
    np.testing.assert_allclose(model_input.tensor[0].permute(1, 2, 0).numpy(), model_input.crop / 127.5 - 1, atol=1e-6)
    with pytest.raises(OutOfRange, match="does not take images of 96 px"):
        published_erf(loaded, images[:1], 96)


def test_loaded_model_is_accepted(images):
    loaded = small_model()
    assert np.array_equal(published_erf(loaded, images, 64).heatmap, published_erf(loaded.model, images, 64).heatmap)
    assert leftover_state(loaded.model) == []


def test_warp_only_changes_the_aspect_ratio(images):
    source_image = image(1, 60, 90)
    model_input = warp_to_square(source_image, SIZE)
    assert model_input.crop.shape == (SIZE, SIZE, 3)
    assert np.array_equal(
        model_input.crop, np.asarray(Image.fromarray(source_image.rgb).resize((SIZE, SIZE), Image.BICUBIC))
    )
    assert (model_input.crop_box, model_input.source_size) == ((0, 0, 60, 90), (60, 90))


# --- The sum ----------------------------------------------------------------------------------------


def test_merged_sums_equal_one_run(model, images):
    expected = published_erf(model, images, SIZE)
    sums = [ErfSum(SIZE), ErfSum(SIZE)]
    for erf_sum, rgb, number in zip(sums, images, (1, 2), strict=True):
        assert add_image(erf_sum, model, rgb, number)
    merged = ErfSum(SIZE)
    for erf_sum in sums:
        merged.merge(erf_sum)
    assert np.array_equal(merged.result().heatmap, expected.heatmap)
    assert merged.result().images == expected.images == ("image 1", "image 2")


def test_sum_by_hand():
    erf_sum = ErfSum(32)
    erf_sum.add(np.full((32, 32), 1, np.float32), "a", LOCATION)
    other = ErfSum(32)
    other.add(np.full((32, 32), 4, np.float32), "b", LOCATION)
    erf_sum.merge(other)
    erf_sum.add(np.full((32, 32), 4, np.float32), "c")
    assert erf_sum.result().heatmap.tolist() == np.full((32, 32), 3.0).tolist()
    assert erf_sum.images == ["a", "b", "c"]
    assert np.array_equal(other.total, np.full((32, 32), 4))  # merging does not change the other


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nonfinite_gradient_is_left_out(value):
    erf_sum = ErfSum(32)
    erf_sum.add(np.ones((32, 32)), "a", LOCATION)
    with pytest.raises(LensError, match="not finite"):
        erf_sum.add(np.full((32, 32), value), "b")
    assert (erf_sum.images, erf_sum.result().heatmap.max()) == (["a"], 1)


def test_sum_refuses_invalid_arguments():
    with pytest.raises(OutOfRange, match="32 or more"):
        ErfSum(31)
    with pytest.raises(ValueError, match="other sizes"):
        ErfSum(32).merge(ErfSum(64))
    with pytest.raises(ValueError, match="in a run at 32"):
        ErfSum(32).add(np.ones((16, 16)), "a")
    with pytest.raises(LensError, match="No image"):
        ErfSum(32).result()


# --- Images ---------------------------------------------------------------------------------------


def test_unreadable_image_is_listed_as_failed(model, images, tmp_path):
    folder = tmp_path / "n01440764"
    folder.mkdir()
    (folder / "a.png").write_bytes(to_png(images[0]))
    (folder / "b.png").write_bytes(b"nothing")
    progress_calls, previews = [], []
    result = published_erf(
        model, [folder / "b.png", folder / "a.png", images[1]], SIZE,
        progress=lambda count, total: progress_calls.append((count, total)),
        preview=lambda average: previews.append(average.images), every=3,
    )  # fmt: skip
    assert np.array_equal(result.heatmap, published_erf(model, images, SIZE).heatmap)
    assert result.images == ("n01440764/a.png", "image 3")
    assert result.folders == ("n01440764",)
    assert [name for name, _ in result.failed] == ["n01440764/b.png"]
    assert str(tmp_path) not in f"{result.failed}{result.images}"
    assert progress_calls == [(1, 3), (2, 3), (3, 3)]
    assert previews == [("n01440764/a.png",), ("n01440764/a.png", "image 3")]
    assert leftover_state(model) == []


def test_images_are_read_one_at_a_time(model, images):
    reads = []

    def read_images():
        for rgb in images:
            reads.append(len(progress_calls))
            yield rgb

    progress_calls: list[int] = []
    published_erf(model, read_images(), SIZE, progress=lambda count, total: progress_calls.append(total))
    assert reads == [0, 1]  # the second image is read after the first is finished
    assert progress_calls == [0, 0]  # the total is unknown


def test_errors_that_stop_a_run(model, images, monkeypatch):
    with pytest.raises(OutOfRange, match="no stage 7"):
        published_erf(model, images, SIZE, stage=7)
    with pytest.raises(OutOfRange, match="Rows are 0 to 2"):
        published_erf(model, images, SIZE, unit=(3, 0))
    with pytest.raises(LensError, match=r"image 1.*damaged|image 1.*expected \(H, W\)"):
        published_erf(model, [np.zeros((9, 9, 7), np.uint8)], SIZE)

    def run_out_of_memory(*args, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(erf_protocol, "observe", run_out_of_memory)
    with pytest.raises(DeviceError, match="96 x 96 pixels") as error_info:
        published_erf(model, images, SIZE)
    assert "512" in error_info.value.remedy
    assert leftover_state(model) == []


# --- Names and notes -----------------------------------------------------------------------------------


def test_image_names_have_no_path(tmp_path):
    assert image_name(tmp_path / "n1" / "a.jpg") == "n1/a.jpg"
    assert image_name(np.zeros((9, 9, 3), np.uint8), 4) == "image 4"


def test_published_image_set_is_recognized_by_name():
    flat = [f"val/ILSVRC2012_val_{i:08}.JPEG" for i in range(1, 51)]
    assert is_published_image_set(flat)
    assert is_published_image_set([f"n01440764/ILSVRC2012_val_{i:08}.JPEG" for i in range(293, 343)])
    assert not is_published_image_set(flat[:49])
    assert not is_published_image_set([*flat[:49], "val/ILSVRC2012_val_00000051.JPEG"])
    assert not is_published_image_set([f"val/{i}.jpg" for i in range(50)])


@pytest.mark.parametrize(
    ("size", "names", "note"),
    [
        (32, ["x/a"], "Not the published setting: 1 image, not ImageNet's first 50; 32 px, not 1024."),
        (1024, [f"val/ILSVRC2012_val_{i:08}.JPEG" for i in range(1, 51)], ""),
    ],
)
def test_result_notes_differences_from_the_published_setting(size, names, note):
    total = np.ones((size, size))
    assert ErfSum(size, total=total, images=names, location=LOCATION).result().note == note
