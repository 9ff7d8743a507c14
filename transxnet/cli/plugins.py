"""Commands of other packages: entry points of the group `transxnet.commands`, such as the page's `demo`.

An entry point names a module like those of transxnet/cli, with add_options(add), run(args) and, as SUMMARY, its line in
the help. It must import quickly, because `--help` imports it. Without an entry point, as in a checkout, the page is
imported from the folder demo/ next to transxnet/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..console import INSTALL, explain_import_error
from ..errors import LensError

GROUP = "transxnet.commands"
PAGE, PAGE_SUMMARY = "demo", "serve the interactive page"
_PAGE_MODULE = ("demo", "command")  # in a checkout
_PAGE_INSTALLED = "transxnet_lens"


def find_commands() -> dict[str, Callable[[], Any]]:
    """Find the commands of other packages.

    Returns:
        Name -> function that imports the command's module. The page's command is always there; where its package is
        not installed, the function raises ModuleNotFoundError.
    """
    commands = {entry.name: entry.load for entry in entry_points(group=GROUP)}
    commands.setdefault(PAGE, _import_page)
    return commands


def _import_page() -> Any:
    if Path(str(files("transxnet"))).parent.joinpath(*_PAGE_MODULE).with_suffix(".py").is_file():
        return import_module(".".join(_PAGE_MODULE))
    raise ModuleNotFoundError


def add_unavailable(subparsers: argparse._SubParsersAction, name: str, error: ImportError) -> None:
    """Register a command whose module cannot be imported: it says why, whatever its arguments are."""
    what = "The page is not installed." if name == PAGE else f"The command {name} cannot be imported."
    is_absent = isinstance(error, ModuleNotFoundError) and error.name in (None, PAGE, _PAGE_INSTALLED)
    detail = "" if is_absent else str(error)
    reason = explain_import_error(error) or LensError(what, remedy=INSTALL, detail=detail)

    def run(args: argparse.Namespace) -> int:
        raise reason

    # Without prefix characters every argument is positional, also --help.
    summary = PAGE_SUMMARY if name == PAGE else "not available"
    parser = subparsers.add_parser(name, help=summary, prefix_chars="\0", add_help=False)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)
