"""Chinese, simplified: the words of demo/captions/ablation.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Switch parts off": "关闭某些部分",
    "Several at once; each where you say. The places follow the stage and block chosen at the side.":
        "可以同时关闭几项，各自在你指定的位置。位置跟随侧边所选的阶段和模块。",
    "off: gates made uniform, one kernel for every image": "关闭时：门控均匀，所有图片用同一个卷积核",
    "This image’s own kernels": "这张图片自己的卷积核",
    "off: those made for the image under Compare with are used": "关闭时：使用“对比照片”那张图片的卷积核",
    "Attention that chooses": "有选择的注意力",
    "off: made even, every position gets the mean of all": "关闭时：变为均匀，每个位置得到全体的平均",
    "IDConv’s half": "IDConv 的一半",
    "off: zeros in its place": "关闭时：该处为零",
    "OSRA’s half": "OSRA 的一半",
    "STE, which joins the halves": "连接两半的 STE",
    "off: they stay side by side": "关闭时：两半只是并排放置",
    "Heads of OSRA": "OSRA 的头",
    "press the ones to silence": "点击要静默的头",
    "off": "关",
    "on": "开",
    "Head {head}": "头 {head}",
    "Where: {words}": "位置：{words}",
    "everywhere": "所有地方",
    "Paint a region out": "涂掉一个区域",
    "Draw with mouse or finger. By keyboard: arrow keys move the square, Space paints, Z takes the last stroke back.":
        "用鼠标或手指涂画。键盘操作：方向键移动方块，空格涂画，Z 撤回上一笔。",
    "What {title} sees of your image, to paint on. {share} of it is painted out.":
        "{title} 看到的图片部分，可在上面涂画。已涂掉 {share}。",
    "Replaced in the pixels that a model is given: {sizes}.": "替换发生在给模型的像素上：{sizes}。",
    "{size} for {title}": "{title} {size}",
    "Brush": "画笔",
    "small": "小",
    "medium": "中",
    "large": "大",
    "Undo": "撤销",
    "Clear": "清除",
    "Everything on again": "全部重新打开",
    "Filled with": "填充为",
    "blur": "模糊",
    "what is around": "周围的内容",
    "Nothing is changed yet: these are the answers to the image as it is.": "尚未作任何改变：这些是对原图的答案。",
    "{title}: {label} {before} → {after}, logit {logit_before} → {logit_after}":
        "{title}:{label} {before} → {after},logit {logit_before} → {logit_after}",
    "It now answers {label}.": "现在的答案是 {label}。",
    "logit {before} → {after}": "logit {before} → {after}",
    "Answers of {title}: before pale, now full.": "{title} 的答案：之前为浅色，现在为深色。",
    "Painting {share} of its view out changes the logit of {label} by {change}.":
        "涂掉其视野的 {share}，{label} 的 logit 变化 {change}。",
    "The same shape moved elsewhere changes it by {mean} (mean of {n} places, {low} to {high}).":
        "同样的形状移到别处，变化 {mean}（{n} 处的平均，从 {low} 到 {high}）。",
    "The shape is too large to be moved elsewhere for comparison.": "形状太大，无法移到别处作比较。",
    "Nothing of the painted region lies in what {title} sees.": "涂掉的区域不在 {title} 看到的部分里。",
    "What {title} was given, {size} pixels": "{title} 得到的内容，{size} 像素",
    "Not changed here: {why}": "这里没有改变：{why}",
    "All changes, one at a time": "所有改变，一次一项",
    "Every question in every block, alone: {seconds} or longer. It is drawn below.":
        "每个模块的每个问题，逐一进行：需要{seconds}或更久。结果画在下方。",
    "tens of seconds": "数十秒",
}  # fmt: skip
