"""Files of `python -m transxnet erf` in --out, and how a run continues from them.

    erf.png    figure of the averages so far, rewritten as images are added
    erf.npz    "MODEL/heatmap", the raw average (size, size) float64, and "state", JSON: what --resume needs
    erf.json   command, versions, weights, images and both r of each model

Each file appears whole or not at all.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LensError, OutOfRange

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..draw.figure import StudyFigure
    from ..explain.erf.protocol import ErfSum
    from ..weights.load import LoadedModel

FIGURE, ARRAYS, MANIFEST = "erf.png", "erf.npz", "erf.json"
FORMAT = 2  # of the manifest


@dataclass
class ModelRun:
    """One model's part of a run: its sum so far, the images to come, and the error that stopped it, if any."""

    loaded: LoadedModel
    sum: ErfSum
    chunks: list[list[Path]]
    error: str = ""

    @property
    def name(self) -> str:
        return self.loaded.name


@dataclass
class Run:
    """A run as each process has it; only the main process's sums hold all images."""

    args: argparse.Namespace
    worker: Worker
    num_images: int
    models: list[ModelRun] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """What a run that is resumed must have in common with this one."""
        unit = self.args.unit and list(self.args.unit)
        return {"image_size": self.args.image_size, "stage": self.args.stage, "unit": unit}

    def empty_sum(self) -> ErfSum:
        from ..explain.erf.protocol import ErfSum

        return ErfSum(self.args.image_size, self.args.stage, self.args.unit)


def stored_sums(run: Run, models: Sequence[LoadedModel]) -> dict[str, ErfSum]:
    """The sums of the run in --out by model; {} if there is no run.

    Raises:
        OutOfRange: The run is damaged, or cannot be continued with these options and weights.
    """
    import numpy as np

    from ..explain.erf.protocol import UnitLocation

    if not (run.args.out / ARRAYS).exists():
        return {}
    try:
        with np.load(io.BytesIO((run.args.out / ARRAYS).read_bytes()), allow_pickle=False) as arrays:
            state = json.loads(str(arrays["state"]))
            heatmaps = {name: arrays[f"{name}/heatmap"] for name in state["models"]}
        _check_same_run(state, run, {loaded.name: loaded.provenance.sha256 for loaded in models})
        sums = {}
        for name, stored in state["models"].items():
            sums[name] = run.empty_sum()
            sums[name].images, sums[name].total = stored["images"], heatmaps[name] * len(stored["images"])
            location = {key: tuple(v) if isinstance(v, list) else v for key, v in stored["location"].items()}
            sums[name].location = UnitLocation(**location)
        return sums
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, LensError):
            raise
        raise OutOfRange(
            f"{ARRAYS} in --out is damaged.", remedy="Leave out --resume to start again.", detail=repr(error)
        ) from error


def _check_same_run(state: Mapping, run: Run, digests: Mapping[str, str]) -> None:
    remedy = "Choose another folder with --out, or leave out --resume to start again."
    for key, value in run.settings.items():
        if state[key] != value:
            name = key.replace("_", " ")
            raise OutOfRange(f"The run in --out has another {name}: {state[key]}, not {value}.", remedy=remedy)
    for name, stored in state["models"].items():
        if name not in digests:
            raise OutOfRange(f"The run in --out includes {name}, which is not named.", remedy=remedy)
        if stored["sha256"] != digests[name]:
            raise OutOfRange(f"The run in --out used other weights of {name}.", remedy=remedy)


def write_results(run: Run, finished: bool = False) -> None:
    """Write figure, averages and manifest for the images so far.

    Raises:
        LensError: The run is finished, and no image could be used.
    """
    import numpy as np

    from ..draw.erf import erf_protocol_figure
    from ..draw.overlay import to_png
    from ..export.files import write_atomically, write_json
    from ..export.records import npz

    models = [model for model in run.models if model.sum.count]
    if not models:
        if finished:
            raise LensError(next(filter(None, map(_first_error, run.models)), "No image could be averaged."))
        return
    progress = "; ".join(f"{m.name}: {m.sum.count} of {run.num_images} images so far" for m in models)
    results = [model.sum.result() for model in models]
    study_figure = erf_protocol_figure(results, [model.name for model in models], "" if finished else progress)
    heatmaps = {f"{model.name}/heatmap": result.heatmap for model, result in zip(models, results, strict=True)}
    states = {
        m.name: {
            "sha256": m.loaded.provenance.sha256, "images": m.sum.images, "location": asdict(m.sum.location)
        }
        for m in models
    }  # fmt: skip
    state = run.settings | {"models": states}
    write_atomically(run.args.out / ARRAYS, npz({**heatmaps, "state": np.array(json.dumps(state))}))
    write_atomically(run.args.out / FIGURE, to_png(study_figure.image))
    write_json(run.args.out / MANIFEST, _manifest(run, models, study_figure, finished))


def _first_error(model: ModelRun) -> str:
    if model.error:
        return f"{model.name}: {model.error}"
    return next((f"{image}: {error}" for image, error in model.sum.failed), "")


def _manifest(run: Run, models: Sequence[ModelRun], study_figure: StudyFigure, finished: bool) -> dict[str, Any]:
    from ..export.records import versions

    return {
        "format": FORMAT, "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "transxnet", *run.args.argv], "versions": versions(),
        "finished": finished, "image_size": run.args.image_size, "images": run.num_images,
        "figure": FIGURE, "arrays": ARRAYS, "caption": study_figure.caption, "limits": study_figure.limits,
        "models": [_model_entry(model) for model in models],
        "failed": [{"model": model.name, "error": model.error} for model in run.models if model.error],
    }  # fmt: skip


def _model_entry(model: ModelRun) -> dict[str, object]:
    result, loaded = model.sum.result(), model.loaded
    failed = [{"image": image, "error": error} for image, error in result.failed]
    return {
        "model": model.name, "variant": result.model, "untrained": loaded.untrained,
        "provenance": loaded.provenance.as_json(), "layer": result.layer, "unit": result.unit,
        "position": result.position, "images": result.images, "folders": result.folders, "failed": failed,
        "numbers": result.numbers, "published_none_found": result.published_curve.unreached_shares, "note": result.note,
        "array": f"{model.name}/heatmap",
    }  # fmt: skip
