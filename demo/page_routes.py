"""The page's own addresses: the browser sends a view state, and gets the parts of the page as they are computed.

    POST lens/view     {page, id, state or query, retry, start, dark, cached}
                                                         -> application/x-ndjson, one JSON object of parts a line
    POST lens/stop     {page, id}                        -> 204
    POST lens/export   {state, format or map}            -> the file: of the tab, or of one map
    POST lens/sequence       {state}                 -> application/x-ndjson: progress, then the frames of a transition
    POST lens/sequence_file  {state, format}         -> the file
    POST lens/live?page=PAGE&…  JPEG                 -> what the frame of a camera gives (demo/live.py)
    POST lens/models   {models}                          -> {models, offer}: choices while weights arrive

A plain streamed response needs no session, no queue and no order: the browser aborts the one it does not want any
more, which ends its generator here, and repeats it after a lost connection. Gradio's events would need all of that
(it sends differences between values, and its front end drops one of two that come while it is busy).

Nothing here imports gradio.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote

import anyio
from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from transxnet.errors import InvalidValue, LensError

from .export_request import ChosenMap
from .exports import TYPES, File
from .http_policy import parse_json
from .i18n.translate import current_locale, locale_of_page, tr, tr_error, use_locale
from .live import MAX_FRAME, Live
from .page_export import export_view
from .renderer import Renderer, RenderRequest
from .sequence import KINDS, Sequences
from .state import TABS, ViewState, from_json, validate

log = logging.getLogger(__name__)
PREFIX = "/lens/"
MAX_BODY = 64 * 1024  # bytes: a state with the largest mask takes half of it
MAX_STREAMS = 256  # responses on their way at the same moment
MAX_PAGES = 4096  # pages whose newest request is remembered
STEP_THREADS = 40  # that compute steps of responses; each step is short, or waits 0.3 s at most


Key = Annotated[str, Field(max_length=200)]
PageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[int, Field(ge=0, le=10**9, strict=True)]


class RequestIds:
    """The newest request of each page: older ones stop, and the visitor may stop the newest as well.

    The browser numbers its requests (web/js/core/store.js) and names its page by a random text, so nothing says who
    the visitor is. Requests may arrive out of order; one that is older than the newest is superseded from the start.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: LRUCache[str, tuple[int, bool]] = LRUCache(MAX_PAGES)  # its number, and whether it was stopped

    def begin(self, page: str, number: int) -> None:
        """Register a request; all older ones of this page are superseded."""
        with self._lock:
            if number >= self._newest.get(page, (0, False))[0]:
                self._newest[page] = (number, False)

    def stop(self, page: str, number: int) -> None:
        """Stop a request that is still the newest of its page."""
        with self._lock:
            if self._newest.get(page, (0, False))[0] == number:
                self._newest[page] = (number, True)

    def is_current(self, page: str, number: int) -> bool:
        """Whether a request is its page's newest and was not stopped."""
        with self._lock:
            return self._newest.get(page) == (number, False)

    def is_stopped(self, page: str, number: int) -> bool:
        """Whether the visitor stopped a request and has requested nothing since."""
        with self._lock:
            return self._newest.get(page) == (number, True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cached(_Body):
    """What the browser has already (RenderRequest)."""

    image: Key = ""
    tab: Literal["", *TABS] = ""  # type: ignore[valid-type]
    tables: Annotated[list[Key], Field(max_length=64)] = []
    figures: Key = ""
    controls: Key = ""
    label_set: Key = ""
    hero: Key = ""


class ViewBody(_Body):
    """Body of lens/view; either a state or the query of a URL."""

    page: PageName
    id: Number
    state: dict[str, Any] = {}
    query: Annotated[str, Field(max_length=8192)] | None = None
    retry: Annotated[list[Key], Field(max_length=16)] = []
    start: bool = False
    dark: bool = False
    cached: Cached = Cached()


class StopBody(_Body):
    """Body of lens/stop."""

    page: PageName
    id: Number


class ModelsBody(_Body):
    """Body of lens/models."""

    state: ViewState


class ExportBody(_Body):
    """Body of lens/export."""

    state: ViewState
    format: Literal[tuple(TYPES)] = "png"  # type: ignore[valid-type]
    map: ChosenMap | None = None


class SequenceBody(_Body):
    """Body of lens/sequence."""

    state: ViewState


class SequenceFileBody(SequenceBody):
    """Body of lens/sequence_file."""

    format: Literal[tuple(KINDS)]  # type: ignore[valid-type]


class LiveQuery(_Body):
    """What the query of lens/live must hold; the rest is a state's."""

    page: PageName


class PageRoutes:
    """ASGI middleware: answers the page's own addresses, and leaves all others to Gradio.

    Args:
        app: The application behind.
        renderer: Renders view states.
    """

    def __init__(self, app: ASGIApp, renderer: Renderer):
        self.app = app
        self.renderer = renderer
        self.sequences, self.live = Sequences(renderer), Live(renderer)
        self.requests = RequestIds()
        self._limiter: anyio.CapacityLimiter | None = None
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["path"].rpartition(PREFIX)[2] if scope["type"] == "http" and PREFIX in scope["path"] else ""
        handlers: dict[str, Callable] = {
            "view": self._view, "stop": self._stop, "export": self._export, "models": self._models,
            "sequence": self._sequence, "sequence_file": self._sequence_file, "live": self._live,
        }  # fmt: skip
        if route not in handlers:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        with use_locale(locale_of_page(dict(request.headers))):
            try:
                response = await handlers[route](request if route == "live" else await _read(request))
            except ClientDisconnect:
                return
            except LensError as error:
                response = _refusal(error)
            except Exception:  # the log gets what happened
                log.exception("answering %s", route)
                response = JSONResponse({"error": tr("parameters.failed")}, 500)
            await response(scope, receive, send)

    async def _view(self, values: Mapping[str, Any]) -> Response:
        if self._streams >= MAX_STREAMS:
            return JSONResponse({"error": tr("page.busy")}, 503)
        body = await run_in_threadpool(validate, ViewBody, values)
        if body.query is None:
            state, notes = await run_in_threadpool(from_json, body.state)
        else:
            pairs = parse_qsl(body.query.removeprefix("?"), keep_blank_values=True)
            state, notes = await run_in_threadpool(self.renderer.open, pairs)
        self.requests.begin(body.page, body.id)
        request = RenderRequest(
            state, partial(self.requests.is_current, body.page, body.id),
            partial(self.requests.is_stopped, body.page, body.id), notes, opened=body.query is not None,
            retry=body.retry, start=body.start, dark=body.dark, **body.cached.model_dump(),
        )  # fmt: skip
        return self._stream(self.renderer.render(request), state.locale)

    def _stream(self, steps: Iterator[dict], locale: str) -> Response:
        lines = self._lines(steps, locale or current_locale())
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=NO_STORE)

    async def _lines(self, steps: Iterator[dict], locale: str) -> AsyncIterator[str]:
        """One line a step. Closed when the browser goes away."""
        self._limiter = self._limiter or anyio.CapacityLimiter(STEP_THREADS)
        self._streams += 1
        try:
            with use_locale(locale):
                while (parts := await anyio.to_thread.run_sync(_next, steps, limiter=self._limiter)) is not None:
                    yield json.dumps(parts, separators=(",", ":")) + "\n"
            yield '{"done":true}\n'  # without it the browser takes the connection for lost
        finally:
            self._streams -= 1
            steps.close()

    async def _stop(self, values: Mapping[str, Any]) -> Response:
        body = validate(StopBody, values)
        self.requests.stop(body.page, body.id)
        return Response(status_code=204)

    async def _export(self, values: Mapping[str, Any]) -> Response:
        body = await run_in_threadpool(validate, ExportBody, values)
        return _download(await run_in_threadpool(export_view, self.renderer, body.state, body.format, body.map))

    async def _sequence(self, values: Mapping[str, Any]) -> Response:
        if self._streams >= MAX_STREAMS:
            return JSONResponse({"error": tr("page.busy")}, 503)
        body = await run_in_threadpool(validate, SequenceBody, values)
        return self._stream(self.sequences.steps(body.state), body.state.locale)

    async def _sequence_file(self, values: Mapping[str, Any]) -> Response:
        body = await run_in_threadpool(validate, SequenceFileBody, values)
        with use_locale(body.state.locale or current_locale()):
            return _download(await run_in_threadpool(self.sequences.file, body.state, body.format))

    async def _live(self, request: Request) -> Response:
        data = await _read_body(request, "image/jpeg", MAX_FRAME)
        pairs = parse_qsl(request.url.query[:8192], keep_blank_values=True)
        page = await run_in_threadpool(validate, LiveQuery, {"page": dict(pairs).get("page")})
        return JSONResponse(await run_in_threadpool(self.live.frame, page.page, pairs, data), headers=NO_STORE)

    async def _models(self, values: Mapping[str, Any]) -> Response:
        body = await run_in_threadpool(validate, ModelsBody, values)
        state, _, _ = await run_in_threadpool(self.renderer.resolve, body.state)
        controls = await run_in_threadpool(self.renderer.controls.loading, state.models)
        return JSONResponse(controls, headers=NO_STORE)


