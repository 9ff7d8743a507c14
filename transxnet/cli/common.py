"""What several commands share: options and their help, images and models named on the command line, error messages."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import readable
from ..errors import ImageError, LensError, NoWeights, OutOfRange
from ..image_files import FORMATS_TEXT, ImageFiles, skipped_text

if TYPE_CHECKING:
    from ..images import Limits
    from ..weights.load import LoadedModel
    from ..weights.named_sources import NamedModel

LABELED_IMAGES = (
    "folders or zips of class folders (cat/1.jpg, n02165456/1.jpg) or of files WNID_name; CSV files of path and label; "
    "folders of Hugging Face Dataset.save_to_disk"
)

# --- Options ----------------------------------------------------------------------------------------------------------


AddOption = Callable[..., None]  # `add_option` for a command's parser


def add_option(
    parser: argparse.ArgumentParser, name: str, help: str, *, default: Any = None, default_text: str = "",
    unit: str = "", variable: str = "", **options: Any,
) -> None:  # fmt: skip
    """Add an argument whose help ends with its unit and its default.

    Args:
        parser: The command's parser.
        name: Option string, or the name of a positional argument.
        help: What the argument sets. Nothing is appended for an argument without unit and default.
        default: Value of an option that is not given.
        default_text: The default in words, where the value does not say it.
        unit: Unit, shown in brackets.
        variable: Environment variable that is used for an option that is not given.
        **options: Passed on to `add_argument`, which shows `choices` in braces.
    """
    if not default_text and (variable or default not in (None, "")):
        default_text = f"environment variable {variable}" if variable else str(default)
    if default is not None:
        options["default"] = default
    text = f"{help} [{unit}]" if unit else help
    text = f"{text} (default: {default_text})" if default_text else text
    parser.add_argument(name, help=text.replace("%", "%%"), **options)


def add_weights_options(add: AddOption) -> None:
    """Options of commands that load models by name: where their weights come from."""
    text = "folder of NAME.safetensors files or official checkpoints"
    add("--weights-dir", text, metavar="DIR", variable="TRANSXNET_WEIGHTS")
    text = "Hub user or organization that holds transxnet_t, …; NAMESPACE@REVISION pins a revision"
    add("--hub-namespace", text, metavar="NAMESPACE", variable="TRANSXNET_HUB_NAMESPACE")
    add_refresh_option(add)


def add_refresh_option(add: AddOption) -> None:
    """Option of commands that use the Hub."""
    text = "look for newer revisions on the Hub, which are otherwise not used once a model is downloaded; never of "
    add("--refresh", f"{text}pinned ones", action="store_true")


def add_device_option(add: AddOption) -> None:
    """Option of commands that run models."""
    add("--device", "cuda, cuda:N, mps, xpu, npu or cpu", default_text="cuda or mps if available, else cpu")


def add_images_argument(add: AddOption) -> None:
    """Positional argument of commands that take any images."""
    add("images", "image file, or folder of images", nargs="+", metavar="IMAGE", type=Path)


def add_limit_option(add: AddOption) -> None:
    """Option of commands that read images: how large they may be."""
    text = "largest image; files may have 2 MB for each megapixel, 100 MB at least"
    add("--max-megapixels", text, unit="million pixels", type=_megapixels, metavar="N", default_text="50")


def _megapixels(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of megapixels")
    return number


def add_model_options(
    add: AddOption, several: bool = True, default: str = "pico", help: str = "", **options: Any
) -> None:  # fmt: skip
    """Options that name the models of a command, built-in or the user's own."""
    kinds = "variant, timm:NAME, NAME@untrained, or NAME=SOURCE for a model of your own: a file, a folder or hf-hub:ID"
    if several:
        add("--models", f"{help or 'models, one row each'}: {kinds}", metavar="A,B", default=default, **options)
    else:
        add("--model", help or kinds, metavar="NAME[=SOURCE]", default=default or None, **options)
    add_source_options(add)


def add_source_options(add: AddOption) -> None:
    """Options of models with a source of the user's own."""
    text = "class names of a model with a source: a file (.txt, .json, .csv) or a label set; may be repeated"
    add("--class-names", text, metavar="[NAME=]FILE", action="append", default_text="those that the source mentions")
    text = "activation of a model with a source, softmax or sigmoid; may be repeated"
    default_text = "sigmoid for one logit, else softmax"
    add("--activation", text, metavar="[NAME=]sigmoid", action="append", default_text=default_text)
    add("--ema", "use the moving average (EMA) of the weights of every source", action="store_true")


def add_image_size_option(add: AddOption, default_text: str = "that of the model") -> None:
    """Option for the side of the model input."""
    add("--image-size", "side of the model input", unit="px", type=positive_int, metavar="N", default_text=default_text)


def positive_int(text: str) -> int:
    """Argument type of a count."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def position(text: str) -> tuple[float, float]:
    """Argument type of a pixel, X,Y."""
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y: two numbers separated by a comma") from None
    return x, y


def split_names(text: str) -> tuple[str, ...]:
    """Split a comma-separated list: "a, b, a" -> ("a", "b")."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


