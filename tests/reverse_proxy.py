"""A reverse proxy on loopback that serves a page under a path, as nginx does with buffering off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

METHODS = ["GET", "POST", "HEAD", "OPTIONS"]
PER_CONNECTION = {"connection", "content-encoding", "content-length", "transfer-encoding"}


@contextmanager
def reverse_proxy(url: str, prefix: str, strip: bool = True) -> Iterator[str]:
    """The address under which a proxy passes requests on until the block ends.

    Args:
        url: Of the page, without a slash at its end.
        prefix: The path that the proxy serves, such as /lens. Any other is answered 404.
        strip: Whether the page receives the rest of the path, or all of it.
    """
    client = httpx.AsyncClient(timeout=None, trust_env=False)

    async def forward(request: Request) -> Response:
        path = request.url.path
        if not f"{path}/".startswith(f"{prefix}/"):
            return PlainTextResponse("not here", 404)
        target = path.removeprefix(prefix) or "/" if strip else path
        headers = [(name, value) for name, value in request.headers.items() if name not in ("host", "accept-encoding")]
        headers += [("host", urlsplit(url).netloc), ("x-forwarded-host", request.headers["host"])]
        body = await request.body()
        passed_on = client.build_request(
            request.method, f"{url}{target}?{request.url.query}".removesuffix("?"), headers=headers, content=body
        )
        answer = await client.send(passed_on, stream=True)
        headers = {name: value for name, value in answer.headers.items() if name not in PER_CONNECTION}
        return StreamingResponse(answer.aiter_bytes(), answer.status_code, headers)

    routes = [Route("/{path:path}", forward, methods=METHODS)]
    with run_server(Starlette(routes=routes)) as address:
        yield f"{address}{prefix}"


@contextmanager
def run_server(app: object) -> Iterator[str]:
    """The address of an ASGI application that a thread serves until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
