"""Chinese, simplified: the words of demo/captions/architecture.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The architecture of {variant}: {blocks} blocks in four stages. Every box is a button.":
        "{variant} 的架构：四个阶段，共 {blocks} 个模块。每个方框都是按钮。",
    "{variant}: {blocks} blocks in four stages, for images of {size} × {size} pixels. Each stage shows the "
    "photo in as many squares as it has positions: what a unit stands for, not what it sees.":
        "{variant}：四个阶段，共 {blocks} 个模块，用于 {size} × {size} 像素的图片。每个阶段把照片画成与其位置数相同的"
        "方格：那是一个单元所代表的地方，不是它所看到的地方。",
    "What you chose is no TransXNet, so this is {variant}.": "所选的不是 TransXNet，因此这里显示 {variant}。",
    "One block of": "展开一个模块：",
    "A block of stage {stage} of {variant}, opened. Every box is a button.":
        "{variant} 第 {stage} 阶段的一个模块，已展开。每个方框都是按钮。",
    "All blocks of a stage are alike. ⊕ adds what went round; × is LayerScale, one learned factor and offset for each "
    "channel. Drop path, in training only, is not drawn.":
        "同一阶段的模块都相同。⊕ 加上绕行的部分；× 是 LayerScale，每个通道学得一个系数和一个偏移。仅在训练中使用的 "
        "drop path 没有画出。",
    "{title}. {lines}. Opens {view}.": "{title}。{lines}。打开“{view}”。",
    "{title}. {lines}. Opens {view} of stage {stage}.": "{title}。{lines}。打开第 {stage} 阶段的“{view}”。",
    "SourceImage": "图片",
    "{size} × {size} pixels": "{size} × {size} 像素",
    "Stem": "主干入口",
    "7 × 7, stride 4": "7 × 7，步幅 4",
    "3 × 3, stride 2": "3 × 3，步幅 2",
    "Stage {stage}": "阶段 {stage}",
    "{grid} × {grid} positions": "{grid} × {grid} 个位置",
    "{dim} channels": "{dim} 个通道",
    "{depth} blocks": "{depth} 个模块",
    "{depth} block": "{depth} 个模块",
    "OSRA: {heads} heads, {keys} × {keys} keys": "OSRA：{heads} 个头，{keys} × {keys} 个键",
    "OSRA: one head, {keys} × {keys} keys": "OSRA：1 个头，{keys} × {keys} 个键",
    "IDConv: {groups} kernels mixed": "IDConv：混合 {groups} 个卷积核",
    "Static convolution, no IDConv": "静态卷积，无 IDConv",
    "No OSRA": "无 OSRA",
    "Head": "头",
    "average": "平均",
    "{classes} classes": "{classes} 个类别",
    "position, by depthwise 7 × 7": "位置信息，7 × 7 深度卷积",
    "one mean, one deviation for the whole image": "整张图片一个均值、一个标准差",
    "{local} + {wide} channels": "{local} + {wide} 个通道",
    "all {local} channels": "全部 {local} 个通道",
    "split": "拆分",
    "{local} channels": "{local} 个通道",
    "image pooled to {kernel} × {kernel}": "图片池化为 {kernel} × {kernel}",
    "softmax gates mix {groups} kernels": "softmax 门控混合 {groups} 个卷积核",
    "depthwise {kernel} × {kernel}": "{kernel} × {kernel} 深度卷积",
    "Static convolution": "静态卷积",
    "depthwise {kernel} × {kernel}, learned": "{kernel} × {kernel} 深度卷积，学得",
    "{wide} channels, {heads_words}": "{wide} 个通道，{heads_words}",
    "keys {sr} times smaller: {keys} × {keys}": "键缩小 {sr} 倍：{keys} × {keys}",
    "keys not reduced: {keys} × {keys}": "键不缩小：{keys} × {keys}",
    "{heads} heads": "{heads} 个头",
    "one head": "1 个头",
    "concat": "拼接",
    "depthwise 3 × 3": "3 × 3 深度卷积",
    "1 × 1 to {inner}, back to {dim}": "1 × 1 到 {inner}，再回到 {dim}",
    "plus what came in": "再加上输入",
    "1 × 1 to {hidden}": "1 × 1 到 {hidden}",
    "depthwise 1, 3, 5, 7": "深度卷积 1、3、5、7",
    "1 × 1 back to {dim}": "1 × 1 回到 {dim}",
}  # fmt: skip
