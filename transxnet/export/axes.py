"""Axes and units of the arrays in NPZ files, for their manifests.

An array is known by the last part of its name ("pico/attention" is "attention"); where the same word means different
things, by the figure and that part.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_MAP, _BLOCKS, _TAPS = "row, column", "block", "tap row, tap column"
_KERNELS, _CURVE = f"channel, {_TAPS}", "number of changed pixels"
_ENTROPY, _COSINE, _PROBABILITY = "share of the largest entropy", "cosine", "probability"
_DISTANCE, _PIXELS, _NUMBER, _RANKS = "share of the norm of the static kernel", "px of the model input", "", "Spearman"
_INDEX = "index from 0"
_AXES: Mapping[str, tuple[str, str]] = {  # name -> (axes, units); "": a count or a number that names something
    # a study
    "crop": ("row, column, RGB", "0 to 255"), "crop_occluded": ("row, column, RGB", "0 to 255"),
    "logits": ("class", "logit"), "logits_after": ("class", "logit"), "probabilities": ("class", _PROBABILITY),
    "attention": ("head, key row, key column", "weight"), "attention_to": ("head, query row, query column", "weight"),
    "attention_entropy": ("head", _ENTROPY), "attention_distance": ("head", _PIXELS),
    "kernels": (_KERNELS, "weight"), "kernels_static": (_KERNELS, "weight"),
    "kernels_gates": (f"learned kernel, {_KERNELS}", "share"), "kernels_biases": ("channel", "bias"),
    "kernels_bias_gates": ("learned kernel, channel", "share"), "kernels_gate_entropy": ("channel", _ENTROPY),
    "kernels_static_distance": ("channel", _DISTANCE), "control_effects": ("position", "logit"),
    "grad_cam": (_MAP, "logit"), "contrast": (_MAP, "logit"), "occlusion": (_MAP, "logit"),
    "cam_stages": (_MAP, "share of each stage's largest value"), "rollout": (_MAP, "share of the map"),
    "receptive_field": (_MAP, "sum of features per unit of normalized input"),
    "integrated_gradients": (_MAP, "logit"), "smooth_grad": (_MAP, "logit per unit of normalized input"),
    "difference": (_MAP, "that of the maps"),
    # figures
    "query_to_keys": ("head, key row, key column", "weight"),
    "key_to_queries": ("head, query row, query column", "weight"),
    "entropy": (f"{_BLOCKS}, head", _ENTROPY), "distance": (f"{_BLOCKS}, head", _PIXELS),
    "places": (f"{_BLOCKS}, stage and block", _NUMBER), "uniform_distance": (_BLOCKS, _PIXELS),
    "stages": (_BLOCKS, _NUMBER), "blocks": (_BLOCKS, _NUMBER), "groups": (_BLOCKS, _NUMBER),
    **dict.fromkeys(("idconv", "osra", "idconv_varying", "osra_varying"), (_BLOCKS, "mean squared feature")),
    "medoids": ("cluster", _INDEX), "kernel_clusters/kernels": (f"cluster, {_TAPS}", "weight"),
    "labels": ("channel", _INDEX), "sizes": ("cluster", _NUMBER), "similarity": ("channel", _COSINE),
    "cohesion": ("cluster", _COSINE), "gates": (f"learned kernel, {_KERNELS}", "share"),
    "gate_entropy": ("channel", _ENTROPY), "kernel_depth/gate_entropy": (_BLOCKS, _ENTROPY),
    "tap_entropy": (_TAPS, _ENTROPY), "channels": ("drawn channel", _INDEX),
    "response": ("row frequency, column frequency", "magnitude"), "frequencies": ("frequency", "cycles per unit"),
    "radii": ("ring", "cycles per unit"), "profiles": ("channel, ring", "magnitude"),
    "dc_gain": ("channel", "sum of weights"), "centroid": ("channel", "cycles per unit"),
    "first": (_KERNELS, "weight"), "second": (_KERNELS, "weight"), "static_kernels": (_KERNELS, "weight"),
    "kernel_change/distance": ("channel", _DISTANCE), "gate_change": ("channel", "share"),
    "static_distance": ("image, channel", _DISTANCE),
    "kernel_depth/static_distance": (f"{_BLOCKS}, quartile", _DISTANCE),
    **dict.fromkeys(
        ("erf_pathways", "erf_pathways/kernels", "erf_pathways/attention"),
        (_MAP, "sum of features per unit of normalized input"),
    ),
    "erf_curves": ("share of the sum and area, threshold", "share"),
    "ablation_table/stage": ("ablated place", _NUMBER), "ablation_table/block": ("ablated place", _NUMBER),
    "ablation_heads/head": ("ablated head", _NUMBER), "ablation_heads/block": ("ablated head", _NUMBER),
    "logit_change": ("ablated part", "logit"), "margin_change": ("ablated part", "logit"),
    "probability_after": ("ablated part", _PROBABILITY), "divergence": ("ablated part", "nat"),
    "ablation_table/logits": ("ablated place, class", "logit"),
    "shares": (_CURVE, "share of the pixels"), "deletion": (_CURVE, _PROBABILITY), "insertion": (_CURVE, _PROBABILITY),
    "chance": (f"moved copy, {_CURVE}", _PROBABILITY), "chance_insertion": (f"moved copy, {_CURVE}", _PROBABILITY),
    "signed": ("step", _RANKS), "absolute": ("step", _RANKS), "complete_signed": ("draw", _RANKS),
    "complete_absolute": ("draw", _RANKS), "heatmaps": (f"step, {_MAP}", "that of the map"),
    "correlation": ("map, map", _RANKS), "overlap": ("map, map", "share"),
}  # fmt: skip


def describe_arrays(named: Mapping[str, np.ndarray], figure: str = "") -> dict[str, dict[str, object]]:
    """Array -> its shape, axes and units.

    Args:
        named: Arrays as in a file.
        figure: Of which all of them are; otherwise it is the first part of a name.

    Returns:
        Without axes and units where no row of the table describes an array; the tests allow none of these.
    """
    return {name: _describe(f"{figure}/{name}" if figure else name, array) for name, array in sorted(named.items())}


def _describe(name: str, array: np.ndarray) -> dict[str, object]:
    group, _, rest = name.partition("/")
    last = rest.rpartition("/")[2] or group
    keys = f"{group}/{last}", last, group
    axes, units = next((_AXES[key] for key in keys if key in _AXES), ("", ""))
    return {"shape": list(array.shape), "axes": axes.split(", ") if axes else [], "units": units}
