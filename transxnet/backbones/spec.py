"""What is known of a timm backbone by its name alone: BackboneSpec, and `spec_of` for names of either kind.

    spec_of("timm:resnet50")                  # timm's default weights for it
    spec_of("timm:resnet50.gluon_in1k")       # those of that tag
    spec_of("timm:resnet50@untrained")        # random weights, seeded
    spec_of("pico@untrained")                 # a VariantSpec, as variants.parse_variant gives it

Everything comes from timm's registry (its pretrained_cfg); no model is built. What only a model can tell, where its
stages are and where their units sit, is filled in when it is loaded (module.py).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import LensError, UnknownName, quote
from ..labels import NUMBERED
from ..messages import Message
from ..variants import UNTRAINED, Published, VariantSpec, parse_variant

PREFIX = "timm:"
STAGES = 4  # of a backbone that are looked at
_EXAMPLES = f"Choose one such as {PREFIX}resnet50, {PREFIX}convnext_tiny or {PREFIX}swin_tiny_patch4_window7_224."
_OURS = "transxnet_"  # this project's own entry points in timm's registry


@dataclass(frozen=True)
class BackboneSpec:
    """One timm backbone and how its images are prepared. Where a name is also VariantSpec's it means the same.

    strides, origins, layers: one entry a stage, empty until the model is loaded. A unit [r, c] of stage s is centerd on
    the view's pixel origins[s] + strides[s] * r, and on the same with c. layers: the names of timm's modules.
    """

    name: str  # as people type it: "timm:resnet50", "timm:resnet50.a1_in1k"
    architecture: str  # timm's own name, "resnet50"
    tag: str  # of the weights, "a1_in1k"; '' where timm has none
    num_classes: int
    image_size: int  # the side of the model's view, in pixels
    crop_pct: float
    crop_mode: str  # "center" or "squash", see images.prepare
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    label_set: str
    hub_id: str = ""  # timm's repository, '' where there is none
    fixed_size: bool = False  # built for images of one size
    strides: tuple[int, ...] = ()
    origins: tuple[float, ...] = ()
    layers: tuple[str, ...] = ()
    remark: str = ""  # of the layers, in words
    depths: tuple[int, ...] = (1,) * STAGES  # a stage is one thing here: its output
    heads: tuple[int, ...] = (0,) * STAGES
    idconv: bool = False
    osra: bool = False
    ste: bool = False
    official_file: str = ""
    about: str = ""
    paper: Published | None = None

    @property
    def short(self) -> str:
        """The name people type."""
        return self.name

    def layer_name(self, stage: int, block: int = 1) -> str:
        """Caption of a stage with timm's name of the layer: "stage 3 (layers.2)"."""
        if not self.layers:
            return Message("stage {stage}", stage=stage)
        template = "stage {stage} ({layer}; {remark})" if self.remark and stage == STAGES else "stage {stage} ({layer})"
        return Message(template, stage=stage, layer=self.layers[stage - 1], remark=self.remark)


def is_backbone(name: str) -> bool:
    """Whether a name is meant for timm."""
    return name.strip().lower().startswith(PREFIX)


def spec_of(name: str) -> tuple[VariantSpec | BackboneSpec, bool]:
    """What a person typed -> (its spec, whether random weights are asked for). Nothing is built or downloaded.

    Raises UnknownName with the nearest names, LensError for a backbone that cannot stand beside the others.
    """
    return parse_backbone(name) if is_backbone(name) else parse_variant(name)


def parse_backbone(name: str) -> tuple[BackboneSpec, bool]:
    """`spec_of` for a name that begins with "timm:"."""
    bare, at, suffix = name.strip()[len(PREFIX) :].strip().partition("@")
    untrained = bool(at) and suffix.strip().lower() == UNTRAINED
    if at and not untrained:
        raise UnknownName(
            f"{quote(name.strip())} is no name of a backbone.",
            remedy=f"Write {PREFIX}{bare}, {PREFIX}{bare}.TAG or {PREFIX}{bare}@{UNTRAINED}.",
        )
    return find_backbone(bare.strip()), untrained


@cache
def find_backbone(name: str) -> BackboneSpec:
    """The spec for timm's name of a backbone, with or without a tag: "resnet50", "resnet50.a1_in1k"."""
    import timm

    architecture, _, tag = name.partition(".")
    if architecture.startswith(_OURS):
        raise UnknownName(
            f"{architecture[:60]} is this project's own.", remedy=f"Name {architecture.removeprefix(_OURS)} alone."
        )
    if not timm.is_model(architecture):
        raise _unknown(name, architecture, [n for n in timm.list_models() if not n.startswith(_OURS)])
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError as error:  # timm's word for a tag it does not have
        raise _unknown(name, name, timm.list_pretrained(f"{architecture}.*")) from error
    return _spec(name, architecture, tag, {} if config is None else config.to_dict())


def _spec(name: str, architecture: str, tag: str, config: dict[str, Any]) -> BackboneSpec:
    classes = int(config.get("num_classes") or 0)
    if not classes:
        raise misfit(f"{PREFIX}{name}", "it gives features and names no classes")
    return BackboneSpec(
        PREFIX + name, architecture, tag or config.get("tag") or "", classes, int(config["input_size"][-1]),
        float(config["crop_pct"]), config.get("crop_mode") or "center", config["interpolation"],
        tuple(config["mean"]), tuple(config["std"]),
        label_set="imagenet-1k" if classes == 1000 else f"{NUMBERED}{classes}",
        hub_id=config.get("hf_hub_id") or "", fixed_size=bool(config.get("fixed_input_size")),
        about=f"timm's {architecture}",
    )  # fmt: skip


def misfit(name: str, why: str) -> LensError:
    """A backbone that timm has and that cannot stand beside the others, with the reason."""
    return LensError(f"{name} cannot be looked at here: {why}.", remedy=_EXAMPLES)


def _unknown(name: str, wanted: str, known: list[str]) -> UnknownName:
    near = difflib.get_close_matches(wanted, known, n=4, cutoff=0.5)
    return UnknownName(
        f"timm has no backbone called {quote(name)}.",
        remedy=f"Near it: {', '.join(PREFIX + n for n in near)}." if near else _EXAMPLES,
    )
