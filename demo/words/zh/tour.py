"""Chinese, simplified: the words of demo/captions/tour.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Start the tour": "开始导览",
    "Go on with the tour": "继续导览",
    "The steps": "各步骤",
    "{count} steps. Everything can be moved meanwhile, and your image stays.":
        "共 {count} 步。期间一切都可以移动，你的图片会保留。",
    "Guided tour": "导览",
    "Step {step} of {count}": "第 {step} 步，共 {count} 步",
    "Back": "上一步",
    "Next": "下一步",
    "Finish": "完成",
    "Leave the tour": "离开导览",
    "Show me again": "再看一次",
    "What to do": "可以做什么",
    "Source: {source}": "出处：{source}",
    "Why a fixed kernel is not enough": "为什么固定的卷积核不够",
    "Two small models, trained alike: {first} makes its 7 × 7 kernels for each image, {second} learned one set for "
    "all.":
        "两个训练方式相同的小模型：{first} 为每张图片生成自己的 7 × 7 卷积核，{second} 学得一套供所有图片使用。",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median "
    "distance between their kernels.":
        "下方的插图“Do the kernels move from image to image?”并排放置两张照片。请看两者卷积核之间的距离（中位数）"
        "。",
    "Choose another photo at “Compare with”: only {first} follows. {second} meets every image with the same "
    "kernels.":
        "在“对比照片”处换一张照片：只有 {first} 随之变化。{second} 用同样的卷积核面对每张图片。",
    "A usual convolution learns one set of kernels and uses it for all. {first} makes its 7 × 7 kernels anew.":
        "通常的卷积学得一套卷积核，用于所有图片。{first} 则重新生成自己的 7 × 7 卷积核。",
    "Below, “Do the kernels move from image to image?” sets two photos side by side. Read the median "
    "distance between their kernels; for a fixed set it would be zero.":
        "下方的插图“Do the kernels move from image to image?”并排放置两张照片。请看两者卷积核之间的距离（中位数）"
        "；若是固定的一套，距离应为零。",
    "Choose another photo at “Compare with”, and the kernels follow.":
        "在“对比照片”处换一张照片，卷积核就随之变化。",
    "TransXNet, arXiv 2310.19380, section 3 (IDConv). The model without it is this project’s own.":
        "TransXNet，arXiv 2310.19380，第 3 节（IDConv）。不带它的模型是本项目自己的。",
    "What IDConv generates": "IDConv 生成什么",
    "The image, pooled to 7 × 7, decides for every channel and every tap how a few learned kernels are mixed. These "
    "shares are the gates.":
        "图片池化为 7 × 7，由它为每个通道、每个抽头决定如何混合几个学得的卷积核。这些比例就是门控。",
    "“Difference from the static kernel”: red and blue are what this image changed. Even gates would give the "
    "static kernel.":
        "“与静态卷积核的差异”：红色和蓝色是这张图片所改变的。门控均匀时就得到静态卷积核。",
    "Read the gate entropy: at 1 the image chose nothing, near 0 one learned kernel alone. Then choose another "
    "image.":
        "请看门控熵：为 1 时图片什么也没选，接近 0 时只选了一个学得的卷积核。然后换一张图片。",
    "All positions of an image share its kernels.": "同一张图片的所有位置共用它的卷积核。",
    "arXiv 2310.19380, section 3 (IDConv)": "arXiv 2310.19380，第 3 节（IDConv）",
    "Where OSRA looks": "OSRA 看哪里",
    "The other half of the channels asks the whole image at once. Move over the photo: the map shows what the "
    "unit under the pointer mixes in.":
        "另一半通道一次询问整张图片。在照片上移动：图中显示指针下的单元混入了什么。",
    "“All heads”: under each stands its entropy. 0 is a look at one key only, 1 at all alike.":
        "“所有头”：每个下方是它的熵。0 表示只看一个键，1 表示同等看所有键。",
    "“All stages”: from stage 1 to stage 4 the unit grows coarser, but the keys it asks stay as many.":
        "“所有阶段”：从阶段 1 到阶段 4，单元越来越粗，但它询问的键数不变。",
    "arXiv 2310.19380, section 3 (OSRA)": "arXiv 2310.19380，第 3 节（OSRA）",
    "How D-Mixer joins them": "D-Mixer 如何把它们合起来",
    "In every block half of the channels goes through IDConv and half through OSRA; STE joins the two.":
        "在每个模块中，一半通道经过 IDConv，一半经过 OSRA；STE 把二者合起来。",
    "Switch “IDConv’s half” off, and read how far the answer’s logit moves. Then on again, and “OSRA’s half” off.":
        "关闭“IDConv 的一半”，看看答案的 logit 移动了多少。然后重新打开，再关闭“OSRA 的一半”。",
    "Use is not size: “The two halves of D-Mixer”, a figure of Attention, measures how much each half puts in.":
        "有用与否不在大小：注意力视图中的插图“The two halves of D-Mixer”测量每一半加入了多少。",
    "arXiv 2310.19380, section 3 (D-Mixer and STE). Silencing halves is this project’s.":
        "arXiv 2310.19380，第 3 节（D-Mixer 与 STE）。让一半静默是本项目的做法。",
    "What the receptive field shows": "感受野显示什么",
    "These are the pixels on which the unit under the crosshair depends. The words under the map say how much of the "
    "image the smallest square covers that holds half of the gradient.":
        "这些是十字准线下的单元所依赖的像素。图下的文字说明，包含一半梯度的最小正方形占图片的多少。",
    "Look from stage 1, then from stage 3 again, and compare the two.": "先从阶段 1 看，再从阶段 3 看，对比两者。",
    "Below, “Receptive field, taken apart” holds generated kernels, attention weights and norms still, one after the "
    "other: what goes away with them came through what the whole image had set.":
        "下方的插图“Receptive field, taken apart”依次固定生成的卷积核、注意力权重和归一化：随之消失的，就是经由整张图"
        "片所设定的内容而来的。",
    "arXiv 2310.19380, figure 1, averages many images; this is one. Taking it apart is this project’s.":
        "arXiv 2310.19380 的图 1 是许多图片的平均，这里只有一张。拆解是本项目的做法。",
    "How far to trust it": "可以信任到什么程度",
    "A map is a claim. The tests below take pixels away in a map’s order, and give the model random weights: a map "
    "that stays the same then does not explain the model.":
        "一张图是一种主张。下面的测试按图的次序去掉像素，并给模型换上随机权重：若图仍然不变，它就没有解释模型。",
    "They take a while. Read the table first: for each map a word on the model and a word on the answer.":
        "这需要一些时间。请先看表格：每种图都有一句关于模型的话和一句关于答案的话。",
    "Then go on: your own image, a larger variant beside {first}, or “pico, untrained”, whose maps look lively too.":
        "然后继续：用你自己的图片，在 {first} 旁加一个更大的模型，或加上“pico（未训练）”，它的图看起来同样生动。",
    "arXiv 1806.07421, section 4.1 (RISE); arXiv 1810.03292, section 3.1 (Adebayo et al.)":
        "arXiv 1806.07421，第 4.1 节（RISE）；arXiv 1810.03292，第 3.1 节（Adebayo 等）",
}  # fmt: skip
