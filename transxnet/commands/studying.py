"""`python -m transxnet study`: every question about every picture, written as files and one report.

Processes that torchrun started divide the pictures. What a picture gave is complete once its entry.json is there, which
also says what was asked: with --resume such pictures are not looked at again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LensError, OutOfRange, UnknownName
from ..peers.spec import PeerSpec, spec_of
from ..variants import VariantSpec
from .common import cam_stage, failure, load_models, names_in, pictures_in, places_of, point, written
from .timing import in_words, timing

if TYPE_CHECKING:
    from ..images import Picture
    from ..study import Options, Study
    from ..training.distributed import Worker
    from ..weights import LoadedModel

ENTRY = "entry.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE", type=Path, help="picture, or folder of pictures")
    parser.add_argument("--models", default="pico", metavar="A,B", help="variants, timm:NAMEs, in their order (pico)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for report.html and the files")
    parser.add_argument("--only", type=names_in, default=(), metavar="PART,…", help="these parts; all without")
    parser.add_argument("--stage", type=int, default=3, help="of attention, kernels and receptive field, 1 to 4 (3)")
    parser.add_argument("--block", type=int, default=0, help="of attention and kernels, from 1; 0 is the last (0)")
    parser.add_argument("--head", type=int, default=0, help="of attention as drawn, from 1; 0 is the mean (0)")
    parser.add_argument("--point", type=point, metavar="X,Y", help="pixel of the upright picture; the middle without")
    parser.add_argument(
        "--class", dest="target", metavar="NAME",
        help="explained class: words, WNID or index; without, the first model's top answer",
    )  # fmt: skip
    parser.add_argument("--cam-stage", type=cam_stage, default=4, help="of Grad-CAM: 1 to 4, or head (4)")
    parser.add_argument(
        "--against", type=Path, metavar="IMAGE", help="picture to compare kernels with; without, the next one given"
    )
    parser.add_argument("--thorough", action="store_true", help="trust: the full cascade for the dear methods, too")
    parser.add_argument("--resume", action="store_true", help="pictures that an earlier run finished stay as they are")
    parser.set_defaults(run=run_study)


@dataclass
class _Run:
    """What holds for all pictures of one run, and what failed so far."""

    args: argparse.Namespace
    options: Options
    paths: list[Path]
    models: list[LoadedModel]
    failed: list[dict[str, str]] = field(default_factory=list)
    writing: Future | None = None  # the files of the picture before
    looked: int = 0  # pictures that were not taken from an earlier run
    begun: float = field(default_factory=time.perf_counter)

    def fingerprint(self, picture: Picture, other: Picture | None) -> str:
        """What was asked of this picture, in one digest."""
        asked: dict[str, Any] = asdict(self.options) | {"head": self.args.head, "picture": picture.sha256}
        asked |= {"models": [(m.name, m.provenance.sha256) for m in self.models], "other": other and other.sha256}
        return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def other(self, path: Path) -> Path | None:
        """The picture to compare with: the one named, or the next of those given."""
        if self.args.against or len(self.paths) < 2:
            return self.args.against
        return self.paths[(self.paths.index(path) + 1) % len(self.paths)]


def run_study(args: argparse.Namespace) -> int:
    """Explain every picture by every model, and write what was found; manifest and report come last."""
    from ..training.distributed import workers

    names = names_in(args.models)
    _check(args, [spec_of(name)[0] for name in names])
    paths = pictures_in(args.images, but=args.out)
    with workers(args.device) as worker, written():
        args.device = str(worker.device)
        run = _Run(args, _options(args), paths, load_models(names, args))
        mine = list(zip(paths, places_of(paths), strict=True))[worker.rank :: worker.size]
        with ThreadPoolExecutor(1) as writer:  # the files of one picture are drawn while the next is looked at
            waiting = [_study_picture(run, path, place, writer) for path, place in mine]
            done = [(path, found.result()) for (path, _), found in zip(mine, waiting, strict=True) if found]
        entries = [entry | {"image": str(path)} for path, entry in done]
        return _finish(run, worker, entries)


def _options(args: argparse.Namespace) -> Options:
    from ..study import DEFAULT, Options

    return Options(
        args.stage, args.block, args.point, args.target, args.cam_stage, args.only or DEFAULT, thorough=args.thorough
    )


def _finish(run: _Run, worker: Worker, entries: list[dict[str, Any]]) -> int:
    """Everybody's pictures in the order given, as manifest.json and report.html, by the chief."""
    from ..export.files import write_atomically, write_manifest
    from ..export.records import versions
    from ..export.report import report

    parts = worker.gather((entries, run.failed))
    if parts is None:
        return 0  # the chief tells
    order = {str(path): position for position, path in reversed(list(enumerate(run.paths)))}
    pictures, failed = ([one for part in parts for one in part[i]] for i in (0, 1))
    manifest = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "transxnet", *run.args.argv],
        "versions": versions(),
        "pictures": sorted(pictures, key=lambda entry: order[entry["image"]]),
        "failed": sorted(failed, key=lambda entry: order[entry["image"]]),
    }
    if run.looked:  # of the chief, where there are several
        manifest["timing"] = timing(time.perf_counter() - run.begun, run.looked, run.models)
        print(in_words(manifest["timing"]))
    path = write_manifest(run.args.out, manifest)
    if pictures:
        html = report(json.loads(path.read_text(encoding="utf-8")), run.args.out)
        print(write_atomically(run.args.out / "report.html", html.encode()))
    print(path)
    return 1 if failed else 0


