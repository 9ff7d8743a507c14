"""The address that the page is served at: host names, IPv6, and ports that are free.

Gradio checks a port on 127.0.0.1 only, waits 5 s for a server that could not start, and then raises a general OSError.
Here the address is tried first, as the server will use it, and what is wrong is said in a sentence.
"""

from __future__ import annotations

import errno
import ipaddress
import socket

from transxnet.errors import LensError

LOOPBACK = "127.0.0.1"


def bracket_ipv6(host: str) -> str:
    """An IPv6 address in brackets, as Gradio and addresses of pages need it; every other host as it is."""
    address = _parsed(host)
    return f"[{address}]" if address is not None and address.version == 6 else host


def is_loopback(host: str | None) -> bool:
    """Whether a server that listens on this name or address is reached from its own machine only.

    Args:
        host: As --host gives it; None and "" are Gradio's default, 127.0.0.1.
    """
    address = _parsed(host or LOOPBACK)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, an IPv6 address with or without brackets; None for a host name."""
    try:
        return ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return None


def find_port(host: str | None, port: int) -> int:
    """Check that a server can listen on this address.

    Args:
        host: name or address, an IPv6 address with or without brackets; None for this machine only.
        port: 1 to 65535, or 0 for any that is free.

    Returns:
        The port, or the free one that was chosen for 0.

    Raises:
        LensError: the port is in use or reserved, or this machine does not have the address.
    """
    address = (host or LOOPBACK).strip("[]")
    try:
        port = _bind(address, port)
        return _bind(LOOPBACK, port)  # where Gradio checks it, whatever the host is
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that the domain name system cannot hold
        raise _explain(address, port, error) from error


def _bind(host: str, port: int) -> int:
    """Bind every address of a host once, with the options that asyncio's servers set; return the port."""
    failures: list[OSError] = []
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, _, _, _, address in addresses:
        try:
            with socket.create_server((address[0], port, *address[2:]), family=family) as probe:
                port = probe.getsockname()[1]
        except OSError as error:
            failures.append(error)
    # `localhost` may be listed as ::1 too on a machine without IPv6.
    wrong = [error for error in failures if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)]
    if wrong or len(failures) == len(addresses):
        raise (wrong or failures)[0]
    return port


def _explain(host: str, port: int, error: OSError | UnicodeError) -> LensError:
    """Why a server cannot listen there, and what to do."""
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        remedy = "Stop the program that uses it, or choose another: --port 0 takes a free one."
        return LensError(f"Port {port} is in use.", remedy=remedy)
    if number in (errno.EACCES, errno.EPERM):
        return LensError(f"This user may not listen on port {port}.", remedy="Choose a --port from 1024 to 65535.")
    if ":" in host:
        return LensError(
            f"This machine cannot listen on the IPv6 address {host}.",
            remedy="It has no IPv6, or not this address. Choose another --host, for example 127.0.0.1 or 0.0.0.0.",
        )
    return LensError(
        f"This machine cannot listen on the host {host!r}.",
        remedy="--host takes a name or address of this machine, for example 127.0.0.1, or 0.0.0.0 for all of them.",
        detail=str(error),
    )