# --- Models and images ------------------------------------------------------------------------------------------------


def model_names(args: argparse.Namespace, texts: Iterable[str] | None = None) -> tuple[str, ...]:
    """Short names of the models that the options name, without repetitions; those with a source are read.

    Args:
        args: Parsed options of `add_model_options`.
        texts: Lists of models in place of --models.

    Raises:
        UnknownName: A name that is neither a variant nor a timm backbone, or is given twice.
        OutOfRange: --models names no model.
        LensError: A source cannot be read.
    """
    from ..weights.named_sources import register_models, split_models

    models = split_models([args.models] if texts is None else texts)
    if not models:
        raise OutOfRange("--models names no model.", remedy="Name one variant, or several separated by commas.")
    return register_models(named_models(args, models), args.refresh)


def named_models(args: argparse.Namespace, models: Sequence[str]) -> list[NamedModel]:
    """These models, NAME or NAME=SOURCE, with the options of `add_model_options`; nothing is read."""
    from ..weights.named_sources import parse_models

    return parse_models(models, args.class_names or (), args.activation or (), args.ema)


def load_model(name: str, args: argparse.Namespace, image_size: int | None = None) -> LoadedModel:
    """Load a model from the sources and onto the device that the options name; see `weights.load.load`."""
    from ..weights.load import load

    sources = {"weights_dir": args.weights_dir, "hub_namespace": args.hub_namespace, "refresh": args.refresh}
    return load(name, device=args.device, image_size=image_size, **sources)


def load_models(names: Iterable[str], args: argparse.Namespace, image_size: int | None = None) -> list[LoadedModel]:
    """Load several models.

    Raises:
        NoWeights: One error that lists all models without weights.
    """
    models, errors = [], {}
    for name in names:
        try:
            models.append(load_model(name, args, image_size=image_size))
        except NoWeights as error:
            errors[name] = error
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        raise NoWeights(
            f"There are no weights for {' and '.join(errors)}.",
            tuple((name, error.attempts[-1][1], "") for name, error in errors.items()),
            remedy="Pass --weights-dir, leave these models out, or use random weights: NAME@untrained.",
        )
    return models


def find_images(paths: Iterable[Path], exclude: Path | None = None) -> list[Path]:
    """Expand folders to the images below them, sorted; what is skipped there is reported on stderr.

    Args:
        paths: Files, which are kept as they are, and folders, see image_files.py.
        exclude: Folder that is skipped when a folder above it is expanded: that of the results.

    Raises:
        ImageError: The folders hold no image.
    """
    paths, exclude = list(paths), exclude.resolve() if exclude else None
    files = ImageFiles()
    for path in paths:
        if path.is_dir():
            files.search(path, exclude)
        else:
            files.paths.append(path)
    report_skipped(files.skipped)
    if files.paths:
        return files.paths
    if any(path.is_dir() and exclude in (path.resolve(), *path.resolve().parents) for path in paths):
        raise ImageError("All images given lie in the output folder.", remedy="Choose another --out.")
    raise ImageError("There are no images in the folders given.", remedy=f"Supported formats: {FORMATS_TEXT}.")


def report_skipped(skipped: Iterable[tuple[str, str]]) -> None:
    """Print the number and the names of files that are not images; only the main process of several does."""
    text = skipped_text(skipped)
    if text and os.environ.get("RANK", "0") == "0":
        print(f"transxnet: {readable(text)}", file=sys.stderr)


def image_limits(args: argparse.Namespace) -> Limits:
    """What `decode` accepts of a file on the command line, by the option of `add_limit_option`."""
    from ..images import FILE_LIMITS

    return FILE_LIMITS.scaled(args.max_megapixels) if args.max_megapixels else FILE_LIMITS


def folder_names(paths: Sequence[Path]) -> list[str]:
    """A folder name for each image: its stem with other characters replaced, numbered where two are equal."""
    used: set[str] = set()
    names = []
    for path in paths:
        stem = re.sub(r"[^\w.@-]+", "_", path.stem).strip("._") or "image"
        candidates = chain([stem], (f"{stem}-{number}" for number in count(2)))
        name = next(name for name in candidates if name.lower() not in used)
        used.add(name.lower())
        names.append(name)
    return names


# --- Output -----------------------------------------------------------------------------------------------------------


def report_failure(path: Path, model: str, error: LensError) -> dict[str, str]:
    """Print an image's error to stderr and return its entry in the manifest. model: '' where the image is at fault."""
    print(readable(f"{path}{f', {model}' if model else ''}: {error}"), file=sys.stderr)
    return {"image": str(path), "error": str(error)} | ({"model": model} if model else {})


@contextmanager
def explained_write_errors() -> Iterator[None]:
    """Turn errors of writing the results into a LensError."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader of our output has exited
    except OSError as error:
        raise LensError(
            f"The results could not be written ({error.strerror or type(error).__name__}).",
            remedy="Choose another folder with --out, or free space on its disk.",
            detail=str(error),
        ) from error
