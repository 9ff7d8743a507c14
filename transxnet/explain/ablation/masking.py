"""A region of a photo painted out: its text form, where it lies in a model's view, and what stands there instead.

A mask travels as "ROWSxCOLS:BASE64": the bits of a grid over the whole upright photo, row by row from its top
left, highest bit first, packed as numpy.packbits does. The grid is the photo's, not the view's, so that models
that see it at other sizes and crops lose the same region; a pixel of the view is painted if its center is.

Fills, of the normalized view:

    gray    zeros: the mean color of the model's own normalization
    blur    the image itself under a Gaussian of 5 px of 224 (as faithfulness' baseline): coarse shapes stay visible
    around  smooth colors carried in from what surrounds the region: known pixels are averaged over squares of 2, 4, 8,
            … pixels, and the finest average that knows anything is taken, bilinearly ("push-pull": Gortler et al., "The
            Lumigraph", SIGGRAPH 1996, section 3.4, with equal weights). Gray where nothing is left to carry in.

What the change of an answer must not be read as: every fill is an image that the model was not trained on, and its
edge is an edge. So `elsewhere` moves the same shape to other places: what it does there is what any such hole does.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import OutOfRange, UnknownName, quote
from ...images import ModelInput, crop_to_source
from ..sanity.faithfulness import bare

MOST_CELLS = 256  # of a mask's side: finer than any view here needs
PLACES = 8  # moved copies of the shape
IN_COMMON = 0.25  # most of the shape that a moved copy may share with it
TRIES = 400  # places that are looked at
_MASK = re.compile(r"(\d{1,3})x(\d{1,3}):([A-Za-z0-9+/]*={0,2})")
_AGAIN = "Clear it, and paint again."


def read_mask(text: str) -> np.ndarray:
    """bool (rows, cols). Raises OutOfRange for a text that is no mask, or too fine a one."""
    found = _MASK.fullmatch(text)
    if found is None:
        raise OutOfRange("The painted region could not be read: it is not ROWSxCOLS:BASE64.", remedy=_AGAIN)
    rows, cols = int(found[1]), int(found[2])
    if not (1 <= rows <= MOST_CELLS and 1 <= cols <= MOST_CELLS):
        raise OutOfRange(f"A painted region of {rows} x {cols} cells is not read here.", remedy=f"1 to {MOST_CELLS}.")
    try:
        packed = base64.b64decode(found[3], validate=True)
    except binascii.Error:
        raise OutOfRange("The painted region could not be read: its bits are not base64.", remedy=_AGAIN) from None
    if len(packed) != -(-rows * cols // 8):
        raise OutOfRange(f"The painted region has not the bits of {rows} x {cols} cells.", remedy=_AGAIN)
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=rows * cols).reshape(rows, cols).astype(bool)


def write_mask(grid: np.ndarray) -> str:
    """bool (rows, cols) -> what read_mask reads."""
    packed = np.packbits(np.asarray(grid, bool)).tobytes()
    return f"{grid.shape[0]}x{grid.shape[1]}:{base64.b64encode(packed).decode()}"


def on_view(grid: np.ndarray, model_input: ModelInput) -> np.ndarray:
    """A grid over the photo, bool (rows, cols) -> the view's pixels, bool (H, W)."""
    height, width = model_input.crop.shape[:2]
    x, y = crop_to_source(model_input, np.arange(width), np.arange(height))  # centres of columns and rows
    places = []
    for at, side, cells in zip((y, x), model_input.source_size[::-1], grid.shape, strict=True):
        places.append(np.clip(((at + 0.5) * cells / side).astype(int), 0, cells - 1))
    return np.asarray(grid, bool)[np.ix_(*places)]


def elsewhere(mask: np.ndarray, count: int = PLACES, seed: int = 0) -> np.ndarray:
    """The painted shape, bool (H, W), moved to other places of the view: bool (n, H, W), n at most `count`.

    Neither turned nor cut off at an edge, and at most IN_COMMON of it where it was. Fewer, or none, where there is no
    room. The places are drawn at random, the same for the same mask.
    """
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, *mask.shape), bool)
    shape = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    down, across = mask.shape[0] - shape.shape[0] + 1, mask.shape[1] - shape.shape[1] + 1
    found: list[np.ndarray] = []
    for place in np.random.default_rng(seed).permutation(down * across)[:TRIES]:
        top, left = divmod(int(place), across)
        one = np.zeros_like(mask)
        one[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        if (one & mask).sum() <= IN_COMMON * mask.sum():
            found.append(one)
        if len(found) == count:
            break
    return np.array(found, bool).reshape(-1, *mask.shape)


def painted_out(x: Tensor, masks: Tensor, fill: str) -> Tensor:
    """x (1, 3, H, W) normalized, masks (N, H, W) bool -> (N, 3, H, W): the image outside each mask, the fill inside.

    Raises UnknownName for a fill that is none of FILLS.
    """
    if fill not in FILLS:
        raise UnknownName(f"There is no fill called {quote(fill)}.", remedy=f"Choose one of: {', '.join(FILLS)}.")
    gone = masks[:, None]  # (N, 1, H, W)
    return torch.where(gone, FILLS[fill](x, gone), x)


def _around(x: Tensor, gone: Tensor) -> Tensor:  # (1, 3, H, W), (N, 1, H, W) -> (N, 3, H, W)
    kept = (~gone).to(x.dtype)
    return _carried(x * kept, kept)


def _carried(total: Tensor, kept: Tensor) -> Tensor:
    """total (N, 3, H, W): colors times kept (N, 1, H, W), the share that is known -> colors everywhere."""
    known = total / kept.clamp_min(torch.finfo(kept.dtype).tiny)
    if kept.shape[-2:] == (1, 1) or bool((kept > 0).all()):
        return known  # 0 / tiny is 0, gray: nothing is known
    coarse = _carried(*(F.avg_pool2d(one, 2, ceil_mode=True) for one in (total, kept)))
    wide = F.interpolate(coarse, size=kept.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(kept > 0, known, wide)


FILLS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"gray": lambda x, gone: bare(x, "gray"), "blur": lambda x, gone: bare(x, "blur"), "around": _around}
)
