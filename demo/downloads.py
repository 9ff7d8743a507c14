"""A file as a component's value, so that it stands in no folder of the server and no address leads to it."""

from __future__ import annotations

import base64
from itertools import count

from .cells import Json
from .exports import File
from .i18n.translate import in_every_locale, tr

_serial = count(1)

KINDS = {  # file format -> keys of its button and of what it holds
    "png": ("exports.kind_png", "exports.kind_png_hint"), "svg": ("exports.kind_svg", "exports.kind_svg_hint"),
    "npz": ("exports.kind_npz", "exports.kind_npz_hint"), "html": ("exports.kind_html", "exports.kind_html_hint"),
}  # fmt: skip


def downloads(file: File | None = None, failed: str = "") -> Json:
    """The component's value: its words, what became of the last request, and its file."""
    value: Json = {"words": in_every_locale(_words), "said": failed, "failed": bool(failed), "file": None}
    value["serial"] = next(_serial)  # the same sentence again is another answer
    if file is not None:
        size = f"{len(file.data) / 1e6:.1f} MB" if len(file.data) >= 1e5 else f"{max(1, len(file.data) // 1000)} kB"
        data = base64.b64encode(file.data).decode()
        value["said"] = tr("exports.done", name=file.name, size=size)
        value["file"] = {"name": file.name, "type": file.kind, "data": data}
    return value


def _words() -> Json:
    kinds = [[kind, tr(label), tr(hint)] for kind, (label, hint) in KINDS.items()]
    return {"title": tr("exports.title"), "hint": tr("exports.hint"), "making": tr("exports.creating"), "kinds": kinds}
