"""What `study` does with one image: look at it, write its files, and know later that it is finished.

What an image gave is complete once its entry.json is there, which also says what was asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..backbones.spec import BackboneSpec
from ..errors import LensError
from .common import failure

if TYPE_CHECKING:
    from ..images import SourceImage
    from ..study import Study, StudyOptions
    from ..weights.load import LoadedModel

ENTRY = "entry.json"
AT_ONCE = 2  # images looked at on CPUs, each by half of the threads: small layers of one do not fill them
SWITCHING = 2e-4  # seconds: a thread that draws must not keep those waiting that only start torch's next operator
T, R = TypeVar("T"), TypeVar("R")


@dataclass
class Run:
    """What holds for all images of one run, and what failed so far."""

    args: argparse.Namespace
    options: StudyOptions
    paths: list[Path]
    models: list[LoadedModel]
    failed: list[dict[str, str]] = field(default_factory=list)
    looked: int = 0  # images that were not taken from an earlier run

    def fingerprint(self, image: SourceImage, other: SourceImage | None) -> str:
        """What was asked of this image, and of which program, in one digest."""
        from ..export.records import source_digest

        asked: dict[str, Any] = asdict(self.options) | {"head": self.args.head, "image": image.sha256}
        asked |= {"models": [(m.name, m.provenance.sha256) for m in self.models], "other": other and other.sha256}
        return sha256(json.dumps([asked, source_digest()], sort_keys=True).encode()).hexdigest()

    def other(self, path: Path) -> Path | None:
        """The image to compare with: the one named, or the next of those given."""
        if self.args.against or len(self.paths) < 2:
            return self.args.against
        return self.paths[(self.paths.index(path) + 1) % len(self.paths)]


@dataclass(frozen=True)
class Looked:
    """One image's studies, not written yet. asked: '' where a model failed, so that it is tried again."""

    path: Path
    place: str
    image: SourceImage
    studies: list[Study]
    asked: str


def in_order(function: Callable[[T], R], things: Iterable[T], models: list[LoadedModel]) -> Iterator[R]:
    """function of each thing, in their order; the next ones are on their way while the caller works on one.

    On CPUs AT_ONCE at a time, on a GPU one. No more than that many results wait, as they hold an image's studies.
    """
    import torch

    threads, on_cpu = torch.get_num_threads(), models[0].device.type == "cpu"
    at_once = min(AT_ONCE, threads) if on_cpu else 1
    each, switching = max(1, threads // at_once), sys.getswitchinterval()
    sys.setswitchinterval(SWITCHING)
    try:
        with ThreadPoolExecutor(at_once, initializer=torch.set_num_threads, initargs=(each,)) as pool:
            waiting: deque[Future[R]] = deque()
            for thing in things:
                waiting.append(pool.submit(function, thing))
                if len(waiting) > at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        sys.setswitchinterval(switching)
        torch.set_num_threads(threads)  # it is also what threads that come later begin with


def look_at(run: Run, path: Path, place: str) -> Looked | dict[str, Any] | None:
    """One image by every model; its entry where an earlier run finished it, None where nothing could be explained."""
    from ..images import decode

    try:
        image = decode(path, name=path.name)
    except LensError as error:
        run.failed.append(failure(path, "", error))
        return None
    other = _other(run, path)
    asked, record = run.fingerprint(image, other), run.args.out / place / ENTRY
    if run.args.resume and (found := _finished(record, asked)):
        return found
    record.unlink(missing_ok=True)  # from here on the files may be of two runs
    studies, failed = _studies(run, image, other, path)
    run.failed += failed
    return Looked(path, place, image, studies, "" if failed else asked) if studies else None


def write(run: Run, looked: Looked) -> dict[str, Any]:
    """The files of one image; then, where all went well, the mark that says what was asked. Returns its entry."""
    from ..export.files import write_image, write_json
    from ..export.images import Style

    out = run.args.out
    entry = write_image(out, looked.place, looked.studies, looked.image.rgb, looked.path.name, Style(run.args.head))
    if looked.asked:
        write_json(out / looked.place / ENTRY, {"asked": looked.asked, "entry": entry})
    run.looked += 1
    print(out / entry["sheet"], flush=True)
    return entry


def _finished(record: Path, asked: str) -> dict[str, Any] | None:
    """What an earlier run wrote about an image, if it was asked the same; None where it has to be looked at."""
    from ..export.files import files_of

    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        there = all((record.parent.parent / name).is_file() for name in files_of(found["entry"]))
        return found["entry"] if found["asked"] == asked and there else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _other(run: Run, path: Path) -> SourceImage | None:
    from ..images import decode

    other = run.other(path)
    try:
        return decode(other, name=other.name) if other else None
    except LensError:
        if run.args.against:
            raise
        return None  # it will be told in its own turn


def _studies(
    run: Run, image: SourceImage, other: SourceImage | None, path: Path
) -> tuple[list[Study], list[dict[str, str]]]:
    """One study a model, and what failed. Without a class asked for, all explain the first one's top answer against
    the first one's second, so that maps compare.
    """
    from ..study import study

    options, found, failed = run.options, [], []
    words = run.other(path).name if other else ""
    for model in run.models:
        try:
            theirs = (
                replace(options, block=None) if isinstance(model.spec, BackboneSpec) else options
            )  # they have no blocks
            found.append(study(model, image, theirs, other, _telling(path, model.name), words))
        except LensError as error:
            failed.append(failure(path, model.name, error))
            continue
        if options.target is None:
            options = replace(options, target=found[0].target.wnid, follow=True)
        options = replace(options, contrast_target=options.contrast_target or found[0].contrast_target)
    return found, failed


def _telling(path: Path, model: str) -> Callable[[str, int, int], None] | None:
    """Progress of the parts that take long, on one line, where somebody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(part: str, done: int, total: int) -> None:
        end = "\r" if done < total else "\n"
        print(f"{path.name}, {model}: {part.replace('_', ' ')} {done} of {total}   ", end=end, file=sys.stderr)

    return tell
