"""Model randomization: does a map change when the model forgets what it learned?

Adebayo et al., NeurIPS 2018 (arXiv 1810.03292), section 3.1, "cascading randomization": from the head down to the stem,
group after group gets the values of a model that was never trained, and after each the map is made again, of the same
class. A map that stays as it is would look the same for a model that knows nothing: it shows the image, or the
architecture, and not the model.

Where it differs: tools that call `reset_parameters` on known layers miss what is not one of them. Here values are
replaced by name, every parameter (LayerScale, relative_pos_enc, IDConv's weight and bias) and every buffer (BatchNorm's
running statistics), and a name that no group has is an error. All of it happens on a copy.

What it must not be read as: a map that changes is not thereby right. It passed the easiest of tests.
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
from ..attribution.methods import KEEP, METHODS, AttributionTarget, Method
from ..observe import observe
from ..ranks import spearman

COPIES = 4  # complete randomizations of the maps of one pass
EVERYTHING = "everything"
Progress = Callable[[int, int], None]
Groups = list[tuple[str, tuple[str, ...]]]


def groups(model: nn.Module) -> Groups:
    """[(name, names of its parameters and buffers)], from the head to the stem: each name once, none left out.

    Stages are where `feature_info` says, as timm's models have it: what comes before the first is the stem, what lies
    between two belongs to the later one, what follows the last is the head. A TransXNet's relative_pos_enc belongs to
    the stages that read it. A model that does not say has a group for each of its children.
    """
    keys = list(_tensors(model))
    stages = [prefix for prefix in _stage_prefixes(model) if any(key.startswith(prefix) for key in keys)]
    if not stages:
        children = dict.fromkeys(key.split(".")[0] for key in reversed(keys))
        return [(child, tuple(key for key in keys if key.split(".")[0] == child)) for child in children]
    ends = [max(i for i, key in enumerate(keys) if key.startswith(prefix)) for prefix in stages]
    begin = min(i for i, key in enumerate(keys) if key.startswith(stages[0]))
    names = ["stem", *(f"stage {n}" for n in range(1, len(stages) + 1)), "head"]
    found: dict[str, list[str]] = {name: [] for name in names}
    for i, key in enumerate(keys):
        after = next((n for n, end in enumerate(ends, 1) if i <= end), len(ends) + 1)
        found[_stage_of_table(key) or ("stem" if i < begin else names[after])].append(key)
    return [(name, tuple(found[name])) for name in reversed(names) if found[name]]


def cascade(
    model: nn.Module,
    fresh: nn.Module | Callable[[int], nn.Module],
    model_input: ModelInput,
    question: AttributionTarget,
    originals: Mapping[str, Explanation],
    methods: Mapping[str, Method] = METHODS,
    thorough: bool = False,
    copies: int = COPIES,
    lock: AbstractContextManager | None = None,
    progress: Progress | None = None,
) -> dict[str, Randomization]:
    """Every map of `originals`, made again while a copy of the model loses what it learned: by method.

    fresh: a model of the same shape that was never trained, or a function that makes the first, second, … of them from
    1, 2, …; copies: so many complete randomizations (of a model given as such there is one). originals: maps of this
    model and question, by the names in `methods`. Maps of one pass are made after every group, all from one
    observation, and for every further copy; the dear ones once, with everything replaced, unless `thorough`. lock: the
    model's, held while it is copied, as a copy takes along what captum hangs on it meanwhile. progress: called with
    (done, total), a step or a copy at a time.
    Raises WeightsMismatch where `fresh` has other tensors, LensError where no group has one of them.
    """
    with lock or nullcontext():
        mutant = copy.deepcopy(model)
    order, heatmaps = groups(mutant), {name: [] for name in originals}
    _need_all(mutant, order)
    everything = tuple(key for _, keys in order for key in keys)
    steps = [keys for _, keys in order] + [everything] * (0 if isinstance(fresh, nn.Module) else copies - 1)
    for done, keys in enumerate(steps, 1):
        if done == 1 or done > len(order):
            source = _source(mutant, fresh, max(1, done - len(order) + 1))
        replace_tensors(mutant, source, keys)
        rows = {
            name: methods[name]
            for name in originals
            if thorough or not methods[name].is_multi_pass or done == len(order)
        }
        for name, made in make_maps(mutant, nullcontext(), model_input, question, rows).items():
            heatmaps[name].append(made.heatmap)
        if progress:
            progress(done, len(steps))
    names = tuple(name for name, _ in order)
    return {name: _compare(original, names, heatmaps[name]) for name, original in originals.items()}


def make_maps(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    question: AttributionTarget,
    methods: Mapping[str, Method],
    missing: dict[str, str] | None = None,
) -> dict[str, Explanation]:
    """The map of every method: those of one pass from one observation, the others under the lock.

    missing: takes the reason, by name, where a method has nothing to show on this model; without it that is raised.
    """
    made: dict[str, Explanation] = {}
    cheap = {name: row.single_pass for name, row in methods.items() if not row.is_multi_pass}
    is_multi_pass = {name: row.multi_pass for name, row in methods.items() if row.is_multi_pass}
    seen = observe(model, model_input, KEEP, grad=True) if cheap else None
    for name, single_pass in cheap.items():
        with _noting(name, missing):
            made[name] = single_pass(seen, question)
    del seen  # its graph is most of a pass's memory, and the dear ones need room
    for name, multi_pass in is_multi_pass.items():
        with _noting(name, missing):
            made[name] = multi_pass(model, lock, model_input, question)
    return {name: made[name] for name in methods if name in made}


def fresh_like(model: TransXNet | Backbone, which: int = 1) -> TransXNet | Backbone:
    """The first, second, … model of this shape as training would start from, each with numbers of its own."""
    seed = UNTRAINED_SEED + which  # which counts from 1: "pico@untrained" must not be compared with itself
    if isinstance(model, Backbone):
        return untrained_backbone(model.spec, seed)
    side = stored_bias_size(model.state_dict()) or model.spec.bias_size
    spec = replace(model.spec, num_classes=model.num_classes, bias_size=side)
    return untrained_model(spec, seed).eval()


@torch.no_grad()
def replace_tensors(model: nn.Module, source: Mapping[str, torch.Tensor], keys: tuple[str, ...]) -> None:
    """Copies these parameters and buffers, by name, into the model's own."""
    own = _tensors(model)
    for key in keys:
        own[key].copy_(source[key])


