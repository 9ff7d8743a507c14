"""How images are shown to a model and its answers judged, and which images: all that an evaluation depends on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import torch

from ..errors import DeviceError, OutOfRange
from ..labels import label_set
from ..variants import VariantSpec
from ..weights.checkpoint import state_digest
from ..weights.load import LoadedModel
from .samples import Listing, Sample

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}  # what `autocast` takes besides ''


@dataclass(frozen=True)
class Protocol:
    """How images are shown and answers judged.

    image_size: side of the view, pixels. batch: images that pass together. restrict: answers compete with the classes
    that the images have, not with all. autocast: '' for float32, or bf16 or fp16 on CUDA.
    """

    image_size: int
    crop_pct: float
    batch: int = 64
    restrict: bool = False
    autocast: str = ""

    @classmethod
    def of(cls, spec: VariantSpec, image_size: int | None = None, crop_pct: float | None = None, **more: Any) -> Self:
        """The variant's own size and crop where they are None."""
        size, crop = spec.image_size, spec.crop_pct
        return cls(size if image_size is None else image_size, crop if crop_pct is None else crop_pct, **more)

    def check(self, device: torch.device) -> None:
        """Raises OutOfRange or DeviceError for one that cannot be followed."""
        if self.image_size < 1 or not 0 < self.crop_pct <= 1 or self.batch < 1:
            raise OutOfRange(
                f"image_size={self.image_size}, crop_pct={self.crop_pct:g}, batch={self.batch} is no protocol.",
                remedy="Use a positive size and batch, and a crop_pct above 0 and up to 1.",
            )
        if self.autocast and (self.autocast not in HALVES or device.type != "cuda"):
            raise DeviceError(
                f"Autocast {self.autocast} on {device} is not offered.", remedy=f"Use {' or '.join(HALVES)}, on CUDA."
            )


@dataclass(frozen=True)
class Task:
    """A model, the images it is shown in their order, and the class index of each."""

    loaded: LoadedModel
    protocol: Protocol
    listing: Listing
    samples: tuple[Sample, ...]
    labels: tuple[int, ...]

    @classmethod
    def of(cls, loaded: LoadedModel, protocol: Protocol, listing: Listing) -> Self:
        """The images of classes the model knows. UnknownName where there is none."""
        protocol.check(loaded.device)
        wnids = label_set(loaded.spec.label_set).wnids
        index, samples = {wnid: i for i, wnid in enumerate(wnids)}, tuple(listing.of(wnids))
        return cls(loaded, protocol, listing, samples, tuple(index[sample.wnid] for sample in samples))

    @property
    def batches(self) -> list[range]:
        """The places in `samples` that pass through the model together."""
        n, size = len(self.samples), self.protocol.batch
        return [range(start, min(start + size, n)) for start in range(0, n, size)]

    def settings(self) -> dict[str, object]:
        """All that the outcomes depend on, for evaluation.json. Digests instead of names of places."""
        listed = "".join(f"{sample.name}\t{sample.wnid}\t{sample.size}\n" for sample in self.samples)
        loaded, protocol = self.loaded, self.protocol
        return {
            "model": loaded.name,
            "weights": loaded.provenance.sha256 or state_digest(loaded.model.state_dict()),
            "images": hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest(),
            "number of images": len(self.samples),
            "image size": protocol.image_size,
            "crop_pct": protocol.crop_pct,
            "batch": protocol.batch,
            "answers": "the images' classes" if protocol.restrict else "all classes",
            "precision": protocol.autocast or "float32",
            "device": loaded.device.type,
        }
