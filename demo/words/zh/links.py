"""Chinese, simplified: the words of demo/captions/links.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Copy link": "复制链接",
    "Copied": "已复制",
    "Copy it from here": "请从这里复制",
    "The address of what you see": "当前所见的网址",
    "Your image is not in the link: whoever opens it starts with the first example, {example}.":
        "你的图片不在链接里：打开链接的人会从第一个示例（{example}）开始。",
    "The second image is yours and not in the link: an example takes its place.":
        "第二张图片是你自己的，不在链接里：由一个示例代替。",
    "Close": "关闭",
    "The link’s {what}, “{value}”, cannot be used here; it was left out.":
        "链接中的{what}“{value}”在这里无法使用，已略去。",
    "The link names its {what} more than once; none was used.": "链接多次给出{what}，一个也没有采用。",
    "The link asks for the variant “{value}”, which nobody knows here; it was left out.":
        "链接要求的模型“{value}”在这里无人知晓，已略去。",
    "The link names more than {most} variants; the first {most} are shown.":
        "链接给出的模型超过 {most} 个，只显示前 {most} 个。",
    "The link’s block {block} is not in stage {stage} of what is compared; the last one is shown.":
        "所对比的模型在第 {stage} 阶段没有链接中的模块 {block}，因此显示最后一个。",
    "The link’s point lacks a coordinate; the middle is shown.": "链接中的点缺少一个坐标，因此显示中央。",
    "The link’s point, {x}, {y}, lies outside the image; the middle is shown.":
        "链接中的点（{x}, {y}）在图片之外，因此显示中央。",
    "image": "图片",
    "variants": "模型",
    "view": "视图",
    "stage": "阶段",
    "block": "模块",
    "Grad-CAM stage": "Grad-CAM 阶段",
    "position": "点",
    "class": "类别",
    "compared map": "对比的图",
    "second image": "第二张图片",
    "step of the tour": "导览步骤",
    "language": "语言",
    "head": "头",
    "direction": "方向",
    "color map": "色图",
    "color map of signed maps": "有正负的图的色图",
    "opacity": "不透明度",
    "gamma": "伽马",
    "threshold": "阈值",
    "way of showing": "显示方式",
    "sharpness": "清晰度",
    "What you painted out is not in the link.": "你涂掉的区域不在链接里。",
    "two photos": "两张照片",
    "parts switched off": "关掉的部分",
}  # fmt: skip
