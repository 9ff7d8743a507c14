"""Studies of one image for `python -m transxnet study`: compute them, write their files, find them again.

The files of an image are complete once its folder holds entry.json, which also has the digest of all options.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..backbones.spec import BackboneSpec
from ..console import readable
from ..errors import LensError
from ..prefetch import map_ahead
from .common import image_limits, report_failure

if TYPE_CHECKING:
    from ..export.map_options import MapFileOptions
    from ..images import SourceImage
    from ..study import Study, StudyOptions
    from ..weights.load import LoadedModel

ENTRY = "entry.json"
CONCURRENT_IMAGES = 2  # on CPUs, each with half of the threads: the small layers of one image do not use them all
SWITCH_INTERVAL = 2e-4  # seconds: a thread that draws must not delay those that only launch torch's next operator
T, R = TypeVar("T"), TypeVar("R")


@dataclass
class Run:
    """Settings of a run and what has happened so far.

    Attributes:
        args: Parsed options.
        options: Options of every study.
        paths: All images, also those of other processes.
        models: Models that study every image.
        map_options: Of files that hold one map each; None writes none.
        failures: Images and models that failed, as in the manifest.
        num_studied: Number of images studied by this run.
    """

    args: argparse.Namespace
    options: StudyOptions
    paths: list[Path]
    models: list[LoadedModel]
    map_options: MapFileOptions | None = None
    failures: list[dict[str, str]] = field(default_factory=list)
    num_studied: int = 0

    def fingerprint(self, image: SourceImage, reference: SourceImage | None) -> str:
        """Digest of everything that the results for an image depend on, the program's code included."""
        from ..export.records import source_digest

        settings: dict[str, Any] = asdict(self.options) | {"head": self.args.head, "image": image.sha256}
        settings |= {"models": [(m.name, m.provenance.sha256, repr(m.spec)) for m in self.models]}
        settings |= {"reference": reference and reference.sha256, "maps": repr(self.map_options)}
        return sha256(json.dumps([settings, source_digest()], sort_keys=True).encode()).hexdigest()

    def reference_path(self, path: Path) -> Path | None:
        """The image whose kernels an image's are compared with: --reference, or the next of the images."""
        if self.args.reference or len(self.paths) < 2:
            return self.args.reference
        return self.paths[(self.paths.index(path) + 1) % len(self.paths)]


@dataclass(frozen=True)
class ImageStudies:
    """Studies of one image that are not written yet. fingerprint: '' if a model failed, so that it is retried."""

    path: Path
    folder: str
    image: SourceImage
    studies: list[Study]
    fingerprint: str


def map_concurrently(function: Callable[[T], R], items: Iterable[T], models: list[LoadedModel]) -> Iterator[R]:
    """Yield function(item) in the order of the items, computing the next ones while the caller uses one.

    On CPUs CONCURRENT_IMAGES run at a time, on a GPU one. As many results wait at most, since they hold arrays.
    """
    import torch

    threads, on_cpu = torch.get_num_threads(), models[0].device.type == "cpu"
    concurrent = min(CONCURRENT_IMAGES, threads) if on_cpu else 1
    threads_each, switch_interval = max(1, threads // concurrent), sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        with ThreadPoolExecutor(concurrent, initializer=torch.set_num_threads, initargs=(threads_each,)) as pool:
            yield from map_ahead(pool, function, items, ahead=concurrent)
    finally:
        sys.setswitchinterval(switch_interval)
        torch.set_num_threads(threads)  # also what later threads start with


def study_image(run: Run, path: Path, folder: str) -> ImageStudies | dict[str, Any] | None:
    """Study one image with every model.

    Returns:
        The studies; the entry of an earlier run that finished the image; None where nothing could be explained.
    """
    from ..images import decode

    try:
        image = decode(path, name=path.name, limits=image_limits(run.args))
    except LensError as error:
        run.failures.append(report_failure(path, "", error))
        return None
    reference = _read_reference(run, path)
    fingerprint, entry_path = run.fingerprint(image, reference), run.args.out / folder / ENTRY
    if run.args.resume and (entry := _finished_entry(entry_path, fingerprint)):
        return entry
    entry_path.unlink(missing_ok=True)  # from now on the folder may hold files of two runs
    studies, failures = _study_with_models(run, image, reference, path)
    run.failures += failures
    return ImageStudies(path, folder, image, studies, "" if failures else fingerprint) if studies else None


def write_image_files(run: Run, result: ImageStudies) -> dict[str, Any]:
    """Write the files of one image, then entry.json if no model failed. Returns the image's entry in the manifest."""
    from ..export.files import write_image, write_json
    from ..export.images import Style

    out, style = run.args.out, Style(run.args.head)
    rgb, title = result.image.rgb, result.path.name
    entry = write_image(out, result.folder, result.studies, rgb, title, style, run.map_options)
    if result.fingerprint:
        write_json(out / result.folder / ENTRY, {"fingerprint": result.fingerprint, "entry": entry})
    run.num_studied += 1
    print(out / entry["sheet"], flush=True)
    return entry


def _finished_entry(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The entry that an earlier run wrote with the same fingerprint; None if there is none, or files are missing."""
    from ..export.files import files_of

    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        complete = all((path.parent.parent / name).is_file() for name in files_of(record["entry"]))
        return record["entry"] if record["fingerprint"] == fingerprint and complete else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_reference(run: Run, path: Path) -> SourceImage | None:
    from ..images import decode

    reference = run.reference_path(path)
    try:
        return decode(reference, name=reference.name, limits=image_limits(run.args)) if reference else None
    except LensError:
        if run.args.reference:
            raise
        return None  # one of the images: it is reported when its turn comes


def _study_with_models(
    run: Run, image: SourceImage, reference: SourceImage | None, path: Path
) -> tuple[list[Study], list[dict[str, str]]]:
    """(one study per model, failures).

    Without --target all models explain the first one's top prediction, and contrast it with the first one's second, so
    that their maps are comparable.
    """
    from tqdm import tqdm

    from ..study import study

    options, studies, failures = run.options, [], []
    reference_name = run.reference_path(path).name if reference else ""
    for model in run.models:
        # a backbone has no blocks
        model_options = replace(options, block=None) if isinstance(model.spec, BackboneSpec) else options
        try:
            title = f"{path.name}, {model.name}"
            with tqdm(desc=title, disable=None, leave=False) as bar:  # None: on a terminal

                def show_progress(analysis: str, finished: int, total: int, bar: tqdm = bar) -> None:
                    bar.set_postfix_str(analysis.replace("_", " "), refresh=False)
                    bar.total = total
                    bar.update(finished - bar.n)

                def report(analysis: str, finished: int, total: int, title: str = title) -> None:
                    line = f"{title}: {analysis.replace('_', ' ')} done, {finished} of {total} analyses"
                    tqdm.write(readable(line), file=sys.stderr)

                studies.append(study(model, image, model_options, reference, show_progress, reference_name, report))
        except LensError as error:
            failures.append(report_failure(path, model.name, error))
            continue
        if options.target is None:
            options = replace(options, target=studies[0].target.wnid, allow_missing_target=True)
        options = replace(options, position=options.position or studies[0].position)  # crops differ, the point does not
        options = replace(options, contrast_target=options.contrast_target or studies[0].contrast_target)
    return studies, failures
