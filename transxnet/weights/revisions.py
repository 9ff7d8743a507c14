"""The newest commit of a Hub repository, looked up at most as often as the caller allows.

An unpinned repository is used as it was downloaded, so that the same image gives the same result tomorrow. Corrected
weights are found by asking the Hub; the answer and its time are stored in the cache folder, one file a repository.
"""

from __future__ import annotations

import time
from contextlib import suppress

from .download import RESPONSE_SECONDS, cache_folder, hub_host, within
from .hub_errors import failure

DAY = 24 * 3600.0  # seconds


def newest_commit(repository: str, max_age: float = 0.0) -> str:
    """The newest commit of a repository's default branch, 40 hex digits.

    Args:
        repository: NAMESPACE/NAME.
        max_age: Seconds for which an earlier answer of the Hub is used; 0 sends a request.

    Returns:
        The commit.

    Raises:
        SourceFailed: The Hub did not answer, or has no such repository.
    """
    from huggingface_hub import HfApi

    record = cache_folder() / "revisions" / f"{repository.replace('/', '--')}.txt"
    with suppress(OSError):
        if time.time() - record.stat().st_mtime < max_age:
            return record.read_text(encoding="utf-8")
    try:
        request = {"timeout": RESPONSE_SECONDS, "expand": ["sha"]}
        commit = within(RESPONSE_SECONDS, lambda: str(HfApi().model_info(repository, **request).sha))
    except Exception as error:  # the client's errors have no common base
        raise failure(error, hub_host(), repository) from error
    with suppress(OSError):  # without a writable cache it is looked up again
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(commit, encoding="utf-8")
    return commit
