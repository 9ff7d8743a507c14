"""Chinese, simplified: the words of demo/captions/library.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "The image": "这张图片",
    "{subject} has more pixels than this page decodes.": "{subject}：像素超出本页可解码的数量。",
    "{subject} is damaged: it could not be decoded to the end.": "{subject}已损坏：无法完整解码。",
    "There is no image.": "没有图片。",
    "Choose or paste one first.": "请先选择或粘贴一张。",
    "{subject} is empty: the file has no bytes.": "{subject}是空的：文件里没有内容。",
    "Send it again.": "请重新发送。",
    "{subject} is a file of more than {size} MB.": "{subject}的文件超过 {size} MB。",
    "{subject} looks like {kind}; JPEG, PNG, WebP, GIF, BMP and AVIF are read here.":
        "{subject}看起来是 {kind}；这里可读取 JPEG、PNG、WebP、GIF、BMP 和 AVIF。",
    "{subject} is damaged, or not a JPEG, PNG, WebP, GIF, BMP or AVIF image.":
        "{subject}已损坏，或者不是 JPEG、PNG、WebP、GIF、BMP 或 AVIF 图片。",
    "{subject} has {width} x {height} pixels, {millions} million; at most {most} million are decoded.":
        "{subject}有 {width} x {height} 像素，即 {millions} 百万；最多解码 {most} 百万。",
    "{subject} is too small: {width} x {height} pixels.": "{subject}太小：{width} x {height} 像素。",
    "Send one with at least {side} pixels on each side.": "请发送每边至少 {side} 像素的图片。",
    "{subject} is too thin: {width} x {height} pixels, more than {times} times as long as wide.":
        "{subject}太细长：{width} x {height} 像素，长边超过短边的 {times} 倍。",
    "Cut out the part you mean and send that.": "请裁出你要看的部分再发送。",
    "Open it in an image viewer, save it as JPEG or PNG, and send that.":
        "请用看图软件打开，另存为 JPEG 或 PNG，再发送该文件。",
    "Make it smaller and send it again.": "请缩小后重新发送。",
    "{subject} stores {width} x {height} pixels in {scans} scans, {millions} million pixels in all; at most {most} "
    "million are decoded.":
        "{subject}以 {scans} 次扫描存储 {width} x {height} 像素，共 {millions} 百万像素；最多解码 {most} 百万。",
    "{subject} contains far more metadata than an image needs.": "{subject}的元数据远远超出图片所需。",
    "{subject} took longer than {seconds} seconds to decode.": "{subject}的解码时间超过 {seconds} 秒。",
    "{subject} could not be decoded: the decoder stopped, or ran out of memory.":
        "{subject}无法解码：解码器已停止，或内存不足。",
    "Too many images are being decoded.": "正在解码的图片太多。",
    "This machine could not start a decoder.": "本机无法启动解码器。",
    "Try again in a few seconds.": "请几秒后再试。",
    "turned upright as its EXIF says": "已按 EXIF 信息摆正",
    "scaled from {before} to {after}": "已从 {before} 缩放为 {after}",
    "first frame of an animation": "动画的第一帧",
    "16-bit gray brought to 8 bits": "16 位灰度已转为 8 位",
    "transparency laid over white": "透明处已垫上白色",
    "timm has no backbone called {name}.": "timm 没有名为 {name} 的骨干网络。",
    "Near it: {names}.": "相近的名称：{names}。",
    "{name} is no name of a backbone.": "{name} 不是骨干网络的名称。",
    "{name} is this project's own.": "{name} 是本项目自己的模型。",
    "Name {name} alone.": "请只写 {name}。",
    "{name} has no OSRA, so there is no attention: its IDConv takes all channels.":
        "{name} 没有 OSRA，因此没有注意力：它的 IDConv 负责所有通道。",
    "{name} is no TransXNet: {lacks}.": "{name} 不是 TransXNet：{lacks}。",
    "it generates no kernels": "它不生成卷积核",
    "it has no OSRA to attend with": "它没有可用来产生注意力的 OSRA",
    "its head has no map of its own": "它的头没有自己的图",
    "No weights for {name}: {why}": "没有 {name} 的权重：{why}",
    "{name} shows the architecture with random weights.": "{name} 用随机权重展示架构。",
    "{name} publishes no weights for {architecture}.": "{name} 没有发布 {architecture} 的权重。",
    "No folder is configured.": "没有配置文件夹。",
    "Pass --weights-dir or set TRANSXNET_WEIGHTS.": "请传入 --weights-dir，或设置 TRANSXNET_WEIGHTS。",
    "No namespace is configured.": "没有配置命名空间。",
    "Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE.": "请传入 --hub-namespace，或设置 TRANSXNET_HUB_NAMESPACE。",
    "No {name} is bundled.": "没有随附 {name}。",
    "Bundled are: {names}.": "随附的有：{names}。",
    "The paper's author released no {name}.": "论文作者没有发布 {name}。",
    "Only T, S, B and B-384 are published.": "只发布了 T、S、B 和 B-384。",
    "stage {stage}, block {block}, mean of {count} heads": "阶段 {stage}，模块 {block}，{count} 个头的平均",
    "stage {stage}, block {block}, largest of {count} heads": "阶段 {stage}，模块 {block}，{count} 个头中的最大",
    "stage {stage}, block {block}, head {head} of {count}": "阶段 {stage}，模块 {block}，{count} 个头中的第 {head} 个",
    "stage {stage}, block {block}, one head": "阶段 {stage}，模块 {block}，1 个头",
    "peak {peak}, entropy {entropy}, {distance} px away on average":
        "峰值 {peak}，熵 {entropy}，平均距离 {distance} px",
    "{apart} from the static kernel (median channel, relative)": "与静态卷积核相距 {apart}（通道中位数，相对值）",
    "What OSRA mixed into the marked unit.": "OSRA 混入所标单元的内容。",
    "raw weights": "原始权重",
    "IDConv's, generated for this image; learned ones where a variant generates none.":
        "IDConv 为这张图片生成的卷积核；不生成的模型则为学得的卷积核。",
    "Where the layer's features raised the explained answer.": "该层的特征在哪里提高了所解释的答案。",
    "values above zero (ReLU)": "大于零的值（ReLU）",
    "logit": "logit",
    "One class against another": "一个类别对另一个类别",
    "Where the layer's features raised the first class more than the second (positive) or less (negative).":
        "该层的特征在哪里对第一个类别的提高多于第二个（正）或少于第二个（负）。",
    "Grad-CAM of several stages": "多个阶段的 Grad-CAM",
    "Where the stages' features raised the explained answer, together.": "各阶段的特征合起来在哪里提高了所解释的答案。",
    "values above zero, each stage's over its largest": "大于零的值，各阶段除以自己的最大值",
    "share of each stage's largest": "占各阶段最大值的比例",
    "Attention rollout (approximation)": "注意力展开（近似）",
    "Where attention could have carried something from, through all blocks so far.":
        "经过至此的所有模块，注意力可能从哪里带来了信息。",
    "in multiples of an even map, colors by the square root": "相对于均匀图的倍数，颜色取平方根",
    "times an even map": "倍（相对均匀图）",
    "Which pixels the marked unit depends on.": "所标单元依赖哪些像素。",
    "absolute gradient over its mean, colors by the square root, the highest 0.5 % of pixels alike":
        "绝对梯度除以平均值，颜色取平方根，最高的 0.5 % 像素颜色相同",
    "times the mean": "倍（相对平均值）",
    "Integrated gradients": "积分梯度",
    "What each pixel adds to the answer on the way from gray.": "从灰色到图片的途中，每个像素为答案增加了什么。",
    "as a density, logits a thousandth of the view's area, colors by the square root":
        "密度：视野面积每千分之一的 logit，颜色取平方根",
    "logit per ‰ of the view": "每 ‰ 视野的 logit",
    "Which small changes of noisy copies would raise or lower the answer.":
        "对带噪声的副本作哪些微小改变会提高或降低答案。",
    "as a density, per unit of normalized input and thousandth of the view, colors by the square root":
        "密度：按归一化输入的单位和视野面积的千分之一计，颜色取平方根",
    "logit per unit of input and ‰ of the view": "每单位输入、每 ‰ 视野的 logit",
    "Occlusion": "遮挡",
    "What the answer loses when a patch turns gray.": "把一小块变成灰色时，答案失去了什么。",
    "logit {logit}, {positive_share} % of the map above zero": "logit {logit}，图的 {positive_share} % 大于零",
    "logits {logit} and {other_logit}, {positive_share} % of the map for the first":
        "logit {logit} 和 {other_logit}，图的 {positive_share} % 支持第一个类别",
    "logit {logit}, peak {peak}: at 1 all stages would be at their largest in one place":
        "logit {logit}，峰值 {peak}：为 1 时，所有阶段在同一处达到最大",
    "{from_uniform} % of it is attention's doing, the rest the architecture's":
        "其中 {from_uniform} % 出自注意力，其余出自架构",
    "half of it within {r50} % of the view": "一半在视野的 {r50} % 之内",
    "adds up to {sum}, off by {completeness_error} %": "合计 {sum}，偏差 {completeness_error} %",
    "noise {noise} % of the range; halves of the samples correlate by {halves_correlation}":
        "噪声为取值范围的 {noise} %；两半样本的相关为 {halves_correlation}",
    "logit {logit}, largest drop {largest_drop}": "logit {logit}，最大降幅 {largest_drop}",
    "random weights, made on the spot": "随机权重，临时生成",
    "in the weights folder": "在权重文件夹中",
    "downloaded from the Hub before": "此前已从 Hub 下载",
    "bundled": "随附",
    "downloaded from the author's release before": "此前已从作者的发布下载",
    "to be downloaded from the Hub": "将从 Hub 下载",
    "to be downloaded from the author's release": "将从作者的发布下载",
    "no source has it": "没有任何来源",
    "Right on {share} % of {images} validation images of Tiny-ImageNet's 200 classes.":
        "在 Tiny-ImageNet 200 个类别的 {images} 张验证图片中答对 {share} %。",
    "Right on {share} % of {images} validation images.": "在 {images} 张验证图片中答对 {share} %。",
    "Its publisher recorded no digest to check against.": "发布者没有留下可供核对的摘要。",
    "bundled, sha256 {digest}": "随附，sha256 {digest}",
    "untrained, sha256 {digest}": "未训练，sha256 {digest}",
    "random weights": "随机权重",
    "every source failed.": "所有来源都失败了。",
    "the source named was tried, and no other.": "只尝试了指定的来源。",
    "{variant} has no class “{words}”, so its own top answer, {top}, is explained.":
        "{variant} 没有类别“{words}”，因此解释它自己的首选答案 {top}。",
    "stage {stage}, block {block}, unit at row {row}, column {column}":
        "阶段 {stage}，模块 {block}，第 {row} 行第 {column} 列的单元",
    "stage {stage}, block {block}, query at row {row}, column {column}":
        "阶段 {stage}，模块 {block}，第 {row} 行第 {column} 列的查询",
    "stage {stage}, block {block}, {label} (class {index}) against {other} (class {number})":
        "阶段 {stage}，模块 {block}，{label}（类别 {index}）对 {other}（类别 {number}）",
    "stage {stage}, block {block}, {label} (class {index})":
        "阶段 {stage}，模块 {block}，{label}（类别 {index}）",
    "stages {stages}, mean, {label} (class {index})":
        "阶段 {stages} 的平均，{label}（类别 {index}）",
}  # fmt: skip
