"""The variants of the architecture as data: VariantSpec and VARIANTS.

Numbers of T, S and B: TransXNet (arXiv 2310.19380; TNNLS 2025), table 1, and the official configurations. Accuracies
and MACs in `paper` are those that the paper reports. pico and nano are this project's, small enough to be bundled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from .errors import UnknownName, quote
from .labels import LabelSet, label_set
from .messages import Message

UNTRAINED = "untrained"  # as in "pico@untrained": the architecture with random weights
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
SOFTMAX, SIGMOID = "softmax", "sigmoid"
ACTIVATIONS = (SOFTMAX, SIGMOID)
INTERPOLATIONS = ("bicubic", "bilinear", "nearest", "lanczos", "box", "hamming")  # timm's names
CROP_MODES = ("center", "squash")


@dataclass(frozen=True)
class Published:
    """Reported in the paper: ImageNet-1K and ImageNet-V2 top-1 in percent, GMACs, parameters in millions."""

    top1: float
    v2_top1: float
    gmacs: float
    params_m: float


@dataclass(frozen=True)
class VariantSpec:
    """An architecture, its classes and the preprocessing of its images. Tuples have one entry per stage.

    A model of the user's own (weights/own_models.py) has a spec that is not in VARIANTS, made from its checkpoint.
    """

    name: str
    depths: tuple[int, int, int, int]
    dims: tuple[int, int, int, int]  # channels C of the stage, half of them for OSRA and half for IDConv
    heads: tuple[int, int, int, int]
    kernel_groups: tuple[int, int, int, int]  # IDConv's G
    mlp_ratios: tuple[int, int, int, int]
    sr_ratios: tuple[int, int, int, int] = (8, 4, 2, 1)  # the stage's side over that of OSRA's key map
    kernel_size: int = 7  # IDConv's K
    layer_scale: float = 1e-5
    idconv: bool = True  # False: a static depthwise convolution of the same size instead
    osra: bool = True  # False: IDConv processes all channels
    ste: bool = True  # False: the two halves are only concatenated
    bias_size: int = 224  # image side in pixels for which relative_pos_enc is stored
    num_classes: int = 1000  # 0: no classifier, the outputs are pooled features
    image_size: int = 224  # side of the model input in pixels
    crop_pct: float = 0.9
    crop_mode: str = "center"  # one of CROP_MODES, see images.prepare
    interpolation: str = "bicubic"  # one of INTERPOLATIONS
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    activation: str = SOFTMAX  # or SIGMOID: what turns logits into probabilities
    label_set: str = "imagenet-1k"  # a name in labels.py, or that of `own_labels`
    own_labels: LabelSet | None = None
    official_file: str = ""  # name of the authors' release file, '' if there is none
    about: str = ""
    paper: Published | None = None
    architecture: str = ""  # of an own model: the variant whose architecture it has, '' for another one

    @property
    def short(self) -> str:
        """The name as users type it: "t" for "transxnet_t"."""
        return self.name.removeprefix("transxnet_")

    @property
    def labels(self) -> LabelSet:
        """The classes."""
        return self.own_labels or label_set(self.label_set)

    @property
    def strides(self) -> tuple[int, int, int, int]:
        """Pixels of the model input between neighboring units, per stage."""
        return (4, 8, 16, 32)

    @property
    def origins(self) -> tuple[float, float, float, float]:
        """The pixel of the model input of each stage's unit 0: 0, as every kernel is odd and padded by half."""
        return (0.0, 0.0, 0.0, 0.0)

    def layer_name(self, stage: int, block: int = 0) -> str:
        """Caption of a block: "stage 3, block 2"; block 0 is the stage's last."""
        return Message("stage {stage}, block {block}", stage=stage, block=block or self.depths[stage - 1])


