"""Model parameter randomization test: does a map change when the model's learned weights are replaced by random ones?

Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018 (arXiv 1810.03292), section 3.1, "cascading
randomization": from the head to the stem, group after group gets the values of a model that was not trained, and after
each the map is computed again, of the same class. A map that stays alike does not depend on what the model learned: it
shows the image or the architecture.

Differences: tools that call `reset_parameters` on known layers miss other layers. Here values are replaced by name,
every parameter (LayerScale, relative_pos_enc, IDConv's weight and bias) and every buffer (BatchNorm's running
statistics), and a name without a group is an error. All of it happens on a copy.

Limitations: passing is necessary, not sufficient. A map that changes may still be wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ...backbones.module import Backbone, untrained_backbone
from ...errors import LensError, PartMissing
from ...images import ModelInput
from ...model import TransXNet, stored_bias_size
from ...results import Explanation
from ...results.sanity_checks import Randomization
from ...weights.checkpoint import UNTRAINED_SEED, check_fit, untrained_model
from ..attribution.methods import METHODS, AttributionTarget, Method, cam_modules, needed_by
from ..observe import observe
from ..ranks import chance_deviation, spearman

COPIES = 4  # complete randomizations of the maps of single-pass methods
EVERYTHING = "everything"
Progress = Callable[[int, int], None]
Groups = list[tuple[str, tuple[str, ...]]]


def parameter_groups(model: nn.Module) -> Groups:
    """Group a model's parameters and buffers, from the head to the stem.

    Stages are where `feature_info` says, as in timm's models: what precedes the first is the stem, what lies between
    two
    belongs to the later one, what follows the last is the head. A TransXNet's relative_pos_enc belongs to the stages
    that read it. A model without this information has a group for each of its children.

    Args:
        model: A TransXNet, a Backbone, or any module.

    Returns:
        [(name, names of its parameters and buffers)]: each name once, none left out.
    """
    keys = list(_tensors(model))
    stages = [prefix for prefix in _stage_prefixes(model) if any(key.startswith(prefix) for key in keys)]
    if not stages:
        children = dict.fromkeys(key.split(".")[0] for key in reversed(keys))
        return [(child, tuple(key for key in keys if key.split(".")[0] == child)) for child in children]
    ends = [max(i for i, key in enumerate(keys) if key.startswith(prefix)) for prefix in stages]
    first = min(i for i, key in enumerate(keys) if key.startswith(stages[0]))
    first_stage = model.taps[0].stage if isinstance(model, Backbone) else 1
    names = ["stem", *(f"stage {n}" for n in range(first_stage, first_stage + len(stages))), "head"]
    groups: dict[str, list[str]] = {name: [] for name in names}
    for i, key in enumerate(keys):
        following = next((n for n, end in enumerate(ends, 1) if i <= end), len(ends) + 1)
        groups[_stage_of_table(key) or ("stem" if i < first else names[following])].append(key)
    return [(name, tuple(groups[name])) for name in reversed(names) if groups[name]]


def cascading_randomization(
    model: nn.Module,
    random_model: nn.Module | Callable[[int], nn.Module],
    model_input: ModelInput,
    target: AttributionTarget,
    originals: Mapping[str, Explanation],
    methods: Mapping[str, Method] = METHODS,
    full_cascade: bool = False,
    copies: int = COPIES,
    lock: AbstractContextManager | None = None,
    progress: Progress | None = None,
) -> dict[str, Randomization]:
    """Compute every map again while the weights of a copy of the model are randomized.

    Maps of single-pass methods are computed after every group, all from one observation, and for every further copy;
    those of multi-pass methods once, with all weights random, unless `full_cascade`.

    Args:
        model: In eval mode; it is not changed.
        random_model: An untrained model of the same shape, or a function that returns the first, second, … of them for
            1, 2, ….
        model_input: The prepared image.
        target: What the maps explain.
        originals: Maps of this model and target, by the names in `methods`.
        methods: Name -> method.
        full_cascade: Whether multi-pass methods take every step.
        copies: Number of complete randomizations; of one random model there is one.
        lock: The model's, held while it is copied, because a copy includes the hooks that captum sets meanwhile.
        progress: Called with (done, total), by steps and copies.

    Returns:
        Correlations with the original maps, -1 to 1, by method.

    Raises:
        WeightsMismatch: The random model has other tensors.
        LensError: The groups leave a tensor out.
    """
    with lock or nullcontext():
        randomized = copy.deepcopy(model)
    groups, heatmaps = parameter_groups(randomized), {name: [] for name in originals}
    _require_all_tensors(randomized, groups)
    all_keys = tuple(key for _, keys in groups for key in keys)
    steps = [keys for _, keys in groups] + [all_keys] * (0 if isinstance(random_model, nn.Module) else copies - 1)
    for step, keys in enumerate(steps, 1):
        if step == 1 or step > len(groups):
            source = _random_tensors(randomized, random_model, max(1, step - len(groups) + 1))
        replace_tensors(randomized, source, keys)
        step_methods = {
            name: methods[name]
            for name in originals
            if full_cascade or not methods[name].is_multi_pass or step == len(groups)
        }
        maps = compute_maps(randomized, nullcontext(), model_input, target, step_methods)
        for name, explanation in maps.items():
            heatmaps[name].append(explanation.heatmap)
        if progress:
            progress(step, len(steps))
    names = tuple(name for name, _ in groups)
    return {name: _correlate(original, names, heatmaps[name]) for name, original in originals.items()}


def compute_maps(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    target: AttributionTarget,
    methods: Mapping[str, Method],
    missing: dict[str, str] | None = None,
) -> dict[str, Explanation]:
    """Compute the map of every method: single-pass ones from one observation, the others under the lock.

    Args:
        model: In eval mode.
        lock: The model's.
        model_input: The prepared image.
        target: What the maps explain.
        methods: Name -> method.
        missing: Receives the reason, by name, where this model does not support a method; None raises it.

    Returns:
        Maps by method, float32 (rows, columns), raw, in the order of `methods`.

    Raises:
        PartMissing: This model does not support a method, and `missing` is None.
    """
    maps: dict[str, Explanation] = {}
    single_pass = {name: method.single_pass for name, method in methods.items() if not method.is_multi_pass}
    multi_pass = {name: method.multi_pass for name, method in methods.items() if method.is_multi_pass}
    observation = None
    if single_pass:
        modules = cam_modules(target.cam_layer)
        observation = observe(model, model_input, needed_by(target), grad=True, modules=modules)
    for name, compute in single_pass.items():
        with _collect_missing(name, missing):
            maps[name] = compute(observation, target)
    del observation  # its graph is most of a pass's memory, and multi-pass methods need room
    for name, compute in multi_pass.items():
        with _collect_missing(name, missing):
            maps[name] = compute(model, lock, model_input, target)
    return {name: maps[name] for name in methods if name in maps}


def random_model_like(model: TransXNet | Backbone, number: int = 1) -> TransXNet | Backbone:
    """An untrained model of this shape, with the values that training would start from.

    Args:
        model: The model to imitate.
        number: From 1; each number has other values, and none those of "NAME@untrained".

    Returns:
        A model in eval mode.
    """
    seed = UNTRAINED_SEED + number  # from 1: "pico@untrained" must not be compared with itself
    if isinstance(model, Backbone):
        return untrained_backbone(model.spec, seed)
    side = stored_bias_size(model.state_dict()) or model.spec.bias_size
    spec = replace(model.spec, num_classes=model.num_classes, bias_size=side)
    return untrained_model(spec, seed).eval()


@torch.no_grad()
def replace_tensors(model: nn.Module, source: Mapping[str, torch.Tensor], keys: tuple[str, ...]) -> None:
    """Copy parameters and buffers into a model.

    Args:
        model: The model to change; it is in eval mode then.
        source: Name -> tensor.
        keys: Names to copy.
    """
    tensors = _tensors(model)
    for key in keys:
        tensors[key].copy_(source[key])
    model.train().eval()  # timm's LeViT and TinyViT cache attention biases in eval mode


@contextmanager
def _collect_missing(name: str, missing: dict[str, str] | None) -> Iterator[None]:
    try:
        yield
    except PartMissing as error:
        if missing is None:
            raise
        missing[name] = str(error)


def _random_tensors(
    model: nn.Module, random_model: nn.Module | Callable[[int], nn.Module], number: int
) -> dict[str, torch.Tensor]:
    """The tensors of the random model, checked. Raises WeightsMismatch."""
    source = random_model if isinstance(random_model, nn.Module) else random_model(number)
    check_fit(model, source.state_dict(), "the random model")
    return _tensors(source)


def _correlate(original: Explanation, names: tuple[str, ...], heatmaps: list[np.ndarray]) -> Randomization:
    """heatmaps: after every step and for every further copy, or the one of a single complete randomization."""
    names = names if len(heatmaps) >= len(names) else (EVERYTHING,)
    first, last = original.heatmap, len(names) - 1
    signed = np.array([spearman(first, heatmap) for heatmap in heatmaps])
    absolute = np.array([spearman(np.abs(first), np.abs(heatmap)) for heatmap in heatmaps])
    chance = np.array([
        (chance_deviation(first, heatmap), chance_deviation(np.abs(first), np.abs(heatmap)))
        for heatmap in heatmaps[last:]
    ])  # fmt: skip
    return Randomization(
        original.model, names, signed[: last + 1], absolute[: last + 1], np.stack(heatmaps[: last + 1]),
        signed[last:], absolute[last:], *chance.T,
    )  # fmt: skip


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers in the order of the modules, including those that a state dict leaves out."""
    tensors: dict[str, torch.Tensor] = {}
    for path, module in model.named_modules():
        tensors.update(module.named_parameters(path, recurse=False))
        tensors.update(module.named_buffers(path, recurse=False))
    return tensors


def _stage_prefixes(model: nn.Module) -> list[str]:
    if isinstance(model, Backbone):
        return [f"net.{layer}." for layer in model.spec.layers]
    info = getattr(model, "feature_info", None)
    return [f"{row['module']}." for row in info if row.get("module")] if isinstance(info, list) else []


def _stage_of_table(key: str) -> str:
    name, _, stage = key.partition(".")
    return f"stage {int(stage) + 1}" if name == "relative_pos_enc" else ""


def _require_all_tensors(model: nn.Module, groups: Groups) -> None:
    keys = [key for _, group in groups for key in group]
    left_out = set(_tensors(model)) - set(keys)
    if left_out or len(keys) != len(set(keys)):
        template = "Randomization would leave out {count} tensors of the model, or take some twice."
        raise LensError(template, remedy="Report this model.", detail=", ".join(sorted(left_out)), count=len(left_out))
