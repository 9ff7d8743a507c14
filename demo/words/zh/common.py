"""Chinese, simplified: the words of demo/captions/__init__.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "See what a dynamic backbone looks at, and the kernels it makes for your image.":
        "看看一个动态骨干网络在看哪里，以及它为你的图片生成了怎样的卷积核。",
    "Overview": "总览",
    "Attention": "注意力",
    "Kernels": "卷积核",
    "Receptive field": "感受野",
    "Compare": "对比",
    "What if": "如果",
    "Trust": "可信度",
    "Tour": "导览",
    "Four views of one forward pass. Move the crosshair on the image: attention and receptive field follow it. Pick "
    "another answer: Grad-CAM follows that.":
        "一次前向传播的四种视图。在图片上移动十字准线，注意力和感受野随之变化；换一个答案，Grad-CAM 随之变化。",
    "Two or three variants on one photo: what each answers, where their maps differ and by how much, and what "
    "each costs. Or two photos on one model: what it generates anew for each.":
        "一张照片上的两三个模型：各自的答案、图在哪里不同、相差多少、代价几何。或者一个模型上的两张照片：它为每张照片"
        "重新生成了什么。",
    "Move over the image or over a map: at once every variant shows which places its attention, OSRA, mixes into "
    "that place. Click to stay there.":
        "在图片或图上移动指针：每个模型立刻显示它的注意力（OSRA）把哪些位置混入了该处。点击即可停在那里。",
    "The 7 x 7 depthwise kernels that IDConv composed for this very image: {shown} channels of each variant, chosen "
    "to show their variety.":
        "IDConv 专为这张图片合成的 7 x 7 深度卷积核：每个模型选出 {shown} 个通道，以显示其多样性。",
    "Which places of a stage's output raised the chosen answer's score, and which lowered it.":
        "某个阶段的输出中，哪些位置提高了所选答案的得分，哪些位置降低了它。",
    "The pixels on which the unit under the crosshair depends: the gradient of its features with respect to this "
    "image.":
        "十字准线下的单元所依赖的像素：该单元的特征对这张图片的梯度。",
    "Switch parts of the model off, or paint a region of the image out, and see what becomes of the answer.":
        "关闭模型的某些部分，或涂掉图片的一个区域，看看答案会怎样。",
    "Whether to believe the maps: what happens to the answer when their highest pixels go, what happens to a map when "
    "the model forgets what it learned, and how far the maps agree.":
        "这些图是否可信：去掉图中数值最高的像素，答案会怎样；模型忘掉所学之后，图会怎样；各种图之间有多一致。",
    "Each block of TransXNet looks at an image in two ways at once: through kernels made for this very image, and "
    "through attention over all of it. Press a box to open the view that shows it, or take the tour.":
        "TransXNet 的每个模块同时用两种方式看图片：用专为这张图片生成的卷积核，以及覆盖整张图片的注意力。点击方框可打"
        "开对应的视图，也可以跟着导览走。",
    "Attention weights say what was mixed in, not why the answer was given. Grad-CAM says what raised this answer's "
    "score, at the resolution of its layer. All maps are drawn where their units really sit, over the image at its "
    "own sharpness; More > as the model saw it shows the {sizes} pixels it was given. A column has one color "
    "scale, so equal colors are equal values.":
        "注意力权重说明混入了什么，而不说明为什么给出这个答案。Grad-CAM 以所在层的分辨率说明什么提高了这个答案的得分。"
        "所有的图都按单元的真实位置画在原清晰度的图片上；打开“更多 > 模型所见”可以看到模型得到的 {sizes} 像素。同一列"
        "只有一个色标，颜色相同即数值相同。",
    "A share is the softmax over the model's own classes: a model that knows none of what is in the image still "
    "spreads 100 % over what it knows. Maps that agree may be wrong together, and maps that differ need not be worse: "
    "two models may find different evidence for one answer.":
        "占比是在每个模型自己的类别上做的 softmax：即使图片里的东西它一个也不认识，它仍会把 100 % 分给它认识的类别。一"
        "致的图可能一起出错，不同的图也未必更差：两个模型可能为同一个答案找到不同的依据。",
    "Weights of one block and one half of the channels: the other half goes through IDConv, and a residual path goes "
    "round both. A map over keys that have already seen their neighborhood is not a map of causes. Weights are those "
    "after the softmax, to 0.2 % of the largest one a head gives at that place; keys are a map smaller than the "
    "image.":
        "这是一个模块、一半通道的权重：另一半通道经过 IDConv，残差通路则绕过二者。键已经看过自己的邻域，因此这张图不是"
        "原因之图。权重取自 softmax 之后，精确到该处每个头最大权重的 0.2 %；键构成的图比图片小。",
    "The released model's kernels differ by image, channel and tap, and are the same at every position of a "
    "image: texts that call them spatially varying mean the taps. The static kernel is what uniform gates would "
    "give: the mean of the learned kernels.":
        "已发布模型的卷积核因图片、通道和抽头而异，但在同一张图片的所有位置上相同：说它“随空间变化”的文字，指的是抽头"
        "。静态卷积核是门控均匀时的结果，即各个学得卷积核的平均。",
    "A first-order estimate at the resolution of its stage. The raw map is kept: red raised the score, blue lowered "
    "it; nothing is scaled for each image. Early stages see edges and colors, not objects.":
        "这是在所在阶段分辨率上的一阶估计。保留原始的图：红色提高了得分，蓝色降低了得分；不按图片单独缩放。靠前的阶段"
        "看到的是边缘和颜色，而不是物体。",
    "IDConv's gates and the norms' statistics let every pixel touch every unit, so this mixes what is seen with what "
    "modulates. Drawn is each pixel's gradient as a multiple of the image's average; the highest 0.5 % of pixels "
    "share one color. The squares under a map are measured on its raw values.":
        "IDConv 的门控和归一化的统计量使每个像素都能影响每个单元，因此这里混合了被看到的与起调制作用的。图中画的是每个"
        "像素的梯度相对于全图平均的倍数；最高的 0.5 % 像素用同一种颜色。图下的正方形按原始数值测量。",
    "The model was never trained with a part changed. A large change says that the part is used for this image, not "
    "that a model trained without it would be worse by as much; a small one may mean that another part does the same.":
        "模型从未在某一部分被改变的情况下训练过。变化大，说明这张图片用到了那一部分，并不说明不带它训练的模型会差这么"
        "多；变化小，可能是别的部分做了同样的事。",
    "Passing a test is no proof that a map explains; failing one is a reason not to show it to anybody.":
        "通过测试并不证明图能够解释模型；没有通过，就不该把它拿给任何人看。",
    "B at 384": "B,384 px",
    "pico, matched": "pico（对照）",
    "pico, static": "pico（静态卷积）",
    "pico, no OSRA": "pico（无 OSRA）",
    "pico, no STE": "pico（无 STE）",
    "{part} took {seconds:.0f} s on this machine.": "“{part}”在这台机器上用了 {seconds:.0f} 秒。",
    "testing the maps": "正在测试这些图",
    "changing one part after the other": "正在逐一改变各个部分",
    "taking the field apart": "正在拆解感受野",
    "{done} of {total}": "{done} / {total}",
    "{title}: {done} of {total}": "{title}:{done} / {total}",
    "drawing the figures": "正在绘制插图",
    "The figures could not be drawn: something unexpected went wrong here. The server's log has the details.":
        "插图未能画出：这里发生了意外的问题。详情见服务器日志。",
    "Receptive fields beside other backbones": "与其他骨干网络并列的感受野",
    "One map a model, the same unit of this image: absolute gradient over its own mean, colors over six powers of "
    "ten on one scale. The paper's Figure 1 averages many images; this is one.":
        "每个模型一张图，取这张图片的同一单元：绝对梯度除以自身平均值，颜色在同一色标上覆盖六个数量级。论文的图 1 是许"
        "多图片的平均，这里只有一张。",
    "Random weights, as no trained ones are on this machine's disk: {names}. Add one by its name without @untrained "
    "to download them.":
        "这台机器的磁盘上没有训练好的权重，因此使用随机权重：{names}。用不带 @untrained 的名称添加即可下载。",
    "Receptive field maps of {names}, side by side.": "{names} 的感受野图，并排显示。",
    "Models see different crops and sizes of the image. A wide field is not a merit of its own.":
        "各模型看到的裁剪和尺寸不同。感受野宽本身并不是优点。",
    "the answer chosen above": "上面选定的答案",
    "{title} could not explain this image: something unexpected went wrong here.":
        "{title} 未能解释这张图片：这里发生了意外的问题。",
    "Try again, or choose another variant; the server's log has the details.":
        "请重试，或换一个模型；详情见服务器日志。",
    "Weights folder": "权重文件夹",
    "Hugging Face Hub": "Hugging Face Hub",
    "Bundled here": "随附",
    "The author's release": "作者发布的版本",
    "The other variants go on working. Untrained ones show an architecture with random weights.":
        "其他模型仍可继续使用。未训练的模型用随机权重展示架构。",
    "the smallest square about the unit that holds {shares} of the gradient covers {areas} of the image":
        "以该单元为中心、包含 {shares} 梯度的最小正方形，占图片的 {areas}",
    "random weights, not trained": "随机权重，未经训练",
    "working": "正在计算",
    "looking for weights": "正在查找权重",
    "reading the weights": "正在读取权重",
    "downloading {what}": "正在下载 {what}",
    "Nothing has arrived for {seconds} s. Still trying; the other columns go on, and so can you without this one.":
        "已有 {seconds} 秒没有收到数据，仍在尝试。其他列照常进行，你也可以不等这一列。",
    "No answer for {seconds} s. Still trying; the other columns go on, and so can you without this one.":
        "已有 {seconds} 秒没有响应，仍在尝试。其他列照常进行，你也可以不等这一列。",
    "learned, the same for every image": "学得的，对每张图片都一样",
    "Nothing is generated here: every image gets these learned kernels. So there is no difference, and no gates.":
        "这里不生成任何东西：每张图片都用这些学得的卷积核。因此没有差异，也没有门控。",
    "Choose another variant, or another view.": "请换一个模型，或换一个视图。",
    "Only uploaded images can be used: paths and addresses are not opened. Upload the image, then send it again.":
        "只能使用已上传的图片，不会打开任何路径或网址。请先上传图片，再重新发送请求。",
    "This file is not available here, or no longer. Create it again, then download it.":
        "此文件不在这里，或已不再保留。请重新生成后再下载。",
    "There is no room for this file: the server's temporary storage is full.":
        "没有空间存放此文件：服务器的临时存储已满。",
    "Try again in a few minutes.": "请几分钟后重试。",
    "This image is no longer held here. Drop it again, or pick an example.":
        "这里已不再保存这张图片。请重新拖入，或选一个示例。",
}  # fmt: skip
