"""Chinese, simplified: the words of demo/captions/kernels.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Generated kernels": "生成的卷积核",
    "point at one to look at it closely, press it to hold it": "指向一个可以细看，点击可以固定",
    "Difference from the static kernel": "与静态卷积核的差异",
    "generated minus uniform gates": "生成的减去门控均匀时的",
    "Gates of the first group": "第一组的门控",
    "Kernels of {title}": "{title} 的卷积核",
    "Differences from the static kernels of {title}": "{title} 与静态卷积核的差异",
    "Gates of the first group of {title}": "{title} 第一组的门控",
    "channel {channel}": "通道 {channel}",
    "{what}: {shown} of {all} channels": "{what}：{all} 个通道中的 {shown} 个",
    "gate entropy {entropy:.3f} of 1 (1: static), {groups} groups": "门控熵 {entropy:.3f}（1 为静态），{groups} 组",
    "Channel {channel} of {title}": "{title} 的通道 {channel}",
    "One kernel, looked at closely": "细看一个卷积核",
    "Press a kernel to hold it here.": "点击一个卷积核，将它固定在这里。",
    "Held. Escape, or a second press, lets it go.": "已固定。按 Escape 或再次点击即可松开。",
    "The kernel made for this image": "为这张图片生成的卷积核",
    "The kernel that every image gets": "每张图片都用的卷积核",
    "Mixed from {groups} learned kernels": "由 {groups} 个学得的卷积核混合而成",
    "This variant generates nothing: the kernel is learned once, and every image gets it. So there are no gates and "
    "no difference; what it lets through, and the arithmetic, are the same.":
        "这个模型不生成任何东西：卷积核只学一次，每张图片都用它。因此没有门控和差异；它让什么通过、算式如何，则同样可"
        "看。",
    "learned {group}": "学得的 {group}",
    "gates {group}": "门控 {group}",
    "static": "静态",
    "difference": "差异",
    "weight": "权重",
    "share": "比例",
    "Point at a square. At each of them the image decides which share of each learned kernel is taken; the shares "
    "add up to 100 %. Equal shares would give the static kernel, whatever the image.":
        "请指向一个方格。在每个方格上，由图片决定各个学得的卷积核取用多少；比例之和为 100 %。比例相等时，无论什么图片"
        "都得到静态卷积核。",
    "{tap}: {terms} = {value}. Equal shares would give {static}.": "{tap}：{terms} = {value}。比例相等时为 {static}。",
    "What it lets through": "它让什么通过",
    "generated": "生成的",
    "learned": "学得的",
    "amplification": "放大倍数",
    "cycles per unit": "每单元周期数",
    "Amplification by frequency, 0 to 0.71 cycles per unit: {lines}":
        "各频率的放大倍数，每单元 0 至 0.71 个周期：{lines}",
    "In the images the middle is an even surface, the edges are changes from one unit to the next. A line is the "
    "mean at one distance from the middle. A bright middle blurs, a dark one finds edges.":
        "图中央是均匀的表面，边缘是逐单元的变化。曲线是与中央等距处的平均。中央亮的使图模糊，中央暗的寻找边缘。",
    "One output number, taken apart": "拆解一个输出数值",
    "Under the crosshair: row {row}, column {column} of {rows} x {columns} units. Move over your image or over "
    "these maps to look at another.":
        "十字准线下：{rows} x {columns} 个单元中的第 {row} 行第 {column} 列。在图片或这些图上移动，可查看其他单元。",
    "Under the pointer: row {row}, column {column} of {rows} x {columns} units.":
        "指针下：{rows} x {columns} 个单元中的第 {row} 行第 {column} 列。",
    "Hatched squares lie beyond the edge and count as 0.": "带斜线的方格在边缘之外，按 0 计。",
    "input": "输入",
    "7 x 7 of it": "其中的 7 x 7",
    "kernel": "卷积核",
    "49 products": "49 个乘积",
    "output": "输出",
    "Point at a square for its numbers.": "指向一个方格可看到它的数值。",
    "Row {row}, column {column}": "第 {row} 行第 {column} 列",
    "Blue below zero, red above. Darkest: input ±{input}, kernel ±{kernel}, products ±{products}, output ±{output}.":
        "蓝色小于零，红色大于零。颜色最深处：输入 ±{input}，卷积核 ±{kernel}，乘积 ±{products}，输出 ±{output}。",
    "sum of the products": "乘积之和",
    "bias, mixed likewise": "偏置，同样混合而成",
    "added up here": "在这里相加的结果",
    "the model computed": "模型计算的结果",
    "apart by": "两者相差",
    "the model adds in 32-bit numbers, in an order of its own": "模型以自己的次序用 32 位数相加",
    "{what}, {channel}: colors from minus {high} to {high}": "{what}，{channel}：颜色从负 {high} 到 {high}",
    "Amplification by frequency, {channel}, {what}: from 0 to {high}":
        "各频率的放大倍数，{channel}，{what}：从 0 到 {high}",
    "{what}, {channel}: shares from 0 to 1": "{what}，{channel}：比例从 0 到 1",
    "{channel}, 49 weights row by row: {numbers}. Arrow keys go from one to the next.":
        "{channel}，49 个权重逐行：{numbers}。用方向键逐个移动。",
}  # fmt: skip
