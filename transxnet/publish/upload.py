"""A verified folder -> a commit on the Hub, through the real huggingface_hub client.

One commit, so nothing half published is ever seen: `create_commit`, because the client's `upload_folder` may split a
folder into several. What it made is then read back by that commit's hash, past every cache.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import PublishFailed, quote
from ..weights.checkpoint import file_sha256
from ..weights.download import within
from ..weights.hub_errors import failure
from .refusals import upload_failure

FIRST_ANSWER_SECONDS = 20.0  # to create a repository or find that it is there
DEFAULT_BRANCH = "main"


def repository_id(to: str, name: str) -> str:
    """The repository's id: `to` with `name` after it, unless it names one itself. PublishFailed where it is no id."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    parts = to.strip().removeprefix("hf-hub:").strip("/").split("/")
    repository = "/".join(parts if len(parts) > 1 else [*parts, name])
    try:
        if repository.count("/") != 1:
            raise HFValidationError("not of the form NAMESPACE/NAME")
        validate_repo_id(repository)
    except HFValidationError as error:
        raise PublishFailed(
            f"{quote(to.strip())} is no place on the Hub.",
            remedy="Write NAMESPACE or NAMESPACE/NAME: letters, digits, '-', '_' and '.'.",
            detail=str(error),
        ) from error
    return repository


def check_token() -> None:
    """Raises PublishFailed where nobody is logged in; asks no network."""
    from huggingface_hub import get_token

    if not get_token():
        raise PublishFailed(
            "Publishing needs a token, and there is none here.",
            remedy="Make one with write permission in the settings of your Hub account, then set HF_TOKEN to it.",
        )


def upload(folder: Path, repository: str, branch: str = DEFAULT_BRANCH, private: bool = False) -> str:
    """Publish the files of `folder` as one commit, and return its hash (40 hex digits). Raises PublishFailed.

    The repository and the branch are created where they are missing; private: makes a new one private.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api, files = HfApi(), sorted(path for path in folder.iterdir() if path.is_file())
    try:
        visibility = private or None  # None: as the namespace's settings say
        within(FIRST_ANSWER_SECONDS, lambda: api.create_repo(repository, private=visibility, exist_ok=True))
        if branch != DEFAULT_BRANCH:
            api.create_branch(repository, branch=branch, exist_ok=True)
        commit = api.create_commit(
            repository,
            [CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=path) for path in files],
            commit_message="TransXNet weights, converted and verified by TransXNet Lens",
            revision=branch,
        )
    except Exception as error:  # the client's errors have no common base, and its HTTP library differs by version
        raise upload_failure(error, _hub(), repository) from error
    return commit.oid


def check_published(folder: Path, repository: str, commit: str) -> None:
    """Raises PublishFailed unless every file of `folder` comes back from that commit as it was sent."""
    from huggingface_hub import hf_hub_download

    with tempfile.TemporaryDirectory(prefix="transxnet-publish-") as cache:
        for path in sorted(folder.iterdir()):
            try:
                arrived = hf_hub_download(repository, path.name, revision=commit, cache_dir=cache)
            except Exception as error:
                cause = failure(error, _hub(), repository)
                raise PublishFailed(
                    f"{repository} was published as {commit[:8]}, but could not be read back: {cause.what}",
                    remedy="Load it from there before you tell anybody, or publish again.",
                    detail=cause.detail,
                ) from error
            if file_sha256(Path(arrived)) != file_sha256(path):
                raise PublishFailed(
                    f"{path.name} came back from commit {commit[:8]} of {repository} other than it was sent.",
                    remedy="Load it from there before you tell anybody; delete that commit if it fails.",
                )


def _hub() -> str:
    from huggingface_hub import constants

    return f"the Hub ({urlsplit(constants.ENDPOINT).hostname})"
