"""Korean: the words of demo/captions/everyone.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Skip to the maps": "맵으로 건너뛰기",
    "Back to the image": "사진으로 돌아가기",
    "Settings": "설정",
    "block {block}": "블록 {block}",
    "last block": "마지막 블록",
    "The connection is gone. You can go on looking: hovering, display and numbers work. What you choose now is asked "
    "as soon as the connection is back.": "연결이 끊겼습니다. 포인터로 살펴보기, 표시 설정, 수치 읽기는 그대로 됩니다. "
    "지금 선택한 것은 연결이 돌아오는 대로 요청합니다.",
    "Connected again.": "다시 연결되었습니다.",
    "Highest: {where}.": "가장 높은 곳: {where}.",
    "upper left": "왼쪽 위",
    "top": "위쪽",
    "upper right": "오른쪽 위",
    "left": "왼쪽",
    "center": "가운데",
    "right": "오른쪽",
    "lower left": "왼쪽 아래",
    "bottom": "아래쪽",
    "lower right": "오른쪽 아래",
}  # fmt: skip
