"""Attention tables as JSON for js/tables.js: bytes, a scale a row, and where queries and keys sit.

A table goes to a visitor's browser once. Its key says whose it is; the session holds the keys of those that were sent
(Session.held), the browser the tables themselves, so that a moved crosshair sends no table again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from transxnet.results import Geometry
from transxnet.results.quantized import QuantizedTable
from transxnet.study import Study

from .cells import Json, floats

MOST_HELD = 24  # tables a browser is trusted to keep; js/attention.js keeps a few more


def table_key(study: Study, table: QuantizedTable) -> str:
    """Of one image's attention in one block of one set of weights."""
    weights = study.provenance.sha256[:12]
    return f"{study.image[:16]} {study.model} {weights} {table.stage}.{table.block}"


def table_json(table: QuantizedTable) -> Json:
    """weights: base64 of uint8 (heads, Nq, Nk); scales: of float32 (heads, Nq), the weight of one step.

    entropy, distance: of float32 (heads, Nq), the library's own, as the overview says them.
    """
    return {
        "weights": base64.b64encode(table.weights.tobytes()).decode(), "scales": floats(table.scales),
        "entropy": floats(table.entropy), "distance": floats(table.distance),
        "heads": len(table.weights), "stage": table.stage, "block": table.block,
        "queries": _grid(table.queries), "keys": _grid(table.keys),
        "view": list(table.keys.input_size), "box": list(table.keys.crop_box),
    }  # fmt: skip


def held(before: Iterable[str], sent: Iterable[str]) -> tuple[str, ...]:
    """The keys that a browser holds after these were sent, or sent for again; the latest last."""
    sent = tuple(sent)
    return (*(key for key in before if key not in sent), *sent)[-MOST_HELD:]


def _grid(geometry: Geometry) -> Json:
    rows, cols = geometry.grid
    return {"rows": rows, "cols": cols, "stride": geometry.stride, "origin": geometry.origin}
