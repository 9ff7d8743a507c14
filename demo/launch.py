"""Builds the page from the options of command.py, and serves it.

`server.set_offline_env` and `server.private_temp_dir` come first, because Gradio reads what they set when it is
imported: command.page_process calls them.
"""

from __future__ import annotations

import argparse
import atexit
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from transxnet.errors import LensError, OutOfRange

from . import address, server

LOADING = 60.0  # seconds that the end of a program waits for a model


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

    from transxnet.backbones.spec import is_backbone
    from transxnet.weights.load import check_weights_dir
    from transxnet.weights.named_sources import parse_models, register_models

    from .backbones import DEFAULT_BACKBONES, Backbones
    from .renderer import Renderer
    from .service import StudyService
    from .state import MAX_MODELS, canonical_name
    from .ui.page import Page

    torch.set_num_threads(os.cpu_count() or 1)
    names = args.backbones.split(",") if args.backbones else DEFAULT_BACKBONES
    backbones = tuple(canonical_name(name) for name in names)
    if len(backbones) > MAX_MODELS:
        raise OutOfRange(f"--backbones names {len(backbones)} backbones.", remedy=f"Name up to {MAX_MODELS}.")
    check_weights_dir(args.weights_dir)
    named = parse_models(args.model or ["pico"], args.class_names or (), args.activation or (), args.ema)
    models = register_models(named, args.refresh)
    listed = (*backbones, *filter(is_backbone, models))
    service = StudyService(
        device=args.device, weights_dir=args.weights_dir, hub_namespace=args.hub_namespace, on_gpu=decorate,
        models=models, request_bytes=round(1e9 * args.request_memory), refresh=args.refresh,
        backbones=Backbones(args.visitor_backbones, tuple(name.partition("@")[0] for name in listed)),
    )  # fmt: skip
    service.preload(models[0])
    return Page(Renderer(service, models[0], backbones))


def launch(page: Any, args: argparse.Namespace, **more: Any) -> Any:
    """Serve the page with this project's limits, look and scripts; returns what Blocks.launch returns."""
    from .ui.gradio_classes import limit_connections

    options = _page_options(page, args) | more
    signal.signal(signal.SIGTERM, lambda *_: server.leave(server.private_temp_dir()))
    limit_connections()
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


def mount(app: Any, path: str, args: argparse.Namespace) -> Any:
    """Add the page to a FastAPI application; returns the application."""
    page = build(args)
    # The interpreter must not end while a thread is inside torch: that aborts the process.
    atexit.register(page.renderer.service.preload(page.renderer.default_model).finished.wait, LOADING)
    options = _page_options(page, args)
    options["app_kwargs"]["lifespan"] = partial(server.mounted_lifespan, folder=server.private_temp_dir())
    return page.mount(app, path, options)


def _page_options(page: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Prepare the page, and return the keyword arguments of Blocks.launch."""
    from starlette.middleware import Middleware

    from . import decoding
    from .http_policy import MAX_UPLOAD_BODY
    from .page_routes import PageRoutes
    from .temporary_files import UploadRoom, temporary_files
    from .ui import mcp
    from .ui.gradio_classes import keep_no_values
    from .ui.language import InLanguage
    from .ui.theme import theme
    from .web import STYLES, WebModules, head

    with_mcp = getattr(args, "mcp", False) and mcp.available()
    if with_mcp:
        mcp.answer_plainly()
    elif getattr(args, "mcp", False):
        print(mcp.MISSING, file=sys.stderr)
    temporary = server.private_temp_dir()  # made before Gradio was imported
    files = temporary_files(str(temporary))
    files.keep_present()  # images that Gradio copied while the page was built
    files.start()
    decoding.POOL.warm_up()
    keep_no_values()
    page.blocks.queue(api_open=False, max_size=64)
    routes = [Middleware(PageRoutes, renderer=page.renderer), Middleware(WebModules)]
    appearance = {"theme": theme(), "css_paths": STYLES, "mcp_server": with_mcp, "i18n": page.translations.i18n()}
    options = server.launch_options(args, routes) | appearance
    room = Middleware(UploadRoom, files=files, longest=MAX_UPLOAD_BODY)
    options["app_kwargs"]["middleware"] += [room, Middleware(InLanguage, head=head())]
    return options
