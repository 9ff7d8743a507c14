"""`python -m transxnet predict`: what a model answers, in batches; with --json one object a line.

Errors about one image do not stop the others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DeviceError, LensError
from .common import count, images_in, load_model

if TYPE_CHECKING:
    from ..images import ModelInput
    from ..labels import LabelSet
    from ..results import Predictions
    from ..weights.load import LoadedModel

DECODERS = 4  # threads; reading waits for the disk, and Pillow lets others run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="image, or folder of images")
    parser.add_argument("--model", default="pico", metavar="NAME", help="variant, timm:NAME, NAME@untrained (pico)")
    parser.add_argument("--source", help="its weights: a file, or an hf-hub: id")
    parser.add_argument("--top", type=count, default=5, help="answers an image (5)")
    parser.add_argument("--batch-size", type=count, default=32, help="images a forward pass (32)")
    parser.add_argument("--autocast", action="store_true", help="half precision, on CUDA only")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, a line an image")
    parser.set_defaults(run=run_predict)


def run_predict(args: argparse.Namespace) -> int:
    """Answers for every image, in the order given, in batches."""
    from ..labels import label_set

    loaded = load_model(args.model, args, args.source)
    labels = label_set(loaded.spec.label_set)
    if not args.json:
        print(_weights_line(loaded))
    failed = 0
    for path, found in _predictions(loaded, labels, images_in(args.images), args):
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


def _prediction_json(path: Path, found: Predictions | LensError, loaded: LoadedModel) -> dict[str, object]:
    if isinstance(found, LensError):
        return {"image": str(path), "error": str(found)}
    top = [{"index": a.index, "wnid": a.wnid, "label": a.label, "probability": a.probability} for a in found.top]
    return {"image": str(path), "model": loaded.name, "provenance": loaded.provenance.as_json(), "top": top}


def _predictions(
    loaded: LoadedModel, labels: LabelSet, paths: Sequence[Path], args: argparse.Namespace
) -> Iterator[tuple[Path, Predictions | LensError]]:
    """(path, its prediction or what is wrong with the image), in order, a forward pass a batch."""
    for some, views in _views(loaded, paths, args.batch_size):
        good = [view.tensor for view in views if not isinstance(view, LensError)]
        answers = iter(_forward(loaded, labels, good, args))
        for path, view in zip(some, views, strict=True):
            yield path, view if isinstance(view, LensError) else next(answers)


def _views(
    loaded: LoadedModel, paths: Sequence[Path], batch_size: int
) -> Iterator[tuple[Sequence[Path], list[ModelInput | LensError]]]:
    """Batches of prepared images; while one is looked at, the next is read."""

    def view(path: Path) -> ModelInput | LensError:
        from ..images import decode, prepare_for

        try:
            return prepare_for(decode(path, name=path.name), loaded.spec)
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


def _forward(loaded: LoadedModel, labels: LabelSet, tensors: list, args: argparse.Namespace) -> list[Predictions]:
    """One batch; in smaller ones where the device's memory does not hold it."""
    import torch

    from ..explain.predict import predict_batch

    size = max(1, len(tensors))
    while True:
        try:
            return list(predict_batch(loaded.model, tensors, labels, args.top, size, args.autocast))
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise DeviceError(
                    f"One image is too much for the memory of {loaded.device}.", remedy="Choose --device cpu."
                ) from error
        size //= 2  # outside the except block, where the error's traceback would hold the tensors
        torch.cuda.empty_cache()
