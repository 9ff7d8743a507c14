"""Convert a finished run to the files of assets/weights: `<name>.safetensors` (float16), its card and its log.

The card's accuracies are measured on that very file, loaded as any user loads it; its digest is what the loader
verifies. What cannot be measured (limitations, initial weights) is taken from the recipe.
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
from ..variants import VariantSpec, find_variant
from ..weights.load import LoadedModel, load
from ..weights.model_card import markdown
from .data import combine_hashes, image_hashes
from .evaluate import evaluate
from .half import write_half
from .held_out import split
from .log import read_log
from .loop import LOG, check_run, read_run
from .plot import plot_log
from .recipes import Recipe, find_recipe
from .samples import list_images

Paths = Sequence[str | Path]


def bundle(
    run: Path, data: Paths, validation: Paths, photos: Paths, out: Path, *, device: str | None = None,
    hardware: str = "", command: str = "", report: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:  # fmt: skip
    """Write `<name>.safetensors`, its card (.json, .md) and its log (.csv, .png) into a folder.

    Args:
        run: The folder that `train --out` wrote to.
        data: Folders and zips of the training images; compared with the digest in the checkpoint.
        validation: Images that accuracy is measured on. None of them may be a training image.
        photos: Full-size photos that accuracy is measured on, likewise.
        out: Output folder. It is unchanged if an error is raised.
        device: Where accuracy is measured.
        hardware: Hardware of the training, for runs that did not record it.
        command: The command, for the card.
        report: Called with a sentence on the work in progress.

    Returns:
        The card.

    Raises:
        SourceFailed: There is no such run.
        WeightsMismatch: The run has another recipe or other images, an image is used for training and measurement, or
            values do not fit into float16.
        WeightsError: The file would have 10 MB or more, or the keys are not those of the variant.
        UnknownName: There is no such recipe, or there are no such images.
        ImageError: An image cannot be read.
    """
    state = read_run(run, torch.device("cpu"))
    recipe = find_recipe(state["recipe"])
    spec = find_variant(recipe.variant)
    report("comparing training images with those used for measurement")
    training_images = _ImageFiles.find(data, spec)
    measured_images = {"validation": _ImageFiles.find(validation, spec), "photographs": _ImageFiles.find(photos, spec)}
    check_run(state, recipe, training_images.digest)
    for images in measured_images.values():
        _check_disjoint(training_images, images)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=out) as folder:  # `out` never holds incomplete files
        weights = Path(folder) / f"{spec.name}.safetensors"
        write_half(state["ema"], weights)
        loaded = load(spec.name, weights, device)
        card = {
            **_identity(loaded, recipe),
            **_training(state, recipe, training_images, hardware),
            **_write_log(run / LOG, weights, f"{spec.name}, recipe {recipe.name}"),
            **_measurements(loaded, recipe, validation, photos, report),
            **{name: images.as_json() for name, images in measured_images.items()},
            "limits": list(recipe.limits),
            "command": command,
        }
        text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        weights.with_suffix(".json").write_text(text, encoding="utf-8")
        weights.with_suffix(".md").write_text(markdown(card), encoding="utf-8")
        for suffix in (".safetensors", ".json", ".md", ".csv", ".png"):  # quickly: the card must match the weights
            file = weights.with_suffix(suffix)
            if file.exists():
                file.chmod(0o644)
                os.replace(file, out / file.name)
            else:  # a run without a log: remove that of an earlier one
                (out / file.name).unlink(missing_ok=True)
    return card


@dataclass(frozen=True)
class _ImageFiles:
    """The images of a model's classes in some folders and zips.

    Attributes:
        files: Names of the folders and zips.
        hashes: SHA-256 of each image file.
        classes: Class of every image, sorted.
        digest: See `training.data.combine_hashes`.
    """

    files: tuple[str, ...]
    hashes: frozenset[bytes]
    classes: tuple[str, ...]
    digest: str

    @classmethod
    def find(cls, paths: Paths, spec: VariantSpec) -> _ImageFiles:
        samples = list_images(paths, spec.labels).of_classes(spec.labels.wnids)
        hashes, classes = image_hashes(samples), tuple(sorted(sample.label for sample in samples))
        return cls(tuple(Path(path).name for path in paths), frozenset(hashes), classes, combine_hashes(hashes))

    def as_json(self) -> dict[str, Any]:
        return {"files": list(self.files), "pictures": len(self.classes), "digest": self.digest}


def _check_disjoint(training: _ImageFiles, measured: _ImageFiles) -> None:
    """Raises WeightsMismatch where a training image would be used for measurement."""
    shared = len(training.hashes & measured.hashes)
    if shared:
        raise WeightsMismatch(
            f"{shared} of the {len(measured.classes)} images of {', '.join(measured.files)} are training images.",
            remedy="Measure accuracy on images that the model was not trained on.",
        )


def _write_log(log: Path, weights: Path, title: str) -> dict[str, str]:
    """Write the run's log and its plot next to the weights; return their names for the card. {} without a log."""
    rows = read_log(log)
    if not rows:
        return {}
    table, plot = weights.with_suffix(".csv"), weights.with_suffix(".png")
    table.write_bytes(log.read_bytes())
    plot_log(rows, plot, title)
    return {"log": table.name, "plot": plot.name}


def _identity(loaded: LoadedModel, recipe: Recipe) -> dict[str, Any]:
    spec = loaded.spec
    return {
        "name": spec.name, "sha256": loaded.provenance.sha256, "about": spec.about,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "classes": spec.num_classes, "label_set": spec.label_set,
        "weights": "the run's moving average (EMA), as float16",
        "preprocessing": {
            "image_size": spec.image_size, "crop_pct": spec.crop_pct, "interpolation": "bicubic",
            "mean": list(IMAGENET_MEAN), "std": list(IMAGENET_STD),
        },
    }  # fmt: skip


def _training(state: Mapping[str, Any], recipe: Recipe, images: _ImageFiles, hardware: str) -> dict[str, Any]:
    held_out = len(split(np.array(images.classes), recipe.held_out)[1])
    return {
        "data": {"what": recipe.images, **images.as_json(), "held_out": held_out},
        "run": recipe.about, "start": recipe.start or "random weights",
        **({"teacher": recipe.teacher_source} if recipe.teacher_source else {}),
        "recipe": recipe.as_json(), "steps": state["step"], "steps_planned": state.get("planned", state["step"]),
        "loss": round(state["loss"], 4),  # smoothed, with label smoothing
        "seconds": round(state["seconds"]), "hardware": hardware or state.get("hardware") or "not recorded",
    }  # fmt: skip


def _measurements(
    loaded: LoadedModel, recipe: Recipe, validation: Paths, photos: Paths, report: Callable[[str], None]
) -> dict[str, Any]:
    """Accuracy at the variant's input size, then at the other sizes of the training; on both sets of images."""
    variant_size = loaded.spec.image_size
    sizes = [variant_size, *sorted({size for size, _ in recipe.sizes} - {variant_size})]

    def measure(paths: Paths, size: int) -> dict[str, Any]:
        report(f"measuring accuracy at {size} px on {', '.join(Path(path).name for path in paths)}")
        return evaluate(loaded, paths, image_size=size).as_card()

    accuracy, *other_sizes = [measure(validation, size) for size in sizes]
    return {
        "accuracy": accuracy,
        "accuracy_at_other_sizes": other_sizes,
        "accuracy_on_photographs": [measure(photos, size) for size in sizes],
    }
