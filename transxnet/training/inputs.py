"""What a model is shown of an image in an evaluation, read by several threads a few batches ahead.

As the official validation has it (timm 0.6.12, `timm/data/dataset.py` and `transforms_factory.py`): decoded and brought
to RGB as stored. images.decode, made for visitors, would turn it by EXIF and reduce what is larger than a page needs.
"""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor

from ..errors import ImageError, ImageUnreadable
from ..images import FORMATS, SourceImage, prepare
from .data import THREADS
from .protocol import Protocol, Task
from .samples import Sample

AHEAD = 2  # batches that are read while one passes through the model


@dataclass(frozen=True)
class View:
    """What the model is shown of one image, (1, 3, S, S); None where there is a problem."""

    tensor: Tensor | None
    sha256: str
    problem: str = ""


def views_of(task: Task, numbers: Iterable[int]) -> Iterator[tuple[int, list[View]]]:
    """(batch, its views), in order; a few batches are read ahead of the one in use."""
    batches, waiting = task.batches, deque[tuple[int, list[Future[View]]]]()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in numbers:
            waiting.append((number, [pool.submit(_view, task.samples[i], task.protocol) for i in batches[number]]))
            if len(waiting) > AHEAD:
                number, views = waiting.popleft()
                yield number, [view.result() for view in views]
        for number, views in waiting:
            yield number, [view.result() for view in views]


def _view(sample: Sample, protocol: Protocol) -> View:
    sha256 = ""
    try:
        data = sample.read()
        sha256 = hashlib.sha256(data).hexdigest()
        image = read_as_stored(data, sample.name)
        model_input = prepare(image, image_size=protocol.image_size, crop_pct=protocol.crop_pct)
    except (ImageError, MemoryError) as error:  # no memory: a thin strip is resized to a very long one
        return View(None, sha256, str(error) or f"There is no memory for {sample.name}.")
    return View(model_input.tensor, sha256)


def read_as_stored(data: bytes, name: str) -> SourceImage:
    """A file's bytes -> RGB as timm's reader has it: converted, not turned by EXIF, not reduced. No limits on its size.

    Raises ImageUnreadable.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return SourceImage(np.array(image.convert("RGB")), sha256="", original_size=image.size)
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise ImageUnreadable(
            f"{name} is damaged, or no image.", remedy="Get it again from where it came from.", detail=repr(error)
        ) from error
