"""Studies -> raw arrays and words: what the NPZ and the manifest hold, and what an endpoint answers."""

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
from ..draw.views import MAP_STYLES, Result, geometry_of
from ..results import AttentionFrom, Explanation, KernelSet, Prediction
from ..study import Study
from .images import Style, channels_of, ranges, results

PACKAGES = ("torch", "timm", "captum", "numpy", "opencv-python", "matplotlib", "pillow", "safetensors")
KERNEL_FIELDS = ("kernels", "static_kernels", "gates", "biases", "bias_gates", "gate_entropy", "static_distance")


def arrays(study: Study) -> dict[str, np.ndarray]:
    """Every raw map of the study, as explain made it, with the view and the answers.

    Names: view, logits, probabilities; attention (heads, rows, columns), attention_entropy, attention_distance;
    kernels (C, K, K), kernels_static, kernels_gates, …; every other map under its view's name.
    """
    answers = study.predictions
    found = {"view": study.crop.rgb, "logits": answers.logits, "probabilities": answers.probabilities}
    for name, result in results(study).items():
        if isinstance(result, AttentionFrom):
            found |= {name: result.heads, f"{name}_entropy": result.entropy, f"{name}_distance": result.distance}
        elif isinstance(result, KernelSet):
            found |= {
                name if f == name else f"{name}_{f.removesuffix('_kernels')}": getattr(result, f) for f in KERNEL_FIELDS
            }
        else:
            found[name] = result.heatmap
    return found


def npz(named: Mapping[str, np.ndarray]) -> bytes:
    """Arrays -> the bytes of a compressed NPZ; numpy.load reads it with allow_pickle=False."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


def describe(study: Study) -> dict[str, object]:
    """The study as JSON: provenance, answers, and for every map its layer, target, raw range, geometry, numbers.

    missing: view -> why this variant cannot give it.
    """
    height, width = study.crop.rgb.shape[:2]
    view = {"size": [width, height], "crop_box": study.crop.crop_box, "source_size": study.crop.source_size}
    return clean(
        {
            "model": study.model,
            "variant": study.spec.name,
            "untrained": study.untrained,
            "provenance": study.provenance.as_json(),
            "view": view,
            "position": study.position,
            "class": asdict(study.target),
            "top": [answer(one) for one in study.predictions.top],
            "notes": study.notes,
            "seconds": study.seconds,
            "maps": {name: describe_result(result) for name, result in results(study).items()},
            "missing": dict(study.missing),
        }
    )


def answer(one: Prediction) -> dict[str, object]:
    """One answer as `predict --json` prints it."""
    return {"index": one.index, "wnid": one.wnid, "label": one.label, "probability": one.probability}


def describe_result(result: Result) -> dict[str, object]:
    """One map as JSON: layer, target, units, raw range, numbers; geometry where its values sit in the image."""
    if isinstance(result, Explanation):
        layer, target, raw, units, signed = result.layer, result.target, result.heatmap, result.units, result.signed
        numbers: dict[str, object] = dict(result.numbers)
    else:
        layer, units = f"stage {result.stage}, block {result.block}", "weight"
        raw, target, signed, numbers = _own_words(result)
    finite = raw[np.isfinite(raw)]
    value_range = [float(finite.min()), float(finite.max())] if finite.size else None
    geometry = geometry_of(result)
    return {
        "layer": layer, "target": target, "units": units, "signed": signed, "range": value_range, "numbers": numbers,
        "geometry": asdict(geometry) if geometry else None,
    }  # fmt: skip


def _own_words(result: AttentionFrom | KernelSet) -> tuple[np.ndarray, str, bool, dict[str, object]]:
    """Raw values, target, signed, numbers of what is no Explanation."""
    if isinstance(result, KernelSet):
        numbers = {
            "distance": float(np.nanmedian(result.static_distance)),
            "gate_entropy": float(result.gate_entropy.mean()),
        }
        return result.kernels, "this image", True, numbers
    numbers = {"entropy": result.entropy.tolist(), "distance": result.distance.tolist()}
    return result.heads, f"query at row {result.query[0]}, column {result.query[1]}", False, numbers


def describe_drawing(studies: Sequence[Study], style: Style | None = None) -> dict[str, object]:
    """How each view is colored: range of shown values, color map, scaling, units, opacity."""
    style = style or Style()
    found = {}
    for name, value_range in ranges(studies, style).items():
        look = MAP_STYLES[name]
        found[name] = {
            "range": value_range,
            "scaling": look.scaling,
            "units": look.units,
            "signed": look.signed,
            "root": look.root,
            "colormap": style.colormaps.get(name, look.colormap),
            "opacity": f"{style.opacity:g} * strength ** {ALPHA_POWER:g}",
        }
    if "attention" in found:
        found["attention"]["head"] = style.head  # 0: the mean of all
    if "kernels" in found:
        del found["kernels"]["opacity"]
        found["kernels"]["channels"] = {
            s.model: [c + 1 for c in channels_of(s.kernels)] for s in studies if s.kernels
        }  # for people, from 1
    return clean(found)


@cache
def source_digest() -> str:
    """SHA-256 of this package's own code: which program made a number, also from a checkout."""
    package = Path(__file__).parents[1]
    digest = sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Python, this package's code and the packages that made the numbers."""
    found = {"python": platform.python_version(), "transxnet": source_digest()[:12]}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # opencv-python may be installed under another name
            continue
    return found


def clean(value: object) -> object:
    """Ready for JSON: numpy's numbers and tuples made plain, what is not finite made null."""
    if isinstance(value, Mapping):
        return {str(key): clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
