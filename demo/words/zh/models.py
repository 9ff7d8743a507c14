"""Chinese, simplified: the words of demo/captions/models.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "More than {most} models were chosen at once; none was loaded.": "一次最多选择 {most} 个模型；未加载任何模型。",
    "Choose fewer.": "请少选一些。",
    "This page does not offer that timm backbone.": "本页不提供该 timm 骨干网络。",
    "It offers {names}.": "可用的有：{names}。",
    "This page offers no timm backbones.": "本页不提供 timm 骨干网络。",
    "Choose one of the TransXNet variants.": "请选择一个 TransXNet 模型。",
    "{name} has {millions} million parameters, too many for this page.":
        "{name} 有 {millions} 百万个参数，对本页来说太大。",
    "Choose a backbone of up to {millions} million.": "请选择参数不超过 {millions} 百万的骨干网络。",
    "{name} needs more memory than this page has for one model.": "{name} 所需内存超出本页可用于一个模型的内存。",
    "The download has {size} GB; this page keeps {most} GB of downloads.":
        "下载文件为 {size} GB；本页最多保留 {most} GB 的下载。",
    "Choose a smaller model.": "请选择较小的模型。",
    "{name} is still to be downloaded, and other requests wait for downloads already.":
        "{name} 尚未下载，且已有其他请求在等待下载。",
    "Try again in a minute.": "请稍后再试。",
    "Nobody waited for this model any more.": "已没有请求在等待此模型。",
    "Choose it again.": "请重新选择。",
    "Loading {name} failed unexpectedly.": "加载 {name} 时发生意外错误。",
    "Pick another variant.": "请选择另一个模型。",
}  # fmt: skip
