"""What urllib and the Hub's client raise -> a SourceFailed: one cause and one remedy for each way to fail.

The client's own classes are recognized by name, HTTP errors by status, the rest by what led to them: the
client wraps errors of an HTTP library that differs by version, so nothing of either is imported here.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.error
from collections.abc import Iterator

from ..errors import SourceFailed

_TRY_LATER = "Try again in a few minutes."
_NETWORK = "Check this machine's network and proxy settings, or give the weights as a file or a folder."


def failure(error: BaseException, where: str, what: str, begun: bool = False) -> SourceFailed:
    """What went wrong with `what` at the host `where`, as a cause and a remedy that no other failure shares.

    begun: some of it had arrived already.
    """
    chain = list(_chain(error))
    found = _by_name(chain, what) or _by_status(_status(chain), where, what) or _by_cause(chain, where, what, begun)
    cause, remedy = found or (f"{what} could not be had from {where} ({type(error).__name__}).", _TRY_LATER)
    return SourceFailed(cause, remedy=remedy, detail=f"{type(error).__name__}: {error}")


def _by_name(chain: list[BaseException], what: str) -> tuple[str, str] | None:
    """The Hub client's own errors, by class name, so that this module need not import it."""
    names = {cls.__name__ for error in chain for cls in type(error).__mro__}
    for name, cause, remedy in (
        ("HFValidationError", "{what} is no name a Hub repository can have.", "Write NAMESPACE/NAME."),
        ("OfflineModeIsEnabled", "{what} is not on this disk, and HF_HUB_OFFLINE forbids fetching it.",
         "Unset HF_HUB_OFFLINE, or download once while it is unset."),
        ("GatedRepoError", "{what} is gated: its owner lets in only whom they choose.",
         "Ask for access on its page, then set HF_TOKEN."),
        ("RevisionNotFoundError", "{what} has no such revision.", "Name a branch, a tag or a full commit that it has."),
        ("RepositoryNotFoundError", "The Hub has no repository {what}, or it is private.",
         "Check the namespace's spelling; for a private one set HF_TOKEN to a token that may read it."),
        ("RemoteEntryNotFoundError", "The repository {what} lacks config.json or model.safetensors.",
         "Its owner has to upload both, in timm's layout."),
        ("DisabledRepoError", "The Hub has disabled {what}.", "Choose another repository."),
    ):  # fmt: skip
        if name in names:
            return cause.format(what=what), remedy
    return None


def _by_status(status: int, where: str, what: str) -> tuple[str, str] | None:
    if status == 401:
        return f"{where} wants to know who asks for {what} (401).", "Set HF_TOKEN to a valid token."
    if status == 403:
        return f"{where} does not let this account have {what} (403).", "Use a token or an account that may read it."
    if status in (404, 410):
        return f"{where} has no {what} ({status}).", "It may have moved: get it by hand, and give its file or folder."
    if status == 429:
        return f"{where} is asked too often from here (429).", "Wait a few minutes, or set HF_TOKEN for a larger share."
    if status >= 500:
        return f"{where} itself is failing ({status}).", f"Nothing is wrong here. {_TRY_LATER}"
    if status >= 400:
        return f"{where} refused {what} ({status}).", _TRY_LATER
    return None


def _by_cause(chain: list[BaseException], where: str, what: str, begun: bool) -> tuple[str, str] | None:
    """Causes that come from the connection or from this disk."""
    text = " ".join(f"{type(error).__name__}: {error}" for error in chain)
    numbers = {error.errno for error in chain if isinstance(error, OSError)}
    if numbers & {errno.ENOSPC, errno.EDQUOT}:
        return (
            f"The disk is full: {what} was not kept.",
            "Free some, or move the cache (HF_HOME, TRANSXNET_CACHE).",
        )
    if numbers & {errno.EACCES, errno.EROFS, errno.EPERM}:
        return f"The cache cannot be written: {what} was not kept.", "Set HF_HOME and TRANSXNET_CACHE elsewhere."
    if _is(chain, ConnectionRefusedError) or "refused" in text.lower():
        return f"{where} refused the connection.", "Is its address right, and is it running?"
    if _is(chain, socket.gaierror) or errno.ENETUNREACH in numbers or "getaddrinfo" in text:
        return f"There is no network here, or no way from it to {where}.", _NETWORK
    if _is(chain, ssl.SSLError) or "CERTIFICATE" in text:
        return f"The secure connection to {where} failed.", "Check the clock and the certificates (SSL_CERT_FILE)."
    if _is(chain, http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError) or any(
        sign in text for sign in ("RemoteProtocolError", "ReadError", "Consistency check failed")
    ):
        return f"{what} broke off before its end; nothing was kept.", "Try again: the connection was cut."
    if _is(chain, TimeoutError) or "Timeout" in text:
        if begun:
            return f"{what} stopped arriving in the middle; nothing was kept.", f"{where} fell silent: try again later."
        return f"{where} did not answer in time.", "The network may be slow or filtered: try again."
    if _is(chain, urllib.error.URLError) or "ConnectError" in text:
        return f"No connection to {where}.", _NETWORK
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, outermost first; urllib keeps it in `reason`."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__


def _is(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(error, kinds) for error in chain)


def _status(chain: list[BaseException]) -> int:
    """The HTTP status behind an error, 0 where there is none."""
    for error in chain:
        status = getattr(error, "code", None) or getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return 0
