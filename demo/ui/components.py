"""The page's own components: gr.HTML that demo/web/js draws, and a safe image upload."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import gradio as gr

from transxnet.errors import LensError
from transxnet.images import SourceImage

from ..decoding import POOL
from ..i18n.translate import in_every_locale, negotiate_locale, tr, tr_error, tr_section, use_locale
from ..in_order import InOrder
from ..session import Session
from ..temporary_files import lease, use
from ..turns import TURN, in_time
from ..uploads import UploadedFiles, contains_file
from ..validation import validate_inputs
from .files import check_inputs, name_uploads_randomly

log = logging.getLogger(__name__)
MOUNT = """(function mount() {
  if (window.lens) window.lens.mount("NAME", element, props, trigger, watch); // it triggers 'select'
  else setTimeout(mount, 20);
})();"""  # Gradio listens only to events that js_on_load names
PAGE = "page"  # the line of events that change a visitor's session


@contextmanager
def in_words() -> Iterator[None]:
    """An error of the family becomes its sentence on the page; its `detail` stays here."""
    try:
        yield
    except LensError as error:
        raise gr.Error(tr_error(error), print_exception=False) from None


class _Mounted(gr.HTML):
    """gr.HTML whose content is drawn by a component of demo/web/js/main.js; `select` reaches Python with its numbers.

    mount: the component's name. root: the class of the element that it draws into.
    """

    mount = ""
    root = ""

    def __init__(self, value: Any = None, **kwargs: Any):
        super().__init__(
            value,
            html_template=f'<div class="{self.root}"></div>',
            js_on_load=MOUNT.replace("NAME", self.mount),
            **kwargs,
        )


class Crosshair(_Mounted):
    mount, root = "crosshair", "lens-crosshair"


class Answers(_Mounted):
    mount, root = "answers", "lens-answers"


class Thumbs(_Mounted):
    mount, root = "thumbs", "lens-thumbs"


class Panel(_Mounted):
    mount, root = "panel", "lens-panel"


class Figures(_Mounted):
    mount, root = "figures", "lens-figures"


class Link(_Mounted):
    """Writes the address, and copies it."""

    mount, root = "link", "lens-link"


class Note(_Mounted):
    """What a link could not give back, until it is closed."""

    mount, root = "note", "lens-told"


class Tour(_Mounted):
    """The guided tour's bar, while a step is active."""

    mount, root = "tour", "lens-tour"


class ViewChoice(_Mounted):
    """Says which view's tab a visitor clicked, and opens the one that an answer is about: web/js/widgets/tabs.js.

    gr.Tab's own `select` also tells of tabs that an answer opens, and gr.Tabs' `selected` opens one whatever was
    clicked meanwhile: an older answer, come late, would take the visitor away from what was asked for since.
    """

    mount, root = "tabs", "lens-view-choice"


class Downloads(_Mounted):
    """Shows nothing of its own: its numbers move the bars that stand in the panels' empty columns.

    `select` carries what their buttons ask: "stop" or "again".
    """

    mount, root = "downloads", "lens-downloads"


class Display(_Mounted):
    """Opacity, colors, scale and what else core/display_store.js holds: in the browser only, never an event.

    Its value is the text of i18n/strings/display.py, for widgets/controls.js, color bars and read-outs.
    """

    mount, root = "display", "lens-controls"

    def __init__(self) -> None:
        super().__init__(in_every_locale(lambda: tr_section("display")), elem_id="display")


class Settings(_Mounted):
    """On a narrow screen: the button that unfolds what else can be chosen, and says what is."""

    mount, root = "settings", "lens-settings"

    def __init__(self) -> None:
        super().__init__(in_every_locale(lambda: tr_section("settings")), elem_id="settings-fold")


class Offline(_Mounted):
    """A notice while there is no connection; core/reconnect.js keeps what is asked meanwhile."""

    mount, root = "offline", "lens-offline"

    def __init__(self) -> None:
        super().__init__(in_every_locale(lambda: tr_section("offline")), elem_id="offline")


class Exports(_Mounted):
    """What is shown as a file to keep. Its value: demo/downloads.py; `select` carries {format, display}."""

    mount, root = "exports", "lens-exports"


