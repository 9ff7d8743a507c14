"""Attention tables as JSON for web/js/core/attention_tables.js: bytes, a scale per row, and where queries and keys are.

The browser keeps the tables that it received and sends their keys with every request, so that a moved crosshair sends
no table again.
"""

from __future__ import annotations

import base64

from transxnet.results import Geometry
from transxnet.results.quantized import QuantizedTable
from transxnet.study import Study

from .cells import Json, floats


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
        "input_size": list(table.keys.input_size), "box": list(table.keys.crop_box),
    }  # fmt: skip


def _grid(geometry: Geometry) -> Json:
    rows, cols = geometry.grid
    return {"rows": rows, "cols": cols, "stride": geometry.stride, "origin": geometry.origin}
