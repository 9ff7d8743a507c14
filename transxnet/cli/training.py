"""`python -m transxnet train`, `evaluate` and `bundle`: each has a file of its own, here they are put together."""

from __future__ import annotations

import argparse

from . import bundle as bundle_cli
from . import evaluate as evaluate_cli
from . import train as train_cli

IMAGES = "folders or zips, of WNID folders or of WNID_name files; several together"


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the three commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument("--device", help="cuda, cuda:1, mps or cpu; the best there is without")

    def add(name: str, help: str) -> argparse.ArgumentParser:
        return subparsers.add_parser(name, parents=[device], help=help)

    train_cli.add_arguments(add("train", "train a model by a recipe"), IMAGES)
    evaluate_cli.add_arguments(add("evaluate", "accuracy on labeled images"))
    bundle_cli.add_arguments(add("bundle", "a finished run -> weights with a card"), IMAGES)
