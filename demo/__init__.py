"""The page. Imports transxnet; the library never imports it back."""

from __future__ import annotations

from typing import Any

__all__ = ["mount"]


def mount(app: Any, path: str, **options: Any) -> Any:
    """Add the page to a FastAPI application under a path; the application's other routes stay as they are.

    Call it before Gradio is imported elsewhere, so that its analytics stay off. Uploads and results are in a temporary
    folder of this process, which GRADIO_TEMP_DIR names from then on.

    Args:
        app: The fastapi.FastAPI.
        path: Where the page is, such as "/lens".
        **options: Those of `python app.py` that do not belong to the server, by name: `model=["birds=birds.pth"]`,
            `weights_dir="weights"`, `allowed_host=["example.org"]`. `host` is the address that the application's
            server listens on: with None, this machine only, requests for other host names are refused, but for those
            of `allowed_host`.

    Returns:
        The application.

    Raises:
        TypeError: There is no such option, or a value does not fit.
        LensError: A model cannot be read, or a value is out of bounds.
    """
    from . import command, server

    arguments = command.keyword_arguments(options)
    server.set_offline_env()
    server.private_temp_dir()
    from .launch import mount as mount_page

    return mount_page(app, path, arguments)
