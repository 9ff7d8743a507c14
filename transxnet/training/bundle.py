"""A finished run -> what assets/weights holds: `<name>.safetensors` (float16), its card and its log.

The card's accuracies are measured on that very file, loaded back the way everybody loads weights; its digest is
what weights.py holds the file against. What cannot be measured (limits, what the run began from) are the recipe's
words. safetensors' layout: https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import WeightsMismatch
from ..images import IMAGENET_MEAN, IMAGENET_STD
from ..labels import label_set
from ..variants import VariantSpec, find_variant
from ..weights.load import LoadedModel, load
from ..weights.model_card import markdown
from .data import combined, image_hashes
from .evaluate import evaluate
from .half import write_half
from .held_out import split
from .log import read_log
from .loop import LOG, check_run, read_run
from .plot import plot_log
from .recipes import Recipe, find_recipe
from .samples import known_samples

Paths = Sequence[str | Path]


def bundle(
    run: Path,
    data: Paths,
    validation: Paths,
    photos: Paths,
    out: Path,
    *,
    device: str | None = None,
    hardware: str = "",
    command: str = "",
    report: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Write `<name>.safetensors`, its card (.json, .md) and its log (.csv, .png) into `out`; return the card.

    run: the folder that `train --out` wrote to. data: the images it was trained on, counted and held against the
    digest in its checkpoint. validation, photos: what accuracy is measured on, see training.data; none of them
    may be among the training images. hardware: what it was trained on, in words, where the checkpoint does not
    say. report: told what is being done, in words.

    Raises SourceFailed (no such run), WeightsMismatch (another recipe or other images; an image both trained and
    measured on; values that float16 cannot hold), WeightsError (10 MB or more, other keys), UnknownName (no such
    recipe or images) and ImageError. Then `out` keeps what it held.
    """
    state = read_run(run, torch.device("cpu"))
    recipe = find_recipe(state["recipe"])
    spec = find_variant(recipe.variant)
    report("comparing the images: the run's, and those it is measured on")
    trained, measured = _Images.of(data, spec), {
        "validation": _Images.of(validation, spec), "photographs": _Images.of(photos, spec)
    }  # fmt: skip
    check_run(state, recipe, trained.digest)
    for images in measured.values():
        _apart(trained, images)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out) as folder:  # nothing half done is ever in `out`
        weights = Path(folder) / f"{spec.name}.safetensors"
        write_half(state["ema"], weights)
        loaded = load(spec.name, weights, device)
        card = {
            **_identity(loaded, recipe),
            **_training(state, recipe, trained, hardware),
            **_write_log(run / LOG, weights, f"{spec.name}, recipe {recipe.name}"),
            **_measurements(loaded, recipe, validation, photos, report),
            **{name: images.as_json() for name, images in measured.items()},
            "limits": list(recipe.limits),
            "command": command,
        }
        text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        weights.with_suffix(".json").write_text(text, encoding="utf-8")
        weights.with_suffix(".md").write_text(markdown(card), encoding="utf-8")
        for suffix in (
            ".safetensors",
            ".json",
            ".md",
            ".csv",
            ".png",
        ):  # a card never stands beside other weights for long
            file = weights.with_suffix(suffix)
            if file.exists():
                file.chmod(0o644)
                os.replace(file, out / file.name)
            else:  # a run without a log: nobody else's stays
                (out / file.name).unlink(missing_ok=True)
    return card


@dataclass(frozen=True)
class _Images:
    """Which images of a model's classes some folders and zips hold."""

    files: tuple[str, ...]  # names without folders
    hashes: frozenset[bytes]
    wnids: tuple[str, ...]  # of every image, sorted
    digest: str  # training.data's

    @classmethod
    def of(cls, paths: Paths, spec: VariantSpec) -> _Images:
        samples, _ = known_samples(paths, label_set(spec.label_set).wnids)
        hashes, wnids = image_hashes(samples), tuple(sorted(sample.wnid for sample in samples))
        return cls(tuple(Path(path).name for path in paths), frozenset(hashes), wnids, combined(hashes))

    @property
    def count(self) -> int:
        return len(self.wnids)

    def held_out(self, share: float) -> int:
        """How many of them a recipe with that share does not train on."""
        return len(split(np.array(self.wnids), share)[1])

    def as_json(self) -> dict[str, Any]:
        return {"files": list(self.files), "pictures": self.count, "digest": self.digest}


def _apart(trained: _Images, measured: _Images) -> None:
    """Raises WeightsMismatch where an image was trained on that is to be measured on."""
    shared = len(trained.hashes & measured.hashes)
    if shared:
        raise WeightsMismatch(
            f"{shared} of the {measured.count} images of {', '.join(measured.files)} were trained on.",
            remedy="Measure on images that the model has never seen.",
        )


def _write_log(log: Path, weights: Path, title: str) -> dict[str, str]:
    """The run's log and its plot beside the weights; their names for the card. {} for a run without a log."""
    rows = read_log(log)
    if not rows:
        return {}
    table, image = weights.with_suffix(".csv"), weights.with_suffix(".png")
    table.write_bytes(log.read_bytes())
    plot_log(rows, image, title)
    return {"log": table.name, "plot": image.name}


def _identity(loaded: LoadedModel, recipe: Recipe) -> dict[str, Any]:
    spec = loaded.spec
    return {
        "name": spec.name,
        "sha256": loaded.provenance.sha256,
        "about": spec.about,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "classes": spec.num_classes,
        "label_set": spec.label_set,
        "weights": "the run's moving average (EMA), as float16",
        "preprocessing": {
            "image_size": spec.image_size, "crop_pct": spec.crop_pct, "interpolation": "bicubic",
            "mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD),
        },
    }  # fmt: skip


def _training(state: Mapping[str, Any], recipe: Recipe, images: _Images, hardware: str) -> dict[str, Any]:
    return {
        "data": {"what": recipe.images, **images.as_json(), "held_out": images.held_out(recipe.held_out)},
        "run": recipe.about,
        "start": recipe.start or "random weights",
        **({"teacher": recipe.teacher_source} if recipe.teacher_source else {}),
        "recipe": recipe.as_json(),
        "steps": state["step"],
        "steps_planned": state.get("planned", state["step"]),
        "loss": round(state["loss"], 4),  # smoothed, with label smoothing
        "seconds": round(state["seconds"]),
        "hardware": hardware or state.get("hardware") or "not recorded",
    }


def _measurements(
    loaded: LoadedModel, recipe: Recipe, validation: Paths, photos: Paths, report: Callable[[str], None]
) -> dict[str, Any]:
    """Accuracy at the variant's own size, then at the others it was trained at; on both sets of images."""
    own = loaded.spec.image_size
    sides = [own, *sorted({side for side, _ in recipe.sizes} - {own})]

    def at(paths: Paths, side: int) -> dict[str, Any]:
        report(f"measuring at {side} px on {', '.join(Path(path).name for path in paths)}")
        accuracy = evaluate(loaded, paths, image_size=side).as_json()
        return {
            "pictures" if key == "images" else key: value for key, value in accuracy.items()
        }  # cards keep their keys

    accuracy, *others = [at(validation, side) for side in sides]
    return {
        "accuracy": accuracy,
        "accuracy_at_other_sizes": others,
        "accuracy_on_photographs": [at(photos, side) for side in sides],
    }
