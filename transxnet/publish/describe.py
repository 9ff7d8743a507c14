"""What a published repository says of itself: timm's config.json, and README.md, its model card.

config.json after timm 1.0 (timm/models/_hub.py, save_config_for_hf), plus `sha256`, which sources.py holds the
weights against. Numbers on the card: those of the JSON card beside the source if it is that very file's, else the
paper's, if the file bears the author's name for it; no others are known.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import WeightsMismatch
from ..labels import label_set
from ..timm_registry import pretrained_config
from ..variants import VariantSpec
from ..weights.model_card import front_matter, markdown
from .convert import Source

ATTACHED = ("log", "plot")  # keys of a card that name files beside it
_LIMITS = (
    "It knows the {classes:,} classes of {label_set}, and answers with one of them whatever it is shown.",
    "Its probabilities are not calibrated.",
    "Its images are ImageNet's, with ImageNet's choice of things, places and people.",
)


def config(spec: VariantSpec, sha256: str) -> dict[str, Any]:
    """config.json of a repository whose model.safetensors has this digest."""
    labels = label_set(spec.label_set)
    return {
        "architecture": spec.name,
        "num_classes": spec.num_classes,
        "num_features": spec.dims[-1],
        "global_pool": "avg",
        "label_names": list(labels.wnids),
        "label_descriptions": dict(zip(labels.wnids, labels.all_names, strict=True)),
        "pretrained_cfg": pretrained_config(spec),
        "sha256": sha256,
    }


def readme(card: dict[str, Any]) -> str:
    """README.md: front matter for the Hub, then the model card."""
    return front_matter(card) + "\n" + markdown(card)


def describe(source: Source, repository: str, sha256: str) -> dict[str, Any]:
    """The card of what is published: what its own JSON card says, and where it came from.

    sha256: of model.safetensors. Raises WeightsMismatch where the source's card names another variant.
    """
    spec, known = source.spec, own_card(source)
    how = pretrained_config(spec)
    official = source.path.name == spec.official_file and not known
    return {
        "name": spec.name,
        "about": spec.about,
        "parameters": sum(parameter.numel() for parameter in source.model().parameters()),
        "classes": spec.num_classes,
        "label_set": spec.label_set,
        "weights": source.stored,
        "preprocessing": {
            "image_size": spec.image_size,
            **{key: how[key] for key in ("crop_pct", "interpolation", "mean", "std")},
        },
        "limits": [limit.format(classes=spec.num_classes, label_set=spec.label_set) for limit in _LIMITS],
        **known,
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


def own_card(source: Source) -> dict[str, Any]:
    """The JSON card beside the source, if it is about that very file; else {}."""
    try:
        card = json.loads(source.path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(card, dict) or card.get("sha256") != source.sha256:
        return {}
    if card.get("name", source.spec.name) != source.spec.name:
        raise WeightsMismatch(
            f"The card beside {source.path.name} says that it is a {card['name']}, not a {source.spec.name}.",
            remedy="Choose the variant these weights were trained for.",
        )
    return card


def attachments(source: Source) -> list[Path]:
    """The files that the source's card names beside itself: log and plot, those that are there."""
    card = own_card(source)
    names = [Path(str(card[key])).name for key in ATTACHED if card.get(key)]
    return [path for path in (source.path.with_name(name) for name in names) if path.is_file()]
