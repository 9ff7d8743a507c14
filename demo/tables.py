"""Attention tables as JSON for the browser: quantized weights, a scale per row, and the geometry of queries and keys.

A table is sent to a browser once. The session holds the keys of the tables that the browser has (Session.held), so that
a moved query position sends no table again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from transxnet.results import Geometry
from transxnet.results.quantized import QuantizedTable
from transxnet.study import Study

from .cells import Json, floats

MAX_CACHED = 24  # tables that a browser is expected to keep; it keeps a few more


def table_key(study: Study, table: QuantizedTable) -> str:
    """Key of the attention of one image in one block of one checkpoint."""
    weights = study.provenance.sha256[:12]
    return f"{study.image[:16]} {study.model} {weights} {table.stage}.{table.block}"


def table_json(table: QuantizedTable) -> Json:
    """A table for the browser.

    Returns:
        weights: base64 of uint8 (heads, Nq, Nk). scales: base64 of float32 (heads, Nq), the weight of one quantization
        step. entropy, distance: base64 of float32 (heads, Nq), normalized entropy and mean distance in pixels.
    """
    return {
        "weights": base64.b64encode(table.weights.tobytes()).decode(), "scales": floats(table.scales),
        "entropy": floats(table.entropy), "distance": floats(table.distance),
        "heads": len(table.weights), "stage": table.stage, "block": table.block,
        "queries": _grid(table.queries), "keys": _grid(table.keys),
        "view": list(table.keys.input_size), "box": list(table.keys.crop_box),
    }  # fmt: skip


def updated_keys(cached: Iterable[str], used: Iterable[str]) -> tuple[str, ...]:
    """Keys of the tables that a browser has after these were used, the most recently used last."""
    used = tuple(used)
    return (*(key for key in cached if key not in used), *used)[-MAX_CACHED:]


def _grid(geometry: Geometry) -> Json:
    rows, cols = geometry.grid
    return {"rows": rows, "cols": cols, "stride": geometry.stride, "origin": geometry.origin}
