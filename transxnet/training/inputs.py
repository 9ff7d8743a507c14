"""Model inputs of an evaluation, read by several threads a few batches ahead.

As the official validation reads images (timm 0.6.12, `timm/data/dataset.py` and `transforms_factory.py`): decoded and
converted to RGB as stored. images.decode, which is for uploads, would apply EXIF rotation and reduce large images.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from PIL import Image
from torch import Tensor

from ..errors import ImageError, ImageUnreadable
from ..images import FORMATS, SourceImage, prepare_for
from ..prefetch import map_ahead
from .data import THREADS
from .protocol import Protocol, Task
from .samples import Sample

BATCHES_AHEAD = 2  # read while one passes through the model


@dataclass(frozen=True)
class EvaluationInput:
    """Model input of one image.

    Attributes:
        tensor: (1, 3, S, S); None if the image cannot be used.
        sha256: Of the file's bytes, '' if they cannot be read.
        error: Why there is no tensor.
    """

    tensor: Tensor | None
    sha256: str
    error: str = ""


def read_inputs(task: Task, batches: Iterable[int]) -> Iterator[tuple[int, list[EvaluationInput]]]:
    """Yield (batch, its inputs) in the order of the batches."""
    batches = list(batches)
    samples = (task.samples[i] for batch in batches for i in task.batches[batch])
    with ThreadPoolExecutor(THREADS) as pool:
        read = partial(read_input, protocol=task.protocol)
        inputs = map_ahead(pool, read, samples, ahead=BATCHES_AHEAD * task.protocol.batch_size)
        for batch in batches:
            yield batch, list(islice(inputs, len(task.batches[batch])))


def read_input(sample: Sample, protocol: Protocol) -> EvaluationInput:
    """Read and preprocess one image; errors of the image are returned in the result."""
    sha256 = ""
    try:
        data = sample.read()
        sha256 = hashlib.sha256(data).hexdigest()
        image = decode_as_stored(data, sample.name)
        model_input = prepare_for(image, protocol)
    except (ImageError, MemoryError) as error:  # no memory: a thin strip is resized to a very long one
        return EvaluationInput(None, sha256, str(error) or f"There is not enough memory for {sample.name}.")
    return EvaluationInput(model_input.tensor, sha256)


def decode_as_stored(data: bytes, name: str) -> SourceImage:
    """Decode a file as timm's reader does: converted to RGB, no EXIF rotation, not reduced, of any size.

    Raises:
        ImageUnreadable: The bytes are damaged, or not an image.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return SourceImage(np.array(image.convert("RGB")), sha256="", original_size=image.size)
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise ImageUnreadable(
            f"{name} is damaged or not an image.", remedy="Replace it with an intact copy.", detail=repr(error)
        ) from error
