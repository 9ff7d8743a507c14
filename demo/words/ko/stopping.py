"""Korean: the words of demo/captions/stopping.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Stop": "중지",
    "Stopped, as you asked: nothing of this is computed any more.": "요청대로 중지했습니다. 더 이상 계산하지 않습니다.",
    "Start again": "다시 시작",
}  # fmt: skip