_T = VariantSpec(
    "transxnet_t", (3, 3, 9, 3), (48, 96, 224, 448), (1, 2, 4, 8), (2, 2, 2, 2), (4, 4, 4, 4),
    official_file="transx-t.pth.tar", about="Tiny, as published",
    paper=Published(top1=81.6, v2_top1=70.7, gmacs=1.8, params_m=12.8),
)  # fmt: skip
_S = VariantSpec(
    "transxnet_s", (4, 4, 12, 4), (64, 128, 320, 512), (1, 2, 5, 8), (2, 2, 3, 4), (6, 6, 4, 4),
    official_file="transx-s.pth.tar", about="Small, as published",
    paper=Published(top1=83.8, v2_top1=73.8, gmacs=4.5, params_m=26.9),
)  # fmt: skip
_B = VariantSpec(
    "transxnet_b", (4, 4, 21, 4), (76, 152, 336, 672), (2, 4, 8, 16), (2, 2, 4, 4), (8, 8, 4, 4),
    crop_pct=0.95, official_file="transx-b.pth.tar", about="Base, as published",
    paper=Published(top1=84.6, v2_top1=75.0, gmacs=8.3, params_m=48.0),
)  # fmt: skip
_B_384 = VariantSpec(
    "transxnet_b_384", (4, 4, 21, 4), (76, 152, 336, 672), (2, 4, 8, 16), (2, 2, 4, 4), (8, 8, 4, 4),
    crop_pct=0.95, image_size=384, bias_size=384, official_file="transx-b-384.pth.tar",
    about="Base, fine-tuned at 384 px, as published",
    paper=Published(top1=85.5, v2_top1=76.1, gmacs=24.2, params_m=48.0),
)  # fmt: skip
_PICO = VariantSpec(
    "transxnet_pico", (2, 2, 4, 2), (32, 64, 128, 224), (1, 2, 4, 7), (2, 2, 2, 2), (3, 3, 3, 3),
    layer_scale=1e-2, num_classes=200, image_size=128, crop_pct=1.0, label_set="tiny-imagenet-200",
    about="this project's smallest, trained on Tiny-ImageNet and bundled",
)  # fmt: skip
_NANO = VariantSpec(
    "transxnet_nano", (2, 2, 6, 2), (40, 80, 176, 320), (1, 2, 4, 8), (2, 2, 2, 2), (3, 3, 3, 3),
    layer_scale=1e-2, num_classes=200, image_size=128, crop_pct=1.0, label_set="tiny-imagenet-200",
    about="this project's second, slightly deeper and wider than pico; no trained weights yet",
)  # fmt: skip

# Four of one size, trained identically (recipe "pico-parts"), to measure the effect of each part.
_MATCHED = replace(
    _PICO,
    name="transxnet_pico_matched",
    image_size=96,
    about="pico with all parts, trained as briefly as the variants without a part",
)
_STATIC = replace(
    _MATCHED, name="transxnet_pico_static", idconv=False, about="pico whose kernels are learned, not generated"
)
_NO_OSRA = replace(
    _MATCHED, name="transxnet_pico_noosra", osra=False, about="pico without attention, IDConv throughout"
)
_NO_STE = replace(_MATCHED, name="transxnet_pico_noste", ste=False, about="pico without the squeezed token enhancer")
SIBLINGS = (_MATCHED, _STATIC, _NO_OSRA, _NO_STE)

VARIANTS: Mapping[str, VariantSpec] = MappingProxyType(
    {spec.name: spec for spec in (_T, _S, _B, _B_384, _PICO, _NANO, *SIBLINGS)}
)


def find_variant(name: str, others: Sequence[str] = ()) -> VariantSpec:
    """The variant called "transxnet_t", "t", "T", "B-384", …

    Args:
        name: Of the variant, in any case.
        others: Names of other models that the remedy lists as well.

    Raises:
        UnknownName: No such variant; the remedy lists all.
    """
    normalized = name.strip().lower().replace("-", "_").replace("@", "_")
    for spec in VARIANTS.values():
        if normalized in (spec.name, spec.short):
            return spec
    names = ", ".join([*others, *(spec.short for spec in VARIANTS.values())])
    raise UnknownName(
        "There is no model called {name}.", remedy="Choose one of: {names} (each also as NAME@untrained).",
        name=quote(name.strip()), names=names,
    )  # fmt: skip


def parse_variant(text: str, others: Sequence[str] = ()) -> tuple[VariantSpec, bool]:
    """Parse a variant's name and, as in "pico@untrained", whether random weights are requested.

    Args:
        text: The name.
        others: As `find_variant` takes it.

    Raises:
        UnknownName: No such variant.
    """
    name, at, suffix = text.strip().partition("@")
    if at and suffix.strip().lower() == UNTRAINED:
        return find_variant(name, others), True
    return find_variant(text, others), False
