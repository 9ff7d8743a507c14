"""Training data of each step: reproducible, each image once per epoch, held-out images never."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from transxnet.errors import OutOfRange
from transxnet.labels import label_set
from transxnet.training.batches import Batches
from transxnet.training.data import ImageSet
from transxnet.training.held_out import split
from transxnet.training.recipes import Recipe, find_recipe
from transxnet.variants import IMAGENET_MEAN, IMAGENET_STD, VARIANTS, VariantSpec

SMOKE = find_recipe("smoke")  # 8 images per step


def images(n: int, classes: int | None = None) -> ImageSet:
    """Noise; image i has class i, or class i % classes."""
    images = np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)
    return ImageSet(images, np.arange(n) % (classes or n), label_set(f"numbered-{classes or n}"), "d" * 64)


def spec(num_classes: int) -> VariantSpec:
    return dataclasses.replace(VARIANTS["transxnet_pico"], num_classes=num_classes)


def batches(recipe: Recipe = SMOKE, n: int = 32, **options: int) -> Batches:
    return Batches(recipe, images(n), spec(n), **options)


def test_epoch_shows_every_image_once():
    b = batches()
    epochs = [[b.indices(4 * epoch + number).tolist() for number in range(4)] for epoch in range(2)]
    assert [sorted(itertools.chain(*steps)) for steps in epochs] == [list(range(32))] * 2
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize(("n", "epochs", "steps"), [(80, 1.0, 10), (87, 1.0, 10), (80, 0.25, 2), (3, 1.0, 1)])
def test_number_of_steps(n, epochs, steps):
    assert batches(dataclasses.replace(SMOKE, epochs=epochs), n).steps == steps


def test_number_of_steps_of_the_bundled_run():
    data = dataclasses.replace(images(1), labels=np.zeros(100_000, np.int64))
    assert Batches(find_recipe("pico-first-light"), data, spec(200)).steps == 547  # 0.7 of 781 full batches


def test_processes_divide_every_batch():
    single, halves = batches(), [batches(rank=rank, world_size=2) for rank in range(2)]
    for step in range(4):
        parts = [half.indices(step) for half in halves]
        assert [len(part) for part in parts] == [4, 4]
        assert sorted(np.concatenate(parts)) == sorted(single.indices(step))


def test_each_step_draws_an_input_size():
    b = batches(dataclasses.replace(SMOKE, sizes=((32, 0.25), (64, 0.75))))
    sides = [b.input_size(step) for step in range(100)]
    assert set(sides) == {32, 64}
    assert 60 < sides.count(64) < 90
    assert sides == [batches(b.recipe, rank=1, world_size=2).input_size(step) for step in range(100)]


def test_progressive_recipe_takes_sizes_in_order():
    recipe = dataclasses.replace(SMOKE, epochs=2.5, sizes=((32, 0.3), (64, 0.5), (96, 0.2)), progressive=True)
    b = batches(recipe)  # 10 steps
    assert [b.input_size(step) for step in range(10)] == [32] * 3 + [64] * 5 + [96] * 2


def test_fraction_of_every_class_is_held_out():
    labels = np.arange(200) % 4
    train, held_out = split(labels, 0.1)
    assert [int((labels[held_out] == label).sum()) for label in range(4)] == [5] * 4
    assert sorted([*train, *held_out]) == list(range(200))
    train, held_out = split(np.arange(4), 0.1)  # one image per class: it is held out
    assert (list(train), list(held_out)) == ([], [0, 1, 2, 3])
    train, held_out = split(labels, 0.0)
    assert (len(train), len(held_out)) == (200, 0)


def test_held_out_images_are_never_trained_on():
    b = Batches(dataclasses.replace(SMOKE, held_out=0.25), images(64, classes=4), spec(4))
    trained = {int(i) for step in range(2 * b.steps_per_epoch) for i in b.indices(step)}
    assert not trained & set(b.held_out.tolist())
    assert trained == set(b.train.tolist())


def test_step_is_reproducible():
    recipe = dataclasses.replace(
        SMOKE, blur=0.5, randaugment="rand-m7-mstd0.5-inc1", erasing=0.5, mixup=0.2, cutmix=1.0, held_out=0.1
    )

    def prepare(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return b.prepare(step, *b[step])

    b = Batches(recipe, images(48, classes=4), spec(4))
    first = prepare(2)
    prepare(0)
    np.random.default_rng().random()
    again = prepare(2)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], prepare(1)[0])


def test_rand_augment_is_optional():
    plain, changed = batches(), batches(dataclasses.replace(SMOKE, randaugment="rand-m9-mstd0.5-inc1"))
    assert np.array_equal(plain[0][0].numpy(), plain.data.images[plain.indices(0)])
    assert not torch.equal(plain[0][0], changed[0][0])
    assert torch.equal(plain[0][1], changed[0][1])


def test_mixed_labels_are_fractions_of_two_classes():
    """timm's Mixup: lam of one image and 1 - lam of another, images and labels alike."""
    b = batches(dataclasses.replace(SMOKE, mixup=0.5, label_smoothing=0.0))
    images, labels = b[0]
    x, mixed = b.prepare(0, images, labels)
    assert mixed.shape == (8, 32)
    assert torch.allclose(mixed.sum(dim=1), torch.ones(8))
    unmixed, _ = batches(dataclasses.replace(SMOKE, label_smoothing=0.0)).prepare(0, images, labels)
    for i in range(8):
        first, second = mixed[i].nonzero()[:, 0].tolist()
        lam = mixed[i, first].item()
        assert 0 < lam < 1
        pair = (unmixed[labels.tolist().index(first)], unmixed[labels.tolist().index(second)])
        assert torch.allclose(x[i], lam * pair[0] + (1 - lam) * pair[1], atol=1e-5)


