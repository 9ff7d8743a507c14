"""The description of a timm backbone from its name alone: BackboneSpec, and `spec_of` for names of either kind.

    spec_of("timm:resnet50")                  # timm's default weights for it
    spec_of("timm:resnet50.gluon_in1k")       # those of that tag
    spec_of("timm:resnet50@untrained")        # random weights, seeded
    spec_of("pico@untrained")                 # a VariantSpec, as variants.parse_variant gives it

Everything comes from timm's registry (its pretrained_cfg); no model is built. What requires a model, the layers of its
stages and the positions of their units, is added when it is loaded (module.py).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import LensError, UnknownName, quote
from ..labels import NUMBERED, LabelSet, label_set
from ..messages import Message
from ..registry import find_model, registered_names
from ..variants import SOFTMAX, UNTRAINED, Published, VariantSpec, parse_variant

PREFIX = "timm:"
STAGES = 4  # of a backbone, at most
_EXAMPLES = f"Choose one such as {PREFIX}resnet50, {PREFIX}convnext_tiny or {PREFIX}swin_tiny_patch4_window7_224."
_OURS = "transxnet_"  # this project's entry points in timm's registry


@dataclass(frozen=True)
class BackboneSpec:
    """A timm backbone and the preprocessing of its images. Fields that VariantSpec also has mean the same.

    strides, origins, layers: one entry per stage, empty until the model is loaded. The last one is always stage 4; a
    model with fewer than four lacks the first ones. The unit [r, c] of stage s is centered on the pixel
    (origins[s] + strides[s] * c, origins[s] + strides[s] * r) of the model input. layers: the names of timm's modules.
    """

    name: str  # as users type it: "timm:resnet50", "timm:resnet50.a1_in1k"
    architecture: str  # timm's own name, "resnet50"
    tag: str  # of the weights, "a1_in1k"; '' if timm has none
    num_classes: int  # 0: no classifier, the outputs are features
    image_size: int  # side of the model input in pixels
    crop_pct: float
    crop_mode: str  # "center" or "squash", see images.prepare
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    label_set: str
    own_labels: LabelSet | None = None
    hub_id: str = ""  # timm's repository, '' if there is none
    fixed_size: bool = False  # built for images of one size
    strides: tuple[int, ...] = ()
    origins: tuple[float, ...] = ()
    layers: tuple[str, ...] = ()
    remark: str = ""  # about the layers, a phrase
    depths: tuple[int, ...] = (1,) * STAGES  # only a stage's output is used
    heads: tuple[int, ...] = (0,) * STAGES
    idconv: bool = False
    osra: bool = False
    ste: bool = False
    activation: str = SOFTMAX
    official_file: str = ""
    about: str = ""
    paper: Published | None = None

    @property
    def labels(self) -> LabelSet:
        """The classes."""
        return self.own_labels or label_set(self.label_set)

    @property
    def short(self) -> str:
        """The name as users type it."""
        return self.name

    def layer_name(self, stage: int, block: int = 1) -> str:
        """Caption of a stage with timm's name of the layer: "stage 3 (layers.2)"."""
        if not self.layers:
            return Message("stage {stage}", stage=stage)
        template = "stage {stage} ({layer}; {remark})" if self.remark and stage == STAGES else "stage {stage} ({layer})"
        return Message(template, stage=stage, layer=self.layers[stage - 1 - STAGES], remark=self.remark)


def is_backbone(name: str) -> bool:
    """Whether a name is one of timm's."""
    return name.strip().lower().startswith(PREFIX)


def spec_of(name: str) -> tuple[VariantSpec | BackboneSpec, bool]:
    """Parse the name of a variant, a registered model or a backbone. Nothing is built or downloaded.

    Args:
        name: Such as "pico", "t@untrained" or "timm:resnet50".

    Returns:
        The spec, and whether random weights are requested.

    Raises:
        UnknownName: No such name; the remedy contains similar ones.
        LensError: A backbone that cannot be explained.
    """
    if is_backbone(name):
        return parse_backbone(name)
    base, _, suffix = name.strip().partition("@")
    untrained = suffix.strip().lower() == UNTRAINED
    registered = find_model(base if untrained else name)
    return (registered.spec, untrained) if registered else parse_variant(name, registered_names())


def displayed_name(name: str) -> str:
    """The name of a variant, registered model or backbone as users type it; UnknownName for others."""
    spec, untrained = spec_of(name)
    return f"{spec.short}@{UNTRAINED}" if untrained else spec.short


def parse_backbone(name: str) -> tuple[BackboneSpec, bool]:
    """`spec_of` for a name that begins with "timm:"."""
    timm_name, at, suffix = name.strip()[len(PREFIX) :].strip().partition("@")
    untrained = bool(at) and suffix.strip().lower() == UNTRAINED
    if at and not untrained:
        raise UnknownName(
            Message("{name} is not a valid name of a backbone.", name=quote(name.strip())),
            remedy=Message("Write {name}, {name}.TAG or {name}@untrained.", name=f"{PREFIX}{timm_name}"),
        )
    return find_backbone(timm_name.strip()), untrained


@cache
def find_backbone(name: str) -> BackboneSpec:
    """The spec for timm's name of a backbone, with or without a tag: "resnet50", "resnet50.a1_in1k"."""
    import timm

    architecture, _, tag = name.partition(".")
    if f"{architecture}_".startswith(_OURS):
        raise UnknownName(
            Message("{name} is a model of this project.", name=architecture[:60]),
            remedy=Message("Name {name} alone.", name=architecture.removeprefix(_OURS)),
        )
    if not timm.is_model(architecture):
        raise _unknown(name, architecture, [n for n in timm.list_models() if not n.startswith(_OURS)])
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError as error:  # raised by timm for an unknown tag
        raise _unknown(name, name, timm.list_pretrained(f"{architecture}.*")) from error
    return backbone_spec(name, architecture, tag, {} if config is None else config.to_dict())


def backbone_spec(name: str, architecture: str, tag: str, config: Mapping[str, Any]) -> BackboneSpec:
    """The spec of a backbone with this pretrained_cfg; name: without the prefix."""
    if not config.get("input_size"):  # a name that timm forwards to another one
        raise misfit(f"{PREFIX}{name}", "timm has no configuration of it")
    classes = int(config.get("num_classes") or 0)
    return BackboneSpec(
        PREFIX + name, architecture, tag or config.get("tag") or "", classes, int(config["input_size"][-1]),
        float(config["crop_pct"]), config.get("crop_mode") or "center", config["interpolation"],
        tuple(config["mean"]), tuple(config["std"]),
        label_set="imagenet-1k" if classes == 1000 else f"{NUMBERED}{classes}",
        hub_id=config.get("hf_hub_id") or "", fixed_size=bool(config.get("fixed_input_size")),
        about=f"timm's {architecture}",
    )  # fmt: skip


def misfit(name: str, why: str) -> LensError:
    """The error for a backbone of timm that cannot be explained, with the reason."""
    return LensError("{name} cannot be explained: {why}.", remedy=_EXAMPLES, name=name, why=why)


def _unknown(name: str, query: str, candidates: list[str]) -> UnknownName:
    similar = difflib.get_close_matches(query, candidates, n=4, cutoff=0.5)
    names = ", ".join(PREFIX + candidate for candidate in similar)
    return UnknownName(
        "timm has no backbone called {name}.",
        remedy=Message("Similar names: {names}.", names=names) if similar else _EXAMPLES, name=quote(name),
    )  # fmt: skip
