"""The descriptions in a published repository: timm's config.json and README.md, the model card.

config.json as timm 1.0 writes it (timm/models/_hub.py, save_config_for_hf), plus `sha256`, with which sources.py checks
the weights. The card's numbers are those of the JSON card next to the source if it describes that file, else those of
the paper if the file has the authors' name for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import WeightsMismatch
from ..timm_registry import GENERIC, pretrained_config
from ..variants import SOFTMAX, VARIANTS, VariantSpec
from ..weights.architecture import architecture_of
from ..weights.model_card import front_matter, markdown
from .convert import Source

ATTACHED = ("log", "plot")  # keys of a card whose values are names of files next to it
_LIMITS = (
    "It predicts one of the {classes:,} classes of {label_set} for any image.",
    "Its probabilities are not calibrated.",
)
_IMAGENET_LIMIT = "It was trained on ImageNet's images, with ImageNet's selection of objects, places and people."


def config(spec: VariantSpec, sha256: str) -> dict[str, Any]:
    """config.json of a repository whose model.safetensors has this SHA-256."""
    registered, labels = spec.architecture or spec.name, spec.labels
    architecture = {"architecture": registered}
    if registered not in VARIANTS:
        architecture = {"architecture": GENERIC, "model_args": architecture_of(spec)}
    return {
        **architecture,
        "num_classes": spec.num_classes,
        "num_features": spec.dims[-1],
        "global_pool": "avg",
        "label_names": list(labels.wnids),
        "label_descriptions": dict(zip(labels.wnids, labels.all_names, strict=True)),
        "pretrained_cfg": pretrained_config(spec),
        **({} if spec.activation == SOFTMAX else {"activation": spec.activation}),
        "sha256": sha256,
    }


def readme(card: dict[str, Any]) -> str:
    """README.md: front matter for the Hub, then the model card."""
    return front_matter(card) + "\n" + markdown(card)


def describe(source: Source, repository: str, sha256: str) -> dict[str, Any]:
    """The card of the published weights: the source's JSON card, if there is one, and the provenance.

    Args:
        source: The checkpoint.
        repository: NAMESPACE/NAME[@REVISION], from where the card says to load it.
        sha256: Of model.safetensors.

    Returns:
        A card as weights/model_card.py reads it.

    Raises:
        WeightsMismatch: The source's card names another variant.
    """
    spec, source_card = source.spec, read_source_card(source)
    official = source.path.name == spec.official_file and not source_card
    return {
        **describe_model(spec, source.model()),
        "weights": source.stored,
        **source_card,
        "name": spec.name,
        **({"paper": asdict(spec.paper)} if official and spec.paper else {}),
        "sha256": sha256,
        "repository": repository,
        "provenance": {
            "file": source.path.name,
            "sha256": source.sha256,
            "taken": "the moving average (EMA) of the weights" if source.averaged else source.note,
            "stored": source.stored,
        },
    }


def describe_model(spec: VariantSpec, model: nn.Module) -> dict[str, Any]:
    """What a card says about any model."""
    preprocessing = pretrained_config(spec)
    return {
        "about": spec.about,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "classes": spec.num_classes,
        "label_set": spec.label_set,
        "preprocessing": {
            "image_size": spec.image_size,
            **{key: preprocessing[key] for key in ("crop_pct", "interpolation", "mean", "std")},
        },
        "limits": [limit.format(classes=spec.num_classes, label_set=spec.label_set) for limit in _limits(spec)],
    }


def _limits(spec: VariantSpec) -> tuple[str, ...]:
    return _LIMITS if spec.own_labels else (*_LIMITS, _IMAGENET_LIMIT)


def read_source_card(source: Source) -> dict[str, Any]:
    """The JSON card next to the source if it describes that file, else {}."""
    try:
        card = json.loads(source.path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(card, dict) or card.get("sha256") != source.sha256:
        return {}
    if card.get("name", source.spec.name) not in (source.spec.name, source.spec.architecture):
        raise WeightsMismatch(
            f"The card next to {source.path.name} describes {card['name']}, not {source.spec.name}.",
            remedy="Choose the model that these weights were trained for.",
        )
    return card


def attachments(source: Source) -> list[Path]:
    """The existing files that the source's card names: log and plot."""
    card = read_source_card(source)
    names = [Path(str(card[key])).name for key in ATTACHED if card.get(key)]
    return [path for path in (source.path.with_name(name) for name in names) if path.is_file()]
