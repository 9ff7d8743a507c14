"""The published protocol: its average by hand, its sum divided and put together, its images, its previews."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torchvision import transforms

from tests.small import image, small_model
from tests.tiny import leftovers, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.draw.png import to_png
from transxnet.errors import DeviceError, LensError, OutOfRange
from transxnet.explain.erf import protocol as erf_protocol
from transxnet.explain.erf.protocol import ErfSum, Place, add_image, is_published_set, name_of, published_erf, warped
from transxnet.weights.load import load

SIZE = 96
PLACE = Place("tiny", "stage 4, block 2", (1, 1), (32.0, 32.0))


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [image(0).rgb, image(1, 60, 90).rgb]


def by_hand(model, rgb: np.ndarray, stage: int, row: int, col: int) -> np.ndarray:
    """One image as RepLKNet's script sees it: torchvision's warp and normalization, ReLU twice, summed over RGB."""
    steps = [
        transforms.Resize((SIZE, SIZE), interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.ToTensor(),
        transforms.Normalize(IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD),
    ]
    x = transforms.Compose(steps)(Image.fromarray(rgb))[None].requires_grad_()
    features = model.forward_intermediates(x, [stage - 1], intermediates_only=True)[0]
    (slope,) = torch.autograd.grad(features[:, :, row, col].relu().sum(), x)
    return slope.relu().sum(dim=(0, 1)).numpy()


# --- The average ------------------------------------------------------------------------------------


def test_the_average_of_two_images_by_hand(model, images):
    found = published_erf(model, images, SIZE)
    expected = np.mean([by_hand(model, rgb, 4, 1, 1) for rgb in images], axis=0)  # 3 x 3 units: the middle is 1, 1
    np.testing.assert_allclose(found.heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert (found.heatmap.dtype, found.size, found.count) == (np.float64, SIZE, 2)
    assert (found.layer, found.unit, found.position) == ("stage 4, block 2", (1, 1), (32, 32))
    scaled = np.log10(found.heatmap + 1)
    np.testing.assert_allclose(found.scaled, scaled / scaled.max())
    assert found.sound.center == (32, 32)  # the unit's own pixel
    assert found.published.center == (48, 48)  # the view's middle
    assert found.numbers["sound/r50"] == found.sound.at(0.5)
    assert found.numbers["total"] == pytest.approx(expected.sum(), rel=1e-5)


def test_any_stage_and_unit(model, images):
    found = published_erf(model, images[:1], SIZE, stage=2, unit=(3, 5))
    expected = by_hand(model, images[0], 2, 3, 5)
    np.testing.assert_allclose(found.heatmap, expected, rtol=1e-4, atol=1e-6 * expected.max())
    assert (found.layer, found.unit, found.position) == ("stage 2, block 1", (3, 5), (40, 24))
    assert found.curves.what == "stage 2, block 1, unit at row 3, column 5, 1 image at 96 px"


def test_a_backbone_sees_from_its_own_pixel_in_its_own_colors(images):
    """A ViT's unit i sits at 16 i + 7.5, and its weights want colors about 0.5."""
    loaded = load("timm:vit_tiny_patch16_224@untrained", device="cpu", image_size=64)
    found = published_erf(loaded, images[:1], 64)
    assert (found.unit, found.position) == ((2, 2), (39.5, 39.5))
    assert loaded.spec.mean == (0.5, 0.5, 0.5)
    seen = warped(image(0), 64, loaded.spec)
    np.testing.assert_allclose(seen.tensor[0].permute(1, 2, 0).numpy(), seen.crop / 127.5 - 1, atol=1e-6)
    with pytest.raises(OutOfRange, match="cannot look at images of 96 px"):
        published_erf(loaded, images[:1], 96)


def test_a_loaded_model_is_as_good(images):
    loaded = small_model()
    assert np.array_equal(published_erf(loaded, images, 64).heatmap, published_erf(loaded.model, images, 64).heatmap)
    assert leftovers(loaded.model) == []


def test_the_warp_loses_the_aspect_and_nothing_else(images):
    tall = image(1, 60, 90)
    view = warped(tall, SIZE)
    assert view.crop.shape == (SIZE, SIZE, 3)
    assert np.array_equal(view.crop, np.asarray(Image.fromarray(tall.rgb).resize((SIZE, SIZE), Image.BICUBIC)))
    assert (view.crop_box, view.source_size) == ((0, 0, 60, 90), (60, 90))


# --- The sum ----------------------------------------------------------------------------------------


def test_a_divided_sum_is_the_whole(model, images):
    whole = published_erf(model, images, SIZE)
    parts = [ErfSum(SIZE), ErfSum(SIZE)]
    for part, rgb, number in zip(parts, images, (1, 2), strict=True):
        assert add_image(part, model, rgb, number)
    together = ErfSum(SIZE)
    for part in parts:
        together.merge(part)
    assert np.array_equal(together.result().heatmap, whole.heatmap)
    assert together.result().images == whole.images == ("image 1", "image 2")


