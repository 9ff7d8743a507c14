"""Commands of `transxnet` and `python -m transxnet`, one module each: its options, its work and its output.

With --json every line of standard output is one JSON object. An error of one image does not stop the others. Torch is
imported when a command runs, so that --help is quick. Other packages add commands through entry points (plugins.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from typing import Any

from . import (
    bundle,
    erf,
    evaluate,
    gallery,
    out_of_distribution,
    plugins,
    predict,
    publish,
    sequence,
    study,
    train,
    verdict_rates,
)
from . import list as list_models
from .common import add_device_option, add_limit_option, add_option, add_weights_options

WEIGHTS, DEVICE, LIMIT = add_weights_options, add_device_option, add_limit_option
COMMANDS = (
    ("list", list_models, (WEIGHTS,), "list models with cost and accuracy, or the classes of one"),
    ("predict", predict, (WEIGHTS, DEVICE, LIMIT), "predict the classes of images"),
    ("study", study, (WEIGHTS, DEVICE, LIMIT), "explain predictions: figures, raw arrays and a report"),
    ("erf", erf, (WEIGHTS, DEVICE, LIMIT), "effective receptive fields over many images, as published"),
    ("sequence", sequence, (WEIGHTS, DEVICE, LIMIT), "kernels and predictions while an image changes, as a video"),
    ("gallery", gallery, (WEIGHTS, DEVICE, LIMIT), "every figure of one photo, as a Markdown page"),
    (
        "out-of-distribution",
        out_of_distribution,
        (WEIGHTS, DEVICE, LIMIT),
        "feature statistics that detect unusual images",
    ),
    (
        "verdict-rates",
        verdict_rates,
        (WEIGHTS, DEVICE, LIMIT),
        "how often the sanity checks pass maps that know nothing",
    ),
    ("train", train, (WEIGHTS, DEVICE, LIMIT), "train or fine-tune a model by a recipe"),
    ("evaluate", evaluate, (WEIGHTS, DEVICE, LIMIT), "accuracy on labeled images"),
    ("bundle", bundle, (DEVICE,), "convert a finished training run to weights with a model card"),
    ("publish", publish, (), "upload a checkpoint to the Hugging Face Hub, for timm and transxnet"),
)


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    for name, module, shared_options, summary in COMMANDS:
        _add_command(subparsers, name, module, shared_options, summary)
    for name, load in plugins.find_commands().items():
        if name in subparsers.choices:
            continue
        try:
            module = load()
        except ImportError as error:
            plugins.add_unavailable(subparsers, name, error)
        else:
            _add_command(subparsers, name, module, (), module.SUMMARY)


def _add_command(
    subparsers: argparse._SubParsersAction, name: str, module: Any, shared_options: Sequence[Any], summary: str
) -> None:
    parser = subparsers.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=getattr(module, "EPILOG", None), formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    for add_options in (module.add_options, *shared_options):
        add_options(partial(add_option, parser))
    parser.set_defaults(run=module.run)
