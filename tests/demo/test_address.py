"""demo/address.py: the page's address is tried before anything is loaded, and what is wrong with it is a sentence."""

from __future__ import annotations

import errno
import socket

import pytest

from demo.address import bracket_ipv6, find_port
from transxnet.errors import LensError


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("::", "[::]"), ("::1", "[::1]"), ("[::1]", "[::1]"), ("2001:db8::7", "[2001:db8::7]"),
        ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("", ""), ("[x]", "[x]"),
    ],
)  # fmt: skip
def test_only_ipv6_addresses_get_brackets(host: str, expected: str):
    assert bracket_ipv6(host) == expected


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("host", [None, "127.0.0.1", "0.0.0.0", "localhost"])
def test_port_0_becomes_a_port_one_can_listen_on(host: str | None):
    port = find_port(host, 0)
    with socket.create_server((host or "127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port > 0
    assert find_port(host, port) == port


@pytest.mark.parametrize("host", [None, "127.0.0.1", "0.0.0.0", "localhost"])
def test_port_in_use_is_named(listener, host: str | None):
    port = listener.getsockname()[1]
    with pytest.raises(LensError, match=rf"^Port {port} is in use\. .*--port 0"):
        find_port(host, port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "a..b", "x" * 300])
def test_host_of_another_machine_is_named(host: str):
    with pytest.raises(LensError, match="cannot listen on the host") as caught:
        find_port(host, 0)
    assert repr(host) in caught.value.what


class FailingSocket(socket.socket):
    """Cannot bind IPv6 addresses, as on a machine without IPv6."""

    error = errno.EADDRNOTAVAIL

    def bind(self, address) -> None:
        if self.family == socket.AF_INET6:
            raise OSError(self.error, "simulated")
        super().bind(address)


@pytest.fixture
def no_ipv6(monkeypatch) -> None:
    monkeypatch.setattr(socket, "socket", FailingSocket)


@pytest.mark.usefixtures("no_ipv6")
@pytest.mark.parametrize("host", ["::", "[::]", "::1", "[::1]"])
@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_missing_ipv6_is_named(monkeypatch, host: str, number: int):
    monkeypatch.setattr(FailingSocket, "error", number)
    with pytest.raises(LensError, match="cannot listen on the IPv6 address ::"):
        find_port(host, 0)


@pytest.mark.usefixtures("no_ipv6")
def test_host_name_needs_one_usable_address(monkeypatch):
    """`localhost` is often listed as ::1 too where there is no IPv6."""
    both = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]  # fmt: skip
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert find_port("localhost", 0) > 0


def test_reserved_port_is_named(monkeypatch):
    monkeypatch.setattr(FailingSocket, "bind", lambda *_: (_ for _ in ()).throw(PermissionError(errno.EACCES, "no")))
    monkeypatch.setattr(socket, "socket", FailingSocket)
    with pytest.raises(LensError, match="may not listen on port 80"):
        find_port("0.0.0.0", 80)
