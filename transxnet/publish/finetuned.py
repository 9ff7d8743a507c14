"""Write a fine-tuned model: weights, config.json with its classes, and model card, in the folder of its run.

The folder is a SOURCE of weights/load.py and a local-dir of timm's; `publish` uploads it, with its card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from ..errors import WeightsError
from ..output import replace_atomically
from ..training.evaluate import assess
from ..training.loop import LOG, Run
from ..training.report import Report
from ..weights.checkpoint import file_sha256
from ..weights.download import CONFIG, WEIGHTS
from ..weights.load import LoadedModel, load
from ..weights.model_card import markdown
from .describe import config, describe_model
from .folder import README

CARD = "model.json"  # next to model.safetensors, where `publish` looks for it


def write_finetuned(run: Run, folder: Path, data: Sequence[Path], validation: Sequence[Path] | None) -> Report | None:
    """Write model.safetensors, config.json, model.json and README.md.

    Args:
        run: The finished run; its EMA model is written.
        folder: Its folder.
        data: Paths of the training images.
        validation: Labeled images on which the written model is evaluated; None for no accuracy.

    Returns:
        The evaluation.

    Raises:
        WeightsError: The written model gives other logits than the trained one.
    """
    spec = run.model.spec
    state = {key: value.detach().cpu().contiguous() for key, value in run.ema.state_dict().items()}
    with replace_atomically(folder / WEIGHTS) as temporary:
        temporary.write_bytes(save(state, metadata={"format": "pt"}))
    digest = file_sha256(folder / WEIGHTS)
    _write_json(folder / CONFIG, config(spec, digest))
    loaded = load(spec.name, folder, run.device)
    _verify(loaded, run)
    report = assess(loaded, validation) if validation else None
    card = {
        **describe_model(spec, loaded.model), "weights": "the run's moving average (EMA), float32", "sha256": digest,
        **_measured(report, validation), **_training(run, data),
    }  # fmt: skip
    _write_json(folder / CARD, card)
    with replace_atomically(folder / README) as temporary:
        temporary.write_text(markdown(card | {"name": spec.name, "folder": folder.name}), encoding="utf-8")
    return report


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with replace_atomically(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


@torch.no_grad()
def _verify(loaded: LoadedModel, run: Run) -> None:
    side = loaded.spec.image_size
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0)).to(run.device)
    same = loaded.spec.labels.names == run.model.spec.labels.names
    if not same or not torch.allclose(loaded.model(image), run.ema(image), rtol=1e-4, atol=1e-4):
        raise WeightsError(
            f"The model written to {run.folder.name} gives other logits than the trained one.",
            remedy="Disk or memory may be defective. Run the command again with --resume.",
        )


def _measured(report: Report | None, paths: Sequence[Path] | None) -> dict[str, Any]:
    if report is None:
        return {}
    files = {"files": [path.name for path in paths or ()], "pictures": report.accuracy.images}
    return {"accuracy": report.accuracy.as_card(), "validation": files | {"digest": report.data["digest"]}}


def _training(run: Run, data: Sequence[Path]) -> dict[str, Any]:
    recipe = run.recipe
    images = {"files": [path.name for path in data], "pictures": len(run.data.labels), "digest": run.data.digest}
    return {
        "data": {"what": recipe.images, **images}, "run": recipe.about, "start": recipe.start,
        "recipe": recipe.as_json(), "steps": run.step, "steps_planned": run.steps, "loss": round(run.loss, 4),
        "seconds": round(run.seconds), "hardware": run.hardware, "log": LOG,
    }  # fmt: skip
