"""`python -m transxnet list`: the variants with cost, accuracy and where their weights would come from; or classes.

Backbones are listed where they are named: timm has over a thousand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from ..backbones.spec import BackboneSpec, spec_of
from ..variants import UNTRAINED, VARIANTS, VariantSpec

# (parameters, 10^9 multiply-accumulates at the variant's own size), measured once with cost.cost; a test repeats it.
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="these models; without, the variants, and no backbone")
    parser.add_argument("--classes", metavar="NAME", help="list the classes of this model or label set instead")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run_list)


def run_list(args: argparse.Namespace) -> int:
    """The variants with cost, accuracy and where the weights would come from; or classes."""
    if args.classes:
        return _list_classes(args.classes, args.json)
    rows = [_row(name, args) for name in args.names or [spec.short for spec in VARIANTS.values()]]
    if args.json:
        for row in rows:
            print(json.dumps(row))
        return 0
    table = [("name", "parameters", "GMACs", "view", "classes", "top-1 paper", "top-1 here", "weights")]
    for row in rows:
        table.append(
            (
                row["name"], f"{row['parameters'] / 1e6:.1f} M", f"{row['gmacs']:.3g}", f"{row['image_size']} px",
                str(row["classes"]), _percent(row["top1_paper"]), _percent(row["top1_here"]), row["weights"],
            )
        )  # fmt: skip
    _print_table(table)
    print("\nEach also as NAME@untrained: the same architecture with random weights.")
    print("Other backbones with timm's weights stand beside them as timm:NAME: timm:resnet50, timm:convnext_tiny, …")
    return 0


def _row(name: str, args: argparse.Namespace) -> dict[str, object]:
    from ..weights.load import available

    spec, untrained = spec_of(name)
    where = available(name, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace)
    parameters, gmacs = _cost(spec)
    measured = None if untrained else _measured(spec)
    return {
        "name": f"{spec.short}@{UNTRAINED}" if untrained else spec.short, "variant": spec.name, "about": spec.about,
        "parameters": parameters, "gmacs": gmacs, "image_size": spec.image_size, "classes": spec.num_classes,
        "label_set": spec.label_set, "top1_paper": round(spec.paper.top1 / 100, 4) if spec.paper else None,
        "top1_here": measured, "weights": str(where), "ready": where.ready,
    }  # fmt: skip


def _cost(spec: VariantSpec | BackboneSpec) -> tuple[int, float]:
    if spec.name in COSTS:
        return COSTS[spec.name]
    from ..backbones.cost import backbone_cost

    found = backbone_cost(spec)
    return found.parameters, float(f"{found.macs / 1e9:.5g}")


def _measured(spec: VariantSpec | BackboneSpec) -> float | None:
    """Top-1 as the card of bundled weights states it, 0 to 1; None where nothing is bundled."""
    from ..weights.sources import BUNDLED

    try:
        return float(json.loads((BUNDLED / f"{spec.name}.json").read_text(encoding="utf-8"))["accuracy"]["top1"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _list_classes(name: str, as_json: bool) -> int:
    from ..labels import label_set

    sets = {spec.label_set for spec in VARIANTS.values()}
    labels = label_set(name if name in sets else spec_of(name)[0].label_set)
    for index, (wnid, words) in enumerate(zip(labels.wnids, labels.all_names, strict=True)):
        if as_json:
            print(json.dumps({"index": index, "wnid": wnid, "label": labels.names[index], "words": words}))
        else:
            print(f"{index:4}  {wnid}  {words}")
    return 0


def _percent(share: object) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
