"""Chinese, simplified: the words of demo/captions/stopping.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Stop": "停止",
    "Stopped, as you asked: nothing of this is computed any more.": "已按你的要求停止：不再计算任何内容。",
    "Start again": "重新开始",
}  # fmt: skip