NO_STORE = {"cache-control": "no-store", "x-accel-buffering": "no"}  # nor may a proxy hold lines back


def _download(file: File) -> Response:
    disposition = f"attachment; filename*=utf-8''{quote(file.name)}"
    return Response(file.data, media_type=file.kind, headers={**NO_STORE, "content-disposition": disposition})


def _next(steps: Iterator[dict]) -> dict | None:
    """The next step; None at the end. An error becomes the last step."""
    try:
        return next(steps, None)
    except LensError as error:
        return {"error": tr_error(error)}
    except Exception:
        log.exception("rendering a view")
        return {"error": tr("parameters.failed")}


async def _read(request: Request) -> Mapping[str, Any]:
    """The body, a JSON object.

    Raises:
        InvalidValue: It is another kind of body, or too large.
    """
    body = parse_json(await _read_body(request, "application/json", MAX_BODY))
    if not isinstance(body, dict):
        raise InvalidValue(tr("parameters.not_json"))
    return body


async def _read_body(request: Request, kind: str, limit: int) -> bytes:
    """The body of a POST request of this MIME type. Raises InvalidValue for others, and beyond the limit in bytes."""
    if request.method != "POST" or not request.headers.get("content-type", "").startswith(kind):
        raise InvalidValue(tr("parameters.not_json" if kind == "application/json" else "parameters.not_jpeg"))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise InvalidValue(tr("parameters.too_large"))
    return bytes(body)


def _refusal(error: LensError) -> JSONResponse:
    return JSONResponse({"error": tr_error(error)}, 400)
