"""Randomization replaces everything, in order, on a copy; and the correlations are with the original map."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, PartMissing, WeightsMismatch
from transxnet.explain.attribution.methods import METHODS, AttributionTarget, Method
from transxnet.explain.sanity import randomization as randomization
from transxnet.explain.sanity.randomization import cascade, fresh_like, groups, make_maps, replace_tensors
from transxnet.model import TransXNet
from transxnet.results import Explanation
from transxnet.weights.checkpoint import untrained_model

IMAGE = model_input(64, 64)
QUESTION = AttributionTarget(3, contrast_index=1)
NAMES = ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"]
CHEAP = {name: METHODS[name] for name in ("attention", "grad_cam", "receptive_field")}


def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    return dict([*model.named_parameters(), *model.named_buffers()])


def equal(a: nn.Module, b: nn.Module) -> set[str]:
    """Names of the tensors that two models have alike, to the bit."""
    theirs = tensors(b)
    return {name for name, value in tensors(a).items() if torch.equal(value, theirs[name])}


def heatmap_method(make, is_multi_pass: bool = False, name: str = "made") -> Method:
    """A method whose map is make(model)."""

    def explanation(model, image) -> Explanation:
        heatmap = np.float32(make(model))
        geometry = randomization.make_maps  # never read by the cascade
        return Explanation(name, "tiny", "stage 4", "class 3", heatmap, True, "logit", geometry)

    if is_multi_pass:
        return Method(name, multi_pass=lambda model, lock, image, q: explanation(model, image))
    return Method(name, lambda seen, q: explanation(seen.model, seen.model_input))


# --- Groups -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["transxnet_t", "transxnet_pico", "transxnet_pico_noosra"])
def test_every_parameter_and_buffer_is_replaced_by_name(variant):
    model, order = recipe_model(variant), groups(recipe_model(variant))
    assert [name for name, _ in order] == NAMES
    names = [key for _, keys in order for key in keys]
    assert len(names) == len(set(names))
    assert set(names) == set(tensors(model))  # 100 %
    assert {n for n, _ in model.named_parameters()} <= set(names)
    fresh = fresh_like(model)
    assert equal(model, fresh) == set()  # there is something to replace everywhere
    for _, keys in order:
        replace_tensors(model, tensors(fresh), keys)
    assert equal(model, fresh) == set(tensors(model))


def test_the_groups_hold_what_other_tools_miss():
    order = dict(groups(recipe_model()))
    for part in ("layer_scale_1.weight", "token_mixer.local_unit.weight", "token_mixer.local_unit.bias"):
        assert f"network.6.1.{part}" in order["stage 4"]
    assert "relative_pos_enc.3" in order["stage 4"]
    assert "relative_pos_enc.0" in order["stage 1"]
    assert "network.5.proj.conv.weight" in order["stage 4"]  # the step into the stage
    assert "network.5.proj.bn.running_var" in order["stage 4"]
    assert "patch_embed.proj.bn.num_batches_tracked" in order["stem"]
    assert {key.split(".")[0] for key in order["head"]} == {"classifier"}
    assert {key.split(".")[0] for key in order["stem"]} == {"patch_embed"}


def test_models_that_name_no_stages_have_a_group_for_each_child():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    assert groups(model) == [
        ("3", ("3.weight", "3.bias")),
        ("1", ("1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked")),
        ("0", ("0.weight", "0.bias")),
    ]


def test_a_group_that_leaves_something_out_is_an_error(monkeypatch):
    monkeypatch.setattr(randomization, "groups", lambda model: groups(model)[:-1])
    with pytest.raises(LensError, match="leave out 6 tensors"):  # the stem's convolution and norm
        cascade(recipe_model(), fresh_like, IMAGE, QUESTION, {}, CHEAP)


# --- The cascade ------------------------------------------------------------------------------------------


def test_after_each_step_exactly_the_groups_so_far_are_replaced():
    model, seen = recipe_model(), []
    fresh = fresh_like(model)
    before = {name: value.clone() for name, value in tensors(model).items()}

    def look(mutant):
        seen.append((equal(mutant, model), equal(mutant, fresh)))
        return np.arange(4.0).reshape(2, 2)

    row = heatmap_method(look)
    original = make_maps(model, threading.Lock(), IMAGE, QUESTION, {"made": row})
    seen.clear()
    found = cascade(model, fresh, IMAGE, QUESTION, original, {"made": row})
    assert found["made"].steps == tuple(NAMES)
    replaced: set[str] = set()
    for (as_before, as_fresh), (_, keys) in zip(seen, groups(model), strict=True):
        replaced |= set(keys)
        assert as_fresh == replaced
        assert as_before == set(tensors(model)) - replaced
    assert all(torch.equal(value, before[name]) for name, value in tensors(model).items())  # the shared model
    assert leftovers(model) == []
    assert not any(p.requires_grad and p.grad is not None for p in model.parameters())


def test_maps_of_single_pass_are_those_of_the_randomized_model():
    model, fresh = recipe_model(), fresh_like(recipe_model())
    originals = make_maps(model, threading.Lock(), IMAGE, QUESTION, CHEAP)
    found = cascade(model, fresh, IMAGE, QUESTION, originals, CHEAP)
    by_hand = make_maps(fresh, threading.Lock(), IMAGE, QUESTION, CHEAP)
    for name in CHEAP:
        np.testing.assert_array_equal(found[name].heatmaps[-1], by_hand[name].heatmap)
        assert found[name].heatmaps.shape[0] == 6
    # attention of stage 3 cannot know that the head and stage 4 were replaced; Grad-CAM of stage 4 does at once
    assert found["attention"].signed[:2] == pytest.approx([1, 1])
    assert np.isnan(found["attention"].signed[2])  # a random model's attention is even but for rounding
    assert np.ptp(found["attention"].heatmaps[2]) > 0
    assert found["grad_cam"].signed[0] < 0.999


def test_correlations_of_values_and_of_their_sizes():
    ramp = np.float32([-2, -1, 1.5, 3])
    heatmaps = iter([ramp, -ramp, -ramp, -ramp, ramp, ramp, -ramp])
    row = heatmap_method(lambda model: next(heatmaps))
    model = recipe_model()
    originals = make_maps(model, threading.Lock(), IMAGE, QUESTION, {"made": row})
    found = cascade(model, fresh_like(model), IMAGE, QUESTION, originals, {"made": row})["made"]
    assert found.signed == pytest.approx([-1, -1, -1, 1, 1, -1])
    assert found.absolute == pytest.approx([1] * 6)
    assert found.left == pytest.approx(-1)  # the same edges, with another sign
    assert found.by_size is False
    assert not found.blank


def test_several_complete_randomizations_are_averaged():
    a = np.float32([1, 2, 3, 4])
    heatmaps = iter([a, *[a] * 5, a, -a, a[[1, 0, 3, 2]]])  # original, five steps, then three complete ones
    row, made = heatmap_method(lambda model: next(heatmaps)), []
    model = recipe_model()
    originals = make_maps(model, threading.Lock(), IMAGE, QUESTION, {"made": row})

    def fresh(which):
        made.append(which)
        return fresh_like(model, which)

    found = cascade(model, fresh, IMAGE, QUESTION, originals, {"made": row}, copies=3)["made"]
    assert made == [1, 2, 3]
    assert found.complete_signed == pytest.approx([1, -1, 0.6])
    assert found.complete_absolute == pytest.approx([1, 1, 0.6])
    assert found.by_size  # 2.6 / 3 is more than 0.6 / 3
    assert found.complete == pytest.approx([1, 1, 0.6])
    assert found.left == pytest.approx(2.6 / 3)
    assert (found.curve == found.absolute).all()
    assert found.luck == pytest.approx(1.96 / np.sqrt(3 * 3))
    assert next(heatmaps, None) is None


def test_a_blank_map_of_a_random_model_counts_as_changed():
    ramp = np.arange(4.0)
    heatmaps = iter([ramp, *[ramp] * 5, np.full(4, np.nan)])
    row, model = heatmap_method(lambda model: next(heatmaps)), recipe_model()
    originals = make_maps(model, threading.Lock(), IMAGE, QUESTION, {"made": row})
    found = cascade(model, fresh_like(model), IMAGE, QUESTION, originals, {"made": row})["made"]
    assert found.blank
    assert found.left == 0
    assert np.isnan(found.signed[-1])


def test_the_is_multi_pass_ones_once_and_all_the_way_when_thorough():
    calls, model = [], recipe_model()
    row = heatmap_method(lambda mutant: calls.append(equal(mutant, model)) or np.arange(3.0), is_multi_pass=True)
    originals = {"made": row.multi_pass(model, None, IMAGE, QUESTION)}
    calls.clear()
    once = cascade(model, fresh_like(model), IMAGE, QUESTION, originals, {"made": row})["made"]
    assert once.steps == ("everything",)
    assert calls == [set()]  # nothing of the model is left
    progress = []
    full = cascade(
        model, lambda which: fresh_like(model, which), IMAGE, QUESTION, originals, {"made": row}, thorough=True,
        copies=2, progress=lambda *at: progress.append(at),
    )["made"]  # fmt: skip
    assert full.steps == tuple(NAMES)
    assert len(calls) == 1 + 6 + 1
    assert len(full.complete_signed) == 2
    assert progress == [(n, 7) for n in range(1, 8)]


def test_the_model_is_copied_under_its_lock_and_untouched_after_a_failure():
    lock, model = threading.Lock(), recipe_model()
    before = {name: value.clone() for name, value in tensors(model).items()}

    def fail(mutant):
        assert not lock.locked()  # held for the copy only
        raise ZeroDivisionError

    row = heatmap_method(fail)
    original = make_maps(model, lock, IMAGE, QUESTION, {"made": CHEAP["grad_cam"]})
    with pytest.raises(ZeroDivisionError):
        cascade(model, fresh_like(model), IMAGE, QUESTION, original, {"made": row}, lock=lock)
    assert all(torch.equal(value, before[name]) for name, value in tensors(model).items())
    assert leftovers(model) == []
    lock.acquire()  # a model that captum has hooks on is waited for
    done = threading.Event()

    def run():
        cascade(model, fresh_like(model), IMAGE, QUESTION, {}, CHEAP, lock=lock)
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert not done.wait(0.2)
    lock.release()
    thread.join(30)
    assert done.is_set()


def test_a_random_model_of_another_shape_is_refused():
    other = untrained_model(replace(SPEC, num_classes=4)).eval()
    with pytest.raises(WeightsMismatch, match="random model"):
        cascade(recipe_model(), other, IMAGE, QUESTION, {}, CHEAP)


# --- Fresh models -----------------------------------------------------------------------------------------


def test_fresh_models_differ_from_each_other_and_from_the_untrained_variant():
    model = untrained_model(SPEC).eval()  # what "@untrained" loads
    name = "network.0.0.token_mixer.local_unit.weight"
    first, second, again = (tensors(fresh_like(model, which))[name] for which in (1, 2, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, tensors(model)[name])


def test_a_fresh_model_has_the_models_own_classes_and_tables():
    model = TransXNet(SPEC, num_classes=3, bias_size=96).eval()
    fresh = fresh_like(model)
    assert {k: v.shape for k, v in tensors(fresh).items()} == {k: v.shape for k, v in tensors(model).items()}


def test_parts_that_a_model_lacks_are_named():
    model = untrained_model(replace(SPEC, osra=False)).eval()
    missing: dict[str, str] = {}
    made = make_maps(model, threading.Lock(), IMAGE, QUESTION, CHEAP, missing)
    assert list(made) == ["grad_cam", "receptive_field"]
    assert "attention" in missing
    with pytest.raises(PartMissing):
        make_maps(model, threading.Lock(), IMAGE, QUESTION, CHEAP)
