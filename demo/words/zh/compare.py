"""Chinese, simplified: the words of demo/captions/compare.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The map compared": "要对比的图",
    "Two photos on one model": "一个模型，两张照片",
    "Answers": "答案",
    "shares of each variant's own classes": "在各模型自己类别中的占比",
    "Weights: {where}. {note}": "权重：{where}。{note}",
    "one scale for all variants": "所有模型同一色标",
    "Weights as they are, mean over heads. They sum to 1 over each variant's own keys ({keys}), so fewer keys are "
    "larger weights.":
        "原样的权重，各头的平均。它们在各模型自己的键（{keys}）上总和为 1，因此键越少，权重越大。",
    "Raw logits, nothing is normalized. Two models' logits have no common unit: compare where, and the rank "
    "correlation.":
        "原始 logit，未经归一化。两个模型的 logit 没有共同的单位：请比较位置和秩相关。",
    "The gradient as a multiple of its own mean, colors by the square root: gradients of two models' features have "
    "no common unit.":
        "梯度相对于自身平均的倍数，颜色取平方根：两个模型的特征的梯度没有共同的单位。",
    "{exactly}: {low} to {high}": "{exactly}：{low} 至 {high}",
    "{exactly}: even, every key gets 1/{keys}": "{exactly}：均匀，每个键各得 1/{keys}",
    "{asked}: fewer than two of these variants have it, so this is {shown}.":
        "{asked}：这些模型中拥有此图的不足两个，因此显示{shown}。",
    "No difference beyond rounding:": "除舍入误差外没有差别：",
    "Choose a second variant at “Compare up to three”: then maps, differences and numbers stand beside each other.":
        "再选一个模型，图、差异和数值就会并排显示。",
    "Fewer than two of these variants have this map, so there is nothing to compare. Choose another map or variant.":
        "这些模型中有这种图的不足两个，无从对比。请换一种图或换一个模型。",
    "These maps explain different classes ({answers}), so they are not subtracted. Choose an answer that all variants "
    "know.":
        "这些图解释的是不同的类别（{answers}），因此不相减。请选一个所有模型都认识的答案。",
    "Differences": "差异",
    "second minus first, on what all of them saw": "第二个减第一个，限于大家都看到的部分",
    "{second} minus {first}": "{second} 减 {first}",
    "{map}: {second} minus {first}, on the part of the image that all variants saw":
        "{map}：{second} 减 {first}，限于所有模型都看到的图片部分",
    "mean absolute difference {mean} {units}, from {low} to {high}": "平均绝对差 {mean} {units}，从 {low} 到 {high}",
    "How far the maps agree": "图的一致程度",
    "Pair": "成对",
    "Rank correlation (Spearman)": "秩相关（斯皮尔曼）",
    "Top {share} in common": "前 {share} 的重合",
    "Mean absolute difference": "平均绝对差",
    "Over the pixels that all variants saw. Top {share} in common: of the pixels that one ranks highest, how many the "
    "other ranks highest as well; two random choices have {share}. Coarse maps agree more easily than fine ones.":
        "在所有模型都看到的像素上计算。前 {share} 的重合：一方排名最高的像素中，另一方也排在最高之列的比例；两次随机选"
        "取的结果是 {share}。粗的图比细的图更容易一致。",
    "an even map ranks nothing": "均匀的图排不出名次",
    "{first} and {second}": "{first} 与 {second}",
    "Wipe between two": "滑动对比两者",
    "drag the line, or use the arrow keys": "拖动分界线，或使用方向键",
    "How far the map of {first} reaches from the left, the map of {second} from there on":
        "左起 {first} 的图占多宽，其余是 {second} 的图",
    "{map} over the photo: {first} left of the line, {second} right of it":
        "照片上的{map}：线左是 {first}，线右是 {second}",
    "Which two": "哪两个",
    "What they cost": "它们的代价",
    "one image, without gradients": "一张图片，不计梯度",
    "Parameters": "参数",
    "Multiply-adds": "乘加运算",
    "One pass here": "在这里运行一次",
    "Weights in memory": "权重占用的内存",
    "Activations at their peak": "激活值的峰值",
    "SourceImage it sees": "所见图片",
    "Top-1 accuracy": "Top-1 准确率",
    "{side} x {side} pixels": "{side} x {side} 像素",
    "{ratio} times {first}": "{first} 的 {ratio} 倍",
    "measuring": "正在测量",
    "not measured: something long runs here, or measuring failed; open Compare again to try once more":
        "未测量：这里正在运行耗时的任务，或测量失败；请再次打开“对比”重试",
    "Time: at batch 1, the median of so many passes: {passes}; the variants take turns. Other work on this machine "
    "slows all of them alike: read the ratio, not the milliseconds. Activations are counted, not measured: the most "
    "that the tensors of a pass take at one moment, without what an operator uses inside.":
        "时间：批量为 1，运行 {passes} 次的中位数；各模型轮流运行。这台机器上的其他任务会同样拖慢它们：请看比值，而不"
        "是毫秒数。激活值是计数得到的，不是测量的：一次运行中各张量同时占用的最大量，不含算子内部的用量。",
    "Activations are counted: the most that the tensors of a pass take at one moment.":
        "激活值是计数得到的：一次运行中各张量同时占用的最大量。",
    "on {images} held-out images of Tiny-ImageNet-200 at {side} px, 200 classes. Its model card.":
        "在 Tiny-ImageNet-200 的 {images} 张留出图片上，{side} px，200 个类别。见其模型卡。",
    "on ImageNet-1K, 1000 classes. As published, not measured here.":
        "在 ImageNet-1K 上，1000 个类别。为发表的数值，不是在这里测量的。",
    "on ImageNet-1K, 1000 classes. As timm measured.": "在 ImageNet-1K 上，1000 个类别。为 timm 测量的数值。",
    "None: random weights answer by chance.": "无：随机权重的答案全凭偶然。",
    "Not known here.": "这里不知道。",
    "Accuracy against cost": "准确率与代价",
    "as published, each point with its source": "已发表的数值，每个点都有出处",
    "Numbers": "数值",
    "Cost": "代价",
    "Images": "图片",
    "as authors report": "作者报告的",
    "as timm measured": "timm 测量的",
    "parameters": "参数",
    "GMACs for one image, log scale": "一张图片的 GMACs，对数刻度",
    "million parameters, log scale": "参数（百万），对数刻度",
    "every size": "所有尺寸",
    "top-1 on ImageNet-1K, %": "ImageNet-1K 上的 Top-1，%",
    "convolutional": "卷积",
    "transformer": "Transformer",
    "hybrid": "混合",
    "on this page": "在本页上",
    "Trained on ImageNet-1K alone, as far as the sources say; recipes differ (epochs, augmentation, distillation), so "
    "a point higher is not an architecture better. What authors report and what timm measured are never mixed. "
    "{absent}":
        "就出处所述，均只用 ImageNet-1K 训练；训练方法（轮数、增强、蒸馏）各不相同，所以点更高并不等于架构更好。作者报"
        "告的和 timm 测量的绝不混在一起。{absent}",
    "Not on this chart: {names}. Its accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images.":
        "不在此图上：{names}。其准确率来自 Tiny-ImageNet-200（200 个类别，64 x 64 的图片）。",
    "Not on this chart: {names}. Their accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images.":
        "不在此图上：{names}。它们的准确率来自 Tiny-ImageNet-200（200 个类别，64 x 64 的图片）。",
    "{count} models: accuracy against cost. Arrow keys go from point to point, Enter keeps one.":
        "{count} 个模型：准确率与代价。用方向键在点之间移动，按 Enter 固定一个。",
    "{name}, {family}: {top1} % top-1, {gmacs} GMACs, {params} M parameters, {size} px":
        "{name}，{family}：Top-1 {top1} %，{gmacs} GMACs，{params} M 参数，{size} px",
    "{v2} % on ImageNet-V2": "在 ImageNet-V2 上 {v2} %",
    "Source:": "出处：",
    "The same numbers as a table": "以表格显示同样的数值",
    "Model": "模型",
    "Family": "类型",
    "Pixels": "像素",
    "Parameters (M)": "参数（M）",
    "ImageNet-V2 (%)": "ImageNet-V2(%)",
    "Sources": "出处",
    "The published numbers are not here: assets/published.csv is missing or damaged.":
        "这里没有已发表的数值：assets/published.csv 缺失或损坏。",
    "This photo": "这张照片",
    "your image": "你的图片",
    "The second: {label}": "第二张：{label}",
    "Second minus first": "第二张减第一张",
    "{title}: kernels": "{title}：卷积核",
    "the same {count} channels of both, one scale; the difference on its own":
        "两者相同的 {count} 个通道，同一色标；差异单独一个色标",
    "{title}: gates of the first group": "{title}：第一组的门控",
    "the share each tap takes from learned kernel 1": "每个抽头从学得的卷积核 1 取用的比例",
    "{title}: attention": "{title}：注意力",
    "of the unit at the same place of both views": "两个视野中同一位置的单元",
    "The two photos' kernels are {apart} apart (median channel, in sizes of the static kernel); from the static "
    "kernel they are {first} and {second}. The weights are made anew for each image.":
        "两张照片的卷积核相距 {apart}（通道中位数，以静态卷积核的大小计）；它们与静态卷积核的距离分别为 {first} 和 "
        "{second}。权重是为每张图片重新生成的。",
    "Exactly 0: these kernels are learned and not generated, so every image gets the same. Its attention still "
    "differs, as attention is always computed from the image.":
        "恰好为 0：这些卷积核是学得的，不是生成的，所以每张图片都一样。它的注意力仍然不同，因为注意力总是由图片计算出"
        "来。",
    "With random weights this says how an untrained generator reacts, not what was learned.":
        "使用随机权重时，这只说明未训练的生成器如何反应，而不是学到了什么。",
    "mean absolute difference {gates} over all channels, groups and taps; 0 would be the same mixture":
        "所有通道、组和抽头上的平均绝对差 {gates}；0 表示混合相同",
    "rank correlation {correlation} between the two maps, mean absolute difference {mean}":
        "两张图的秩相关 {correlation}，平均绝对差 {mean}",
    "mean absolute difference {mean}; an even map ranks nothing, so there is no rank correlation":
        "平均绝对差 {mean}；均匀的图排不出名次，因此没有秩相关",
    "The second photo is the same as the first: choose another above.":
        "第二张照片与第一张相同：请在上面另选一张。",
    "{what}, for this photo": "{what}，这张照片",
    "{what}, for the second photo": "{what}，第二张照片",
    "Two photos are two photos: another pair moves the kernels more or less. That kernels differ says that "
    "they depend on the image, not that the answer does; What if measures that, with kernels of another image "
    "lent.":
        "两张照片只是两张照片：换一对，卷积核的变化可能更大或更小。卷积核不同，说明它们取决于图片，不说明答案取决于它"
        "们；“如果”借用另一张图片的卷积核来测量这一点。",
}  # fmt: skip
