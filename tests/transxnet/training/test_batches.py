"""Which images a step is trained on, and at which size: the same every time, each once an epoch, none held out."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from transxnet.errors import OutOfRange
from transxnet.training.batches import Batches
from transxnet.training.data import ImageSet
from transxnet.training.held_out import split
from transxnet.training.recipes import Recipe, find_recipe

SMOKE = find_recipe("smoke")  # 8 images a step


def images(n: int, classes: int | None = None) -> ImageSet:
    """Noise; each image a class of its own, or class i % classes."""
    images = np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)
    return ImageSet(images, np.arange(n) % (classes or n), ("n01443537",) * (classes or n), "d" * 64)


def batches(recipe: Recipe = SMOKE, n: int = 32, **options: int) -> Batches:
    return Batches(recipe, images(n), n, **options)


def test_an_epoch_shows_every_image_once():
    b = batches()
    epochs = [[b.chosen(4 * epoch + place).tolist() for place in range(4)] for epoch in range(2)]
    assert [sorted(itertools.chain(*steps)) for steps in epochs] == [list(range(32))] * 2
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize(("n", "epochs", "steps"), [(80, 1.0, 10), (87, 1.0, 10), (80, 0.25, 2), (3, 1.0, 1)])
def test_how_many_steps(n, epochs, steps):
    assert batches(dataclasses.replace(SMOKE, epochs=epochs), n).steps == steps


def test_how_long_the_bundled_run_is():
    data = dataclasses.replace(images(1), labels=np.zeros(100_000, np.int64))
    assert Batches(find_recipe("pico-first-light"), data, 200).steps == 547  # 0.7 of 781 full batches


def test_workers_share_every_batch():
    whole, halves = batches(), [batches(rank=rank, size=2) for rank in range(2)]
    for step in range(4):
        parts = [half.chosen(step) for half in halves]
        assert [len(part) for part in parts] == [4, 4]
        assert sorted(np.concatenate(parts)) == sorted(whole.chosen(step))


def test_each_step_draws_one_of_the_recipe_s_sizes():
    b = batches(dataclasses.replace(SMOKE, sizes=((32, 0.25), (64, 0.75))))
    sides = [b.side(step) for step in range(100)]
    assert set(sides) == {32, 64}
    assert 60 < sides.count(64) < 90
    assert sides == [batches(b.recipe, rank=1, size=2).side(step) for step in range(100)]  # all workers draw the same


def test_a_progressive_recipe_takes_its_sizes_in_order():
    recipe = dataclasses.replace(SMOKE, epochs=2.5, sizes=((32, 0.3), (64, 0.5), (96, 0.2)), progressive=True)
    b = batches(recipe)  # 10 steps
    assert [b.side(step) for step in range(10)] == [32] * 3 + [64] * 5 + [96] * 2


def test_of_every_class_a_share_is_held_out():
    labels = np.arange(200) % 4
    train, held_out = split(labels, 0.1)
    assert [int((labels[held_out] == label).sum()) for label in range(4)] == [5] * 4
    assert sorted([*train, *held_out]) == list(range(200))
    train, held_out = split(np.arange(4), 0.1)  # one image a class: it is held out
    assert (list(train), list(held_out)) == ([], [0, 1, 2, 3])
    train, held_out = split(labels, 0.0)
    assert (len(train), len(held_out)) == (200, 0)


def test_what_is_held_out_is_never_trained_on():
    b = Batches(dataclasses.replace(SMOKE, held_out=0.25), images(64, classes=4), 4)
    shown = {int(i) for step in range(2 * b.per_epoch) for i in b.chosen(step)}
    assert not shown & set(b.held_out.tolist())
    assert shown == set(b.train.tolist())


def test_a_step_is_the_same_whenever_it_is_model_input():
    recipe = dataclasses.replace(
        SMOKE, blur=0.5, randaugment="rand-m7-mstd0.5-inc1", erasing=0.5, mixup=0.2, cutmix=1.0, held_out=0.1
    )

    def at(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return b.prepare(step, *b[step])

    b = Batches(recipe, images(48, classes=4), 4)
    first = at(2)
    at(0)
    np.random.default_rng().random()
    again = at(2)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], at(1)[0])


def test_rand_augment_changes_images_and_only_where_it_is_asked_for():
    plain, changed = batches(), batches(dataclasses.replace(SMOKE, randaugment="rand-m9-mstd0.5-inc1"))
    assert np.array_equal(plain[0][0].numpy(), plain.data.images[plain.chosen(0)])
    assert not torch.equal(plain[0][0], changed[0][0])
    assert torch.equal(plain[0][1], changed[0][1])


def test_mixed_labels_are_shares_of_two_classes():
    """timm's Mixup: lam of one image and 1 - lam of another, and so their labels."""
    b = batches(dataclasses.replace(SMOKE, mixup=0.5, label_smoothing=0.0))
    images, labels = b[0]
    x, mixed = b.prepare(0, images, labels)
    assert mixed.shape == (8, 32)
    assert torch.allclose(mixed.sum(dim=1), torch.ones(8))
    unmixed, _ = batches(dataclasses.replace(SMOKE, label_smoothing=0.0)).prepare(0, images, labels)
    for i in range(8):
        one, other = mixed[i].nonzero()[:, 0].tolist()
        lam = mixed[i, one].item()
        assert 0 < lam < 1
        pair = (unmixed[labels.tolist().index(one)], unmixed[labels.tolist().index(other)])
        assert torch.allclose(x[i], lam * pair[0] + (1 - lam) * pair[1], atol=1e-5)


def test_a_class_is_mixed_with_any_other():
    """Batches come sorted by class, and timm pairs the first with the last: class 0 would meet the last only."""
    b = batches(dataclasses.replace(SMOKE, epochs=40.0, mixup=1.0, label_smoothing=0.0))
    rows = [row.nonzero()[:, 0].tolist() for step in range(100) for row in b.prepare(step, *b[step])[1]]
    partners = {row[1] for row in rows if len(row) == 2 and row[0] == 0}
    assert len(partners) > 12
    assert min(partners) < 10


@pytest.mark.parametrize(
    ("batch", "images", "size", "mixup", "shared"),
    [(8, 32, 3, 0.0, 8), (6, 32, 2, 0.2, 6), (4, 32, 8, 0.0, 4), (64, 31, 1, 0.2, 31)],  # the last: fewer than a batch
)
def test_a_batch_that_workers_cannot_share_is_refused(batch, images, size, mixup, shared):
    with pytest.raises(OutOfRange, match=f"A batch of {shared} cannot be shared by {size} processes"):
        batches(dataclasses.replace(SMOKE, batch=batch, mixup=mixup), images, size=size)


@pytest.mark.parametrize("share", [-0.1, 0.6, 1.0])
def test_a_share_that_cannot_be_held_out(share):
    with pytest.raises(OutOfRange, match="cannot be held out"):
        split(np.arange(4), share)