class Blocks(gr.Blocks):
    """gr.Blocks that speaks a visitor's language in every step of every event, begins what a visitor asks in the order
    of the clicks, fetches nothing for a visitor, and loses no answer on its way to the browser.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.in_order = InOrder()
        self.upload_file_set = UploadedFiles()  # Gradio's upload route adds to it
        name_uploads_randomly()

    async def process_api(
        self, block_fn: Any, inputs: list[Any], state: Any = None, request: Any = None, iterator: Any = None,
        session_hash: str | None = None, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        asked = {"state": state, "request": request, "iterator": iterator, "session_hash": session_hash}
        fn = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        first = iterator is None and fn.concurrency_id == PAGE
        async with self.in_order.beginning(session_hash or "") if first else nullcontext():
            with use_locale(_language(state, request)), lease():
                try:
                    _check_event_data(more.get("event_data"))
                    return await super().process_api(block_fn, inputs, **asked, **more)
                except gr.Error:
                    raise
                except Exception:  # Gradio would answer without a word
                    log.exception("answering %s", fn.name)
                    raise gr.Error(tr("parameters.failed"), print_exception=False) from None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Gradio opens a path, and downloads an address, that stands where a file should, whichever component it was
        sent to, before that component's preprocess is called.
        """
        with in_words():
            takes_file = [isinstance(block, SafeImage) for block in block_fn.inputs]
            inputs = check_inputs(takes_file, inputs, self.upload_file_set)
            for file, is_file in zip(inputs, takes_file, strict=False):
                if is_file and file is not None:
                    use(file["path"])
            inputs = validate_inputs(block_fn.inputs, inputs)
        return await super().preprocess_data(block_fn, inputs, *args, **kwargs)

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Here the steps of all answers come one after the other: one that a newer answer has overtaken is left out."""
        if not in_time(predictions):
            predictions = gr.skip()
        elif isinstance(predictions, dict):
            predictions = {key: value for key, value in predictions.items() if key != TURN}
        return await super().postprocess_data(block_fn, predictions, state)

    def handle_streaming_diffs(
        self, block_fn: Any, data: list[Any], session_hash: str | None, run: str | None, final: bool,
        simple_format: bool = False,
    ) -> list[Any]:  # fmt: skip
        """Of a generator's values those that have changed are sent, whole, and nothing is sent again at its end.

        Gradio sends what differs inside a value, and its front end works that into the very object that it was told
        before: if that still waits to be shown, because both came while the page was busy, it is never shown.
        """
        before = list(self.pending_diff_streams.get(session_hash, {}).get(run, ()))
        data = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format=True)
        if simple_format or not before:
            return data
        if final:
            return [gr.skip() for _ in data]
        return [[] if old == new else [["replace", [], new]] for old, new in zip(before, data, strict=True)]


def _check_event_data(event: gr.EventData | None) -> None:
    """Raises gr.Error for a file in what a script sent with an event: Gradio would look it up on the disk."""
    if event is not None and contains_file(event._data):
        raise gr.Error(tr("errors.not_uploaded"), print_exception=False)


def _language(state: Any, request: Any) -> str:
    """Of a page that was opened, else what its address or its browser asks for. A program is answered in English."""
    for value in state.state_data.values() if state is not None else ():
        if isinstance(value, Session) and value.image:
            return value.language
    if not isinstance(request, gr.Request) or not hasattr(request, "query_params"):
        return "en"
    query, headers = request.query_params, request.headers
    asked = query.getlist("lang") if hasattr(query, "getlist") else [query["lang"]] if "lang" in query else []
    return negotiate_locale(asked, headers.get("accept-language", ""))


class Chips(gr.CheckboxGroup):
    """gr.CheckboxGroup that takes what was ticked a moment ago, although its choices have changed since.

    Gradio refuses such a value with words about a list of choices, and the page stands still; who handles the event
    looks every name up anyway.
    """

    is_template = True

    def preprocess(self, payload: list[Any] | None) -> list[str]:
        return [str(name)[:80] for name in payload or ()]


class Segments(gr.Radio):
    """gr.Radio whose value may be one that its choices have just lost: handlers fall back to what there is."""

    is_template = True

    def preprocess(self, payload: Any) -> int:
        return payload if isinstance(payload, int) else 0


class ClassChoice(gr.Dropdown):
    """gr.Dropdown that leaves it to the event's handler whether there is such a class.

    Its choices are those of a visitor's model, and Gradio forgets them with an unused session (demo/session_expiry.py).
    """

    is_template = True

    def preprocess(self, payload: Any) -> str:
        return str(payload or "")[:80]


class SafeImage(gr.Image):
    """gr.Image that hands the server's functions a decoded SourceImage, or says in a sentence why it cannot.

    No __init__ of its own: Gradio reads the front end's properties off the constructor's signature.
    """

    is_template = True  # drawn by the stock Image's front end

    def api_info(self) -> dict[str, Any]:
        return super().api_info() | {"additional_description": "A local image file."}  # the stock words allow a URL

    def example_payload(self) -> Any:
        return {"path": "photo.jpg", "meta": {"_type": "gradio.FileData"}}

    def preprocess(self, payload: Any) -> SourceImage | None:
        if payload is None:
            return None
        with in_words():
            return POOL.decode(payload.path or "", name=payload.orig_name or "image")
