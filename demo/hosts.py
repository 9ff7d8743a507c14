"""The host names that a server on loopback answers to, against DNS rebinding.

A site whose name is made to resolve to 127.0.0.1 shares its origin with this page in a visitor's browser, and could
call every endpoint. The browser still sends the site's name as `Host`, so a request for an unknown name is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
REFUSAL = (
    "This server does not answer requests for this host name. Open it as localhost. If a reverse proxy passes on "
    "another name, start the server with --allowed-host NAME."
)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(:[0-9]*)?", re.IGNORECASE)


def is_loopback(host: str | None) -> bool:
    """Whether a server that listens on this name or address is reached from its own machine only.

    Args:
        host: as --host gives it; None and "" are Gradio's default, 127.0.0.1.
    """
    name = (host or "localhost").strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def host_name(host: str) -> str:
    """The name in a Host header, in lower case and without its port; "" if it is malformed."""
    match = _HOST.fullmatch(host)
    return match[1].lower().rstrip(".") if match else ""


class AllowedHosts:
    """ASGI middleware: requests for other host names are answered 403, websockets are closed.

    Args:
        app: the application behind.
        names: host names to accept besides LOCAL_NAMES and that of Gradio's share link.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()):
        self.app = app
        self.names = LOCAL_NAMES | {host_name(name) for name in names} - {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) == 1 and self._accepts(host_name(hosts[0]), scope.get("app")):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await JSONResponse({"error": REFUSAL}, status_code=403)(scope, receive, send)

    def _accepts(self, name: str, app: Any) -> bool:
        return bool(name) and (name in self.names or name == _share_name(app))


def _share_name(app: Any) -> str | None:
    """The host name of the share link, which Gradio has only after the server has started."""
    blocks = app.get_blocks() if hasattr(app, "get_blocks") else None
    return urlsplit(getattr(blocks, "share_url", None) or "").hostname
