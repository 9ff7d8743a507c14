"""How each kind of result is drawn and named: one row of MAP_STYLES a view, the same for sheets, files and the page.

A drawing colors *shown* values, which may be the raw ones rectified, in multiples of their mean, or as a density;
`scaling` says which, in words that stand beside every drawing. The raw values stay in the result.

Views differ in size, and what a single pixel has a share of, or brings, is the less the more pixels there are: an even
rollout is 6.1e-5 a pixel at 128 px and 1.1e-4 at 96. Such maps are shown per part of the view, so that they compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..results import AttentionFrom, Explanation, Geometry, KernelSet
from .kernels import fitting, kernel_grid
from .overlay import interpolate, mark, overlay
from .scale import NORMALIZED, PLAIN, Tone, shared_range
from .text import number

Result = AttentionFrom | KernelSet | Explanation


@dataclass(frozen=True)
class MapStyle:
    """One view: its name in a Study, a title, a sentence on what it shows, and how values become colors."""

    name: str
    title: str
    shows: str
    scaling: str  # what the colors stand for
    units: str
    colormap: str
    signed: bool = False
    root: bool = False  # single pixels of a gradient tower over the rest
    clip: float = 1.0  # the range ends where this share of each map's values lies below; 1 is the largest value
    parts: int = 0  # shown is what a pixel would have if the view had so many of them; 0: as it is


PER_MILLE = 1000  # of the view's area: 16 pixels at 128 px


_LOOKS = (
    MapStyle("attention", "Attention", "What OSRA mixed into the marked unit.", "raw weights", "weight", "magma"),
    MapStyle(
        "kernels", "Kernels", "IDConv's, generated for this image; learned ones where a variant generates none.",
        "raw weights", "weight", "RdBu_r", True,
    ),
    MapStyle(
        "grad_cam", "Grad-CAM", "Where the layer's features raised the explained answer.",
        "values above zero (ReLU)", "logit", "inferno",
    ),
    MapStyle(
        "contrast", "One class against another",
        "Where the layer's features raised the first class more than the second (positive) or less (negative).",
        "raw", "logit", "RdBu_r", True,
    ),
    MapStyle(
        "cam_stages", "Grad-CAM of several stages", "Where the stages' features raised the explained answer, together.",
        "values above zero, each stage's over its largest", "share of each stage's largest",
        "inferno",
    ),
    MapStyle(
        "rollout", "Attention rollout (approximation)",
        "Where attention could have carried something from, through all blocks so far.",
        "in multiples of an even map, colors by the square root", "times an even map", "magma", root=True, parts=1,
    ),
    MapStyle(
        "receptive_field", "Receptive field", "Which pixels the marked unit depends on.",
        "absolute gradient over its mean, colors by the square root, the highest 0.5 % of pixels alike",
        "times the mean", "viridis", root=True, clip=0.995,
    ),
    MapStyle(
        "integrated_gradients", "Integrated gradients", "What each pixel adds to the answer on the way from gray.",
        "as a density, logits a thousandth of the view's area, colors by the square root",
        "logit per ‰ of the view", "RdBu_r", True, True, parts=PER_MILLE,
    ),
    MapStyle(
        "smooth_grad", "SmoothGrad", "Which small changes of noisy copies would raise or lower the answer.",
        "as a density, per unit of normalized input and thousandth of the view, colors by the square root",
        "logit per unit of input and ‰ of the view", "RdBu_r", True, True, parts=PER_MILLE,
    ),
    MapStyle(
        "occlusion", "Occlusion", "What the answer loses when a patch turns gray.", "raw", "logit", "RdBu_r", True
    ),
)  # fmt: skip
MAP_STYLES: Mapping[str, MapStyle] = MappingProxyType({look.name: look for look in _LOOKS})

# The one or two numbers to read beside an Explanation, by its method; shares are told as percentages.
PERCENT = ("completeness_error", "from_uniform", "noise", "positive_share", "r50")
WORTH_KNOWING: Mapping[str, str] = MappingProxyType(
    {
        "grad_cam": "logit {logit}, {positive_share} % of the map above zero",
        "contrast": "logits {logit} and {contrast_logit}, {positive_share} % of the map for the first",
        "cam_stages": "logit {logit}, peak {peak}: at 1 all stages would be at their largest in one place",
        "rollout": "{from_uniform} % of it is attention's doing, the rest the architecture's",
        "erf": "half of it within {r50} % of the view",
        "integrated_gradients": "adds up to {sum}, off by {completeness_error} %",
        "smooth_grad": "noise {noise} % of the range; halves of the samples correlate by {halves_correlation}",
        "occlusion": "logit {logit}, largest drop {largest_drop}",
    }
)


def map_style_of(result: Result) -> MapStyle:
    """The row of MAP_STYLES for a result."""
    if isinstance(result, AttentionFrom):
        return MAP_STYLES["attention"]
    if isinstance(result, KernelSet):
        return MAP_STYLES["kernels"]
    return MAP_STYLES["receptive_field" if result.method == "erf" else result.method]


def shown(result: Result, head: int = 0, channels: Sequence[int] | None = None) -> np.ndarray:
    """The values that are colored, on the result's own grid.

    head: of attention, from 1; 0 is the mean of all. channels: of kernels, from 0; None is all.
    """
    if isinstance(result, AttentionFrom):
        return result.head(head)
    if isinstance(result, KernelSet):
        return result.kernels if channels is None else result.kernels[list(channels)]
    if result.method == "grad_cam":
        return np.maximum(result.heatmap, 0)
    if result.method == "erf":
        return result.heatmap / (np.abs(result.heatmap).mean() or 1)  # an empty map stays empty
    return result.heatmap * np.float32(factor(result))


def factor(result: Explanation) -> float:
    """What raw values are multiplied by to be shown, so that models and views of other sizes compare."""
    if result.method == "erf":
        return 1 / (float(np.abs(result.heatmap).mean()) or 1)
    parts = map_style_of(result).parts
    return result.heatmap.size / parts if parts else 1.0


def range_of(
    results: Sequence[Result], head: int = 0, channels: Sequence[Sequence[int] | None] = ()
) -> tuple[float, float]:
    """One range for results of one kind that stand together: low and high of what is shown."""
    look = map_style_of(results[0])
    each = channels or [None] * len(results)
    values = [shown(result, head, some) for result, some in zip(results, each, strict=True)]
    return shared_range([_clipped(v, look.clip) for v in values], look.signed)


def _clipped(values: np.ndarray, share: float) -> np.ndarray:
    finite = values[np.isfinite(values)]
    return np.minimum(finite, np.quantile(finite, share)) if share < 1 and finite.size else values


def draw(
    result: Result,
    photo: np.ndarray,
    value_range: tuple[float, float],
    head: int = 0,
    channels: Sequence[int] | None = None,
    opacity: float = 0.85,
    colormap: str = "",
    tone: Tone = PLAIN,
) -> np.ndarray:
    """The result as an image of the photo's size: uint8 (H, W, 3), RGB.

    photo: uint8 (H, W, 3), what the view covers. A map lies over it, with a ring about the unit it speaks of;
    kernels stand alone as a grid. colormap: '' takes the look's. tone: normalized, it takes the result's own range.
    """
    look = map_style_of(result)
    if tone.mode == NORMALIZED:
        value_range = range_of([result], head, [channels])
    colormap = colormap or look.colormap
    if isinstance(result, KernelSet):
        channels = range(len(result.kernels)) if channels is None else channels
        columns, tap, gap = fitting(len(channels), result.kernels.shape[-1], photo.shape[1])
        return kernel_grid(
            result, channels, value_range, columns=columns, tap=tap, gap=gap, colormap=colormap, tone=tone
        )
    geometry = result.keys if isinstance(result, AttentionFrom) else result.geometry
    heatmap = interpolate(shown(result, head), geometry, photo.shape[:2])
    image = overlay(photo, heatmap, value_range, colormap, opacity, look.signed, look.root, tone)
    unit = unit_of(result)
    return image if unit is None else mark(image, unit, geometry.input_size)


def unit_of(result: Result) -> tuple[float, float] | None:
    """(x, y) in view pixels of the unit the result speaks of; None where it is about the whole image."""
    if isinstance(result, AttentionFrom):
        return result.queries.center(*result.query)
    if isinstance(result, Explanation) and result.method in ("erf", "rollout") and "x" in result.numbers:
        return result.numbers["x"], result.numbers["y"]
    return None


def what(result: Result, head: int = 0) -> str:
    """Layer, head and target, exactly: "stage 3, block 4, mean of 4 heads"."""
    if isinstance(result, Explanation):
        return f"{result.layer}, {result.target}"
    layer = f"stage {result.stage}, block {result.block}"
    if isinstance(result, KernelSet):
        return layer
    count = len(result.heads)
    return f"{layer}, " + (f"head {head} of {count}" if head else f"mean of {count} heads" if count > 1 else "one head")


def worth_knowing(result: Result, head: int = 0) -> str:
    """The one or two numbers to read beside the image."""
    if isinstance(result, AttentionFrom):
        which = slice(head - 1, head) if head else slice(None)
        entropy, distance = result.entropy[which].mean(), result.distance[which].mean()
        return (
            f"peak {number(result.head(head).max())}, entropy {number(entropy)}, {number(distance)} px away on average"
        )
    if isinstance(result, KernelSet):
        if len(result.gates) == 1:  # nothing to mix
            return "learned, the same for every image"
        return f"{number(np.nanmedian(result.static_distance))} from the static kernel (median channel, relative)"
    told = {name: number(100 * v if name in PERCENT else v) for name, v in result.numbers.items()}
    return WORTH_KNOWING[result.method].format(**told)


def geometry_of(result: Result) -> Geometry | None:
    """Where the result's values sit; None for kernels, which sit nowhere."""
    if isinstance(result, KernelSet):
        return None
    return result.keys if isinstance(result, AttentionFrom) else result.geometry
