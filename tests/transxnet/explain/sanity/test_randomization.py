"""Parameter randomization replaces everything, in order, on a copy; correlations are with the original map."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import LensError, PartMissing, WeightsMismatch
from transxnet.explain.attribution.methods import METHODS, AttributionTarget, Method
from transxnet.explain.sanity import randomization as randomization
from transxnet.explain.sanity.randomization import (
    cascading_randomization,
    compute_maps,
    parameter_groups,
    random_model_like,
    replace_tensors,
)
from transxnet.model import TransXNet
from transxnet.results import Explanation
from transxnet.weights.checkpoint import untrained_model

IMAGE = model_input(64, 64)
TARGET = AttributionTarget(3, contrast_index=1)
NAMES = ["head", "stage 4", "stage 3", "stage 2", "stage 1", "stem"]
SINGLE_PASS = {name: METHODS[name] for name in ("attention", "grad_cam", "receptive_field")}


def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    return dict([*model.named_parameters(), *model.named_buffers()])


def equal(a: nn.Module, b: nn.Module) -> set[str]:
    """Names of the tensors that two models have alike, to the bit."""
    others = tensors(b)
    return {name for name, value in tensors(a).items() if torch.equal(value, others[name])}


def heatmap_method(make, is_multi_pass: bool = False, name: str = "made") -> Method:
    """A method whose map is make(model)."""

    def explanation(model, image) -> Explanation:
        heatmap = np.float32(make(model))
        geometry = randomization.compute_maps  # never read by the cascade
        return Explanation(name, "tiny", "stage 4", "class 3", heatmap, True, "logit", geometry)

    if is_multi_pass:
        return Method(name, multi_pass=lambda model, lock, image, q: explanation(model, image))
    return Method(name, lambda observation, q: explanation(observation.model, observation.model_input))


# --- Groups -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["transxnet_t", "transxnet_pico", "transxnet_pico_noosra"])
def test_every_parameter_and_buffer_is_replaced(variant):
    model, groups = recipe_model(variant), parameter_groups(recipe_model(variant))
    assert [name for name, _ in groups] == NAMES
    names = [key for _, keys in groups for key in keys]
    assert len(names) == len(set(names))
    assert set(names) == set(tensors(model))  # 100 %
    assert {n for n, _ in model.named_parameters()} <= set(names)
    random_model = random_model_like(model)
    assert equal(model, random_model) == set()  # there is something to replace everywhere
    for _, keys in groups:
        replace_tensors(model, tensors(random_model), keys)
    assert equal(model, random_model) == set(tensors(model))


def test_groups_include_tensors_other_tools_miss():
    groups = dict(parameter_groups(recipe_model()))
    for part in ("layer_scale_1.weight", "token_mixer.local_unit.weight", "token_mixer.local_unit.bias"):
        assert f"network.6.1.{part}" in groups["stage 4"]
    assert "relative_pos_enc.3" in groups["stage 4"]
    assert "relative_pos_enc.0" in groups["stage 1"]
    assert "network.5.proj.conv.weight" in groups["stage 4"]  # the step into the stage
    assert "network.5.proj.bn.running_var" in groups["stage 4"]
    assert "patch_embed.proj.bn.num_batches_tracked" in groups["stem"]
    assert {key.split(".")[0] for key in groups["head"]} == {"classifier"}
    assert {key.split(".")[0] for key in groups["stem"]} == {"patch_embed"}


def test_models_without_stages_group_by_child():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    assert parameter_groups(model) == [
        ("3", ("3.weight", "3.bias")),
        ("1", ("1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked")),
        ("0", ("0.weight", "0.bias")),
    ]


def test_incomplete_groups_are_an_error(monkeypatch):
    monkeypatch.setattr(randomization, "parameter_groups", lambda model: parameter_groups(model)[:-1])
    with pytest.raises(LensError, match="leave out 6 tensors"):  # the stem's convolution and norm
        cascading_randomization(recipe_model(), random_model_like, IMAGE, TARGET, {}, SINGLE_PASS)


# --- The cascade ------------------------------------------------------------------------------------------


def test_each_step_replaces_one_more_group():
    model, comparisons = recipe_model(), []
    random_model = random_model_like(model)
    weights_before = {name: value.clone() for name, value in tensors(model).items()}

    def compare(mutant):
        comparisons.append((equal(mutant, model), equal(mutant, random_model)))
        return np.arange(4.0).reshape(2, 2)

    row = heatmap_method(compare)
    original = compute_maps(model, threading.Lock(), IMAGE, TARGET, {"made": row})
    comparisons.clear()
    result = cascading_randomization(model, random_model, IMAGE, TARGET, original, {"made": row})
    assert result["made"].steps == tuple(NAMES)
    replaced: set[str] = set()
    for (as_before, as_fresh), (_, keys) in zip(comparisons, parameter_groups(model), strict=True):
        replaced |= set(keys)
        assert as_fresh == replaced
        assert as_before == set(tensors(model)) - replaced
    assert all(torch.equal(value, weights_before[name]) for name, value in tensors(model).items())  # the shared model
    assert leftover_state(model) == []
    assert not any(p.requires_grad and p.grad is not None for p in model.parameters())


def test_final_maps_equal_the_random_models():
    model, random_model = recipe_model(), random_model_like(recipe_model())
    originals = compute_maps(model, threading.Lock(), IMAGE, TARGET, SINGLE_PASS)
    result = cascading_randomization(model, random_model, IMAGE, TARGET, originals, SINGLE_PASS)
    by_hand = compute_maps(random_model, threading.Lock(), IMAGE, TARGET, SINGLE_PASS)
    for name in SINGLE_PASS:
        np.testing.assert_array_equal(result[name].heatmaps[-1], by_hand[name].heatmap)
        assert result[name].heatmaps.shape[0] == 6
    # attention of stage 3 cannot know that the head and stage 4 were replaced; Grad-CAM of stage 4 does at once
    assert result["attention"].signed[:2] == pytest.approx([1, 1])
    assert np.isnan(result["attention"].signed[2])  # a random model's attention is even but for rounding
    assert np.ptp(result["attention"].heatmaps[2]) > 0
    assert result["grad_cam"].signed[0] < 0.999


def test_correlations_of_signed_and_absolute_values():
    ramp = np.float32([-2, -1, 1.5, 3])
    heatmaps = iter([ramp, -ramp, -ramp, -ramp, ramp, ramp, -ramp])
    row = heatmap_method(lambda model: next(heatmaps))
    model = recipe_model()
    originals = compute_maps(model, threading.Lock(), IMAGE, TARGET, {"made": row})
    result = cascading_randomization(model, random_model_like(model), IMAGE, TARGET, originals, {"made": row})["made"]
    assert result.signed == pytest.approx([-1, -1, -1, 1, 1, -1])
    assert result.absolute == pytest.approx([1] * 6)
    assert result.mean_correlation == pytest.approx(-1)  # the same edges, with another sign
    assert result.uses_absolute_values is False
    assert not result.is_uniform


def test_complete_randomizations_are_averaged():
    a = np.float32([1, 2, 3, 4])
    heatmaps = iter([a, *[a] * 5, a, -a, a[[1, 0, 3, 2]]])  # original, five steps, then three complete ones
    row, numbers = heatmap_method(lambda model: next(heatmaps)), []
    model = recipe_model()
    originals = compute_maps(model, threading.Lock(), IMAGE, TARGET, {"made": row})

    def random_model(which):
        numbers.append(which)
        return random_model_like(model, which)

    result = cascading_randomization(model, random_model, IMAGE, TARGET, originals, {"made": row}, copies=3)["made"]
    assert numbers == [1, 2, 3]
    assert result.complete_signed == pytest.approx([1, -1, 0.6])
    assert result.complete_absolute == pytest.approx([1, 1, 0.6])
    assert result.uses_absolute_values  # 2.6 / 3 is more than 0.6 / 3
    assert result.complete_correlations == pytest.approx([1, 1, 0.6])
    assert result.mean_correlation == pytest.approx(2.6 / 3)
    assert (result.correlations == result.absolute).all()
    assert result.chance_limit == pytest.approx(1.96 * np.sqrt((result.chance_absolute**2).sum()) / 3)
    assert result.chance_absolute == pytest.approx(result.chance_signed)  # all values are positive
    assert next(heatmaps, None) is None


def test_uniform_random_maps_count_as_changed():
    ramp = np.arange(4.0)
    heatmaps = iter([ramp, *[ramp] * 5, np.full(4, np.nan)])
    row, model = heatmap_method(lambda model: next(heatmaps)), recipe_model()
    originals = compute_maps(model, threading.Lock(), IMAGE, TARGET, {"made": row})
    result = cascading_randomization(model, random_model_like(model), IMAGE, TARGET, originals, {"made": row})["made"]
    assert result.is_uniform
    assert result.mean_correlation == 0
    assert np.isnan(result.signed[-1])


def test_multi_pass_methods_take_all_steps_if_thorough():
    calls, model = [], recipe_model()
    row = heatmap_method(lambda mutant: calls.append(equal(mutant, model)) or np.arange(3.0), is_multi_pass=True)
    originals = {"made": row.multi_pass(model, None, IMAGE, TARGET)}
    calls.clear()
    single = cascading_randomization(model, random_model_like(model), IMAGE, TARGET, originals, {"made": row})["made"]
    assert single.steps == ("everything",)
    assert calls == [set()]  # nothing of the model is left
    progress = []
    full = cascading_randomization(
        model, lambda which: random_model_like(model, which), IMAGE, TARGET, originals, {"made": row},
        full_cascade=True, copies=2, progress=lambda *at: progress.append(at),
    )["made"]  # fmt: skip
    assert full.steps == tuple(NAMES)
    assert len(calls) == 1 + 6 + 1
    assert len(full.complete_signed) == 2
    assert progress == [(n, 7) for n in range(1, 8)]


def test_the_model_is_copied_under_its_lock():
    lock, model = threading.Lock(), recipe_model()
    weights_before = {name: value.clone() for name, value in tensors(model).items()}

    def fail(mutant):
        assert not lock.locked()  # held for the copy only
        raise ZeroDivisionError

    row = heatmap_method(fail)
    original = compute_maps(model, lock, IMAGE, TARGET, {"made": SINGLE_PASS["grad_cam"]})
    with pytest.raises(ZeroDivisionError):
        cascading_randomization(model, random_model_like(model), IMAGE, TARGET, original, {"made": row}, lock=lock)
    assert all(torch.equal(value, weights_before[name]) for name, value in tensors(model).items())
    assert leftover_state(model) == []
    lock.acquire()  # a model that captum has hooks on is waited for
    finished = threading.Event()

    def run():
        cascading_randomization(model, random_model_like(model), IMAGE, TARGET, {}, SINGLE_PASS, lock=lock)
        finished.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert not finished.wait(0.2)
    lock.release()
    thread.join(30)
    assert finished.is_set()


def test_random_models_of_another_shape_are_refused():
    random_model = untrained_model(replace(SPEC, num_classes=4)).eval()
    with pytest.raises(WeightsMismatch, match="random model"):
        cascading_randomization(recipe_model(), random_model, IMAGE, TARGET, {}, SINGLE_PASS)


# --- Random models ----------------------------------------------------------------------------------------


def test_random_models_have_different_values():
    model = untrained_model(SPEC).eval()  # what "@untrained" loads
    name = "network.0.0.token_mixer.local_unit.weight"
    first, second, again = (tensors(random_model_like(model, which))[name] for which in (1, 2, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert not torch.equal(first, tensors(model)[name])


def test_random_models_keep_classes_and_tables():
    model = TransXNet(SPEC, num_classes=3, bias_size=96).eval()
    random_model = random_model_like(model)
    assert {k: v.shape for k, v in tensors(random_model).items()} == {k: v.shape for k, v in tensors(model).items()}


def test_unsupported_methods_have_reasons():
    model = untrained_model(replace(SPEC, osra=False)).eval()
    missing: dict[str, str] = {}
    numbers = compute_maps(model, threading.Lock(), IMAGE, TARGET, SINGLE_PASS, missing)
    assert list(numbers) == ["grad_cam", "receptive_field"]
    assert "attention" in missing
    with pytest.raises(PartMissing):
        compute_maps(model, threading.Lock(), IMAGE, TARGET, SINGLE_PASS)
