"""What Gradio's own controls do not say."""

from __future__ import annotations

STRINGS = {
    "gradio_controls.unknown_class": "No class contains “{name}”. The target class is unchanged.",
}
