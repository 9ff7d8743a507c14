"""The bundled checkpoints and their cards: what a card says of its file, its images and its siblings is true."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from transxnet.assets import find_asset
from transxnet.training.data import combine_hashes
from transxnet.training.log import read_log
from transxnet.training.recipes import find_recipe, with_defaults
from transxnet.training.scores import wilson
from transxnet.variants import SIBLINGS, VARIANTS
from transxnet.weights.model_card import markdown

WEIGHTS = find_asset("weights")
CARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(WEIGHTS.glob("*.json"))}
HASHES = np.load(Path(__file__).parent / "data" / "tiny_imagenet_200_hashes.npz")

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

every_card = pytest.mark.parametrize("name", CARDS)


def hashes(of: str) -> list[bytes]:
    return [row.tobytes() for row in HASHES[of]]


def test_every_bundled_checkpoint_has_a_card():
    assert {path.stem for path in WEIGHTS.glob("*.safetensors")} == set(CARDS)
    assert {"transxnet_pico", *(spec.name for spec in SIBLINGS)} <= set(CARDS)


@every_card
def test_card_describes_its_file(name):
    card, content = CARDS[name], (WEIGHTS / f"{name}.safetensors").read_bytes()
    assert (card["name"], card["sha256"]) == (name, hashlib.sha256(content).hexdigest())
    assert card["classes"] == VARIANTS[name].num_classes
    assert card["preprocessing"]["image_size"] == VARIANTS[name].image_size == card["accuracy"]["image_size"]


@every_card
def test_markdown_card_equals_json_card(name):
    assert (WEIGHTS / f"{name}.md").read_text(encoding="utf-8") == markdown(CARDS[name])


@every_card
def test_log_ends_at_the_last_step(name):
    card = CARDS[name]
    last = read_log(WEIGHTS / card["log"])[-1]
    assert (last.step, last.loss) == (card["steps"], card["loss"])
    assert card["steps"] == card["steps_planned"]
    assert (WEIGHTS / card["plot"]).read_bytes().startswith(b"\x89PNG")


@every_card
def test_recipe_of_the_card_exists(name):
    recipe = json.loads(json.dumps(find_recipe(CARDS[name]["recipe"]["name"]).as_json()))
    assert recipe == with_defaults(CARDS[name]["recipe"], as_lists=True)


def test_training_and_validation_images_are_disjoint():
    """By the lists of hashes; the cards hold the lists' digests."""
    assert not set(hashes("train")) & set(hashes("val"))


@every_card
def test_image_lists_match_the_card(name):
    card = CARDS[name]
    assert (card["data"]["digest"], card["data"]["pictures"]) == (combine_hashes(hashes("train")), 100_000)
    assert (card["validation"]["digest"], card["accuracy"]["pictures"]) == (combine_hashes(hashes("val")), 5000)


def test_variants_were_trained_identically():
    """Same recipe, images, steps and seed: what differs is the part that is missing."""
    cards = [CARDS[spec.name] for spec in SIBLINGS]
    same = ("data", "validation", "start", "steps", "preprocessing", "weights")
    assert all(card[key] == cards[0][key] for card in cards for key in same)
    recipes = [{k: v for k, v in card["recipe"].items() if k not in ("name", "variant")} for card in cards]
    assert all(recipe == recipes[0] for recipe in recipes)


def test_bundled_files_are_small():
    sizes = {path.stem: path.stat().st_size for path in WEIGHTS.glob("*.safetensors")}
    assert max(sizes.values()) < 10_000_000  # a Space takes larger files only through LFS
    assert max(sizes[spec.name] for spec in SIBLINGS) < 5_000_000
    assert sum(path.stat().st_size for path in find_asset("").rglob("*") if path.is_file()) < 40_000_000


@pytest.mark.parametrize("name", ["transxnet_pico", *(spec.name for spec in SIBLINGS)])
def test_readme_has_the_accuracy_of_the_card(name):
    accuracy = CARDS[name]["accuracy"]
    row = next(
        line for line in README.splitlines() if line.startswith(f"| `{VARIANTS[name].short}`") or f"`{name}` |" in line
    )
    for share in ("top1", "top5"):
        assert f"{100 * accuracy[share]:.1f}%" in row.replace(" %", "%")
    low, high = accuracy["top1_interval"]
    assert f"({100 * low:.1f} to {100 * high:.1f})" in row


def test_accuracies_on_photos_have_intervals():
    """Few photos: README and every card state the 95% interval after each accuracy."""
    (paragraph,) = re.findall(r"Of \d+\s+full-size photos.*?\. ", README, re.DOTALL)
    accuracy = max(CARDS["transxnet_pico"]["accuracy_on_photographs"], key=lambda one: one["image_size"])
    for key in ("top1", "top5"):
        low, high = wilson(round(accuracy[key] * accuracy["pictures"]), accuracy["pictures"])
        assert f"{100 * accuracy[key]:.1f}% ({100 * low:.1f} to {100 * high:.1f})" in paragraph
    for name in CARDS:
        text = (WEIGHTS / f"{name}.md").read_text(encoding="utf-8")
        cells = [cell for row in re.findall(r"\| \d+ photos.*", text) for cell in row.split("|")[3:5]]
        assert cells
        assert all(re.fullmatch(r"[\d.]+% \([\d.]+ to [\d.]+\)", cell.strip()) for cell in cells)
