"""`python -m transxnet list`, `predict` and `study`: arguments, and what is printed. Torch is imported when needed.

With --json every line of the standard output is one JSON object. Errors about one picture do not stop the others.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DeviceError, LensError, OutOfRange, PictureError, UnknownName
from .variants import VARIANTS, VariantSpec, parse_variant

if TYPE_CHECKING:
    from .images import Prepared
    from .labels import LabelSet
    from .results import Prediction
    from .study import Options, Study
    from .weights import LoadedModel

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))  # taken from folders
DECODERS = 4  # threads; reading waits for the disk, and Pillow lets others run

# (parameters, 10^9 multiply-accumulates at the variant's own size), measured once with cost.cost; a test repeats it.
COSTS: dict[str, tuple[int, float]] = {
    "transxnet_t": (12_834_808, 1.807),
    "transxnet_s": (26_864_068, 4.607),
    "transxnet_b": (48_009_002, 8.353),
    "transxnet_b_384": (52_409_402, 25.24),
    "transxnet_pico": (2_214_983, 0.1115),
    "transxnet_nano": (4_383_032, 0.2136),
    "transxnet_pico_matched": (2_214_983, 0.06289),
    "transxnet_pico_static": (2_151_719, 0.06124),
    "transxnet_pico_noosra": (1_932_624, 0.06668),
    "transxnet_pico_noste": (2_149_535, 0.05961),
}


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the three commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    places = argparse.ArgumentParser(add_help=False)
    places.add_argument("--weights-dir", help="folder of <name>.safetensors or official files (TRANSXNET_WEIGHTS)")
    places.add_argument("--hub-namespace", help="Hub namespace that holds <name> (TRANSXNET_HUB_NAMESPACE)")
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("--device", help="cuda, cuda:1, mps or cpu; the best there is without")

    listing = subparsers.add_parser("list", parents=[places], help="the variants, or the classes of one")
    listing.add_argument("--classes", metavar="NAME", help="list the classes of this variant or label set instead")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(run=run_list)

    predict = subparsers.add_parser("predict", parents=[places, device], help="what a model answers for pictures")
    predict.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="picture, or folder of pictures")
    predict.add_argument("--model", default="pico", metavar="NAME", help="variant, or NAME@untrained (pico)")
    predict.add_argument("--source", help="its weights: a file, or an hf-hub: id")
    predict.add_argument("--top", type=_count, default=5, help="answers a picture (5)")
    predict.add_argument("--batch-size", type=_count, default=32, help="pictures a forward pass (32)")
    predict.add_argument("--autocast", action="store_true", help="half precision, on CUDA only")
    predict.add_argument("--json", action="store_true", help="one JSON object a line, a line a picture")
    predict.set_defaults(run=run_predict)

    study = subparsers.add_parser("study", parents=[places, device], help="how models got to their answers, as files")
    study.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="picture, or folder of pictures")
    study.add_argument("--models", default="pico", metavar="A,B", help="variants, first to last row (pico)")
    study.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for manifest.json and the files")
    study.add_argument("--stage", type=int, default=3, help="of attention, kernels and receptive field, 1 to 4 (3)")
    study.add_argument("--block", type=int, default=0, help="of attention and kernels, from 1; 0 is the last (0)")
    study.add_argument("--head", type=int, default=0, help="of attention as drawn, from 1; 0 is the mean (0)")
    study.add_argument("--point", type=_point, metavar="X,Y", help="pixel of the upright picture; the middle without")
    study.add_argument(
        "--class", dest="target", metavar="NAME",
        help="explained class: words, WNID or index; without, the first model's top answer",
    )  # fmt: skip
    study.add_argument("--cam-stage", type=_cam_stage, default=4, help="of Grad-CAM: 1 to 4, or head (4)")
    study.add_argument(
        "--also", type=_names, default=(), metavar="METHOD,…", help="integrated_gradients, occlusion: slower"
    )
    study.set_defaults(run=run_study)


# --- list -------------------------------------------------------------------------------------------------------------


def run_list(args: argparse.Namespace) -> int:
    """The variants with cost, accuracy and where the weights would come from; or classes."""
    if args.classes:
        return _list_classes(args.classes, args.json)
    rows = [_variant_row(spec, args) for spec in VARIANTS.values()]
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
    return 0


def _variant_row(spec: VariantSpec, args: argparse.Namespace) -> dict[str, object]:
    from .weights import available

    where = available(spec.name, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace)
    parameters, gmacs = COSTS[spec.name]
    return {
        "name": spec.short, "variant": spec.name, "about": spec.about, "parameters": parameters, "gmacs": gmacs,
        "image_size": spec.image_size, "classes": spec.num_classes, "label_set": spec.label_set,
        "top1_paper": round(spec.paper.top1 / 100, 4) if spec.paper else None, "top1_here": _measured(spec),
        "weights": str(where), "ready": where.ready,
    }  # fmt: skip


def _measured(spec: VariantSpec) -> float | None:
    """Top-1 as the card of bundled weights states it, 0 to 1; None where nothing is bundled."""
    from .sources import BUNDLED

    try:
        return float(json.loads((BUNDLED / f"{spec.name}.json").read_text(encoding="utf-8"))["accuracy"]["top1"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _list_classes(name: str, as_json: bool) -> int:
    from .labels import label_set

    sets = {spec.label_set for spec in VARIANTS.values()}
    labels = label_set(name if name in sets else parse_variant(name)[0].label_set)
    for index, (wnid, words) in enumerate(zip(labels.wnids, labels.all_words, strict=True)):
        if as_json:
            print(json.dumps({"index": index, "wnid": wnid, "label": labels.words[index], "words": words}))
        else:
            print(f"{index:4}  {wnid}  {words}")
    return 0


def _percent(share: object) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# --- predict ----------------------------------------------------------------------------------------------------------


def run_predict(args: argparse.Namespace) -> int:
    """Answers for every picture, in the order given, in batches."""
    from .labels import label_set

    loaded = _load(args.model, args, args.source)
    labels = label_set(loaded.spec.label_set)
    if not args.json:
        print(_weights_line(loaded))
    failed = 0
    for path, found in _predictions(loaded, labels, _pictures(args.images), args):
        failed += isinstance(found, LensError)
        if args.json:
            print(json.dumps(_prediction_json(path, found, loaded), ensure_ascii=False), flush=True)
        elif isinstance(found, LensError):
            print(f"{path}: {found}", file=sys.stderr)
        else:
            print(path)
            for answer in found.top:
                print(f"  {100 * answer.probability:5.1f} %  {answer.label}")
    return 1 if failed else 0


def _weights_line(loaded: LoadedModel) -> str:
    line = f"{loaded.name}: {loaded.provenance.short()}. {loaded.provenance.note}".strip()
    return f"RANDOM WEIGHTS, never trained: the answers mean nothing. {line}" if loaded.untrained else line


def _prediction_json(path: Path, found: Prediction | LensError, loaded: LoadedModel) -> dict[str, object]:
    if isinstance(found, LensError):
        return {"image": str(path), "error": str(found)}
    top = [{"index": a.index, "wnid": a.wnid, "label": a.label, "probability": a.probability} for a in found.top]
    return {"image": str(path), "model": loaded.name, "provenance": loaded.provenance.as_json(), "top": top}


def _predictions(
    loaded: LoadedModel, labels: LabelSet, paths: Sequence[Path], args: argparse.Namespace
) -> Iterator[tuple[Path, Prediction | LensError]]:
    """(path, its prediction or what is wrong with the picture), in order, a forward pass a batch."""
    for some, views in _views(loaded, paths, args.batch_size):
        good = [view.tensor for view in views if not isinstance(view, LensError)]
        answers = iter(_forward(loaded, labels, good, args))
        for path, view in zip(some, views, strict=True):
            yield path, view if isinstance(view, LensError) else next(answers)


def _views(
    loaded: LoadedModel, paths: Sequence[Path], batch_size: int
) -> Iterator[tuple[Sequence[Path], list[Prepared | LensError]]]:
    """Batches of prepared pictures; while one is looked at, the next is read."""

    def view(path: Path) -> Prepared | LensError:
        from .images import decode, prepare

        try:
            picture = decode(path, name=path.name)
            return prepare(picture, image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
        except LensError as error:
            return error

    waiting: deque = deque()
    with ThreadPoolExecutor(DECODERS) as pool:
        for start in range(0, len(paths), batch_size):
            some = paths[start : start + batch_size]
            waiting.append((some, [pool.submit(view, path) for path in some]))
            if len(waiting) > 1:
                some, futures = waiting.popleft()
                yield some, [future.result() for future in futures]
        for some, futures in waiting:
            yield some, [future.result() for future in futures]


def _forward(loaded: LoadedModel, labels: LabelSet, tensors: list, args: argparse.Namespace) -> list[Prediction]:
    """One batch; in smaller ones where the device's memory does not hold it."""
    import torch

    from .explain.predict import predict_batch

    size = max(1, len(tensors))
    while True:
        try:
            return list(predict_batch(loaded.model, tensors, labels, args.top, size, args.autocast))
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise DeviceError(
                    f"One picture is too much for the memory of {loaded.device}.", remedy="Choose --device cpu."
                ) from error
        size //= 2  # outside the except block, where the error's traceback would hold the tensors
        torch.cuda.empty_cache()