@contextmanager
def _noting(name: str, missing: dict[str, str] | None) -> Iterator[None]:
    try:
        yield
    except PartMissing as error:
        if missing is None:
            raise
        missing[name] = str(error)


def _source(model: nn.Module, fresh: nn.Module | Callable[[int], nn.Module], which: int) -> dict[str, torch.Tensor]:
    """The tensors of the random model, checked. Raises WeightsMismatch."""
    random = fresh if isinstance(fresh, nn.Module) else fresh(which)
    check_fit(model, random.state_dict(), "the random model")
    return _tensors(random)


def _compare(original: Explanation, names: tuple[str, ...], heatmaps: list[np.ndarray]) -> Randomization:
    """heats: after every step and for every further copy, or the one of a single complete randomization."""
    names = names if len(heatmaps) >= len(names) else (EVERYTHING,)
    first, last = original.heatmap, len(names) - 1
    signed = np.array([spearman(first, heatmap) for heatmap in heatmaps])
    absolute = np.array([spearman(np.abs(first), np.abs(heatmap)) for heatmap in heatmaps])
    return Randomization(
        original.model, names, signed[: last + 1], absolute[: last + 1], np.stack(heatmaps[: last + 1]),
        signed[last:], absolute[last:],
    )  # fmt: skip


def _tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers in the order of the modules, those that a state dict leaves out too."""
    found: dict[str, torch.Tensor] = {}
    for path, module in model.named_modules():
        own = [*module.named_parameters(path, recurse=False), *module.named_buffers(path, recurse=False)]
        found.update(own)
    return found


def _stage_prefixes(model: nn.Module) -> list[str]:
    if isinstance(model, Backbone):
        return [f"net.{layer}." for layer in model.spec.layers]
    info = getattr(model, "feature_info", None)
    return [f"{row['module']}." for row in info if row.get("module")] if isinstance(info, list) else []


def _stage_of_table(key: str) -> str:
    name, _, stage = key.partition(".")
    return f"stage {int(stage) + 1}" if name == "relative_pos_enc" else ""


def _need_all(model: nn.Module, order: Groups) -> None:
    inside = [key for _, keys in order for key in keys]
    left = set(_tensors(model)) - set(inside)
    if left or len(inside) != len(set(inside)):
        raise LensError(
            f"Randomization would leave out {len(left)} tensors of the model, or take some twice.",
            remedy="Report this model.", detail=", ".join(sorted(left)),
        )  # fmt: skip
