"""What the commands have in common: arguments, images named on the command line, and how failures are told."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from itertools import count as count_from
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ImageError, LensError, NoWeights
from ..variants import UNTRAINED

if TYPE_CHECKING:
    from ..weights.load import LoadedModel

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))  # taken from folders


def places_arguments() -> argparse.ArgumentParser:
    """Where weights come from: a parent for commands that load models."""
    places = argparse.ArgumentParser(add_help=False)
    places.add_argument("--weights-dir", help="folder of <name>.safetensors or official files (TRANSXNET_WEIGHTS)")
    places.add_argument("--hub-namespace", help="Hub namespace that holds <name> (TRANSXNET_HUB_NAMESPACE)")
    return places


def device_argument() -> argparse.ArgumentParser:
    """Where models run: a parent likewise."""
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("--device", help="cuda, cuda:1, mps or cpu; the best there is without")
    return device


def load_model(
    name: str, args: argparse.Namespace, source: str | None = None, image_size: int | None = None
) -> LoadedModel:
    from ..weights.load import load

    places = {"weights_dir": args.weights_dir, "hub_namespace": args.hub_namespace}
    return load(name, source, args.device, image_size=image_size, **places)


def load_models(names: Iterable[str], args: argparse.Namespace, image_size: int | None = None) -> list[LoadedModel]:
    """All of these models. Raises one NoWeights for all that have none, so that nobody has to mend them one by one."""
    models, without = [], {}
    for name in names:
        try:
            models.append(load_model(name, args, image_size=image_size))
        except NoWeights as error:
            without[name] = error
    if len(without) == 1:
        raise next(iter(without.values()))
    if without:
        raise NoWeights(
            f"There are no weights for {' and '.join(without)}.",
            tuple((name, error.attempts[-1][1], "") for name, error in without.items()),
            remedy="Give them with --weights-dir, leave them out, or take random ones: NAME@untrained.",
        )
    return models


def images_in(given: Iterable[Path], but: Path | None = None) -> list[Path]:
    """The paths given, a folder standing for the images in it and below it, sorted. Raises ImageError for none.

    but: a folder whose images are not taken so: the one that the results go to may lie among them.
    """
    found: list[Path] = []
    given, ours = list(given), but.resolve() if but else None
    for path in given:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            found += sorted(p for p in inside if p.is_file() and ours not in p.resolve().parents)
        else:
            found.append(path)
    if not found and any(path.is_dir() and ours in (path.resolve(), *path.resolve().parents) for path in given):
        raise ImageError(
            "The images given all lie in the folder that the results go to.", remedy="Choose another --out."
        )
    if not found:
        raise ImageError(
            "There are no images in the folders given.", remedy=f"Images end in {', '.join(sorted(SUFFIXES))}."
        )
    return found


def names_in(text: str) -> tuple[str, ...]:
    """ "a, b" -> ("a", "b"), each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def models_in(text: str) -> tuple[str, ...]:
    """Model names as people type them -> each model once, by its short name: "pico,transxnet_pico" is one.

    Raises UnknownName.
    """
    from ..backbones.spec import spec_of

    found = (spec_of(name) for name in names_in(text))
    return tuple(dict.fromkeys(f"{spec.short}@{UNTRAINED}" if bare else spec.short for spec, bare in found))


def count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def position(text: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y: two numbers and a comma") from None
    return x, y


def cam_layer(text: str) -> int | str:
    if text == "head":
        return text
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a stage nor 'head'")
    return int(text)


def failure(path: Path, model: str, error: LensError) -> dict[str, str]:
    print(f"{path}{f', {model}' if model else ''}: {error}", file=sys.stderr)
    return {"image": str(path), "error": str(error)} | ({"model": model} if model else {})


def places_of(paths: Sequence[Path]) -> list[str]:
    """A folder name for each image: its name without what folders do not like, numbered where two are alike."""
    taken: set[str] = set()
    places = []
    for path in paths:
        stem = re.sub(r"[^\w.@-]+", "_", path.stem).strip("._") or "image"
        names = chain([stem], (f"{stem}-{number}" for number in count_from(2)))
        place = next(name for name in names if name.lower() not in taken)
        taken.add(place.lower())
        places.append(place)
    return places


@contextmanager
def written() -> Iterator[None]:
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
