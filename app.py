"""TransXNet Lens: builds the page and launches it. `python app.py --help` lists the options."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

if "OMP_WAIT_POLICY" not in os.environ:  # what transxnet.console.limit_spinning sets: importing it would load torch
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

from transxnet.console import decode_arguments, escape_unencodable, explain_import_error
from transxnet.errors import LensError


def report_failure(error: Exception) -> int:
    """Print why the program ends, as one sentence where the cause is explained; return the exit code."""
    explained = explain_import_error(error) if isinstance(error, ImportError) else error
    if isinstance(explained, LensError):
        print(f"{explained} {explained.detail}".strip(), file=sys.stderr)
    else:
        traceback.print_exception(error)
    return 1


escape_unencodable()
decode_arguments()
try:
    from demo import address, server
    from demo.memory import limit_arenas

    limit_arenas()
    server.set_offline_env()  # both before gradio is imported
    temporary = server.private_temp_dir()
except (LensError, ImportError) as error:
    sys.exit(report_failure(error))


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The options; each falls back to its environment variable, so that a Space needs none."""
    parser = argparse.ArgumentParser(prog="python app.py", description="TransXNet Lens: the interactive page.")
    parser.add_argument(
        "--host", help="address to listen on, IPv4 or IPv6 (default: GRADIO_SERVER_NAME, else this machine only)"
    )
    parser.add_argument(
        "--port", type=int, help="port; 0 for any free one (default: GRADIO_SERVER_PORT, else the first free from 7860)"
    )
    parser.add_argument("--share", action="store_true", help="ask Gradio for a public link; needs the internet")
    parser.add_argument(
        "--allowed-host", action="append", metavar="NAME", help="a host name under which a reverse proxy "
        "forwards to a server on this machine only (default: localhost, 127.0.0.1 and [::1]; repeat for several)",
    )  # fmt: skip
    parser.add_argument(
        "--frame-ancestors", action="append", metavar="ORIGIN", help="a site that may show the page in a frame, such "
        "as https://example.org (default: huggingface.co and hf.space; repeat for several)",
    )  # fmt: skip
    parser.add_argument(
        "--weights-dir", help="folder of NAME.safetensors or official files (default: TRANSXNET_WEIGHTS)"
    )
    parser.add_argument(
        "--hub-namespace", metavar="NS[@REVISION]",
        help="Hub namespace with transxnet_t, … (default: TRANSXNET_HUB_NAMESPACE); NS@v1 pins a branch, tag or "
        "commit, NS@t=COMMIT,s=v2 one per model",
    )  # fmt: skip
    parser.add_argument(
        "--device", help="cuda, cuda:N, mps, xpu, npu or cpu (default: cuda or mps if available, else cpu)"
    )
    parser.add_argument("--model", default="pico", help="model that the page opens with (default: pico)")
    parser.add_argument(
        "--backbones", metavar="NAME,NAME,…",
        help="up to three timm backbones that one click adds to the receptive fields; those without weights on this "
        "disk get random weights",
    )  # fmt: skip
    parser.add_argument(
        "--visitor-backbones", choices=("none", "listed", "any"),
        default=os.environ.get("TRANSXNET_VISITOR_BACKBONES") or ("listed" if os.environ.get("SPACE_ID") else "any"),
        help="which timm backbones visitors may name: none, listed (those of --backbones) or any "
        "(default: listed on a Space, any elsewhere; TRANSXNET_VISITOR_BACKBONES)",
    )  # fmt: skip
    parser.add_argument(
        "--mcp", action="store_true", default=os.environ.get("TRANSXNET_MCP", "") not in ("", "0"),
        help='also serve the endpoints as MCP tools (TRANSXNET_MCP=1); needs pip install "mcp>=1.21,<2"',
    )  # fmt: skip
    return parser.parse_args(argv)


def on_gpu() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """spaces.GPU where that package is installed (a hosted Space), else nothing. Before CUDA is touched."""
    if importlib.util.find_spec("spaces") is None:
        return lambda function: function
    import spaces

    return spaces.GPU


