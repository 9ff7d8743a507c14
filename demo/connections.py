"""Time-outs of connections: headers that never become complete, and connections that wait for nothing.

uvicorn closes a connection that is idle between two requests (`timeout_keep_alive`, 5 s unless set, which is less than
the 60 s for which reverse proxies keep theirs), but waits for ever for a client that sends no request, or half of one.
`TimedProtocol` adds that limit to uvicorn's HTTP protocol, whichever of its two uvicorn chooses. It overrides methods
of asyncio.Protocol only, and reads one attribute, `cycle`: the request that is being answered. While there is one, no
time-out runs; event streams and uploads are such requests.

Gradio 6.31 builds the uvicorn.Config by itself (gradio/http_server.py) and offers no option for it. It hands the Config
to its class Server before it is loaded, so `limit_connections` replaces that class by a subclass whose constructor sets
two documented fields of the Config, `http` and `timeout_keep_alive`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADERS = 10.0  # seconds in which the headers of a request must be complete
IDLE = 65  # seconds between two requests; longer than the 60 s of nginx and most load balancers


class TimedProtocol(AutoHTTPProtocol):
    """uvicorn's HTTP protocol, whose connection closes when complete headers do not arrive in time.

    The time runs from the start of the connection, and from the first byte of each later request.
    """

    def __init__(self, *args: Any, header_timeout: float = HEADERS, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.header_timeout = header_timeout
        self._header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # a websocket from now on
            self._stop_timer()
        elif self.cycle is None or self.cycle.response_complete:
            self._start_timer()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        """Unless it runs: a client that sends byte after byte gets no more time for it."""
        if self._header_timer is None and not self.transport.is_closing():
            self._header_timer = self.loop.call_later(self.header_timeout, self.transport.close)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def set_timeouts(config: uvicorn.Config, header_timeout: float = HEADERS, idle_timeout: int = IDLE) -> None:
    """Set both time-outs, in seconds, of a uvicorn server that has not been started."""
    config.http = partial(TimedProtocol, header_timeout=header_timeout)
    config.timeout_keep_alive = idle_timeout


def limit_connections() -> None:
    """Set the time-outs of every server that Gradio starts from now on. Calling it again changes nothing."""
    from gradio import http_server

    if http_server.Server.__module__ != __name__:

        class Server(http_server.Server):
            def __init__(self, config: uvicorn.Config, *args: Any, **kwargs: Any):
                set_timeouts(config)
                super().__init__(config, *args, **kwargs)

        http_server.Server = Server
