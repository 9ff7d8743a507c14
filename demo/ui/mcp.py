"""What the MCP server answers: numbers as JSON and images as images, never a path of this machine.

Gradio's own answers name every file by where it stands in the server's temporary folder. This needs the package `mcp`
(requirements-dev.txt); without it the page goes on, and says how to get it.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from transxnet.errors import ImageError

from ..i18n.translate import message
from ..uploads import contains_file

MISSING = 'The MCP server is off: the package mcp is not installed. Remedy: pip install "mcp>=1.21,<2"'
SIDE = 1024  # pixels of an image's longer side, at most: who reads it is a model with a limited context
ELSEWHERE = "{name}, {size} kB: files are not sent by MCP. Call this endpoint with gradio_client for it."


def available() -> bool:
    """Whether the package is here."""
    return importlib.util.find_spec("mcp") is not None


def answer_plainly() -> None:
    """From now on an MCP server of Gradio's answers as this file says. Needs the package `mcp`."""
    import gradio.mcp

    class Server(gradio.mcp.GradioMCPServer):
        def convert_strings_to_filedata(self, value: Any, filedata_positions: list[list[str | int]]) -> Any:
            """An image comes as a data: URL. A path would be opened in this process, by the gradio_client that Gradio
            calls its own endpoints with, and uploaded as if the visitor had sent it.
            """
            images = [value.get(position[0]) for position in filedata_positions]
            is_address = any(isinstance(image, str) and not image.startswith("data:") for image in images)
            if is_address or contains_file(list(value.values())):
                raise ImageError(message("errors.not_uploaded"))
            return super().convert_strings_to_filedata(value, filedata_positions)

        def postprocess_output_data(self, data: Any, root_url: str) -> list[Any]:
            return [block for output in data for block in self._blocks(output)]

        def _blocks(self, output: Any) -> list[Any]:
            if isinstance(output, (list, tuple)):  # several outputs come as one tuple, several files as a list
                return [block for item in output for block in self._blocks(item)]
            if not (isinstance(output, dict) and "path" in output and "meta" in output):
                return [self._text(json.dumps(output, ensure_ascii=False))]
            path = Path(output["path"])
            if path.suffix == ".png":
                data = base64.b64encode(_smaller(path.read_bytes())).decode()
                return [self.types.ImageContent(type="image", data=data, mimeType="image/png")]
            return [self._text(ELSEWHERE.format(name=path.name, size=max(1, path.stat().st_size // 1000)))]

        def _text(self, text: str) -> Any:
            return self.types.TextContent(type="text", text=text)

    gradio.mcp.GradioMCPServer = Server


def _smaller(png: bytes) -> bytes:
    """At most SIDE pixels on its longer side."""
    with Image.open(io.BytesIO(png)) as image:
        if max(image.size) <= SIDE:
            return png
        image.thumbnail((SIDE, SIDE))
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
