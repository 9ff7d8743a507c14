"""The guided tour's first page."""

from __future__ import annotations

from ..cells import Json
from .scene import Scene


def tour(scene: Scene) -> Json:
    return {"layout": "columns", "heads": [], "rows": []}
