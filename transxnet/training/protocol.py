"""Everything that an evaluation depends on: preprocessing, precision, model and images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import torch

from ..errors import DeviceError, OutOfRange
from ..variants import IMAGENET_MEAN, IMAGENET_STD, VariantSpec
from ..weights.checkpoint import state_digest
from ..weights.load import LoadedModel
from .samples import Listing, Sample

HALF_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}  # values of `autocast` besides ''


@dataclass(frozen=True)
class Protocol:
    """How images are preprocessed and predictions are made.

    Attributes:
        image_size: Input size in pixels.
        crop_pct: Input size / resized short side.
        crop_mode: As VariantSpec has it, like the next three.
        interpolation: See there.
        mean: See there.
        std: See there.
        batch_size: Images per forward pass.
        restrict_classes: Whether predictions are restricted to the classes of the images.
        autocast: '' for float32; bf16 or fp16 on CUDA.
    """

    image_size: int
    crop_pct: float
    crop_mode: str = "center"
    interpolation: str = "bicubic"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    batch_size: int = 64
    restrict_classes: bool = False
    autocast: str = ""

    @classmethod
    def of(cls, spec: VariantSpec, image_size: int | None = None, crop_pct: float | None = None, **more: Any) -> Self:
        """The protocol of a model. Arguments that are not None replace its image size and crop."""
        image_size = spec.image_size if image_size is None else image_size
        crop_pct = spec.crop_pct if crop_pct is None else crop_pct
        return cls(image_size, crop_pct, spec.crop_mode, spec.interpolation, spec.mean, spec.std, **more)

    def check(self, device: torch.device) -> None:
        """Check the values.

        Raises:
            OutOfRange: A size or crop is invalid.
            DeviceError: The precision is not available on the device.
        """
        if self.image_size < 1 or not 0 < self.crop_pct <= 1 or self.batch_size < 1:
            raise OutOfRange(
                f"Invalid protocol: image_size={self.image_size}, crop_pct={self.crop_pct:g}, "
                f"batch_size={self.batch_size}.",
                remedy="Use positive sizes, and a crop_pct above 0 and up to 1.",
            )
        if self.autocast and (self.autocast not in HALF_DTYPES or device.type != "cuda"):
            raise DeviceError(
                f"Autocast {self.autocast} is not available on {device}.",
                remedy=f"Use {' or '.join(HALF_DTYPES)} on CUDA.",
            )


@dataclass(frozen=True)
class Task:
    """A model and the images it is evaluated on.

    Attributes:
        loaded: The model.
        protocol: Preprocessing and precision.
        listing: All labeled images, also those of classes that the model does not have.
        samples: The images of the model's classes, in their order.
        labels: Class index of each sample.
    """

    loaded: LoadedModel
    protocol: Protocol
    listing: Listing
    samples: tuple[Sample, ...]
    labels: tuple[int, ...]

    @classmethod
    def of(cls, loaded: LoadedModel, protocol: Protocol, listing: Listing) -> Self:
        """The evaluation of a model on the images of its classes. Raises UnknownName if there are none."""
        protocol.check(loaded.device)
        index = {wnid: i for i, wnid in enumerate(loaded.spec.labels.wnids)}
        samples = tuple(listing.of_classes(index))
        return cls(loaded, protocol, listing, samples, tuple(index[sample.label] for sample in samples))

    @property
    def batches(self) -> list[range]:
        """Indices into `samples` of the images of each forward pass."""
        n, size = len(self.samples), self.protocol.batch_size
        return [range(start, min(start + size, n)) for start in range(0, n, size)]

    def settings(self) -> dict[str, object]:
        """Everything that the outcomes depend on, for evaluation.json. Digests in place of paths."""
        listed = "".join(f"{sample.name}\t{sample.label}\t{sample.size}\n" for sample in self.samples)
        loaded, protocol = self.loaded, self.protocol
        return {
            "model": loaded.name,
            "weights": loaded.provenance.sha256 or state_digest(loaded.model.state_dict()),
            "images": hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest(),
            "number_of_images": len(self.samples),
            "image_size": protocol.image_size,
            "crop_pct": protocol.crop_pct,
            "batch_size": protocol.batch_size,
            "classes": "those of the images" if protocol.restrict_classes else "all",
            "precision": protocol.autocast or "float32",
            "device": loaded.device.type,
        }
