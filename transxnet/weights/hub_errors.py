"""Translate errors of urllib and of the Hub's client into a SourceFailed with one cause and one remedy.

The client's own classes are recognized by name, HTTP errors by status, the rest by their chain of causes. The client
wraps errors of an HTTP library that differs by version, so neither is imported here.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.error
from collections.abc import Mapping

from ..errors import SourceFailed, error_chain
from ..messages import Message

TRY_LATER = "Try again in a few minutes."
_CHECK_NETWORK = "Check the network and proxy settings, or pass --weights-dir."
_HUB_CLIENT = (  # class of the Hub's client, cause, remedy
    ("HFValidationError", "{what} is not a valid name of a Hub repository.", "Write NAMESPACE/NAME."),
    ("OfflineModeIsEnabled", "Could not download {what}: HF_HUB_OFFLINE is set.",
     "Unset HF_HUB_OFFLINE, or download it once without."),
    ("GatedRepoError", "Could not download {what}: the repository is gated, its owner has to grant access.",
     "Request access on its page, then set HF_TOKEN."),
    ("RevisionNotFoundError", "{what} has no such revision.", "Name an existing branch, tag or full commit hash."),
    ("RepositoryNotFoundError", "The Hub has no repository {what}, or it is private.",
     "Check the spelling of the namespace. For a private repository, set HF_TOKEN to a token that may read it."),
    ("RemoteEntryNotFoundError", "The repository {what} lacks config.json or model.safetensors.",
     "Its owner has to upload both, in timm's layout."),
    ("DisabledRepoError", "The Hub has disabled {what}.", "Choose another repository."),
)  # fmt: skip
_SAME_AS = {410: 404, 412: 409}
_STATUS = {  # HTTP status -> cause, remedy
    401: ("Could not download {what}: {host} requires authentication (401).", "Set HF_TOKEN to a valid token."),
    403: ("Could not download {what}: {host} denies access (403).", "Use a token of an account that may read it."),
    404: ("Could not download {what}: {host} does not have it ({status}).",
          "It may have moved. Download it by hand and pass its file or folder."),
    429: ("Could not download {what}: too many requests to {host} (429).",
          "Wait a few minutes, or set HF_TOKEN for a higher limit."),
    400: ("Could not download {what}: {host} rejected the request ({status}).", TRY_LATER),
    500: ("Could not download {what}: server error at {host} ({status}).", TRY_LATER),
}  # fmt: skip


def failure(
    error: BaseException, host: str, what: str, started: bool = False, action: str = "download"
) -> SourceFailed:
    """The cause of a failed transfer and its remedy; no two kinds of failure share a message.

    Args:
        error: What urllib or the Hub's client raised.
        host: The server, as a message names it.
        what: The file or repository.
        started: Whether part of it had been received.
        action: The verb of "Could not … WHAT".

    Returns:
        The error to raise; `detail` holds the class and text of the original one.
    """
    chain = list(error_chain(error))
    cause, remedy = (
        _by_class(chain)
        or by_status(_STATUS, http_status(chain))
        or _by_cause(chain, started)
        or ("Could not download {what} from {host} ({error}).", TRY_LATER)
    )
    cause = Message(
        cause.replace("download", action), what=what, host=host, status=http_status(chain), error=type(error).__name__
    )
    return SourceFailed(cause, remedy=Message(remedy), detail=f"{type(error).__name__}: {error}")


def _by_class(chain: list[BaseException]) -> tuple[str, str] | None:
    """Errors of the Hub's client, by class name, so that this module need not import it."""
    names = {cls.__name__ for error in chain for cls in type(error).__mro__}
    return next(((cause, remedy) for name, cause, remedy in _HUB_CLIENT if name in names), None)


def by_status(rows: Mapping[int, tuple[str, str]], status: int) -> tuple[str, str] | None:
    """The row of an HTTP status: its own, or else that of 400 or 500, which stand for all others of their kind."""
    status = _SAME_AS.get(status, status)
    return rows.get(status) or rows.get(500 if status >= 500 else 400 if status >= 400 else 0)


def _by_cause(chain: list[BaseException], started: bool) -> tuple[str, str] | None:
    """Causes in the connection or on this disk."""
    text = " ".join(f"{type(error).__name__}: {error}" for error in chain)
    numbers = {error.errno for error in chain if isinstance(error, OSError)}
    if numbers & {errno.ENOSPC, errno.EDQUOT}:
        return (
            "Could not save {what}: the disk is full.",
            "Free disk space, or move the cache (HF_HOME, TRANSXNET_CACHE).",
        )
    if numbers & {errno.EACCES, errno.EROFS, errno.EPERM}:
        return "Could not save {what}: the cache is not writable.", "Set HF_HOME and TRANSXNET_CACHE to other folders."
    if _is(chain, ConnectionRefusedError) or "refused" in text.lower():
        return "Could not download {what}: connection refused by {host}.", "Check the network, or pass --weights-dir."
    if _is(chain, socket.gaierror) or errno.ENETUNREACH in numbers or "getaddrinfo" in text:
        return "Could not download {what}: {host} cannot be reached from this server.", _CHECK_NETWORK
    if _is(chain, ssl.SSLError) or "CERTIFICATE" in text:
        return (
            "Could not download {what}: the secure connection to {host} failed.",
            "Check the clock and the certificates (SSL_CERT_FILE).",
        )
    if _is(chain, http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError) or any(
        sign in text for sign in ("RemoteProtocolError", "ReadError", "Consistency check failed")
    ):
        return "Could not download {what}: the connection to {host} was interrupted.", "Try again."
    if _is(chain, TimeoutError) or "Timeout" in text:
        if started:
            return "Could not download {what}: {host} stopped sending data.", "Try again later."
        return (
            "Could not download {what}: {host} did not respond in time.",
            "The network may be slow or filtered. Try again.",
        )
    if _is(chain, urllib.error.URLError) or "ConnectError" in text:
        return "Could not download {what}: no connection to {host}.", _CHECK_NETWORK
    return None


def _is(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in chain)


def http_status(chain: list[BaseException]) -> int:
    """The HTTP status behind an error, 0 if there is none."""
    for error in chain:
        status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return 0
