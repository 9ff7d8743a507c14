"""Translate errors of the Hub's client while it uploads into a PublishFailed with cause and remedy.

Counterpart of weights/hub_errors.py, whose messages are about downloads.
"""

from __future__ import annotations

from ..errors import PublishFailed, error_chain
from ..messages import Message
from ..weights.hub_errors import TRY_LATER, by_status, failure, http_status

_PUBLISH_AGAIN = "Check the network, then publish again: a commit is complete or absent, and nothing is sent twice."
_INTERRUPTED = {"RemoteProtocolError", "ReadError", "WriteError", "RemoteDisconnected", "ConnectionResetError"}
_STATUS = {  # HTTP status -> cause, remedy
    401: ("{host} does not accept the token (401).", "Create one with write permission and set HF_TOKEN."),
    402: ("{host} requires a paid plan for {namespace} (402).", "Leave out --private, or free some of its space."),
    403: ("The token may not write to {repo} (403).",
          "If {namespace} is yours, use a token with write permission; else publish to a namespace of yours."),
    404: ("{host} has no namespace {namespace} ({status}).", "Check its spelling, or create the organization first."),
    409: ("Somebody else changed {repo} meanwhile ({status}).", "Check its contents, then publish again."),
    429: ("Too many requests to {host} (429).", "Wait a few minutes, then publish again."),
    400: ("{host} rejected {repo} ({status}).", "Its message is below."),
    500: ("Server error at {host} ({status}).", TRY_LATER),
}  # fmt: skip


def upload_failure(error: BaseException, host: str, repo: str) -> PublishFailed:
    """Why a repository could not be published.

    Args:
        error: What the Hub's client raised.
        host: The Hub, as a message names it.
        repo: NAMESPACE/NAME.

    Returns:
        The error to raise.
    """
    chain = list(error_chain(error))
    status = http_status(chain)
    values = {"host": host, "repo": repo, "namespace": repo.split("/")[0], "status": status}
    names = {type(cause).__name__ for cause in chain}
    row = by_status(_STATUS, status)
    if row:  # the Hub refused a step, so the commit, which is the last, was not made
        cause, remedy = Message(row[0] + " Nothing was published.", **values), Message(row[1], **values)
    elif "OfflineModeIsEnabled" in names:
        cause, remedy = Message("Could not publish {repo}: HF_HUB_OFFLINE is set.", **values), "Unset it."
    elif names & _INTERRUPTED:  # even the commit may have been made
        cause = Message("Could not publish {repo}: the connection to {host} was interrupted.", **values)
        remedy = _PUBLISH_AGAIN
    else:
        cause, remedy = failure(error, host, repo, action="publish").what, _PUBLISH_AGAIN
    cause = cause[0].upper() + cause[1:]
    return PublishFailed(cause, remedy=remedy, detail=f"{type(error).__name__}: {error}".strip())
