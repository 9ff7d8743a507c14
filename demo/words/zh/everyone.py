"""Chinese: the words of demo/captions/everyone.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Skip to the maps": "跳到图谱",
    "Back to the image": "回到图片",
    "Settings": "设置",
    "block {block}": "第 {block} 块",
    "last block": "最后一块",
    "The connection is gone. You can go on looking: hovering, display and numbers work. What you choose now is asked "
    "as soon as the connection is back.": "连接已断开。悬停、显示设置和读数仍可使用。"
    "现在选择的内容会在连接恢复后立即请求。",
    "Connected again.": "已重新连接。",
    "Highest: {where}.": "最高处：{where}。",
    "upper left": "左上",
    "top": "上方",
    "upper right": "右上",
    "left": "左侧",
    "center": "中央",
    "right": "右侧",
    "lower left": "左下",
    "bottom": "下方",
    "lower right": "右下",
}  # fmt: skip
