"""The page's own components: gr.HTML that demo/web/js draws, a safe image upload, and Blocks that check requests.

Hidden components stand for an endpoint's parameters, so that Gradio describes each by its type.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from transxnet.errors import ImageError, InvalidValue, LensError
from transxnet.images import SourceImage

from ..decoding import POOL
from ..i18n.translate import locale_of_page, message, tr, tr_error, use_locale
from ..temporary_files import lease, use
from ..uploads import UploadedFiles, check_upload, contains_file
from ..validation import Parameter
from .gradio_classes import name_uploads_randomly

log = logging.getLogger(__name__)
MOUNT = """(function mount() {
  if (window.lens) window.lens.mount("PART", element, VALUE);
  else setTimeout(mount, 20);
})();"""
ROOTS = {  # part of the page (web/js/main.js) -> class of the element that its widget draws into
    "connection": "lens-offline", "crosshair": "lens-crosshair", "display": "lens-controls", "exports": "lens-exports",
    "figures": "lens-figures", "full_screen": "lens-window", "gradio_controls": "lens-gradio", "hero": "lens-hero",
    "image_inputs": "lens-image-inputs", "image_size": "lens-size", "link": "lens-link", "notes": "lens-notes",
    "panel": "lens-panel", "predictions": "lens-predictions", "presentation": "lens-presenter",
    "progress": "lens-downloads", "reference": "lens-thumbs", "settings_fold": "lens-settings", "terms": "lens-terms",
    "thumbnails": "lens-thumbs", "tour": "lens-tour",
}  # fmt: skip


@contextmanager
def translated_errors() -> Iterator[None]:
    """Show an error of the family as its sentence on the page; its `detail` stays here."""
    try:
        yield
    except LensError as error:
        raise gr.Error(tr_error(error), print_exception=False) from None


class Mounted(gr.HTML):
    """gr.HTML that a widget of web/js draws: it shows one part of the server's answers and changes the view state.

    Args:
        part: A key of ROOTS.
        value: What the widget starts with, such as its text in every language.
        kwargs: As of gr.HTML.
    """

    def __init__(self, part: str, value: Any = None, **kwargs: Any):
        load = MOUNT.replace("PART", part).replace("VALUE", json.dumps(value))
        super().__init__("", html_template=f'<div class="{ROOTS[part]}"></div>', js_on_load=load, **kwargs)


class Blocks(gr.Blocks):
    """gr.Blocks that answer in the visitor's language, open no file that was not uploaded, and fetch no address.

    They override two methods, because Gradio 6.31 has no option for what they do.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.upload_file_set = UploadedFiles()  # Gradio's upload route adds to it
        name_uploads_randomly()

    async def process_api(
        self, block_fn: Any, inputs: list[Any], state: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Gradio answers an unexpected exception without a message, and knows no locale in the server's code."""
        with use_locale(locale_of_page(getattr(request, "headers", None) or {})), lease(), translated_errors():
            try:
                if contains_file(getattr(kwargs.get("event_data"), "_data", None)):  # looked up on the disk by Gradio
                    raise ImageError(message("errors.not_uploaded"))
                return await super().process_api(block_fn, inputs, state, request, *args, **kwargs)
            except (gr.Error, LensError):
                raise
            except Exception:
                log.exception("answering %s", getattr(block_fn, "name", block_fn))
                raise gr.Error(tr("parameters.failed"), print_exception=False) from None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Gradio opens a path, and downloads an address, that is sent in place of a file, whichever component it was
        sent to, before that component's preprocess is called.
        """
        with translated_errors():
            inputs = check_inputs(block_fn.inputs, inputs, self.upload_file_set)
        return await super().preprocess_data(block_fn, inputs, *args, **kwargs)


def check_inputs(components: Sequence[Any], values: Sequence[Any], uploads: UploadedFiles) -> list[Any]:
    """An event's values, checked before Gradio opens or downloads what they name.

    Args:
        components: The event's inputs. All have a `parameter`, but for the page's upload.
        values: As they came with the request.
        uploads: The paths that the upload route has returned.

    Raises:
        ImageError: A value does not name an uploaded file, or is sent where no file is expected.
        InvalidValue: Not one value for each input, or one that is refused by its parameter.
        LensError: As Parameter.validate.
    """
    checked, folder = list(values), Path(get_upload_folder())
    for i, value in enumerate(values):
        if value is not None and i < len(components) and isinstance(components[i], SafeImage):
            checked[i] = check_upload(value, uploads, folder)
            use(checked[i]["path"])
        elif contains_file(value):
            raise ImageError(message("errors.not_uploaded"))
    if len(values) != len(components):
        raise InvalidValue(message("parameters.arguments", expected=len(components), count=len(values)))
    return [
        component.parameter.validate(value) if hasattr(component, "parameter") else value
        for component, value in zip(components, checked, strict=True)
    ]


class SafeImage(gr.Image):
    """gr.Image that hands the server's functions a decoded SourceImage, or says in a sentence why it cannot.

    No __init__ of its own: Gradio reads the front end's properties off the constructor's signature.
    """

    is_template = True  # drawn by the stock Image's front end

    def api_info(self) -> dict[str, Any]:
        return super().api_info() | {"additional_description": "A local image file."}  # the stock text allows a URL

    def example_payload(self) -> Any:
        return {"path": "photo.jpg", "meta": {"_type": "gradio.FileData"}}

    def preprocess(self, payload: Any) -> SourceImage | None:
        if payload is None:
            return None
        with translated_errors():  # Gradio wraps all others
            return POOL.decode(payload.path or "", name=payload.orig_name or "image")


# ---- parameters of endpoints ---------------------------------------------------------------------------------------


class Choice(gr.Dropdown):
    """One of few values, listed where the endpoints are described; its parameter has checked it."""

    is_template = True

    def api_info(self) -> dict[str, Any]:
        values = [value for _, value in self.choices]
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}

    def preprocess(self, payload: str | int) -> str | int:
        return payload


COMPONENTS = {"object": SafeImage, "string": gr.Textbox, "boolean": gr.Checkbox}  # by JSON type


def component_of(parameter: Parameter) -> Any:
    """A component of the parameter's type, which Blocks.preprocess_data finds as its `parameter`."""
    options: dict[str, Any] = {"value": parameter.default, "label": parameter.name, "visible": False}
    kind = parameter.schema["type"]
    if choices := parameter.schema.get("enum"):
        component = Choice(choices, **options)
    elif kind in COMPONENTS:
        component = COMPONENTS[kind](**options)
    else:
        component = gr.Number(precision=0 if isinstance(parameter.default, int) else None, **options)
    component.parameter = parameter
    return component
