"""The EMA weights of an unfinished run, with what is needed to continue from them alone.

A snapshot is three files in one folder: NAME.safetensors (the EMA weights, float16), NAME.json (recipe, step,
accuracy, digests) and NAME.csv (the run's log). It is small enough to be committed; it lacks the optimizer's state, so
that a run that continues from it starts with a short warm-up (`Run.restart`).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceFailed, WeightsMismatch
from ..output import replace_atomically
from ..weights.checkpoint import open_checkpoint
from .half import write_half
from .recipes import with_defaults

if TYPE_CHECKING:
    from .loop import Run


def write_snapshot(run: Run, accuracy: float | None) -> Path:
    """Write the snapshot of a run into its folder, under the recipe's name.

    Args:
        run: The run, at the main process.
        accuracy: Top-1 accuracy of the EMA weights on the images that the log measures; None if not measured.

    Returns:
        The path of the weights.
    """
    path = run.folder / f"{run.recipe.name}.safetensors"
    with replace_atomically(path) as temporary:
        write_half(run.ema.state_dict(), temporary)
    description = {
        "recipe": run.recipe.as_json(), "step": run.step, "steps_planned": run.steps,
        "loss": round(run.loss, 4), "seconds": round(run.seconds),
        "held_out": {
            "top1": None if accuracy is None else round(accuracy, 4), "images": run.num_measurement_images,
            "image_size": run.model.spec.image_size,
        },
        "data": run.data.digest, "teacher": run.teacher_digest,
        "hardware": run.hardware,
    }  # fmt: skip
    with replace_atomically(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    if run.log.path.exists():
        shutil.copyfile(run.log.path, path.with_suffix(".csv"))
    return path


def restart_from_snapshot(run: Run, path: Path) -> None:
    """Continue a new run at the step of a snapshot.

    Args:
        run: A run that has taken no step, with the recipe, images and teacher of the snapshot's run.
        path: NAME.safetensors, next to NAME.json and optionally NAME.csv.

    Raises:
        SourceFailed: A file is missing or damaged.
        WeightsMismatch: The snapshot has another recipe, other images or another teacher.
    """
    description = _read_description(path.with_suffix(".json"))
    if isinstance(description.get("recipe"), dict):
        description["recipe"] = with_defaults(description["recipe"], as_lists=True)
    expected = {"recipe": run.recipe.as_json(), "data": run.data.digest, "teacher": run.teacher_digest}
    for key, value in json.loads(json.dumps(expected)).items():
        if description.get(key) != value:
            raise WeightsMismatch(
                f"The snapshot {path.name} was made with another {_DESCRIPTIONS[key]}.",
                remedy="Use the one it was made with, or train without --continue-from.",
            )
    step = description.get("step")
    if not isinstance(step, int) or not 0 < step <= run.steps:
        raise WeightsMismatch(
            f"The snapshot {path.name} is of step {str(step)[:20]}, but the run has {run.steps} steps.",
            remedy="Use the snapshot of this recipe.",
        )
    state = open_checkpoint(path).state
    log = path.with_suffix(".csv")
    if run.is_main and log.exists():
        shutil.copyfile(log, run.log.path)
        run.log.truncate(step)
    run.restart(state, step, float(description.get("seconds") or 0), path.name)


_DESCRIPTIONS = {"recipe": "recipe", "data": "set of training images", "teacher": "teacher"}


def _read_description(path: Path) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceFailed(
            f"The description {path.name} of the snapshot is missing or damaged.",
            remedy="Use a .safetensors file with the .json that training wrote next to it.",
            detail=f"{path}: {error!r}",
        ) from error
    return description if isinstance(description, dict) else {}