def check_address(args: argparse.Namespace) -> None:
    """Refuse an address that cannot be served before a model is loaded. Call before gradio is imported.

    Raises:
        LensError: the host or the port cannot be used.
    """
    options = server.launch_options(args)
    address.find_port(options["server_name"], options["server_port"] or 0)
    # Gradio tries ports at the address in this variable, and can do so for IPv4 only; it gets the host from us.
    if ":" in os.environ.get("GRADIO_SERVER_NAME", ""):
        args.host = options["server_name"]
        del os.environ["GRADIO_SERVER_NAME"]


def build(args: argparse.Namespace) -> Any:
    """The page for these options, its default model already on its way."""
    decorate = on_gpu()
    import torch

    from demo.backbones import DEFAULT_BACKBONES, Backbones
    from demo.renderer import Renderer
    from demo.service import StudyService
    from demo.state import MAX_MODELS, canonical_name
    from demo.ui.page import Page
    from transxnet.errors import OutOfRange

    torch.set_num_threads(os.cpu_count() or 1)
    names = args.backbones.split(",") if args.backbones else DEFAULT_BACKBONES
    backbones = tuple(canonical_name(name) for name in names)
    if len(backbones) > MAX_MODELS:
        raise OutOfRange(f"--backbones names {len(backbones)} backbones.", remedy=f"Name up to {MAX_MODELS}.")
    service = StudyService(
        device=args.device, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace, on_gpu=decorate,
        default=args.model,
        backbones=Backbones(args.visitor_backbones, tuple(name.partition("@")[0] for name in backbones)),
    )  # fmt: skip
    service.preload(args.model)
    return Page(Renderer(service, args.model, backbones))


def launch(page: Any, args: argparse.Namespace, **more: Any) -> Any:
    """Serve the page with this project's limits, look and scripts; returns what Blocks.launch returns."""
    from starlette.middleware import Middleware

    from demo import decoding
    from demo.http_policy import MAX_UPLOAD_BODY
    from demo.page_routes import PageRoutes
    from demo.temporary_files import UploadRoom, temporary_files
    from demo.ui import mcp
    from demo.ui.gradio_classes import keep_no_values, limit_connections
    from demo.ui.language import InLanguage
    from demo.ui.theme import theme
    from demo.web import STYLES, WebModules, head

    with_mcp = getattr(args, "mcp", False) and mcp.available()
    if with_mcp:
        mcp.answer_plainly()
    elif getattr(args, "mcp", False):
        print(mcp.MISSING, file=sys.stderr)
    files = temporary_files(str(temporary))
    files.keep_present()  # images that Gradio copied while the page was built
    files.start()
    decoding.POOL.warm_up()
    signal.signal(signal.SIGTERM, lambda *_: server.leave(temporary))
    keep_no_values()
    page.blocks.queue(api_open=False, max_size=64)
    limit_connections()
    routes = [Middleware(PageRoutes, renderer=page.renderer), Middleware(WebModules)]
    appearance = {"theme": theme(), "css_paths": STYLES, "mcp_server": with_mcp, "i18n": page.translations.i18n()}
    options = server.launch_options(args, routes) | appearance | more
    room = Middleware(UploadRoom, files=files, longest=MAX_UPLOAD_BODY)
    options["app_kwargs"]["middleware"] += [room, Middleware(InLanguage, head=head())]
    if options["server_port"] == 0:
        options["server_port"] = address.find_port(options["server_name"], 0)
    try:
        return page.blocks.launch(**options)
    except OSError as error:  # Gradio's own, where every port is taken, or another program was quicker
        raise LensError(
            "The page's server could not start.",
            remedy="Other programs may use its ports: --port 0 takes a free one.",
            detail=str(error),
        ) from error


if __name__ == "__main__":
    options, code = arguments(), 0
    try:
        check_address(options)
        built = build(options)
        page = built.blocks  # a Space looks for the Blocks object here
        launch(built, options)  # ends with Ctrl-C
    except KeyboardInterrupt:  # before the page was served
        code = 130
    except Exception as error:
        code = report_failure(error)
    server.leave(temporary, code)
