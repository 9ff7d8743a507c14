"""A finished run -> what assets/weights holds: `<name>.safetensors` (float16) and its card, `<name>.json`.

The card's accuracies are measured on that very file, loaded back the way everybody loads weights; its digest is
what weights.py holds the file against. What cannot be measured (limits, what the run began from) are the recipe's
words. safetensors' layout: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import WeightsError, WeightsMismatch
from ..images import IMAGENET_MEAN, IMAGENET_STD
from ..labels import label_set
from ..variants import VariantSpec, find_variant
from ..weights import LoadedModel, load
from .data import digest, known_samples
from .evaluate import evaluate
from .loop import check_run, read_run
from .recipes import Recipe, find_recipe

LARGEST = 10_000_000  # bytes: a Space takes larger files only through LFS
HALF_MAX = torch.finfo(torch.float16).max

Paths = Sequence[str | Path]


def bundle(
    run: Path,
    data: Paths,
    validation: Paths,
    photographs: Paths,
    out: Path,
    *,
    device: str | None = None,
    hardware: str = "",
    command: str = "",
    report: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Write `<name>.safetensors` and `<name>.json` into `out` and return the card.

    run: the folder that `train --out` wrote to. data: the pictures it was trained on, counted and held against the
    digest in its checkpoint. validation, photographs: what accuracy is measured on, see training.data. hardware: what
    it was trained on, in words, where the checkpoint does not say. report: told what is being done, in words.

    Raises SourceFailed (no such run), WeightsMismatch (another recipe or other pictures; values that float16 cannot
    hold), WeightsError (10 MB or more, other keys), UnknownName (no such recipe or pictures) and PictureError. Then
    `out` keeps what it held.
    """
    state = read_run(run, torch.device("cpu"))
    recipe = find_recipe(state["recipe"])
    spec = find_variant(recipe.variant)
    report("comparing the training pictures with the run's")
    pictures = _fingerprint(data, spec)
    check_run(state, recipe, pictures["digest"])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out) as folder:  # nothing half done is ever in `out`
        weights, card_file = (Path(folder) / f"{spec.name}.{suffix}" for suffix in ("safetensors", "json"))
        write_half(state["ema"], weights)
        loaded = load(spec.name, weights, device)
        card = {
            **_identity(loaded, recipe),
            **_training(state, recipe, pictures, hardware),
            **_measurements(loaded, recipe, validation, photographs, report),
            "limits": list(recipe.limits),
            "command": command,
        }
        card_file.write_text(json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        for file in (weights, card_file):
            os.replace(file, out / file.name)
    return card


def write_half(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors: floating-point tensors as float16, BatchNorm's counters as they are.

    Raises WeightsMismatch for values that are not finite, or would not be in float16; WeightsError from 10 MB.
    """
    save_file({key: _halved(key, value) for key, value in state.items()}, path, metadata={"format": "pt"})
    if path.stat().st_size >= LARGEST:
        raise WeightsError(
            f"{path.name} would be {path.stat().st_size / 1e6:.1f} MB, and bundled files stay under "
            f"{LARGEST / 1e6:g} MB.",
            remedy="Bundle a smaller variant; publish this one on the Hub.",
        )


def _halved(key: str, value: Tensor) -> Tensor:
    value = value.detach().contiguous()
    if not value.is_floating_point():
        return value
    half = value.half()
    if not torch.isfinite(half).all():
        largest = value.abs().max().item()
        raise WeightsMismatch(
            f"{key} holds values up to {largest:g}, and float16 ends at {HALF_MAX:g}.",
            remedy="The training diverged: train again, with a lower rate.",
        )
    return half


def _identity(loaded: LoadedModel, recipe: Recipe) -> dict[str, Any]:
    spec = loaded.spec
    return {
        "name": spec.name,
        "sha256": loaded.provenance.sha256,
        "about": recipe.about,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "classes": spec.num_classes,
        "label_set": spec.label_set,
        "weights": "the run's moving average (EMA), as float16",
        "preprocessing": {
            "image_size": spec.image_size, "crop_pct": spec.crop_pct, "interpolation": "bicubic",
            "mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD),
        },
    }  # fmt: skip


def _training(state: Mapping[str, Any], recipe: Recipe, pictures: Mapping[str, Any], hardware: str) -> dict[str, Any]:
    return {
        "data": {"what": recipe.pictures, **pictures},
        "start": recipe.start or "random weights",
        "recipe": recipe.as_json(),
        "steps": state["step"],
        "steps_planned": state.get("planned", state["step"]),
        "loss": round(state["loss"], 4),  # smoothed, with label smoothing
        "seconds": round(state["seconds"]),
        "hardware": state.get("hardware") or hardware or "not recorded",
    }


def _measurements(
    loaded: LoadedModel, recipe: Recipe, validation: Paths, photographs: Paths, report: Callable[[str], None]
) -> dict[str, Any]:
    """Accuracy at the variant's own size, then at the others it was trained at; on both sets of pictures."""
    own = loaded.spec.image_size
    sides = [own, *sorted({side for side, _ in recipe.sizes} - {own})]

    def at(paths: Paths, side: int) -> dict[str, Any]:
        report(f"measuring at {side} px on {', '.join(Path(path).name for path in paths)}")
        return evaluate(loaded, paths, image_size=side).as_json()

    accuracy, *others = [at(validation, side) for side in sides]
    return {
        "accuracy": accuracy,
        "accuracy_at_other_sizes": others,
        "accuracy_on_photographs": [at(photographs, side) for side in sides],
        "validation": _fingerprint(validation, loaded.spec),
        "photographs": _fingerprint(photographs, loaded.spec),
    }


def _fingerprint(paths: Paths, spec: VariantSpec) -> dict[str, Any]:
    """Which pictures of the model's classes these are: names without folders, how many, training.data's digest."""
    samples, _ = known_samples(paths, label_set(spec.label_set).wnids)
    return {"files": [Path(path).name for path in paths], "pictures": len(samples), "digest": digest(samples)}
