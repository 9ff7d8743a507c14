"""Occlusion of a region of the image: the mask's text form, its position in the model input, and the fill.

A mask travels as "ROWSxCOLS:BASE64": the bits of a grid over the complete upright image, row by row from its top left,
highest bit first, packed as numpy.packbits does. The grid is the image's, not the crop's, so that models with other
crops lose the same region; a pixel of the crop is occluded if its center is.

Fills, of the normalized input:

    gray     zeros: the mean color of the model's own normalization
    blur     the image itself under a Gaussian of 5 px of 224 (as faithfulness' baseline): coarse shapes stay visible
    inpaint  smooth colors from around the region: known pixels are averaged over squares of 2, 4, 8, … pixels, and the
             finest average that has any known pixel is used, bilinearly ("push-pull": Gortler et al., "The Lumigraph",
             SIGGRAPH 1996, section 3.4, with equal weights). Gray where no pixel is known.

Limitations: every fill makes an image unlike those of training, and its border is an edge. `moved_masks` moves the
same shape to other positions as a control: what it does there is the effect of any such hole.
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

from ...errors import OutOfRange, check_name
from ...images import ModelInput
from ...messages import Message
from ..observe import grid_geometry
from ..sanity.faithfulness import baseline_image

MAX_SIDE = 256  # cells of a mask's side: finer than any model input here needs
CONTROLS = 8  # moved copies of the shape
MAX_OVERLAP = 0.25  # share of the shape that a moved copy may have in common with it
TRIES = 400  # positions that are tried
_MASK = re.compile(r"(\d{1,3})x(\d{1,3}):([A-Za-z0-9+/]*={0,2})")


def parse_mask(text: str) -> np.ndarray:
    """Parse a mask's text form.

    Args:
        text: "ROWSxCOLS:BASE64".

    Returns:
        (rows, columns) bool, True where occluded.

    Raises:
        OutOfRange: The text is no mask, or one of more than MAX_SIDE cells on a side.
    """
    match = _MASK.fullmatch(text)
    if match is None:
        raise _unreadable("The painted region could not be read: it is not ROWSxCOLS:BASE64.")
    rows, cols = int(match[1]), int(match[2])
    if not (1 <= rows <= MAX_SIDE and 1 <= cols <= MAX_SIDE):
        raise OutOfRange(
            "A painted region of {rows} x {cols} cells is not read here.", remedy="1 to {limit}.", rows=rows,
            cols=cols, limit=MAX_SIDE,
        )  # fmt: skip
    try:
        packed = base64.b64decode(match[3], validate=True)
    except binascii.Error:
        raise _unreadable("The painted region could not be read: its bits are not base64.") from None
    if len(packed) != -(-rows * cols // 8):
        template = "The painted region has not the bits of {rows} x {cols} cells."
        raise _unreadable(Message(template, rows=rows, cols=cols))
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=rows * cols).reshape(rows, cols).astype(bool)


def _unreadable(reason: str) -> OutOfRange:
    return OutOfRange(reason, remedy="Clear it, and paint again.")


def mask_on_crop(grid: np.ndarray, model_input: ModelInput) -> np.ndarray:
    """Sample a mask at the pixels of the model input.

    Args:
        grid: (rows, columns) bool, over the complete image.
        model_input: The prepared image.

    Returns:
        (H, W) bool.
    """
    height, width = model_input.crop.shape[:2]
    pixels = grid_geometry(model_input, (height, width), 1.0)
    x, y = pixels.to_source(np.arange(width), np.arange(height))  # centers of columns and rows
    indices = [
        np.clip(((centers + 0.5) * cells / side).astype(int), 0, cells - 1)
        for centers, side, cells in zip((y, x), model_input.source_size[::-1], grid.shape, strict=True)
    ]
    return np.asarray(grid, bool)[np.ix_(*indices)]


def moved_masks(mask: np.ndarray, count: int = CONTROLS, seed: int = 0) -> np.ndarray:
    """Move the occluded shape to other positions of the model input.

    It is neither turned nor cut off at an edge, and at most MAX_OVERLAP of it is where it was.

    Args:
        mask: (H, W) bool.
        count: Number of copies.
        seed: Of the random positions.

    Returns:
        (n, H, W) bool; n is at most `count`, less where there is no room.
    """
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, *mask.shape), bool)
    shape = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    down, across = mask.shape[0] - shape.shape[0] + 1, mask.shape[1] - shape.shape[1] + 1
    copies: list[np.ndarray] = []
    for corner in np.random.default_rng(seed).permutation(down * across)[:TRIES]:
        top, left = divmod(int(corner), across)
        copy = np.zeros_like(mask)
        copy[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
        if (copy & mask).sum() <= MAX_OVERLAP * mask.sum():
            copies.append(copy)
        if len(copies) == count:
            break
    return np.array(copies, bool).reshape(-1, *mask.shape)


def occlude(x: Tensor, masks: Tensor, fill: str) -> Tensor:
    """Fill the masked pixels of an image.

    Args:
        x: (1, 3, H, W) float32, normalized.
        masks: (N, H, W) bool.
        fill: One of FILLS.

    Returns:
        (N, 3, H, W): the image outside each mask, the fill inside.

    Raises:
        UnknownName: There is no such fill.
    """
    check_name(fill, FILLS, "There is no fill called {name}.")
    masks = masks[:, None]  # (N, 1, H, W)
    return torch.where(masks, FILLS[fill](x, masks), x)


def _inpaint(x: Tensor, masks: Tensor) -> Tensor:  # (1, 3, H, W), (N, 1, H, W) -> (N, 3, H, W)
    weights = (~masks).to(x.dtype)
    return _push_pull(x * weights, weights)


def _push_pull(total: Tensor, weights: Tensor) -> Tensor:
    """Colors everywhere from `total` (N, 3, H, W), colors times `weights` (N, 1, H, W), the share that is known."""
    mean = total / weights.clamp_min(torch.finfo(weights.dtype).tiny)
    if weights.shape[-2:] == (1, 1) or bool((weights > 0).all()):
        return mean  # 0 / tiny is 0, gray: nothing is known
    coarse = _push_pull(*(F.avg_pool2d(values, 2, ceil_mode=True) for values in (total, weights)))
    fine = F.interpolate(coarse, size=weights.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(weights > 0, mean, fine)


FILLS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "gray": lambda x, _: baseline_image(x, "gray"),
        "blur": lambda x, _: baseline_image(x, "blur"),
        "inpaint": _inpaint,
    }
)