# --- study ------------------------------------------------------------------------------------------------------------


def run_study(args: argparse.Namespace) -> int:
    """Explain every picture by every model, and write what was found; the manifest comes last."""
    from .export.files import write_manifest
    from .export.records import versions
    from .study import OVERVIEW, Options

    names = _names(args.models)
    _check(args, [parse_variant(name)[0] for name in names])
    options = Options(args.stage, args.block, args.point, args.target, args.cam_stage, (*OVERVIEW, *args.also))
    paths = _pictures(args.images)
    models = [_load(name, args) for name in names]
    entries, failed = [], []
    with _written():
        for path, place in zip(paths, _places(paths), strict=True):
            entries += _study_picture(path, place, models, options, args, failed)
        manifest = {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": ["python", "-m", "transxnet", *args.argv],
            "versions": versions(),
            "pictures": entries,
            "failed": failed,
        }
        print(write_manifest(args.out, manifest))
    return 1 if failed else 0


def _study_picture(
    path: Path, place: str, models: Iterable[LoadedModel], options: Options, args: argparse.Namespace, failed: list
) -> list[dict[str, object]]:
    """Write one picture's files; its part of the manifest, or none where nothing could be explained."""
    from .export.files import write_picture
    from .export.pictures import Style
    from .images import decode

    try:
        picture = decode(path, name=path.name)
    except LensError as error:
        failed.append(_failure(path, "", error))
        return []
    studies = list(_studies(models, picture, options, path, failed))
    if not studies:
        return []
    entry = write_picture(args.out, place, studies, picture.rgb, path.name, Style(args.head))
    print(args.out / entry["sheet"], flush=True)
    return [entry | {"image": str(path)}]


