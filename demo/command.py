"""The command that serves the page: `transxnet demo`, `python -m transxnet demo` and `python app.py`.

The entry point `demo` of the group transxnet.commands names this module, as transxnet/cli/plugins.py describes. It
imports neither Gradio nor what comes with it, so that `--help` is quick, and works where they are not installed.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from types import NoneType
from typing import Any, NoReturn

from transxnet.cli.common import AddOption, add_option, add_refresh_option, add_source_options
from transxnet.console import decode_arguments, escape_unencodable, explain_import_error
from transxnet.errors import LensError

SUMMARY = "serve the interactive page"
OF_THE_SERVER = frozenset({"port", "root_path", "share"})  # options that a mounted page does not have


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The options of `python app.py`; each falls back to its environment variable, so that a Space needs none."""
    escape_unencodable()  # the help has such characters
    if argv is None:
        decode_arguments()
    parser = argparse.ArgumentParser(prog="python app.py", description="TransXNet Lens: the interactive page.")
    add_options(partial(add_option, parser))
    return parser.parse_args(argv)


class _KeywordParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise TypeError(f"mount(): {message}.")


def keyword_arguments(options: Mapping[str, Any]) -> argparse.Namespace:
    """The options of the page as keywords: `model=["birds=birds.pth"], weights_dir="weights"`.

    Args:
        options: By their names on the command line, with "_" for "-". A list repeats an option.

    Raises:
        TypeError: There is no such option, or a value does not fit.
    """
    parser = _KeywordParser(add_help=False, allow_abbrev=False)
    add_options(partial(add_option, parser))
    names = vars(parser.parse_args([])).keys() - OF_THE_SERVER
    for name, value in options.items():
        if name not in names:
            raise TypeError(f"mount() has no option {name!r}. Options: {', '.join(sorted(names))}.")
        if value is False:
            parser.set_defaults(**{name: False})
    line = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is True]
    for name, value in options.items():
        if not isinstance(value, (bool, NoneType)):
            values = value if isinstance(value, (list, tuple)) else [value]
            line += [f"--{name.replace('_', '-')}={item}" for item in values]
    arguments = parser.parse_args(line)
    for name, value in options.items():
        if isinstance(value, (list, tuple)) and not isinstance(getattr(arguments, name), list):
            raise TypeError(f"mount(): {name} takes one value, not a list.")
    return arguments


def add_options(add: AddOption) -> None:
    """Options of the page."""
    add(
        "--host", "address to listen on, IPv4 or IPv6",
        default_text="environment variable GRADIO_SERVER_NAME, else this machine only",
    )  # fmt: skip
    add(
        "--port", "port; 0 for any free one", type=int,
        default_text="environment variable GRADIO_SERVER_PORT, else the first free from 7860",
    )  # fmt: skip
    add(
        "--root-path", "path under which a reverse proxy serves the page, such as /lens, or the page's whole address",
        default_text="environment variable GRADIO_ROOT_PATH, else /", metavar="PATH",
    )  # fmt: skip
    add("--share", "ask Gradio for a public link; needs the internet", action="store_true")
    add(
        "--allowed-host", "a host name under which a reverse proxy forwards to a server on this machine only; repeat "
        "for several", action="append", metavar="NAME", default_text="localhost, 127.0.0.1 and [::1]",
    )  # fmt: skip
    add(
        "--frame-ancestors", "a site that may show the page in a frame, such as https://example.org; repeat for "
        "several", action="append", metavar="ORIGIN", default_text="huggingface.co and hf.space",
    )  # fmt: skip
    add("--weights-dir", "folder of NAME.safetensors or official files", variable="TRANSXNET_WEIGHTS")
    add(
        "--hub-namespace", "Hub namespace with transxnet_t, …; NS@v1 pins a branch, tag or commit, NS@t=COMMIT,s=v2 "
        "one per model", metavar="NS[@REVISION]", variable="TRANSXNET_HUB_NAMESPACE",
    )  # fmt: skip
    add_refresh_option(add)
    add(
        "--request-memory", "memory of one request; larger input sizes are not offered", unit="GB", type=float,
        default=2.0, metavar="N",
    )  # fmt: skip
    add("--device", "cuda, cuda:N, mps, xpu, npu or cpu", default_text="cuda or mps if available, else cpu")
    text = (
        "model that the page offers, a variant or NAME=SOURCE for one of your own (a file, a folder or hf-hub:ID); "
        "repeat for several, the page opens with the first"
    )
    add("--model", text, action="append", metavar="NAME[=SOURCE]", default_text="pico")
    add_source_options(add)
    add(
        "--backbones", "up to three timm backbones that one click adds to the receptive fields; those without weights "
        "on this disk get random weights", metavar="NAME,NAME,…",
    )  # fmt: skip
    add(
        "--visitor-backbones", "which timm backbones visitors may name: none, listed (those of --backbones) or any",
        choices=("none", "listed", "any"),
        default=os.environ.get("TRANSXNET_VISITOR_BACKBONES") or ("listed" if os.environ.get("SPACE_ID") else "any"),
        default_text="environment variable TRANSXNET_VISITOR_BACKBONES, else listed on a Space, any elsewhere",
    )  # fmt: skip
    add(
        "--mcp", 'also serve the endpoints as MCP tools; needs pip install "mcp>=1.21,<2"', action="store_true",
        default=os.environ.get("TRANSXNET_MCP", "") not in ("", "0"),
        default_text="off, unless the environment variable TRANSXNET_MCP is 1",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C or SIGTERM, then end the process: with exit code 2 if it could not be served."""
    with page_process(failure=2):
        from .launch import build, check_address, launch

        check_address(args)
        launch(build(args), args)
    return 0


@contextmanager
def page_process(failure: int = 1) -> Iterator[None]:
    """Prepare this process for the page, and end it after the block; Gradio must not have been imported yet.

    Args:
        failure: Exit code after an exception in the block, which is printed: as one sentence where its cause is known.
    """
    try:
        if find_spec("gradio") is None:  # rather than the first of the packages that it brings
            raise ModuleNotFoundError(name="gradio")
        from . import server
        from .memory import limit_arenas

        limit_arenas()
        server.set_offline_env()  # both before gradio is imported
        temporary = server.private_temp_dir()
    except (LensError, ImportError) as error:
        _report(error)
        sys.exit(failure)
    code = 0
    try:
        yield
    except KeyboardInterrupt:  # before the page was served
        code = 130
    except Exception as error:
        _report(error)
        code = failure
    server.leave(temporary, code)


def _report(error: Exception) -> None:
    """Print why the program ends, as one sentence where the cause is explained."""
    explained = explain_import_error(error) if isinstance(error, ImportError) else error
    if isinstance(explained, LensError):
        print(f"{explained} {explained.detail}".strip(), file=sys.stderr)
    else:
        traceback.print_exception(error)
