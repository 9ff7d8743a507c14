"""Files from the network: complete or not at all, and soon or not at all.

`fetch` gets one URL into one file, `fetch_repository` the two files of a Hub repository through the real
huggingface_hub client. What fails becomes a SourceFailed with its cause and remedy (failures.py). The first
answer must come within ANSWER_SECONDS, counted from outside, because a name look-up knows no time-out. Both
write to a temporary name of their own and rename it: two processes may fetch the same file, and one that is
killed leaves a leftover that a later one sweeps.
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
Report = Callable[[int, int, str], None]  # (bytes done, bytes in all or 0 if unknown, what)

ANSWER_SECONDS = 8.0  # from asking to the first answer's headers, look-up and redirects included
STALL_SECONDS = 20.0  # of silence in the middle of a file
LEFTOVER_SECONDS = 24 * 3600.0  # a temporary file this old belongs to a process that was killed
CHUNK = 1 << 18  # bytes from one report to the next
CONFIG, WEIGHTS = "config.json", "model.safetensors"  # timm's layout of a Hub repository


class DownloadStopped(Exception):
    """Raised by a Report to stop the download it hears of. Nothing of the file is kept."""


@dataclass(frozen=True)
class Repository:
    """The files of one commit of a Hub repository, on this disk."""

    config: Path
    weights: Path
    commit: str


def fetch(url: str, target: Path, report: Report, what: str) -> None:
    """Download `url` to `target`, whole: to a temporary name in the same folder, onto the disk, then renamed.

    Raises SourceFailed. Two processes at once each write a file of their own; the last one's name wins.
    """
    where = urlsplit(url).hostname or url
    try:
        response = within(ANSWER_SECONDS, lambda: _open(url))
    except Exception as error:
        raise failure(error, where, target.name) from error
    counted = _Counted(report)
    with response:
        total = int(response.headers.get("Content-Length") or 0)
        try:
            with _renamed_when_done(target) as file:
                done = _copy(response, file, lambda n: counted(n, total, what))
                if total and done != total:
                    raise http.client.IncompleteRead(b"", total - done)
        except (OSError, http.client.HTTPException) as error:
            raise failure(error, where, target.name, begun=counted.done > 0) from error


def cached_repository(repo: str, revision: str | None, cache: Path | None = None) -> Repository | None:
    """What the Hub's cache on this disk, or the one in the folder `cache`, holds of a repository; asks no network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config, weights = (
            try_to_load_from_cache(repo, name, cache_dir=cache, revision=revision) for name in (CONFIG, WEIGHTS)
        )
    except HFValidationError as error:
        raise failure(error, _hub(), repo) from error
    if not (isinstance(config, str) and isinstance(weights, str)):
        return None
    return Repository(Path(config), Path(weights), Path(weights).parent.name)  # snapshots/COMMIT/FILE


def fetch_repository(
    repo: str, revision: str | None, report: Report, again: bool = False, cache: Path | None = None
) -> Repository:
    """The newest commit of `revision` of a Hub repository, downloaded where the cache lacks it.

    again: also where the cache has it, because what it has is damaged. cache: a folder in place of the client's own
    cache. Raises SourceFailed, and whatever `report` raises to end the download: DownloadStopped or a LensError.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    counted = _Counted(report)
    _sweep_hub(repo, cache)
    try:
        # One plain question first: the client's own way of asking retries a dead or failing Hub for 23 s.
        url = hf_hub_url(repo, CONFIG, revision=revision)
        within(ANSWER_SECONDS, lambda: get_hf_file_metadata(url, timeout=ANSWER_SECONDS))
        config = Path(hf_hub_download(repo, CONFIG, revision=revision, force_download=again, cache_dir=cache))
        commit = config.parent.name
        bar = _reporting_bar(counted, f"hf-hub:{repo}{f'@{revision}' if revision else ''}")
        options = {"revision": commit, "force_download": again, "tqdm_class": bar, "cache_dir": cache}
        with _small_chunks():
            weights = Path(hf_hub_download(repo, WEIGHTS, **options))
    except (DownloadStopped, LensError):
        raise
    except Exception as error:  # the client's errors have no common base, and its HTTP library differs by version
        raise failure(error, _hub(), repo, begun=counted.done > 0) from error
    return Repository(config, weights, commit)


def _chunk_size() -> list[Setting]:
    from huggingface_hub import constants

    return [(constants, "DOWNLOAD_CHUNK_SIZE", min(CHUNK, constants.DOWNLOAD_CHUNK_SIZE))]


_small_chunks = ProcessSettings(_chunk_size)  # by default 10 MB: T's download would be reported five times


def within(seconds: float, work: Callable[[], T]) -> T:
    """work(), or TimeoutError after so many seconds; what is still running then is left to end by itself."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="first-answer").start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None


def _open(url: str) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is no http address")
    request = urllib.request.Request(url, headers={"User-Agent": "transxnet-lens"})
    return urllib.request.urlopen(request, timeout=STALL_SECONDS)


class _Counted:
    """Hands every report on, and remembers how many bytes had arrived."""

    def __init__(self, report: Report):
        self.report, self.done = report, 0

    def __call__(self, done: int, total: int, what: str) -> None:
        self.done = done
        self.report(done, total, what)


def _copy(source: IO[bytes], target: IO[bytes], report: Callable[[int], None]) -> int:
    done = 0
    report(0)
    while chunk := source.read(CHUNK):
        target.write(chunk)
        done += len(chunk)
        report(done)
    return done


@contextmanager
def _renamed_when_done(target: Path) -> Iterator[IO[bytes]]:
    """A file that has its name only once it is whole and on the disk."""
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


def repository_folder(repo: str, cache: Path | None = None) -> Path:
    """Where the Hub's cache, or the one in the folder `cache`, keeps all it has of a repository."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(cache or constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")


def _sweep_hub(repo: str, cache: Path | None) -> None:
    """The Hub's client keeps what a killed process left of its downloads for ever."""
    _sweep((repository_folder(repo, cache) / "blobs").glob("*.incomplete"))


def _sweep(parts: Iterable[Path]) -> None:
    """Remove what killed downloads left behind; younger ones may be somebody's at this moment."""
    for part in parts:
        try:
            if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
                part.unlink()
        except OSError:
            continue  # another process was quicker


def _hub() -> str:
    from huggingface_hub import constants

    return f"the Hub ({urlsplit(constants.ENDPOINT).hostname})"


def _reporting_bar(report: Report, what: str) -> type:
    """The shape of progress bar that huggingface_hub accepts, telling `report` instead of drawing."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args: object, **kwargs: object):
            super().__init__(*args, **(kwargs | {"disable": True}))
            self.total = kwargs.get("total") or 0
            self.done = kwargs.get("initial") or 0
            report(self.done, self.total, what)

        def update(self, n: float | None = 1) -> None:
            self.done += n or 0
            report(int(self.done), int(self.total), what)

    return Bar
