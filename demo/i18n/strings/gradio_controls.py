"""What Gradio's own controls say in English only, exactly as they say it, and what they do not say."""

from __future__ import annotations

STRINGS = {
    "gradio_controls.unknown_class": "No class contains “{name}”. The target class is unchanged.",
    "gradio_controls.upload_file": "Upload file",
    "gradio_controls.camera": "Capture from camera",
    "gradio_controls.clipboard": "Paste from clipboard",
    "gradio_controls.empty": "Empty value",
    "gradio_controls.file": "File upload",
    "gradio_controls.access": "Click to Access Webcam",
    "gradio_controls.grant": "grant webcam access",
    "gradio_controls.capture": "capture photo",
    "gradio_controls.input_source": "select input source",
    "gradio_controls.source": "select source",
}
