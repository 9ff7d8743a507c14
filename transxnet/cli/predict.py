"""`python -m transxnet predict`: the classes that a model predicts for images, in batches.

An error of one image does not stop the others. With --json, one object per image:

    {"image": "photo.jpg", "model": "pico", "provenance": {…},
     "predictions": [{"index": 36, "wnid": "n02165456", "label": "ladybug", "probability": 0.93}, …]}
    {"image": "broken.jpg", "error": "…"}
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..console import readable
from ..errors import DeviceError, LensError
from ..labels import wnid_or_none
from ..prefetch import map_ahead
from .common import (
    AddOption,
    add_image_size_option,
    add_images_argument,
    add_model_options,
    find_images,
    image_limits,
    load_model,
    model_names,
    positive_int,
)

if TYPE_CHECKING:
    from ..images import ModelInput
    from ..labels import LabelSet
    from ..results import Predictions
    from ..weights.load import LoadedModel

DECODERS = 4  # threads: reading waits for the disk, and Pillow releases the GIL


def add_options(add: AddOption) -> None:
    """Define the options of `predict`."""
    add_images_argument(add)
    add_model_options(add, several=False)
    add_image_size_option(add)
    add("--top", "number of predictions per image", type=positive_int, default=5, metavar="K")
    add("--batch-size", "images per forward pass", type=positive_int, default=32, metavar="N")
    add("--autocast", "half precision, on CUDA only", action="store_true")
    add("--json", "print one JSON object per image", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Print the predictions for every image in the order given; 1 if an image failed."""
    from ..explain.observe import require_classes

    (name,) = model_names(args, [args.model])
    loaded = load_model(name, args, args.image_size)
    require_classes(loaded.model)
    labels = loaded.spec.labels
    if not args.json:
        print(_weights_line(loaded))
    failures = 0
    for path, result in _predictions(loaded, labels, find_images(args.images), args):
        failures += isinstance(result, LensError)
        if args.json:
            print(json.dumps(_json_object(path, result, loaded), ensure_ascii=False), flush=True)
        elif isinstance(result, LensError):
            print(readable(f"{path}: {result}"), file=sys.stderr)
        else:
            print(readable(str(path)))
            for prediction in result.top:
                print(f"  {prediction.probability:6.1%}  {prediction.label}")
    return 1 if failures else 0


def _weights_line(loaded: LoadedModel) -> str:
    line = f"{loaded.name}: {loaded.provenance.short()}. {loaded.provenance.note}".strip()
    return f"RANDOM WEIGHTS, never trained: the predictions mean nothing. {line}" if loaded.untrained else line


def _json_object(path: Path, result: Predictions | LensError, loaded: LoadedModel) -> dict[str, object]:
    if isinstance(result, LensError):
        return {"image": str(path), "error": str(result)}
    predictions = [
        {"index": p.index, "wnid": wnid_or_none(p.wnid), "label": p.label, "probability": p.probability}
        for p in result.top
    ]
    provenance = loaded.provenance.as_json()
    return {"image": str(path), "model": loaded.name, "provenance": provenance, "predictions": predictions}


def _predictions(
    loaded: LoadedModel, labels: LabelSet, paths: Sequence[Path], args: argparse.Namespace
) -> Iterator[tuple[Path, Predictions | LensError]]:
    """(path, its predictions or the image's error), in the order of the paths; images are decoded two batches ahead."""
    from ..images import decode, prepare_for

    limits = image_limits(args)

    def read(path: Path) -> ModelInput | LensError:
        try:
            return prepare_for(decode(path, name=path.name, limits=limits), loaded.spec)
        except LensError as error:
            return error

    with ThreadPoolExecutor(DECODERS) as pool:
        inputs = zip(paths, map_ahead(pool, read, paths, ahead=2 * args.batch_size), strict=True)
        while batch := list(islice(inputs, args.batch_size)):
            tensors = [model_input.tensor for _, model_input in batch if not isinstance(model_input, LensError)]
            predictions = iter(_forward(loaded, labels, tensors, args))
            for path, model_input in batch:
                yield path, model_input if isinstance(model_input, LensError) else next(predictions)


def _forward(loaded: LoadedModel, labels: LabelSet, tensors: list, args: argparse.Namespace) -> list[Predictions]:
    """Predictions for one batch, which is halved as long as the device's memory does not suffice."""
    from ..explain.predict import predict_batch
    from ..weights.devices import empty_cache, is_out_of_memory

    size = max(1, len(tensors))
    while True:
        try:
            return list(predict_batch(loaded.model, tensors, labels, args.top, size, args.autocast))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise DeviceError(
                    f"The memory of {loaded.device} does not suffice for one image.", remedy="Use --device cpu."
                ) from error
        size //= 2  # outside the except block, where the error's traceback would hold the tensors
        empty_cache(loaded.device)
