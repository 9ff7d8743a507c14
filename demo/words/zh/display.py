"""Chinese, simplified: the words of demo/captions/display.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Display": "显示",
    "Opacity": "不透明度",
    "Colors": "颜色",
    "each map's own": "各图自己的颜色",
    "Scale": "色标",
    "raw": "原始",
    "normalized": "归一化",
    "masked": "遮罩",
    "One scale for all maps of a column: equal colors are equal values":
        "同一列的所有图用同一色标：颜色相同即数值相同",
    "Each map on its own scale, up to its own largest value": "每张图用自己的色标，直到自己的最大值",
    "The photo where a map is above the threshold, dark elsewhere": "图高于阈值处显示照片，其余变暗",
    "More": "更多",
    "Colors of signed maps": "有正负的图的颜色",
    "Gamma": "伽马",
    "Color = share of the scale to this power: below 1 low values show more, above 1 less":
        "颜色 = 在色标中所占比例的这个次方：小于 1 时低值更明显，大于 1 时更不明显",
    "Threshold": "阈值",
    "Nothing is drawn below this share of the scale's largest value; on both sides of zero where it has two":
        "低于色标最大值的这一比例就不画；若有正负，则零的两侧都如此",
    "as the model saw it": "模型所见",
    "Reset": "重置",
    "gray": "灰",
    "blue, white, red": "蓝、白、红",
    "blue, gray, red": "蓝、灰、红",
    "Each map on its own scale: do not compare brightness.": "每张图用自己的色标：请勿比较亮度。",
    "{units}, root scale": "{units}，平方根刻度",
    "least": "最低",
    "most": "最高",
    "gamma {gamma}": "伽马 {gamma}",
    "shown from {value}": "从 {value} 起显示",
    "shown from {share} %": "从 {share} % 起显示",
    "row {row}, column {col}": "第 {row} 行，第 {col} 列",
    "tap in row {row}, column {col}": "第 {row} 行第 {col} 列的抽头",
}  # fmt: skip
