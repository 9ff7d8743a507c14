"""What the Hub's client raises while it uploads -> a PublishFailed: a cause and a remedy for each way to fail.

The counterpart of failures.py, whose words are about getting files. By HTTP status first: the client wraps errors of
an HTTP library that differs by version, so nothing of either is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import PublishFailed
from ..weights.hub_errors import failure

_LATER = "Try again in a few minutes."
_AGAIN = "Check the network, then publish again: a commit is whole or not at all, and nothing is sent twice."
_CUT = ("RemoteProtocolError", "ReadError", "WriteError", "RemoteDisconnected", "ConnectionResetError")


def upload_failure(error: BaseException, where: str, repo: str) -> PublishFailed:
    """Why `repo` (NAMESPACE/NAME) could not be published at the host `where`."""
    chain = list(_chain(error))
    cause, remedy = _by_status(_status(chain), where, repo) or _by_cause(error, chain, where, repo)
    cause = cause[0].upper() + cause[1:]
    return PublishFailed(cause, remedy=remedy, detail=f"{type(error).__name__}: {error}".strip())


def _by_status(status: int, where: str, repo: str) -> tuple[str, str] | None:
    """What the Hub answered: it refused a step, so the commit, which is the last, was not made."""
    namespace, end = repo.split("/")[0], f"({status}): nothing was published."
    if status == 401:
        return f"{where} does not accept the token {end}", "Make a new one with write permission and set HF_TOKEN."
    if status == 402:
        return f"{where} wants {namespace} to pay for that {end}", "Leave out --private, or free some of its space."
    if status == 403:
        remedy = f"If {namespace} is yours, use a token with write permission; else publish to a namespace of yours."
        return f"the token may not write to {repo} {end}", remedy
    if status in (404, 410):
        return f"{where} has no namespace {namespace} {end}", "Check its spelling, or create the organization first."
    if status in (409, 412):
        return f"somebody else changed {repo} just now {end}", "Look at what is there, then publish again."
    if status == 429:
        return f"{where} is asked too often from here {end}", "Wait a few minutes, then publish again."
    if status >= 500:
        return f"{where} itself is failing {end}", f"Nothing is wrong here. {_LATER}"
    if status >= 400:
        return f"{where} refused {repo} {end}", "Its own words are below."
    return None


def _by_cause(error: BaseException, chain: list[BaseException], where: str, repo: str) -> tuple[str, str]:
    """Nobody answered. Where the connection was cut, even the commit may have been made."""
    names = {type(one).__name__ for one in chain}
    if "OfflineModeIsEnabled" in names:
        return f"HF_HUB_OFFLINE forbids publishing {repo}.", "Unset it."
    if names & set(_CUT):
        return f"the connection to {where} broke off while {repo} was being published.", _AGAIN
    return failure(error, where, repo).what, _AGAIN


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(chain: list[BaseException]) -> int:
    """The HTTP status behind an error, 0 where there is none."""
    statuses = (getattr(getattr(error, "response", None), "status_code", None) for error in chain)
    return next((status for status in statuses if isinstance(status, int)), 0)
