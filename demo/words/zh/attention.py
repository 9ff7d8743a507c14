"""Chinese, simplified: the words of demo/captions/attention.py."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "Direction": "方向",
    "mean": "平均",
    "max": "最大",
    "mean of {heads} heads": "{heads} 个头的平均",
    "largest of {heads} heads": "{heads} 个头中的最大",
    "head {head} of {heads}": "{heads} 个头中的第 {head} 个",
    "What it looks at": "它在看哪里",
    "Who looks at it": "谁在看它",
    "what OSRA mixes into the place under the ring; all of it sums to 1": "OSRA 混入圆圈处的内容；总和为 1",
    "how much every place mixes in of the one under the ring; does not sum to 1":
        "每个位置从圆圈处混入了多少；总和不为 1",
    "Square: the unit that answers; ring: the crosshair, dashed while you point somewhere else":
        "方框：作答的单元；圆圈：十字准星（指向别处时为虚线）",
    "{layer}, {which}: peak {peak}, entropy {entropy}, {distance} px away on average":
        "{layer}，{which}：峰值 {peak}，熵 {entropy}，平均距离 {distance} px",
    "{layer}, {which}: peak {peak}, {total} from all places together; {even} if all were used alike":
        "{layer}，{which}：峰值 {peak}，所有位置合计 {total}；若均匀使用则为 {even}",
    "{layer}, {which}: peak {peak}": "{layer}，{which}：峰值 {peak}",
    "stage {stage}, block {block}": "阶段 {stage}，模块 {block}",
    "All heads": "所有头",
    "{grid} keys each, and its entropy: 0 is one key only, 1 all alike. Press one to see it large":
        "各 {grid} 个键，以及熵：0 表示只看一个键，1 表示同等看所有键。点击可放大",
    "{grid} places each, and its peak. Press one to see it large": "各 {grid} 个位置，以及峰值。点击可放大",
    "head {head}": "头 {head}",
    "All stages": "所有阶段",
    "the same place in the last block of every stage, {which}; below each its peak":
        "每个阶段最后一个模块中的同一位置，{which}；下方是各自的峰值",
    "mean of heads": "各头的平均",
    "largest of heads": "各头中的最大",
    "stage {stage}": "阶段 {stage}",
    " or ": " 或 ",
}  # fmt: skip
