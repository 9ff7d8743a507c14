"""How to open the page with a checkpoint of the reader's own."""

from __future__ import annotations

STRINGS = {
    "own_model.title": "Your checkpoint…",
    "own_model.text": "Start the page on your computer with a TransXNet that you trained:",
    "own_model.more": "FILE is a checkpoint, a folder or hf-hub:ID. The class names, one a line, are optional.",
}
