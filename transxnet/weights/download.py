"""Download files completely or not at all.

`fetch` downloads one URL into one file, `fetch_repository` the two files of a Hub repository through the
huggingface_hub client. Failures become a SourceFailed with cause and remedy (hub_errors.py). The first response must
arrive within RESPONSE_SECONDS, measured from outside, because a name look-up has no time-out. Both write to a separate
temporary file and rename it: two processes may download the same file, and the temporary file of a killed one is
removed by a later download.
"""

from __future__ import annotations

import http.client
import os
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import urlsplit

from ..errors import LensError
from ..process_settings import ProcessSettings, Setting
from .hub_errors import failure

T = TypeVar("T")
Report = Callable[[int, int, str], None]  # (bytes done, bytes in total or 0 if unknown, what)

RESPONSE_SECONDS = 8.0  # from the request to the headers of the first response, look-up and redirects included
STALL_SECONDS = 20.0  # without data in the middle of a file
LEFTOVER_SECONDS = 24 * 3600.0  # a temporary file of this age belongs to a process that was killed
CHUNK = 1 << 18  # bytes between two reports
CONFIG, WEIGHTS = "config.json", "model.safetensors"  # timm's layout of a Hub repository


class DownloadStopped(Exception):
    """Raised by a Report to stop its download. Nothing of the file is stored."""


@dataclass(frozen=True)
class Repository:
    """The files of one commit of a Hub repository on this disk, and the commit's hash."""

    config: Path
    weights: Path
    commit: str


def fetch(url: str, target: Path, report: Report, what: str) -> None:
    """Download one file: to a temporary name in the same folder, flushed to disk, then renamed.

    Args:
        url: An http or https address.
        target: The file to create. Of two processes at once the last one wins.
        report: Called for every CHUNK; may raise DownloadStopped or a LensError.
        what: The file, as `report` receives it.

    Raises:
        SourceFailed: The download failed.
    """
    host = urlsplit(url).hostname or url
    try:
        response = within(RESPONSE_SECONDS, lambda: _open(url))
    except Exception as error:
        raise failure(error, host, target.name) from error
    counted = _Counted(report)
    with response:
        total = int(response.headers.get("Content-Length") or 0)
        try:
            with _renamed_when_done(target) as file:
                received = _copy(response, file, lambda n: counted(n, total, what))
                if total and received != total:
                    raise http.client.IncompleteRead(b"", total - received)
        except (OSError, http.client.HTTPException) as error:
            raise failure(error, host, target.name, started=counted.received > 0) from error


def cached_repository(repo: str, revision: str | None, cache: Path | None = None) -> Repository | None:
    """The files of a repository in the Hub's cache, or in the folder `cache`; uses no network. None if incomplete."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config, weights = (
            try_to_load_from_cache(repo, name, cache_dir=cache, revision=revision) for name in (CONFIG, WEIGHTS)
        )
    except HFValidationError as error:
        raise failure(error, hub_host(), repo) from error
    if not (isinstance(config, str) and isinstance(weights, str)):
        return None
    return Repository(Path(config), Path(weights), Path(weights).parent.name)  # snapshots/COMMIT/FILE


def fetch_repository(
    repo: str, revision: str | None, report: Report, again: bool = False, cache: Path | None = None
) -> Repository:
    """Download the newest commit of a revision of a Hub repository, unless the cache contains it.

    Args:
        repo: NAMESPACE/NAME.
        revision: A branch, tag or commit; None for the default branch.
        report: Called for every CHUNK of the weights; may raise DownloadStopped or a LensError.
        again: Download even if the cache contains it, because its copy is damaged.
        cache: A folder in place of the client's cache.

    Returns:
        The files in the cache.

    Raises:
        SourceFailed: The download failed.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    counted = _Counted(report)
    _sweep_hub(repo, cache)
    try:
        # One plain request first: the client itself retries a dead or failing Hub for 23 s.
        url = hf_hub_url(repo, CONFIG, revision=revision)
        within(RESPONSE_SECONDS, lambda: get_hf_file_metadata(url, timeout=RESPONSE_SECONDS))
        config = Path(hf_hub_download(repo, CONFIG, revision=revision, force_download=again, cache_dir=cache))
        commit = config.parent.name
        bar = _reporting_bar(counted, f"hf-hub:{repo}{f'@{revision}' if revision else ''}")
        options = {"revision": commit, "force_download": again, "tqdm_class": bar, "cache_dir": cache}
        with _small_chunks():
            weights = Path(hf_hub_download(repo, WEIGHTS, **options))
    except (DownloadStopped, LensError):
        raise
    except Exception as error:  # the client's errors have no common base, and its HTTP library differs by version
        raise failure(error, hub_host(), repo, started=counted.received > 0) from error
    return Repository(config, weights, commit)


