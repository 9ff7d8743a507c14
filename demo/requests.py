"""What a request to Gradio's routes must be before Gradio reads it: JSON within limits, for an event that exists.

Gradio answers an unknown endpoint, a body that is not what it expects, or an integer of 5,000 digits with HTTP 500 and
a traceback in the log, and its 422 repeats the whole body. `RequestCheck` refuses all of these with a sentence:
400 for a body, 404 for an endpoint, 413 for one that is too large, 415 for another content type. The values of an
event's parameters are checked later (demo/validation.py), where a refusal reaches the client as the event's result.

Nothing here imports gradio: its Blocks is reached by `scope["app"]`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transxnet.errors import InvalidValue, LensError, quote

from .http_policy import parse_json
from .validation import Parameter, flag, identifier, optional, text, values, whole_number

PREFIX = "/gradio_api/"
MAX_JSON = 256 * 1024  # bytes; the largest that the page sends is a painted region of 20,000 characters
ARGUMENTS = 100  # of an event
CALLS = ("queue/join", "call", "run", "api")
UNUSED = ("component_server", "process_recording", "run-history", "stream", "vibe-edit", "vibe-code", "undo-vibe-edit",
          "vibe-starter-queries")  # fmt: skip # routes of Gradio's that this page has no use for
SESSION = Parameter("session_hash", identifier(64), description="whose events these are")
BODY = (  # what gradio.data_classes.PredictBody, CancelBody and ResetBody hold
    Parameter("session_hash", optional(SESSION.kind), description="whose events these are"),
    Parameter("event_id", optional(identifier(64)), description="the event that is meant"),
    Parameter("data", values(ARGUMENTS), description="the event's values, in the order of its inputs"),
    Parameter("fn_index", optional(whole_number(-(10**9), 10**9)), description="number of the event"),
    Parameter("trigger_id", optional(whole_number(-(10**9), 10**9)), description="number of the component"),
    Parameter("simple_format", flag(), False, "whether the answer is sent without differences"),
    Parameter("batched", optional(flag()), False, "whether data holds several events' values"),
    Parameter("oauth_token", optional(text(4096)), description="token of a Hugging Face account"),
)
REQUIRED = {"queue/join": ("data", "fn_index", "session_hash"), "call": ("data",), "run": ("data",), "api": ("data",),
            "cancel": ("session_hash", "fn_index", "event_id"), "reset": ("event_id",)}  # fmt: skip


class Refused(Exception):
    """A request that is answered here."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class RequestCheck:
    """ASGI middleware: refuses requests that Gradio could not answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["path"].partition(PREFIX)[2].rstrip("/") if scope["type"] == "http" else ""
        if not route:
            await self.app(scope, receive, send)
            return
        try:
            _check_session(route, Request(scope))
            if scope["method"] == "POST" and not route.startswith("upload"):
                receive = await _checked(route, scope, receive)
        except ClientDisconnect:
            return
        except Refused as error:
            content = {"detail": error.sentence, "error": error.sentence}  # as its queue's errors, and direct calls'
            await JSONResponse(content, error.status)(scope, receive, send)
            return
        await _answer(self.app, scope, receive, send)


async def _answer(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let Gradio answer. Two of its exceptions tell of no fault, and would leave a traceback in the log."""
    started = False

    async def sending(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await app(scope, receive, sending)
    except ClientDisconnect:  # an upload that was given up
        return
    except RuntimeError as error:  # a stream of a session or an event that is not known, which the stream itself says
        if not (started and isinstance(error.__cause__, HTTPException)):
            raise
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _check_session(route: str, request: Request) -> None:
    """A session_hash of the address. Raises Refused."""
    head, _, rest = route.partition("/")
    session_hashes = request.query_params.getlist("session_hash") + ([rest] if head == "heartbeat" else [])
    for value in session_hashes:
        _validate(SESSION, value)


async def _checked(route: str, scope: Scope, receive: Receive) -> Receive:
    """Read and check a body; returns what hands it to the application. Raises Refused, ClientDisconnect."""
    if route.partition("/")[0] in UNUSED:
        raise Refused(404, "This page has no such address. Its endpoints are listed under gradio_api/info.")
    kind = route if route == "queue/join" else route.partition("/")[0]
    rpc = kind == "mcp"
    body = await _read(receive, None if rpc else MAX_JSON)
    if rpc or kind in REQUIRED:
        content_type = Request(scope).headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise Refused(415, "The request's content type is not JSON. Send it as application/json.")
        try:
            value = parse_json(body)
        except InvalidValue as error:
            raise Refused(400, str(error)) from None
        if not rpc:
            _check_body(route, kind, value, scope["app"].get_blocks())
    return _replayed(body, receive)


async def _read(receive: Receive, most: int | None) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if most is not None and len(body) > most:
            raise Refused(413, f"This request has more than {most // 1024} kB of JSON, the most that is accepted here. "
                               "Upload images, and send shorter texts.")  # fmt: skip
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_replayed = False

    async def replay() -> Message:
        nonlocal is_replayed
        if is_replayed:
            return await receive()
        is_replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


# ---- what Gradio's routes expect -----------------------------------------------------------------------------------


def _validate(parameter: Parameter, value: Any) -> Any:
    try:
        return parameter.validate(value)
    except LensError as error:
        raise Refused(400, str(error)) from None


def _check_body(route: str, kind: str, body: Any, blocks: Any) -> None:
    """Raises Refused for a body that the route does not take, and for an event that does not exist."""
    if not isinstance(body, dict):
        raise Refused(400, f"The request's body is an object, not {quote(body)}.")
    if route.startswith("call/v2/"):
        _check_named(_named(blocks, route.removeprefix("call/v2/"), public=True), body)
        return
    for parameter in BODY:
        if parameter.name in body:
            _validate(parameter, body[parameter.name])
    for name in REQUIRED[kind]:
        if body.get(name) is None:
            raise Refused(400, f"The request's body has no {name}.")
    if body.get("batched"):
        raise Refused(400, "The events of this page take one set of values each: batched is false.")
    if kind not in CALLS:
        return
    index = body.get("fn_index") if kind != "call" else None
    if index is None:
        _named(blocks, route.partition("/")[2])
    elif getattr(blocks.fns.get(index), "fn", None) is None:  # an event of JavaScript has no function here
        raise Refused(404, f"This page has no event number {index}. Load the page again.")


def _named(blocks: Any, name: str, public: bool = False) -> Any:
    """The event behind an endpoint. public: of those alone that gradio_api/info lists."""
    events = [event for event in blocks.fns.values() if event.fn and (event.api_visibility == "public" or not public)]
    endpoint = next((event for event in events if event.api_name == name), None)
    if endpoint is None:
        public_names = ", ".join(str(e.api_name) for e in blocks.fns.values() if e.api_visibility == "public")
        raise Refused(404, f"There is no endpoint called {quote(name)}. Choose one of: {public_names}.")
    return endpoint


def _check_named(event: Any, body: Mapping[str, Any]) -> None:
    """Parameters by their names. Raises Refused for those that there are not, and for those that lack."""
    parameters = inspect.signature(event.fn).parameters
    for name in body:
        if name not in parameters and name != "oauth_token":
            raise Refused(400, f"There is no parameter called {quote(name)}. Choose some of: {', '.join(parameters)}.")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in body:
            raise Refused(400, f"The request's body has no {name}.")
