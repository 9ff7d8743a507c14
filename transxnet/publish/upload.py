"""Upload a verified folder as one commit to the Hub, through the huggingface_hub client.

One commit, so that an incomplete repository is never visible: `create_commit`, because the client's `upload_folder` may
split a folder into several. The files are then downloaded again by the commit's hash, bypassing every cache.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..errors import PublishFailed, quote
from ..weights.checkpoint import file_sha256
from ..weights.download import hub_host, within
from ..weights.hub_errors import failure
from ..weights.own_models import builtin_variant
from .upload_errors import upload_failure

RESPONSE_SECONDS = 20.0  # to create a repository, or find that it exists
DEFAULT_BRANCH = "main"


def repository_id(to: str, name: str) -> str:
    """The id of the repository to publish to.

    Args:
        to: NAMESPACE or NAMESPACE/NAME, with or without "hf-hub:".
        name: The NAME if `to` is only a namespace.

    Returns:
        NAMESPACE/NAME.

    Raises:
        PublishFailed: It is not a valid id.
    """
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
            "{name} is not a valid repository on the Hub.",
            remedy="Write NAMESPACE or NAMESPACE/NAME: letters, digits, '-', '_' and '.'.", detail=str(error),
            name=quote(to.strip()),
        ) from error  # fmt: skip
    return repository


def repository_name(model: str) -> str:
    """The default NAME of a model's repository: that of the variant, or the user's own name."""
    spec = builtin_variant(model)
    return model if spec is None else spec.name


def check_token() -> None:
    """Raise PublishFailed if there is no token; uses no network."""
    from huggingface_hub import get_token

    if not get_token():
        raise PublishFailed(
            "Publishing needs a token, and none is set.",
            remedy="Create one with write permission in the settings of your Hub account, then set HF_TOKEN to it.",
        )


def upload(folder: Path, repository: str, branch: str = DEFAULT_BRANCH, private: bool = False) -> str:
    """Publish the files of a folder as one commit.

    Args:
        folder: Its files, without subfolders, are uploaded.
        repository: NAMESPACE/NAME, created if it does not exist.
        branch: Created if it does not exist.
        private: Create the repository as a private one.

    Returns:
        The hash of the commit, 40 hex digits.

    Raises:
        PublishFailed: The Hub refused it, or could not be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api, files = HfApi(), sorted(path for path in folder.iterdir() if path.is_file())
    try:
        visibility = private or None  # None: as the namespace's settings say
        within(RESPONSE_SECONDS, lambda: api.create_repo(repository, private=visibility, exist_ok=True))
        if branch != DEFAULT_BRANCH:
            api.create_branch(repository, branch=branch, exist_ok=True)
        commit = api.create_commit(
            repository,
            [CommitOperationAdd(path_in_repo=path.name, path_or_fileobj=path) for path in files],
            commit_message="TransXNet weights, converted and verified by TransXNet Lens",
            revision=branch,
        )
    except Exception as error:  # the client's errors have no common base, and its HTTP library differs by version
        raise upload_failure(error, hub_host(), repository) from error
    return commit.oid


def check_published(folder: Path, repository: str, commit: str) -> None:
    """Raise PublishFailed unless every file of `folder` is downloaded from that commit unchanged."""
    from huggingface_hub import hf_hub_download

    with tempfile.TemporaryDirectory(prefix="transxnet-publish-") as cache:
        for path in sorted(folder.iterdir()):
            try:
                downloaded = hf_hub_download(repository, path.name, revision=commit, cache_dir=cache)
            except Exception as error:
                cause = failure(error, hub_host(), repository)
                raise PublishFailed(
                    "{repo} was published as {commit}, but could not be verified: {cause}",
                    remedy="Load it from there before you announce it, or publish again.", detail=cause.detail,
                    repo=repository, commit=commit[:8], cause=cause.what,
                ) from error  # fmt: skip
            if file_sha256(Path(downloaded)) != file_sha256(path):
                raise PublishFailed(
                    "{name} in commit {commit} of {repo} differs from the uploaded file.",
                    remedy="Load it from there before you announce it; delete that commit if it fails.", name=path.name,
                    commit=commit[:8], repo=repository,
                )  # fmt: skip
