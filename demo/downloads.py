"""A file as a component's value, so that it stands in no folder of the server and no address leads to it."""

from __future__ import annotations

import base64
from itertools import count

from .captions import exports as words
from .cells import Json
from .exports import File
from .languages import in_all, say

_serial = count(1)


def downloads(file: File | None = None, failed: str = "") -> Json:
    """The component's value: its words, what became of the last request, and its file."""
    value: Json = {"words": in_all(_words), "said": failed, "failed": bool(failed), "file": None}
    value["serial"] = next(_serial)  # the same sentence again is another answer
    if file is not None:
        size = f"{len(file.data) / 1e6:.1f} MB" if len(file.data) >= 1e5 else f"{max(1, len(file.data) // 1000)} kB"
        data = base64.b64encode(file.data).decode()
        value["said"] = say(words.DONE).format(name=file.name, size=size)
        value["file"] = {"name": file.name, "type": file.kind, "data": data}
    return value


def _words() -> Json:
    kinds = [[kind, say(label), say(hint)] for kind, (label, hint) in words.KINDS.items()]
    return {"title": say(words.TITLE), "hint": say(words.HINT), "making": say(words.MAKING), "kinds": kinds}
