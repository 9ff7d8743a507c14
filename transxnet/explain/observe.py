"""One traced forward pass: the starting point of every explanation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..backbones.module import Backbone
from ..backbones.spec import BackboneSpec
from ..errors import LensError, OutOfRange, PartMissing, UnknownName, check_index, quote
from ..images import ModelInput
from ..messages import Message
from ..model import TransXNet
from ..module_view import view_of
from ..process_settings import without_tf32
from ..results import Geometry
from ..trace import Edit, Keep, Trace
from ..variants import VariantSpec

FULL_BATCH_SIDE = 384  # pixels
ALL_KINDS = ("stage", "attention", "gates", "kernels", "bias_gates", "biases", "head")
_LACKS = {  # part of a TransXNet -> what a backbone lacks
    "idconv": Message("it generates no kernels"),
    "osra": Message("it has no OSRA to attend with"),
    "head": Message("its head has no map of its own"),
}


@dataclass(frozen=True)
class Observation:
    """One image's forward pass through one model. Tensors are on the model's device.

    With gradients they carry their graph, which is most of a pass's memory: drop the observation once its explanations
    are computed.

    Attributes:
        model: The model.
        model_input: The prepared image.
        x: (1, 3, H, W) float32, the normalized image; a leaf that requires grad if `observe` was called with grad=True.
        logits: (1, classes) float32.
        trace: The recorded tensors.
        modules: Outputs of modules by name, those that `observe` was asked for.
    """

    model: TransXNet | Backbone
    model_input: ModelInput
    x: Tensor
    logits: Tensor
    trace: Trace
    modules: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The name of the model's architecture."""
        return self.model.spec.name

    @property
    def stages(self) -> tuple[int, ...]:
        """The model's stages: 1 to 4, or the last of these for another backbone with fewer."""
        spec = self.model.spec
        return tuple(range(1, len(spec.depths) + 1))[-len(spec.strides) :]

    def geometry(self, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
        """Where a grid lies in this image's model input and upload; arguments as of `grid_geometry`."""
        return grid_geometry(self.model_input, grid, stride, origin)

    def units(self, stage: int) -> Geometry:
        """Where the units of a stage's output lie: pixel origin + stride * i of the model input, by the model's spec.

        The grid is that of the recorded output; if it was not recorded, the size divided by the stride, rounded up,
        as TransXNet's paddings result in.

        Raises:
            OutOfRange: The model has no such stage.
        """
        self.locate(stage)
        spec, i = self.model.spec, self.stages.index(stage)
        stride, origin = spec.strides[i], spec.origins[i]
        records = self.trace.find("stage", stage)
        height, width = records[0].tensor.shape[-2:] if records else (-(-side // stride) for side in self.x.shape[-2:])
        return self.geometry((height, width), stride, origin)

    def layer_name(self, stage: int, block: int | None = None) -> str:
        """A stage's or a block's output in words: "stage 3, block 2"; "stage 3 (layers.2)" of a backbone."""
        return self.model.spec.layer_name(*self.locate(stage, block))

    def locate(self, stage: int, block: int | None = None) -> tuple[int, int]:
        """Validate a layer.

        Args:
            stage: From 1.
            block: From 1; None or 0 is the stage's last.

        Returns:
            (stage, block), both from 1.

        Raises:
            OutOfRange: No model of this kind has such a stage or block.
            PartMissing: This backbone has fewer stages.
        """
        depths = self.model.spec.depths
        stage = check_index(stage, 1, len(depths), "{model} has no stage {index}.", model=self.model_name)
        if stage not in self.stages:
            stages = ", ".join(map(str, self.stages))
            what = Message("{model} has no stage {stage}. Its stages: {stages}.", model=self.model_name, stage=stage,
                           stages=stages)  # fmt: skip
            raise PartMissing(what, remedy="Choose one of them, or another view.")
        depth = depths[stage - 1]
        template = "Stage {stage} of {model} has no block {index}."
        remedy = "Choose {first} to {last}, or 0 for the last."
        return stage, check_index(block or depth, 1, depth, template, remedy, stage=stage, model=self.model_name)

    def require_grad(self) -> None:
        """Raise LensError unless this observation carries gradients."""
        if not self.x.requires_grad:
            raise LensError(
                "This map needs gradients, and the image was looked at without them.",
                remedy="Call observe(..., grad=True).",
            )


@without_tf32()
def observe(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    keep: Iterable[str] | Keep = ALL_KINDS,
    grad: bool = False,
    edits: Mapping[str, Edit] | None = None,
    modules: Iterable[str] = (),
) -> Observation:
    """Run the model once on a prepared image, in float32.

    Args:
        model: In eval mode.
        model_input: The prepared image.
        keep: What to record: kinds, or a predicate of the Tap (see Trace).
        grad: Build the graph, so that explanations can differentiate the logits or any record, with
            torch.autograd.grad and never .backward(): models are shared between threads.
        edits: kind -> function that replaces tensors of this kind (see Trace).
        modules: Names of modules whose outputs are recorded as well, by hooks on a view of the model.

    Returns:
        Logits and recorded tensors.

    Raises:
        LensError: The model is in training mode.
        UnknownName: There is no such module.
        OutOfRange: A module does not run exactly once, or returns no map.
    """
    require_eval(model)
    x = model_input.tensor.to(next(model.parameters()).device, torch.float32, copy=True)
    modules, outputs = tuple(modules), {}
    network = _with_outputs(model, modules, outputs) if modules else model
    with torch.set_grad_enabled(grad), Trace(keep, edits) as trace:
        x.requires_grad_(grad)
        logits = network(x)
    return Observation(model, model_input, x, logits, trace, {name: _map_of(name, outputs[name]) for name in modules})


def _with_outputs(model: nn.Module, names: Iterable[str], outputs: dict[str, list[object]]) -> nn.Module:
    """A view of the model that adds the outputs of these modules to `outputs`; nothing on the model changes."""
    view = view_of(model)
    named = dict(view.named_modules())
    for name in names:
        module = named.get(name, named.get(f"net.{name}"))  # a Backbone's timm model is its `net`
        if module is None:
            raise UnknownName(
                "{model} has no module called {name}.", remedy="Its modules are those of model.named_modules().",
                model=model.spec.name, name=quote(name),
            )  # fmt: skip
        values = outputs.setdefault(name, [])
        module.register_forward_hook(lambda _, args, output, values=values: values.append(output))
    return view


def _map_of(name: str, values: list[object]) -> Tensor:
    """The only output of a module, (1, C, h, w)."""
    (output,) = values if len(values) == 1 else (None,)
    if not isinstance(output, Tensor) or output.ndim != 4 or output[0, 0].numel() < 2 or not output.is_floating_point():
        raise OutOfRange(
            "The module {name} returns no map (1, channels, rows, columns), or does not run once.",
            remedy="Choose another one, such as a block or a norm in it.", name=name,
        )  # fmt: skip
    return output


def grid_geometry(model_input: ModelInput, grid: tuple[int, int], stride: float, origin: float = 0.0) -> Geometry:
    """Where a grid lies in a prepared image.

    Args:
        model_input: The prepared image.
        grid: (rows, columns).
        stride: Pixels of the model input from one value to the next.
        origin: Pixel of the model input of the first value.

    Returns:
        Its geometry.
    """
    return Geometry(
        tuple(grid), stride, model_input.crop.shape[:2], model_input.crop_box, model_input.source_size, origin
    )


def images_per_pass(model_input: ModelInput, most: int) -> int:
    """How many copies of an image pass through the model at once.

    Args:
        model_input: The prepared image.
        most: For images of up to FULL_BATCH_SIDE pixels; larger ones come in smaller batches.

    Returns:
        An even number from 2 to `most`.
    """
    height, width = model_input.tensor.shape[-2:]
    count = min(most, most * FULL_BATCH_SIDE**2 // (height * width))
    return max(2, count - count % 2)


def crop_center(model_input: ModelInput) -> tuple[float, float]:
    """The center of the crop.

    Args:
        model_input: The prepared image.

    Returns:
        (x, y) in pixels of the source image, whose integer coordinates are pixel centers.
    """
    x0, y0, x1, y1 = model_input.crop_box
    return (x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2


def require_part(observation: Observation, part: str) -> None:
    """Refuse a model that lacks a part.

    A TransXNet without IDConv has learned kernels instead, which can be shown: it is not refused.

    Args:
        observation: A pass of the model.
        part: "idconv", "osra" or "head".

    Raises:
        PartMissing: The model lacks it.
    """
    spec = observation.model.spec
    if isinstance(spec, BackboneSpec):
        reason = Message("{name} is no TransXNet: {lacks}.", name=spec.architecture, lacks=_LACKS[part])
    elif part == "osra" and not spec.osra:
        reason = missing_osra(spec)
    else:
        return
    raise PartMissing(reason, remedy="Choose another variant, or another view.")


def missing_osra(spec: VariantSpec) -> Message:
    """Why a variant without OSRA has no attention.

    Args:
        spec: The variant.

    Returns:
        A sentence.
    """
    return Message("{name} has no OSRA, so there is no attention: its IDConv takes all channels.", name=spec.name)


def require_eval(model: nn.Module) -> None:
    """Refuse a model in training mode, whose BatchNorms would use and change batch statistics.

    Args:
        model: The model.

    Raises:
        LensError: The model is in training mode.
    """
    if model.training:
        raise LensError("The model is in training mode.", remedy="Call model.eval() before looking at images.")


def require_classes(model: TransXNet | Backbone) -> None:
    """Refuse a model without a classifier, whose outputs are features.

    Args:
        model: The model.

    Raises:
        PartMissing: It has no classifier.
    """
    if model.num_classes == 0:
        raise PartMissing(
            missing_classifier(model.spec), remedy="Choose a checkpoint with its classifier, or another view."
        )


def missing_classifier(spec: VariantSpec | BackboneSpec) -> Message:
    """Why a model whose outputs are features has no predictions.

    Args:
        spec: The model's.

    Returns:
        A sentence.
    """
    return Message("{name} has no classifier, so there is no class to explain.", name=spec.name)


def check_class_index(model: TransXNet | Backbone, index: int) -> int:
    """Validate a class index.

    Args:
        model: The model.
        index: From 0.

    Returns:
        The index.

    Raises:
        OutOfRange: The model has no such class.
        PartMissing: The model has no classifier.
    """
    require_classes(model)
    return check_index(index, 0, model.num_classes - 1, "{model} has no class {index}.", model=model.spec.name)