def _studies(models: Iterable[LoadedModel], picture, options: Options, path: Path, failed: list) -> Iterator[Study]:
    """One study a model. Without a class asked for, all explain the first one's top answer, so that maps compare."""
    from .study import study

    for model in models:
        try:
            made = study(model, picture, options)
        except LensError as error:
            failed.append(_failure(path, model.name, error))
            continue
        if options.target is None:
            options = replace(options, target=made.target.wnid)
        yield made


def _check(args: argparse.Namespace, specs: Sequence[VariantSpec]) -> None:
    """Refuse, before anything is loaded, what no picture could make right. Raises OutOfRange or UnknownName."""
    from .labels import label_set
    from .study import EXTRAS

    for spec in specs:
        _within(f"{spec.short} has no stage", args.stage, 1, len(spec.depths))
        _within(f"Stage {args.stage} of {spec.short} has no block", args.block, 0, spec.depths[args.stage - 1])
        _within(f"Stage {args.stage} of {spec.short} has no head", args.head, 0, spec.heads[args.stage - 1])
        if args.cam_stage != "head":
            _within(f"{spec.short} has no stage", args.cam_stage, 1, len(spec.depths))
    for name in args.also:
        if name not in EXTRAS:
            raise UnknownName(f"There is no method called {name!r}.", remedy=f"Choose some of: {', '.join(EXTRAS)}.")
    if args.target is not None:  # at least one of the models must know the class
        for position, spec in enumerate(specs, 1):
            try:
                label_set(spec.label_set).find(args.target)
                break
            except LensError:
                if position == len(specs):
                    raise


def _within(lack: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise OutOfRange(f"{lack} {value}.", remedy=f"Choose {low} to {high}.")


def _failure(path: Path, model: str, error: LensError) -> dict[str, str]:
    print(f"{path}{f', {model}' if model else ''}: {error}", file=sys.stderr)
    return {"image": str(path), "error": str(error)} | ({"model": model} if model else {})


def _places(paths: Sequence[Path]) -> list[str]:
    """A folder name for each picture: its name without what folders do not like, numbered where two are alike."""
    taken: Counter[str] = Counter()
    places = []
    for path in paths:
        stem = re.sub(r"[^\w.@-]+", "_", path.stem).strip("._") or "picture"
        taken[stem.lower()] += 1
        count = taken[stem.lower()]
        places.append(f"{stem}-{count}" if count > 1 else stem)
    return places


@contextmanager
def _written() -> Iterator[None]:
    """A folder that cannot be written becomes a sentence."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our output is gone, not the folder
    except OSError as error:
        raise LensError(
            f"The results could not be written ({error.strerror or type(error).__name__}).",
            remedy="Choose another folder with --out, or make room there.",
            detail=str(error),
        ) from error


# --- What both take ---------------------------------------------------------------------------------------------------


def _load(name: str, args: argparse.Namespace, source: str | None = None) -> LoadedModel:
    from .weights import load

    return load(name, source, args.device, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace)


def _pictures(given: Iterable[Path]) -> list[Path]:
    """The paths given, a folder standing for the pictures in it and below it, sorted. Raises PictureError for none."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            found += sorted(p for p in inside if p.is_file())
        else:
            found.append(path)
    if not found:
        raise PictureError(
            "There are no pictures in the folders given.", remedy=f"Pictures end in {', '.join(sorted(SUFFIXES))}."
        )
    return found


def _names(text: str) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b"), each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y: two numbers and a comma") from None
    return x, y


def _cam_stage(text: str) -> int | str:
    if text == "head":
        return text
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a stage nor 'head'")
    return int(text)
