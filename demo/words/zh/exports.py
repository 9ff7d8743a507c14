"""Chinese, simplified: the words of demo/captions/exports.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Download": "下载",
    "what is shown, with a manifest inside": "所显示的内容，内含清单",
    "The maps at full size, with captions and bars": "原尺寸的图，带说明和色条",
    "The same, its words and bars as vectors, for a paper": "内容相同，文字和色条为矢量，可用于论文",
    "The raw arrays, for numpy.load": "原始数组，供 numpy.load 读取",
    "Report": "报告",
    "One HTML file with figures, numbers and provenance; it needs no network":
        "一个 HTML 文件，含插图、数值和来源；无需网络",
    "Making the file …": "正在生成文件…",
    "The file could not be made: something unexpected went wrong here. Try again, or another format.":
        "文件未能生成：这里发生了意外的问题。请重试，或换一种格式。",
    "The tour has no maps of its own.": "导览本身没有图。",
    "Open one of the other views, then download.": "请打开其他视图，然后下载。",
    "{names}: not there yet, so there is nothing to put into a file.": "{names}：还没有准备好，没有可放入文件的内容。",
    "Download again when the maps are shown.": "等图显示出来后再下载。",
}  # fmt: skip
