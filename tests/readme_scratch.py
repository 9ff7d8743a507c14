"""Small stand-ins for what the README's commands name: models, weights, recipes, images.

cut(monkeypatch); write_weights(folder); write_files(folder)
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.models._registry import _model_entrypoints

from demo.examples import examples
from tests.fixtures import small_model
from tests.fixtures.drawn_classes import draw_classes
from tests.fixtures.labeled_images import FISH, SALAMANDER, TENCH, write_images
from tests.fixtures.own_checkpoint import CLASSES, own_checkpoint
from tests.fixtures.tiny_model import recipe_weights
from transxnet import study, variants
from transxnet import timm_registry as entrypoints
from transxnet.__main__ import main
from transxnet.cli import gallery
from transxnet.cli import list as list_command
from transxnet.cli import study as study_command
from transxnet.model import TransXNet
from transxnet.training import recipes
from transxnet.weights import architecture

SIDE = 32  # input size of the models, and of the published ERF protocol, in pixels
# All but pico's siblings, which are bundled.
FAMILY = tuple(name for name in variants.VARIANTS if not name.startswith("transxnet_pico_"))
SMALL = {
    name: replace(
        variants.VARIANTS[name], depths=(1, 1, 2, 1), dims=small_model.SPEC.dims, heads=small_model.SPEC.heads,
        kernel_groups=small_model.SPEC.kernel_groups, mlp_ratios=small_model.SPEC.mlp_ratios,
        bias_size=SIDE, image_size=SIDE,
    )
    for name in FAMILY
}  # fmt: skip
ANALYSES = ("attention", "grad_cam")  # of a study without --analyses, and of the gallery
# In the README, with one block a stage; their weights are those of the Hub.
BACKBONES = {
    "resnet50": {"layers": (1, 1, 1, 1)},
    "convnext_tiny": {"depths": (1, 1, 1, 1)},
    "swin_tiny_patch4_window7_224": {"depths": (1, 1, 1, 1)},
}


def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace FAMILY by SMALL and cut BACKBONES; one step for recipes, ANALYSES for studies and gallery."""
    for module in (variants, entrypoints, architecture, list_command):
        monkeypatch.setattr(module, "VARIANTS", variants.VARIANTS | SMALL)
    for name, blocks in BACKBONES.items():
        monkeypatch.setitem(_model_entrypoints, name, partial(timm.models.model_entrypoint(name), **blocks))
    for table in ("RECIPES", "OWN_RECIPES"):
        brief = {name: _brief(recipe) for name, recipe in getattr(recipes, table).items()}
        monkeypatch.setattr(recipes, table, brief)
    for default in ("DEFAULT_ANALYSES", "FIGURE_ANALYSES"):  # test_figures draws every analysis
        monkeypatch.setattr(study, default, ANALYSES)
    monkeypatch.setattr(study_command, "TIMED_PASSES", 1)
    monkeypatch.setattr(gallery, "SIZE", SIDE)


def _brief(recipe: recipes.Recipe) -> recipes.Recipe:
    """One step of eight small images."""
    return replace(recipe, epochs=1.0, batch=8, sizes=((32, 1.0),))


def small_state(name: str, num_classes: int | None = None) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        model = TransXNet(SMALL[name], num_classes)
    return recipe_weights(model)


def write_weights(folder: Path) -> None:
    """Weights of the stand-ins, as in a weights folder."""
    for name in FAMILY:
        save_file(small_state(name), folder / f"{name}.safetensors")


def write_backbones(folder: Path) -> None:
    """Random weights of BACKBONES."""
    for name, blocks in BACKBONES.items():
        save_file(timm.create_model(name, **blocks).state_dict(), folder / f"{name}.safetensors")


def write_files(folder: Path) -> None:
    """photo.jpg and all other images and checkpoints that the README names."""
    photos = [example.path for example in examples()[:2]]
    (folder / "more").mkdir()
    for path, name in zip(photos, ("photo.jpg", "more/second.jpg"), strict=True):
        with Image.open(path) as photo:
            photo.convert("RGB").resize((240, 180)).save(folder / name)
    for i, name in enumerate(("train-0.zip", "train-1.zip", "train.zip")):
        write_images(folder, name, {FISH: 5, SALAMANDER: 5}, size=(40 + i, 40))
    for i, name in enumerate(
        ("val.zip", "tiny-imagenet-200-val.zip", "DIR_OR_ZIP", "imagenet/val")
    ):  # not training images
        write_images(folder, name, {FISH: 2, SALAMANDER: 1, TENCH: 1}, size=(50 + i, 50))
    write_images(folder, "photos", {FISH: 1, SALAMANDER: 1}, size=(72, 60), flat=True)
    _imagenet_v2(folder / "imagenetv2-matched-frequency-format-val")
    teacher = timm.create_model("tf_efficientnet_lite0", num_classes=200)  # as many classes as nano
    save_file(teacher.state_dict(), folder / "teacher.safetensors", metadata={"input": "32"})
    checkpoint = {"state_dict": small_state("transxnet_t"), "args": argparse.Namespace(lr=1e-3)}
    torch.save(checkpoint, folder / "transx-t.pth.tar")  # as the authors' script writes it
    own_checkpoint(folder, state=small_state("transxnet_pico", len(CLASSES)))
    draw_classes(folder / "my" / "train", 3)
    draw_classes(folder / "my" / "val", 1, seed=1)


def _imagenet_v2(folder: Path) -> None:
    """Folders named by ImageNet's class numbers, all of them: fewer would be ambiguous."""
    for index in range(1000):
        (folder / str(index)).mkdir(parents=True)
        Image.new("RGB", (16, 16), (index % 256, 90, 200)).save(folder / str(index) / "a.jpeg")


def run_cut(folder: str, words: list[str]) -> None:
    """For a process that torchrun starts: `python -m transxnet` with these words in this folder, cut."""
    os.chdir(folder)
    cut(pytest.MonkeyPatch())
    if code := main(words):
        sys.exit(code)