def test_sum_by_hand():
    found = ErfSum(32)
    found.add(np.full((32, 32), 1, np.float32), "a", PLACE)
    other = ErfSum(32)
    other.add(np.full((32, 32), 4, np.float32), "b", PLACE)
    found.merge(other)
    found.add(np.full((32, 32), 4, np.float32), "c")
    assert found.result().heatmap.tolist() == np.full((32, 32), 3.0).tolist()
    assert found.images == ["a", "b", "c"]
    assert np.array_equal(other.total, np.full((32, 32), 4))  # merging leaves the other as it was


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_left_out(value):
    found = ErfSum(32)
    found.add(np.ones((32, 32)), "a", PLACE)
    with pytest.raises(LensError, match="not finite"):
        found.add(np.full((32, 32), value), "b")
    assert (found.images, found.result().heatmap.max()) == (["a"], 1)


def test_what_a_sum_refuses():
    with pytest.raises(OutOfRange, match="32 or more"):
        ErfSum(31)
    with pytest.raises(ValueError, match="other sizes"):
        ErfSum(32).merge(ErfSum(64))
    with pytest.raises(ValueError, match="in a run at 32"):
        ErfSum(32).add(np.ones((16, 16)), "a")
    with pytest.raises(LensError, match="No image"):
        ErfSum(32).result()


# --- Images ---------------------------------------------------------------------------------------


def test_an_unreadable_image_is_listed_and_the_others_go_on(model, images, tmp_path):
    folder = tmp_path / "n01440764"
    folder.mkdir()
    (folder / "a.png").write_bytes(to_png(images[0]))
    (folder / "b.png").write_bytes(b"nothing")
    told, previews = [], []
    found = published_erf(
        model, [folder / "b.png", folder / "a.png", images[1]], SIZE,
        progress=lambda done, total: told.append((done, total)),
        preview=lambda so_far: previews.append(so_far.images), every=3,
    )  # fmt: skip
    assert np.array_equal(found.heatmap, published_erf(model, images, SIZE).heatmap)
    assert found.images == ("n01440764/a.png", "image 3")
    assert found.folders == ("n01440764",)
    assert [name for name, _ in found.failed] == ["n01440764/b.png"]
    assert str(tmp_path) not in f"{found.failed}{found.images}"
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert previews == [("n01440764/a.png",), ("n01440764/a.png", "image 3")]
    assert leftovers(model) == []


def test_images_are_read_one_at_a_time(model, images):
    given = []

    def one_by_one():
        for rgb in images:
            given.append(len(seen))
            yield rgb

    seen: list[int] = []
    published_erf(model, one_by_one(), SIZE, progress=lambda done, total: seen.append(total))
    assert given == [0, 1]  # the second is asked for when the first is done
    assert seen == [0, 0]  # how many there will be is not known


def test_what_stops_a_run(model, images, monkeypatch):
    with pytest.raises(OutOfRange, match="no stage 7"):
        published_erf(model, images, SIZE, stage=7)
    with pytest.raises(OutOfRange, match="Rows are 0 to 2"):
        published_erf(model, images, SIZE, unit=(3, 0))
    with pytest.raises(LensError, match=r"image 1.*damaged|image 1.*expected uint8"):
        published_erf(model, [np.zeros((9, 9, 7), np.uint8)], SIZE)

    def full(*args, **options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(erf_protocol, "observe", full)
    with pytest.raises(DeviceError, match="96 pixels a side") as caught:
        published_erf(model, images, SIZE)
    assert "512" in caught.value.remedy
    assert leftovers(model) == []


# --- What is said -----------------------------------------------------------------------------------


def test_names_have_no_path(tmp_path):
    assert name_of(tmp_path / "n1" / "a.jpg") == "n1/a.jpg"
    assert name_of(np.zeros((9, 9, 3), np.uint8), 4) == "image 4"


def test_the_published_set_is_known_by_its_names():
    flat = [f"val/ILSVRC2012_val_{i:08}.JPEG" for i in range(1, 51)]
    assert is_published_set(flat)
    assert is_published_set([f"n01440764/ILSVRC2012_val_{i:08}.JPEG" for i in range(293, 343)])
    assert not is_published_set(flat[:49])
    assert not is_published_set([*flat[:49], "val/ILSVRC2012_val_00000051.JPEG"])
    assert not is_published_set([f"val/{i}.jpg" for i in range(50)])


@pytest.mark.parametrize(
    ("size", "names", "note"),
    [
        (32, ["x/a"], "Not the published setting: 1 image, not ImageNet's first 50; 32 px, not 1024."),
        (1024, [f"val/ILSVRC2012_val_{i:08}.JPEG" for i in range(1, 51)], ""),
    ],
)
def test_the_result_says_where_it_is_not_the_published_one(size, names, note):
    total = np.ones((size, size))
    assert ErfSum(size, total=total, images=names, place=PLACE).result().note == note
