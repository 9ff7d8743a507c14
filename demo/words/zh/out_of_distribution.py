"""Chinese, simplified: the words of demo/captions/out_of_distribution.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "{title} has not learned from images like this one: it is further from its training images, in the model's "
    "own features, than {nearer} of {images} images held out from training. Read its answer and its maps with "
    "care.":
        "{title} 没有学过这样的图片：在模型自己的特征空间中，它与训练图片的距离比 {images} 张留出图片中的 {nearer} "
        "还要远。阅读它的答案和图时请谨慎。",
    "{title} is unsure: {more} of {images} images held out from training got a surer answer.":
        "{title} 没有把握：{images} 张留出图片中有 {more} 得到了更确定的答案。",
}  # fmt: skip
