"""The way between a browser and a server on loopback, as a cable that can be cut in the middle of an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Cable:
    """`url` leads to the server until `cut`, which breaks every connection, and after `mend` again.

    silent: the server is not told, as when a phone goes out of reach: for it the connections stand.
    """

    def __init__(self, port: int):
        self._port, self._whole = port, True
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._left: set[socket.socket] = set()  # ends at the server that are not told
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def cut(self, silent: bool = False) -> None:
        self._whole = False
        if silent:
            self._left |= {there for _, there in self._pairs}
        for here, there in self._pairs:
            _hang_up(here)
            if there not in self._left:
                _hang_up(there)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self._listener.close()
        self._left.clear()
        self.cut()

    def _take(self) -> None:
        with suppress(OSError):  # closed
            while True:
                here, _ = self._listener.accept()
                if not self._whole:
                    here.close()
                    continue
                there = socket.create_connection(("127.0.0.1", self._port))
                self._pairs.append((here, there))
                threading.Thread(target=self._pass_on, args=(here, there), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(there, here), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while sent := one.recv(1 << 16):
                with suppress(OSError):  # nobody hears it any more
                    other.sendall(sent)
        if other not in self._left:
            _hang_up(other)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
