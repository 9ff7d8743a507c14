"""Studies -> raw arrays and JSON: the contents of NPZ files, of manifests, and of the endpoints' answers."""

from __future__ import annotations

import io
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..draw.scale import ALPHA_POWER
from ..draw.styles import MAP_STYLES, Result, result_geometry
from ..labels import wnid_or_none
from ..results import AttentionFrom, Explanation, KernelSet, Prediction
from ..study import Study
from .images import Style, channels_of, ranges, results

PACKAGES = ("torch", "timm", "captum", "numpy", "opencv-python", "matplotlib", "pillow", "safetensors")
KERNEL_FIELDS = ("kernels", "static_kernels", "gates", "biases", "bias_gates", "gate_entropy", "static_distance")


def arrays(study: Study) -> dict[str, np.ndarray]:
    """Every raw map of the study, with the model input and the predictions.

    Names: crop, logits, probabilities; attention (heads, rows, columns), attention_entropy, attention_distance;
    kernels (C, K, K), kernels_static, kernels_gates, …; every other map under its own name.
    """
    predictions = study.predictions
    named = {"crop": study.crop.rgb, "logits": predictions.logits, "probabilities": predictions.probabilities}
    for name, result in results(study).items():
        if isinstance(result, AttentionFrom):
            named |= {name: result.heads, f"{name}_entropy": result.entropy, f"{name}_distance": result.distance}
        elif isinstance(result, KernelSet):
            named |= {
                name if f == name else f"{name}_{f.removesuffix('_kernels')}": getattr(result, f) for f in KERNEL_FIELDS
            }
        else:
            named[name] = result.heatmap
    return named


def npz(named: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as a compressed NPZ, which numpy.load reads with allow_pickle=False."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def describe(study: Study) -> dict[str, object]:
    """The study as JSON: provenance, predictions, and each map's layer, target, raw range, geometry and numbers.

    `missing` says for each map that this model cannot give why.
    """
    height, width = study.crop.rgb.shape[:2]
    return clean({
        "model": study.model, "variant": study.spec.name, "untrained": study.untrained,
        "provenance": study.provenance.as_json(),
        "crop": {"size": [width, height], "crop_box": study.crop.crop_box, "source_size": study.crop.source_size},
        "position": study.position, "target": asdict(study.target) | {"wnid": wnid_or_none(study.target.wnid)},
        "predictions": [prediction_json(prediction) for prediction in study.predictions.top],
        "notes": study.notes, "seconds": study.seconds,
        "heatmaps": {name: describe_result(result) for name, result in results(study).items()},
        "missing": dict(study.missing),
    })  # fmt: skip


def prediction_json(prediction: Prediction) -> dict[str, object]:
    """One prediction as `predict --json` prints it."""
    return {
        "index": prediction.index, "wnid": wnid_or_none(prediction.wnid), "label": prediction.label,
        "probability": prediction.probability,
    }  # fmt: skip


def describe_result(result: Result) -> dict[str, object]:
    """One map as JSON: layer, target, units, raw range, numbers; geometry where its values have places in the image."""
    units, signed = "weight", isinstance(result, KernelSet)
    numbers: dict[str, object]
    if isinstance(result, Explanation):
        layer, target, raw, units, signed = result.layer, result.target, result.heatmap, result.units, result.signed
        numbers = dict(result.numbers)
    else:
        layer = f"stage {result.stage}, block {result.block}"
        if isinstance(result, KernelSet):
            raw, target = result.kernels, "this image"
            numbers = {
                "distance": float(np.nanmedian(result.static_distance)),
                "gate_entropy": float(result.gate_entropy.mean()),
            }
        else:
            raw, target = result.heads, f"query at row {result.query[0]}, column {result.query[1]}"
            numbers = {"entropy": result.entropy.tolist(), "distance": result.distance.tolist()}
    finite = raw[np.isfinite(raw)]
    geometry = result_geometry(result)
    return {
        "layer": layer, "explains": target, "units": units, "signed": signed,
        "range": [float(finite.min()), float(finite.max())] if finite.size else None, "numbers": numbers,
        "geometry": asdict(geometry) if geometry else None,
    }  # fmt: skip


def describe_scales(studies: Sequence[Study], style: Style | None = None) -> dict[str, object]:
    """How each map is colored: range of displayed values, color map, scaling, units, opacity."""
    style = style or Style()
    scales = {}
    for name, value_range in ranges(studies, style).items():
        map_style = MAP_STYLES[name]
        scales[name] = {
            "range": value_range, "scaling": map_style.scaling, "units": map_style.units, "signed": map_style.signed,
            "root": map_style.root, "colormap": style.colormaps.get(name, map_style.colormap),
            "opacity": f"{style.opacity:g} * strength ** {ALPHA_POWER:g}",
        }  # fmt: skip
    if "attention" in scales:
        scales["attention"]["head"] = style.head  # 0: the mean of all
    if "kernels" in scales:
        del scales["kernels"]["opacity"]
        scales["kernels"]["channels"] = {  # from 1, as in captions
            s.model: [c + 1 for c in channels_of(s.kernels)] for s in studies if s.kernels
        }
    return clean(scales)


@cache
def source_digest() -> str:
    """SHA-256 of this package's code, which identifies the program also in a checkout."""
    package = Path(__file__).parents[1]
    digest = sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of Python, of this package's code and of the packages that compute the numbers."""
    by_name = {"python": platform.python_version(), "transxnet": source_digest()[:12]}
    for package in PACKAGES:
        try:
            by_name[package] = version(package)
        except PackageNotFoundError:  # opencv-python may be installed under another name
            continue
    return by_name


def clean(value: object) -> object:
    """A value ready for JSON: NumPy scalars and tuples become plain, numbers that are not finite null."""
    if isinstance(value, Mapping):
        return {str(key): clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
