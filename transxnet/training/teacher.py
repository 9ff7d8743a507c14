"""The model that training distills from: a timm backbone with the student's classes, or a TransXNet.

Student and teacher see the same crops. A batch arrives as the student receives it; `Teacher` undoes the student's
normalization, resizes the batch to its own input size and normalizes it with its own mean and standard deviation. All
three steps are linear, so images that Mixup or CutMix mixed stay mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.spec import is_backbone, parse_backbone
from ..errors import WeightsError, WeightsMismatch
from ..images import IMAGENET_MEAN, IMAGENET_STD
from ..weights.checkpoint import check_fit, open_checkpoint
from ..weights.load import load


class Teacher(nn.Module):
    """A frozen classifier whose logits are distilled. (B, 3, S, S), normalized for the student -> (B, classes) float32.

    Args:
        model: the classifier, (B, 3, s, s) -> (B, classes).
        image_size: side s of its input in pixels; None takes the student's.
        mean, std: what its input is normalized with, three values each, for images in 0 to 1.
        bf16: whether it runs under bfloat16 autocast: three to four times as fast on a CPU that has the instructions;
            its probabilities change by less than 0.01.
    """

    def __init__(
        self,
        model: nn.Module,
        image_size: int | None = None,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
        bf16: bool = False,
    ):
        super().__init__()
        self.model = model.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.image_size = image_size
        self.bf16 = bf16
        # x_student * scale + shift = x_teacher
        scale = torch.tensor(IMAGENET_STD) / torch.tensor(std)
        shift = (torch.tensor(IMAGENET_MEAN) - torch.tensor(mean)) / torch.tensor(std)
        self.register_buffer("scale", scale[:, None, None], persistent=False)  # (3, 1, 1)
        self.register_buffer("shift", shift[:, None, None], persistent=False)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        x = x * self.scale + self.shift  # (B, 3, S, S), the teacher's normalization
        if self.image_size not in (None, x.shape[-1]):
            side = self.image_size
            x = F.interpolate(x, (side, side), mode="bicubic", antialias=True)  # (B, 3, s, s)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return self.model(x).float()


def load_teacher(name: str, file: Path | None, classes: int, device: torch.device) -> Teacher:
    """The teacher that a recipe names.

    Args:
        name: "timm:NAME", or a variant such as "nano".
        file: its weights. Required for a timm backbone, because timm's weights have other classes.
            safetensors metadata may hold `input` (side in pixels), `mean` and `std` (one number or three, separated by
            spaces); otherwise
            timm's configuration of the backbone is used.
        classes: number of classes of the student, which the teacher must have in the same order.
        device: where it runs.

    Raises:
        WeightsError: The file of a timm backbone is missing, or cannot be read.
        WeightsMismatch: The tensors do not fit the backbone with that number of classes.
        UnknownName: There is no such backbone or variant.
    """
    if not is_backbone(name):
        return Teacher(load(name, file, device).model).to(device)
    import timm

    spec, _ = parse_backbone(name)
    if file is None:
        raise WeightsError(
            f"The teacher {name} needs weights for the {classes} classes of the student.",
            remedy="Pass them with --teacher FILE.",
        )
    model = timm.create_model(spec.architecture, num_classes=classes)
    state = open_checkpoint(file).state
    check_fit(model, state, file.name)
    model.load_state_dict(state, strict=True)
    metadata = _metadata(file)
    side, mean, std = (_numbers(metadata, key, file) for key in ("input", "mean", "std"))
    return Teacher(
        model, int(side[0]) if side else spec.image_size, mean or spec.mean, std or spec.std, bf16=True
    ).to(device)  # fmt: skip


def _metadata(file: Path) -> Mapping[str, str]:
    """The text metadata of a safetensors file; {} for other files and for one without."""
    if file.suffix != ".safetensors":
        return {}
    from safetensors import safe_open

    with safe_open(file, framework="pt") as tensors:
        return tensors.metadata() or {}


def _numbers(metadata: Mapping[str, str], key: str, file: Path) -> tuple[float, ...]:
    """Three positive numbers, a single one repeated; () if the metadata lack the key. Raises WeightsMismatch."""
    try:
        numbers = tuple(float(number) for number in metadata.get(key, "").split())
    except ValueError:
        numbers = (0.0,)
    if any(not 0 < number < 10_000 for number in numbers) or len(numbers) not in (0, 1, 3):
        raise WeightsMismatch(
            f"The metadata of {file.name} say {key} = {metadata[key][:40]!r}.",
            remedy="Write one positive number or three, separated by spaces.",
        )
    return numbers * 3 if len(numbers) == 1 else numbers