def test_classes_are_mixed_at_random():
    """Batches are sorted by class, and timm mixes the first with the last image: they must be shuffled."""
    b = batches(dataclasses.replace(SMOKE, epochs=40.0, mixup=1.0, label_smoothing=0.0))
    rows = [row.nonzero()[:, 0].tolist() for step in range(100) for row in b.prepare(step, *b[step])[1]]
    partners = {row[1] for row in rows if len(row) == 2 and row[0] == 0}
    assert len(partners) > 12
    assert min(partners) < 10


@pytest.mark.parametrize(
    ("batch", "images", "world_size", "mixup", "divided"),
    [
        (8, 32, 3, 0.0, 8),
        (6, 32, 2, 0.2, 6),
        (4, 32, 8, 0.0, 4),
        (64, 31, 1, 0.2, 31),
    ],
)
def test_indivisible_batch_is_refused(batch, images, world_size, mixup, divided):
    with pytest.raises(OutOfRange, match=f"A batch of {divided} images cannot be divided among {world_size} processes"):
        batches(dataclasses.replace(SMOKE, batch=batch, mixup=mixup), images, world_size=world_size)


@pytest.mark.parametrize("fraction", [-0.1, 0.6, 1.0])
def test_invalid_held_out_fraction(fraction):
    with pytest.raises(OutOfRange, match="The held-out fraction is"):
        split(np.arange(4), fraction)


def test_side_0_is_the_models_input_size():
    b = batches(dataclasses.replace(SMOKE, sizes=((0, 1.0),)))
    assert [b.input_size(step) for step in range(3)] == [128] * 3


def test_normalization_is_the_models():
    own = dataclasses.replace(spec(4), mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0))
    plain, other = (Batches(SMOKE, images(32, classes=4), one) for one in (spec(4), own))
    x, y = plain.prepare(3, *plain[3])[0], other.prepare(3, *other[3])[0]
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    assert torch.allclose((x * std + mean - 0.5) / torch.tensor([0.25, 0.5, 1.0])[:, None, None], y, atol=1e-5)
