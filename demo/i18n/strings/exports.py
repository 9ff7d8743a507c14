"""Downloads."""

from __future__ import annotations

STRINGS = {
    "exports.loading": "its weights are still loading",
    "exports.no_maps": "This tab has no maps to download.",
    "exports.no_maps_remedy": "Open another tab, then download.",
    "exports.not_ready": "{names}: still loading, so there is nothing to download yet.",
    "exports.not_ready_remedy": "Download again when the maps are shown.",
    "exports.model_count": {"one": "{count} model was requested.", "other": "{count} models were requested."},
    "exports.model_count_remedy": "Specify one to three models, separated by commas.",
    "exports.no_such_map": "The tab does not show this map now.",
    "exports.no_format": "There is no format {name}.",
}
