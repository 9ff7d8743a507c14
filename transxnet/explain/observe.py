"""One forward pass while a trace listens: what every explanation starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..backbones.module import Backbone
from ..backbones.spec import BackboneSpec
from ..errors import LensError, OutOfRange, PartMissing
from ..images import ModelInput
from ..model import TransXNet
from ..process_settings import without_tf32
from ..results import Geometry
from ..trace import Edit, Keep, Trace
from ..variants import VariantSpec

EVERYTHING = ("stage", "attention", "gates", "kernels", "bias_gates", "biases", "head")
_WITHOUT = {  # what a backbone lacks, by the part that a view is about
    "idconv": "it generates no kernels",
    "osra": "it has no OSRA to attend with",
    "head": "its head has no map of its own",
}


@dataclass(frozen=True)
class Observation:
    """One image seen by one model. Tensors are on the model's device; with grad they carry their graph.

    That graph is most of a pass's memory: drop the observation once its explanations are made.
    """

    model: TransXNet | Backbone
    model_input: ModelInput
    x: Tensor  # (1, 3, H, W), the normalized view; a leaf that requires grad if grad was asked for
    logits: Tensor  # (1, classes)
    trace: Trace

    @property
    def model_name(self) -> str:
        return self.model.spec.name

    def geometry(self, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
        """Where a grid of this stride sits in this image's view and upload."""
        return geometry_of(self.model_input, grid, stride, origin)

    def units(self, stage: int) -> Geometry:
        """Where the units of a stage's output sit: view pixel origin + stride * i, as the model's spec says.

        The grid is the recorded output's; where none was kept, a size divided by the stride, rounded up, as TransXNet's
        paddings make it.
        """
        self.locate(stage)
        spec = self.model.spec
        stride, origin = spec.strides[stage - 1], spec.origins[stage - 1]
        kept = self.trace.find("stage", stage)
        sides = kept[0].tensor.shape[-2:] if kept else (-(-side // stride) for side in self.x.shape[-2:])
        height, width = sides
        return self.geometry((height, width), stride, origin)

    def layer_name(self, stage: int, block: int | None = None) -> str:
        """Caption of a block, or of a stage's last: "stage 3, block 2"; "stage 3 (layers.2)" of a backbone."""
        return self.model.spec.layer_name(*self.locate(stage, block))

    def locate(self, stage: int, block: int | None = None) -> tuple[int, int]:
        """Stage and block as asked for, checked, counting from 1; block None or 0 is the stage's last.

        Raises OutOfRange for a stage or block that the model does not have.
        """
        depths = self.model.spec.depths
        if stage not in range(1, len(depths) + 1):
            raise OutOfRange(f"{self.model_name} has no stage {stage}.", remedy=f"Choose 1 to {len(depths)}.")
        depth = depths[stage - 1]
        if (block or depth) not in range(1, depth + 1):
            raise OutOfRange(
                f"Stage {stage} of {self.model_name} has no block {block}.",
                remedy=f"Choose 1 to {depth}, or 0 for the last.",
            )
        return int(stage), int(block or depth)

    def need_grad(self) -> None:
        """Raises LensError unless this observation was made with gradients."""
        if not self.x.requires_grad:
            raise LensError(
                "This map needs gradients, and the image was looked at without them.",
                remedy="Call observe(..., grad=True).",
            )


@without_tf32()
def observe(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    keep: Iterable[str] | Keep = EVERYTHING,
    grad: bool = False,
    edits: Mapping[str, Edit] | None = None,
) -> Observation:
    """Run the model once on a prepared image, in float32, recording `keep` (kinds or a predicate, see Trace).

    grad: build the graph, so that explanations can differentiate the logits or any record, with
    torch.autograd.grad and never .backward(): models are shared between threads.
    Raises LensError for a model in training mode.
    """
    need_eval(model)
    x = model_input.tensor.to(next(model.parameters()).device, torch.float32, copy=True)
    with torch.set_grad_enabled(grad), Trace(keep, edits) as trace:
        x.requires_grad_(grad)
        logits = model(x)
    return Observation(model, model_input, x, logits, trace)


def geometry_of(model_input: ModelInput, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
    """Where a grid of this stride, its first value at view pixel `origin`, sits in a prepared image."""
    return Geometry(
        tuple(grid), stride, model_input.crop.shape[:2], model_input.crop_box, model_input.source_size, origin
    )


def middle_of(model_input: ModelInput) -> tuple[float, float]:
    """(x, y) of the view's middle in pixels of the upright upload: a pixel's number is the place of its center."""
    x0, y0, x1, y1 = model_input.crop_box
    return (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2


def need_part(observation: Observation, part: str) -> None:
    """Raises PartMissing for a view about "idconv", "osra" or the "head" of a model that does without.

    A TransXNet without IDConv has learned kernels in its place, and they can be shown: that is no reason to raise.
    """
    spec = observation.model.spec
    if isinstance(spec, BackboneSpec):
        what = f"{spec.architecture} is no TransXNet: {_WITHOUT[part]}."
    elif part == "osra" and not spec.osra:
        what = no_osra(spec)
    else:
        return
    raise PartMissing(what, remedy="Choose another variant, or another view.")


def no_osra(spec: VariantSpec) -> str:
    """Why a variant has nothing to show of attention, a sentence."""
    return f"{spec.name} has no OSRA, so there is no attention: its IDConv takes all channels."


def need_eval(model: nn.Module) -> None:
    """Raises LensError for a model in training mode: its BatchNorms would answer by the batch, and learn from it."""
    if model.training:
        raise LensError("The model is in training mode.", remedy="Call model.eval() before looking at images.")


def pick_class(model: TransXNet | Backbone, index: int) -> int:
    """The class index, checked. Raises OutOfRange for one the model does not have."""
    if index not in range(model.num_classes):
        raise OutOfRange(f"{model.spec.name} has no class {index}.", remedy=f"Choose 0 to {model.num_classes - 1}.")
    return int(index)
