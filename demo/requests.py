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
from typing import Annotated, Any

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from transxnet.errors import InvalidValue, quote

from .http_policy import TrackedSend, parse_json
from .validation import Parameter

PREFIX = "/gradio_api/"
MAX_JSON = 256 * 1024  # bytes; the largest that the page sends is a painted region of 20,000 characters
CALLS = ("queue/join", "call", "run", "api")
UNUSED = ("component_server", "process_recording", "run-history", "stream", "vibe-edit", "vibe-code", "undo-vibe-edit",
          "vibe-starter-queries")  # fmt: skip # routes of Gradio's that this page has no use for
Identifier = Annotated[  # a random name, as Gradio's clients make them
    str,
    Field(max_length=64, pattern=r"^[A-Za-z0-9_-]+\z", json_schema_extra={"expected": "parameters.identifier"}),
]
Number = Annotated[int, Field(ge=-(10**9), le=10**9)]
SESSION = Parameter("session_hash", Identifier)
BODY = (  # what gradio.data_classes.PredictBody, CancelBody and ResetBody hold
    Parameter("session_hash", Identifier | None),
    Parameter("event_id", Identifier | None),
    Parameter("data", Annotated[list, Field(max_length=100)]),  # the event's values, in the order of its inputs
    Parameter("fn_index", Number | None),  # of the event
    Parameter("trigger_id", Number | None),  # of the component
    Parameter("simple_format", bool),  # whether the answer is sent without differences
    Parameter("batched", bool | None),  # whether data holds several events' values
    Parameter("oauth_token", Annotated[str, Field(max_length=4096)] | None),
)
REQUIRED = {"queue/join": ("data", "fn_index", "session_hash"), "call": ("data",), "run": ("data",), "api": ("data",),
            "cancel": ("session_hash", "fn_index", "event_id"), "reset": ("event_id",)}  # fmt: skip


class RequestCheck:
    """ASGI middleware: refuses requests that Gradio could not answer."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope["path"].partition(PREFIX)[2].rstrip("/") if scope["type"] == "http" else ""
        if not route:
            await self.app(scope, receive, send)
            return
        tracked = TrackedSend(send)
        try:
            _check_session(route, Request(scope))
            if scope["method"] == "POST" and not route.startswith("upload"):
                receive = await _checked(route, scope, receive)
            await self.app(scope, receive, tracked)
        except ClientDisconnect:  # also of an upload that was given up: no fault to be logged
            return
        except InvalidValue as error:
            await _refuse(str(error), 400)(scope, receive, send)
        except HTTPException as error:
            await _refuse(error.detail, error.status_code)(scope, receive, send)
        except RuntimeError as error:  # a stream that Gradio does not know, which the stream itself says: no fault
            if not (tracked.started and isinstance(error.__cause__, HTTPException)):
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _refuse(sentence: str, status: int) -> JSONResponse:
    return JSONResponse({"detail": sentence, "error": sentence}, status)  # as its queue's errors, and direct calls'


def _check_session(route: str, request: Request) -> None:
    """A session_hash of the address. Raises InvalidValue."""
    head, _, rest = route.partition("/")
    for value in request.query_params.getlist("session_hash") + ([rest] if head == "heartbeat" else []):
        SESSION.validate(value)


async def _checked(route: str, scope: Scope, receive: Receive) -> Receive:
    """Read and check a body; returns what hands it to the application. Raises HTTPException, InvalidValue."""
    head = route.partition("/")[0]
    if head in UNUSED:
        raise HTTPException(404, "This page has no such address. Its endpoints are listed under gradio_api/info.")
    request, body, kind = Request(scope, receive), bytearray(), route if route == "queue/join" else head
    async for chunk in request.stream():
        body += chunk
        if kind != "mcp" and len(body) > MAX_JSON:
            sentence = f"This request has more than {MAX_JSON // 1024} kB of JSON, the most that is accepted here. "
            raise HTTPException(413, f"{sentence}Upload images, and send shorter texts.")
    if kind == "mcp" or kind in REQUIRED:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415, "The request's content type is not JSON. Send it as application/json.")
        value = parse_json(bytes(body))
        if kind != "mcp":
            _check_body(route, kind, value, scope["app"].get_blocks())
    replay = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def receive_again() -> Message:
        return replay.pop() if replay else await receive()

    return receive_again


# ---- what Gradio's routes expect -----------------------------------------------------------------------------------


def _check_body(route: str, kind: str, body: Any, blocks: Any) -> None:
    """Raises InvalidValue for a body that the route does not take, HTTPException for an event that does not exist."""
    if not isinstance(body, dict):
        raise InvalidValue(f"The request's body is an object, not {quote(body)}.")
    if route.startswith("call/v2/"):
        _check_named(_named(blocks, route.removeprefix("call/v2/"), public=True), body)
        return
    for parameter in BODY:
        if parameter.name in body:
            parameter.validate(body[parameter.name])
    for name in REQUIRED[kind]:
        if body.get(name) is None:
            raise InvalidValue(f"The request's body has no {name}.")
    if body.get("batched"):
        raise InvalidValue("The events of this page take one set of values each: batched is false.")
    if kind not in CALLS:
        return
    index = body.get("fn_index") if kind != "call" else None
    if index is None:
        _named(blocks, route.partition("/")[2])
    elif getattr(blocks.fns.get(index), "fn", None) is None:  # an event of JavaScript has no function here
        raise HTTPException(404, f"This page has no event number {index}. Load the page again.")


def _named(blocks: Any, name: str, public: bool = False) -> Any:
    """The event behind an endpoint. public: of those alone that gradio_api/info lists."""
    events = [event for event in blocks.fns.values() if event.fn and (event.api_visibility == "public" or not public)]
    endpoint = next((event for event in events if event.api_name == name), None)
    if endpoint is None:
        names = ", ".join(str(event.api_name) for event in events if event.api_visibility == "public")
        raise HTTPException(404, f"There is no endpoint called {quote(name)}. Choose one of: {names}.")
    return endpoint


def _check_named(event: Any, body: Mapping[str, Any]) -> None:
    """Parameters by their names. Raises InvalidValue for those that there are not, and for those that lack."""
    parameters = inspect.signature(event.fn).parameters
    for name in body:
        if name not in parameters and name != "oauth_token":
            choices = ", ".join(parameters)
            raise InvalidValue(f"There is no parameter called {quote(name)}. Choose some of: {choices}.")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in body:
            raise InvalidValue(f"The request's body has no {name}.")
