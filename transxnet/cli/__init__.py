"""`python -m transxnet list`, `predict`, `study`, `erf`: arguments, and what is printed. Torch is imported when needed.

With --json every line of the standard output is one JSON object. Errors about one image do not stop the others.
"""

from __future__ import annotations

import argparse

from . import erf as receptive
from . import gallery, out_of_distribution
from . import list as listing
from . import predict as predicting
from . import study as studying
from .common import device_argument, places_arguments


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the commands; each sets `run`, a function of the parsed arguments that returns the exit code."""
    places, device = places_arguments(), device_argument()
    listing.add_arguments(subparsers.add_parser("list", parents=[places], help="the variants, or the classes of one"))
    predicting.add_arguments(
        subparsers.add_parser("predict", parents=[places, device], help="what a model answers for images")
    )
    studying.add_arguments(
        subparsers.add_parser("study", parents=[places, device], help="how models got to their answers, as files")
    )
    receptive.add_arguments(
        subparsers.add_parser("erf", parents=[places, device], help="receptive fields of models, as published")
    )
    gallery.add_arguments(
        subparsers.add_parser("gallery", parents=[places, device], help="every figure for one photo, as a page")
    )
    out_of_distribution.add_arguments(
        subparsers.add_parser(
            "out-of-distribution", parents=[places, device], help="record what images a bundled model knows"
        )
    )