def _study_picture(run: _Run, path: Path, place: str, writer: ThreadPoolExecutor) -> Future | None:
    """Look at one picture; its part of the manifest once its files are written. None where nothing was explained."""
    from ..images import decode

    try:
        picture = decode(path, name=path.name)
    except LensError as error:
        run.failed.append(failure(path, "", error))
        return None
    other = _other(run, path)
    asked, record = run.fingerprint(picture, other), run.args.out / place / ENTRY
    if run.args.resume and (found := _finished(record, asked)):
        return writer.submit(lambda: found)
    record.unlink(missing_ok=True)  # from here on the files may be of two runs
    before = len(run.failed)
    studies = list(_studies(run, picture, other, path))
    if not studies:
        return None
    run.looked += 1
    complete = len(run.failed) == before  # what failed is tried again
    if run.writing:
        run.writing.result()  # no more than one picture's studies wait
    run.writing = writer.submit(_write, run, place, studies, picture, path.name, asked if complete else "")
    return run.writing


def _write(run: _Run, place: str, studies: Sequence[Study], picture: Picture, name: str, asked: str) -> dict[str, Any]:
    """The files of one picture; then, where all went well, the mark that says what was asked."""
    from ..export.files import write_json, write_picture
    from ..export.pictures import Style

    entry = write_picture(run.args.out, place, studies, picture.rgb, name, Style(run.args.head))
    if asked:
        write_json(run.args.out / place / ENTRY, {"asked": asked, "entry": entry})
    print(run.args.out / entry["sheet"], flush=True)
    return entry


def _finished(record: Path, asked: str) -> dict[str, Any] | None:
    """What an earlier run wrote about a picture, if it was asked the same; None where it has to be looked at."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        figures = [figure["png"] for figure in found["entry"]["figures"] if figure["png"]]
        there = all((record.parent.parent / png).is_file() for png in figures)
        return found["entry"] if found["asked"] == asked and there else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _other(run: _Run, path: Path) -> Picture | None:
    from ..images import decode

    other = run.other(path)
    try:
        return decode(other, name=other.name) if other else None
    except LensError:
        if run.args.against:
            raise
        return None  # it will be told in its own turn


def _studies(run: _Run, picture: Picture, other: Picture | None, path: Path) -> Iterator[Study]:
    """One study a model. Without a class asked for, all explain the first one's top answer, so that maps compare."""
    from ..study import study

    options = run.options
    for model in run.models:
        try:
            made = study(model, picture, _for(model, options), other, _telling(path, model.name))
        except LensError as error:
            run.failed.append(failure(path, model.name, error))
            continue
        if options.target is None:
            options = replace(options, target=made.target.wnid)
        yield made


def _for(model: LoadedModel, options: Options) -> Options:
    """What is asked of this model: a peer's stages have no blocks to choose from."""
    return replace(options, block=None) if isinstance(model.spec, PeerSpec) else options


def _telling(path: Path, model: str) -> Any:
    """Progress of the parts that take long, on one line, where somebody watches."""
    if not sys.stderr.isatty():
        return None

    def tell(part: str, done: int, total: int) -> None:
        end = "\r" if done < total else "\n"
        print(f"{path.name}, {model}: {part.replace('_', ' ')} {done} of {total}   ", end=end, file=sys.stderr)

    return tell


def _check(args: argparse.Namespace, specs: Sequence[VariantSpec | PeerSpec]) -> None:
    """Refuse, before anything is loaded, what no picture could make right. Raises OutOfRange or UnknownName.

    Blocks and heads are for the TransXNets among the models; a peer beside them takes each stage as a whole.
    """
    from ..study import PARTS

    if not specs:
        raise OutOfRange("--models names no model.", remedy="Name a variant, or several with commas.")
    for spec in specs:
        _within(f"{spec.short} has no stage", args.stage, 1, len(spec.depths))
        if args.cam_stage != "head":
            _within(f"{spec.short} has no stage", args.cam_stage, 1, len(spec.depths))
    for spec in [spec for spec in specs if isinstance(spec, VariantSpec)] or specs:
        _within(f"Stage {args.stage} of {spec.short} has no block", args.block, 0, spec.depths[args.stage - 1])
        _within(f"Stage {args.stage} of {spec.short} has no head", args.head, 0, spec.heads[args.stage - 1])
    for name in args.only:
        if name not in PARTS:
            raise UnknownName(f"There is no part called {name!r}.", remedy=f"Choose some of: {', '.join(PARTS)}.")
    if args.target is not None:
        _somebody_knows(args.target, specs)


def _somebody_knows(target: str, specs: Sequence[VariantSpec | PeerSpec]) -> None:
    """At least one of the models must know the class."""
    from ..labels import label_set

    for position, spec in enumerate(specs, 1):
        try:
            label_set(spec.label_set).find(target)
            return
        except LensError:
            if position == len(specs):
                raise


def _within(lack: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise OutOfRange(f"{lack} {value}.", remedy=f"Choose {low} to {high}." if high > low else f"Leave it at {low}.")