def _chunk_size() -> list[Setting]:
    from huggingface_hub import constants

    return [(constants, "DOWNLOAD_CHUNK_SIZE", min(CHUNK, constants.DOWNLOAD_CHUNK_SIZE))]


_small_chunks = ProcessSettings(_chunk_size)  # by default 10 MB: T's download would be reported five times


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of work(). After this time it raises TimeoutError, and `work` continues in its thread."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="first-response").start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        raise TimeoutError(f"no response within {seconds:g} s") from None


def _open(url: str) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is not an http address")
    request = urllib.request.Request(url, headers={"User-Agent": "transxnet-lens"})
    return urllib.request.urlopen(request, timeout=STALL_SECONDS)


class _Counted:
    """Passes every report on and remembers the number of bytes received."""

    def __init__(self, report: Report):
        self.report, self.received = report, 0

    def __call__(self, received: int, total: int, what: str) -> None:
        self.received = received
        self.report(received, total, what)


def _copy(source: IO[bytes], target: IO[bytes], report: Callable[[int], None]) -> int:
    received = 0
    report(0)
    while chunk := source.read(CHUNK):
        target.write(chunk)
        received += len(chunk)
        report(received)
    return received


@contextmanager
def _renamed_when_done(target: Path) -> Iterator[IO[bytes]]:
    """A temporary file that is renamed to `target` once it is complete and on the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent.glob(f".{target.name}.*.part"))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    part = Path(name)
    try:
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """This project's downloads: TRANSXNET_CACHE, by default transxnet/ in the user's cache folder."""
    project, user = os.environ.get("TRANSXNET_CACHE"), os.environ.get("XDG_CACHE_HOME")
    root = Path(project) if project else (Path(user) if user else Path.home() / ".cache") / "transxnet"
    return root.expanduser()


def repository_folder(repo: str, cache: Path | None = None) -> Path:
    """The folder of a repository in the Hub's cache, or in the cache folder `cache`."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(cache or constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")


def _sweep_hub(repo: str, cache: Path | None) -> None:
    """Remove unfinished downloads of killed processes, which the Hub's client never does."""
    _sweep((repository_folder(repo, cache) / "blobs").glob("*.incomplete"))


def _sweep(parts: Iterable[Path]) -> None:
    """Remove temporary files of killed downloads; younger ones may be in use."""
    for part in parts:
        try:
            if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
                part.unlink()
        except OSError:
            continue  # another process has removed it


def hub_host() -> str:
    """The Hub, as a message names it."""
    from huggingface_hub import constants

    return f"the Hub ({urlsplit(constants.ENDPOINT).hostname})"


def _reporting_bar(report: Report, what: str) -> type:
    """A class of progress bar for huggingface_hub that calls `report` instead of drawing."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args: object, **kwargs: object):
            super().__init__(*args, **(kwargs | {"disable": True}))
            self.total = kwargs.get("total") or 0
            self.received = kwargs.get("initial") or 0
            report(self.received, self.total, what)

        def update(self, n: float | None = 1) -> None:
            self.received += n or 0
            report(int(self.received), int(self.total), what)

    return Bar
