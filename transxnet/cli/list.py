"""`python -m transxnet list`: models with cost, accuracy and where their weights would come from; or classes.

timm has more than a thousand backbones: they are listed only by name.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from ..backbones.spec import BackboneSpec, spec_of
from ..labels import LABEL_SETS, label_set, wnid_or_none
from ..variants import UNTRAINED, VARIANTS, VariantSpec
from .common import AddOption, add_source_options, model_names

if TYPE_CHECKING:
    from ..cost import Cost

# (parameters, 10^9 multiply-accumulates at the variant's input size), measured with cost.cost; a test measures again.
COSTS: dict[str, tuple[int, float]] = {
    "transxnet_t": (12_834_808, 1.8071),
    "transxnet_s": (26_864_068, 4.6072),
    "transxnet_b": (48_009_002, 8.353),
    "transxnet_b_384": (52_409_402, 25.24),
    "transxnet_pico": (2_214_983, 0.11145),
    "transxnet_nano": (4_383_032, 0.21357),
    "transxnet_pico_matched": (2_214_983, 0.06289),
    "transxnet_pico_static": (2_151_719, 0.061239),
    "transxnet_pico_noosra": (1_932_624, 0.06668),
    "transxnet_pico_noste": (2_149_535, 0.059605),
}


def add_options(add: AddOption) -> None:
    """Define the options of `list`."""
    text = "models to list, also NAME=SOURCE for a model of your own"
    add("names", text, nargs="*", metavar="NAME", default_text="TransXNet variants")
    add("--classes", "list the classes of this model or label set instead", metavar="NAME")
    add_source_options(add)
    add("--json", "print one JSON object per line", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Print a table of models, or of classes."""
    if args.classes:
        return _list_classes(args.classes, args.json)
    as_downloaded = argparse.Namespace(**vars(args) | {"refresh": False})  # the list says what is newer
    names = model_names(as_downloaded, args.names or [spec.short for spec in VARIANTS.values()])
    rows = [_row(name, args) for name in names]
    if args.json:
        print(*map(json.dumps, rows), sep="\n")
        return 0
    table = [["name", "parameters", "GMACs", "input", "classes", "top-1 (paper)", "top-1 (measured)", "weights"]]
    for row in rows:
        cost = [f"{row['parameters'] / 1e6:.1f} M", f"{row['gmacs']:.3g}", f"{row['image_size']} px"]
        accuracy = ["" if row[key] is None else f"{row[key]:.1%}" for key in ("top1_paper", "top1_measured")]
        newer = f" (revision {row['newer_revision'][:8]} is newer)" if row["newer_revision"] else ""
        table.append([row["name"], *cost, str(row["classes"]), *accuracy, row["weights"] + newer])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print("\nNAME@untrained is the same architecture with random weights.")
    print("Other backbones, with timm's weights, are named timm:NAME: timm:resnet50, timm:convnext_tiny, …")
    return 0


def _row(name: str, args: argparse.Namespace) -> dict[str, Any]:
    from ..weights.load import Availability, available, newer_revision

    spec, untrained = spec_of(name)
    sources = {"weights_dir": args.weights_dir, "hub_namespace": args.hub_namespace}
    availability = available(name, **sources)
    newer = newer_revision(name, **sources) if args.refresh else ""
    parameters, gmacs = _cost(spec)
    return {
        "name": f"{spec.short}@{UNTRAINED}" if untrained else spec.short, "variant": spec.name,
        "description": spec.about, "parameters": parameters, "gmacs": gmacs, "image_size": spec.image_size,
        "classes": spec.num_classes, "label_set": spec.label_set,
        "top1_paper": round(spec.paper.top1 / 100, 4) if spec.paper else None,
        "top1_measured": _measured_top1(spec) if availability == Availability.BUNDLED else None,
        "weights": str(availability), "local": availability.ready, "newer_revision": newer or None,
    }  # fmt: skip


def _cost(spec: VariantSpec | BackboneSpec) -> tuple[int, float]:
    """(parameters, 10^9 multiply-accumulates)."""
    if spec == VARIANTS.get(spec.name) and spec.name in COSTS:
        return COSTS[spec.name]
    from ..backbones.cost import backbone_cost

    cost = backbone_cost(spec) if isinstance(spec, BackboneSpec) else _variant_cost(spec)
    return cost.parameters, float(f"{cost.macs / 1e9:.5g}")


def _variant_cost(spec: VariantSpec) -> Cost:
    """Of a model of the user's own, from shapes alone."""
    import torch

    from ..cost import cost
    from ..model import TransXNet

    with torch.device("meta"):
        return cost(TransXNet(spec).eval())


def _measured_top1(spec: VariantSpec | BackboneSpec) -> float | None:
    """Top-1 accuracy in 0 to 1, from the card of bundled weights; None where there is no card."""
    from ..weights.sources import BUNDLED

    try:
        return float(json.loads((BUNDLED / f"{spec.name}.json").read_text(encoding="utf-8"))["accuracy"]["top1"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _list_classes(name: str, as_json: bool) -> int:
    labels = label_set(name) if name in LABEL_SETS else spec_of(name)[0].labels
    for index, (wnid, synonyms) in enumerate(zip(labels.wnids, labels.all_names, strict=True)):
        if as_json:
            entry = {"index": index, "wnid": wnid_or_none(wnid), "label": labels.names[index], "synonyms": synonyms}
            print(json.dumps(entry))
        else:
            print(f"{index:4}  {wnid}  {synonyms}")
    return 0
