"""What `python -m transxnet erf` keeps in --out: the figure so far, the averages, the manifest; and how it goes on.

    erf.png    protocol_figure, rewritten as images come
    erf.npz    "MODEL/heat", the raw average (size, size) float64, and "state", JSON: what --resume needs
    erf.json   for people and programs: command, versions, weights, images by name, both r

Each file appears whole or not at all, and the NPZ alone is what a run goes on from.
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
from typing import TYPE_CHECKING

from ..errors import LensError, OutOfRange

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..draw.figure import StudyFigure
    from ..explain.erf.protocol import ErfSum
    from ..results.erf import ErfProtocol
    from ..weights.load import LoadedModel

FIGURE, ARRAYS, MANIFEST = "erf.png", "erf.npz", "erf.json"


@dataclass
class Column:
    """One model's part of a run: what is in its average, what is still to come, and what stopped it, if anything."""

    loaded: LoadedModel
    found: ErfSum
    chunks: list[list[Path]]
    broken: str = ""

    @property
    def name(self) -> str:
        return self.loaded.name


@dataclass
class Run:
    """The whole run, at every process; only the chief's sums hold all images."""

    args: argparse.Namespace
    worker: Worker
    total: int
    columns: list[Column] = field(default_factory=list)


def stored(args: argparse.Namespace, models: Sequence[LoadedModel]) -> dict[str, ErfSum]:
    """The sums of the run in --out, by model; none where there is no run. Raises OutOfRange where it cannot go on."""
    import numpy as np

    from ..explain.erf.protocol import ErfSum, UnitLocation

    if not (args.out / ARRAYS).exists():
        return {}
    try:
        with np.load(io.BytesIO((args.out / ARRAYS).read_bytes()), allow_pickle=False) as held:
            state = json.loads(str(held["state"]))
            heatmaps = {name: held[f"{name}/heat"] for name in state["models"]}
        asked = {"size": args.size, "stage": args.stage, "unit": list(args.unit) if args.unit else None}
        _same_run(state, asked, {loaded.name: loaded.provenance.sha256 for loaded in models})
        found = {}
        for name, kept in state["models"].items():
            place = UnitLocation(**{k: tuple(v) if isinstance(v, list) else v for k, v in kept["place"].items()})
            total = heatmaps[name] * len(kept["images"])
            found[name] = ErfSum(args.size, args.stage, args.unit, total, kept["images"], [], place)
        return found
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, LensError):
            raise
        raise OutOfRange(
            f"{ARRAYS} in --out is damaged.", remedy="Leave out --resume to begin anew.", detail=repr(error)
        ) from error


def _same_run(state: Mapping, asked: Mapping[str, object], digests: Mapping[str, str]) -> None:
    remedy = "Choose another folder with --out, or leave out --resume to begin anew."
    for key, value in asked.items():
        if state[key] != value:
            raise OutOfRange(f"The run in --out has another {key}: {state[key]}, not {value}.", remedy=remedy)
    for name, kept in state["models"].items():
        if name not in digests:
            raise OutOfRange(f"The run in --out holds {name}, which is not named.", remedy=remedy)
        if kept["sha256"] != digests[name]:
            raise OutOfRange(f"The run in --out was made with other weights of {name}.", remedy=remedy)


def write(run: Run, finished: bool = False) -> None:
    """The figure, the averages and the manifest, as far as they go. LensError where nothing could be averaged."""
    from ..draw.erf import protocol_figure
    from ..draw.png import to_png
    from ..export.files import write_atomically, write_utf8
    from ..export.records import npz

    shown = [column for column in run.columns if column.found.count]
    if not shown:
        if finished:
            raise LensError(next(filter(None, map(_trouble, run.columns)), "No image could be averaged."))
        return
    state = "" if finished else "; ".join(f"{c.name}: {c.found.count} of {run.total} images so far" for c in shown)
    results = [column.found.result() for column in shown]
    study_figure = protocol_figure(results, [column.name for column in shown], state)
    write_atomically(run.args.out / ARRAYS, npz({**study_figure.arrays, "state": _state(run, shown)}))
    write_atomically(run.args.out / FIGURE, to_png(study_figure.image))
    entries = [_entry(column, result) for column, result in zip(shown, results, strict=True)]
    text = json.dumps(_manifest(run, entries, study_figure, finished), indent=2, ensure_ascii=False, allow_nan=False)
    write_utf8(run.args.out / MANIFEST, f"{text}\n")


def _trouble(column: Column) -> str:
    if column.broken:
        return f"{column.name}: {column.broken}"
    return next((f"{name}: {why}" for name, why in column.found.failed), "")


def _state(run: Run, shown: Sequence[Column]):
    """What --resume needs, as one string inside the NPZ: the sums and what is in them are written at one stroke."""
    import numpy as np

    models = {
        column.name: {
            "sha256": column.loaded.provenance.sha256, "images": column.found.images,
            "place": asdict(column.found.location),
        }
        for column in shown
    }  # fmt: skip
    args = run.args
    return np.array(json.dumps({"size": args.size, "stage": args.stage, "unit": args.unit, "models": models}))


def _entry(column: Column, result: ErfProtocol) -> dict[str, object]:
    return {
        "model": column.name, "variant": result.model, "untrained": column.loaded.untrained,
        "provenance": column.loaded.provenance.as_json(), "layer": result.layer, "unit": result.unit,
        "position": result.position, "images": result.images, "folders": result.folders, "failed": result.failed,
        "numbers": result.numbers, "published_none_found": result.published_curve.unreached_shares, "note": result.note,
        "array": f"{column.name}/heat",
    }  # fmt: skip


def _manifest(run: Run, entries: Sequence[Mapping], study_figure: StudyFigure, finished: bool) -> object:
    from ..export.records import clean, versions

    broken = [{"model": column.name, "error": column.broken} for column in run.columns if column.broken]
    return clean(
        {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": ["python", "-m", "transxnet", *run.args.argv],
            "versions": versions(),
            "finished": finished,
            "size": run.args.size,
            "images": run.total,
            "figure": FIGURE,
            "arrays": ARRAYS,
            "caption": study_figure.caption,
            "limits": study_figure.limits,
            "models": entries,
            "failed": broken,
        }
    )
