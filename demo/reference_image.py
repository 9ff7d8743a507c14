"""The reference image, with which Kernels, Compare and Ablation compare the image that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from transxnet.study import StudyOptions

from .columns import Column, gather
from .examples import Example
from .service import StudyService
from .state import PREVIOUS, ViewState, center

COMPARED_ANALYSES = ("attention", "kernels")  # what two images are compared by


@dataclass(frozen=True)
class ReferenceImage:
    """The image that is compared with.

    Attributes:
        key: Under which StudyService keeps it.
        example: Its label, empty for the visitor's previous upload.
    """

    key: str
    example: str = ""


def find_reference(state: ViewState, service: StudyService, examples: Sequence[Example]) -> ReferenceImage:
    """What the state names, else the previous image, else the next example; no example is compared with itself."""
    named = state.reference or state.previous_image
    if named == PREVIOUS and has_previous_upload(state, service):
        return ReferenceImage(state.previous_upload)
    labels = [example.name for example in examples]
    image_index = labels.index(state.image) if state.image in labels and not state.upload else -1
    chosen = labels.index(named) if named in labels else image_index + 1
    example = examples[(chosen + (chosen == image_index)) % len(examples)]
    return ReferenceImage(service.add_example(example.path, example.name), example.name)


def has_previous_upload(state: ViewState, service: StudyService) -> bool:
    """Whether the visitor's previous upload is kept, and is another one than the image looked at."""
    return (
        bool(state.previous_upload) and state.previous_upload != state.upload and service.keeps(state.previous_upload)
    )


def gather_reference(
    service: StudyService,
    state: ViewState,
    image_key: str,
    reference_key: str,
    options: StudyOptions,
    is_current: Callable[[], bool],
) -> Iterator[list[Column]]:
    """As `gather`: the state's models on the reference image, at the corresponding position."""
    size = service.image(image_key).size
    position = corresponding_position(state.position or center(size), size, service.image(reference_key).size)
    options = replace(options, position=position, analyses=COMPARED_ANALYSES)
    return gather(service, reference_key, state.models, options, is_current)


def corresponding_position(
    position: tuple[float, float], size: tuple[int, int], other_size: tuple[int, int]
) -> tuple[float, float]:
    """The position of another image that lies at the same place of the model input.

    A model's crop is a square about the center, its side a fraction of the shorter side: so the distance from the
    center keeps its ratio to that. A position outside the other image is moved to its edge.

    Args:
        position: Column and row in pixels.
        size: (width, height) of the image.
        other_size: (width, height) of the other one.
    """
    ratio = min(other_size) / min(size)
    return tuple(
        min(max((p + 0.5 - side / 2) * ratio + other / 2 - 0.5, 0.0), other - 1.0)
        for p, side, other in zip(position, size, other_size, strict=True)
    )
