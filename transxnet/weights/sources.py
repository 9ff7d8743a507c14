"""Sources of the weights of TransXNet variants, each a function (spec, options) -> WeightsFile.

In the order in which `load` tries them: a file or `hf-hub:` id that the user named; the configured folder; the
configured Hub namespace (namespace.py; an unregistered namespace is never a default); the weights bundled in
assets/; the authors' release files. A digest that this project recorded is binding: another file is refused. The only
other known digest, of the authors' transx-t, is unconfirmed: a difference is a warning.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ..assets import find_asset
from ..errors import DigestMismatch, SourceFailed, WeightsMismatch, quote
from ..messages import Message
from ..variants import UNTRAINED, VARIANTS, VariantSpec
from .checkpoint import file_sha256
from .download import CONFIG, WEIGHTS, Report, Repository, cache_folder, cached_repository, fetch, fetch_repository
from .namespace import HUB_PREFIX, Namespace
from .revisions import newest_commit

BUNDLED = find_asset("weights")
RELEASE_URL = "https://github.com/LMMMEng/TransXNet/releases/download/v1.0"
UNCONFIRMED = {  # recorded by one public project only
    "transx-t.pth.tar": "c8ef6f4834014e691c0e5a5c2f027b2a23172b16988e35742dda571f6b8e8704"
}
FOLDER_PREFIX = "local-dir:"
SUFFIXES = (".safetensors", ".pth", ".pt", ".pth.tar", ".ckpt", ".bin")  # of checkpoints in a folder


class Named(Protocol):
    """A variant, a backbone or a model of the user's own, as files are looked for by name."""

    name: str
    official_file: str

    @property
    def short(self) -> str:
        """The name as users type it."""


class SourceUnavailable(SourceFailed):
    """The source is not configured or has nothing for this variant. Not a failure: the next source is tried."""


class RefreshFailed(SourceFailed):
    """The newest revision was requested and could not be looked up. Older weights would be misleading."""


@dataclass(frozen=True)
class Provenance:
    """Where weights came from. Everything but `detail` may be shown to a visitor.

    Attributes:
        kind: "file", "folder", "hub", "bundled", "release" or "untrained".
        location: A name to find them by, never a path of this machine.
        sha256: Of the file in use; for untrained weights, of the tensors.
        revision: The Hub's commit or the tag of the release.
        note: What a reader should know.
        detail: The full path.
        pinned: Whether the user chose the revision; the newest of a Hub repository may be another one otherwise.
    """

    kind: str
    location: str
    sha256: str = ""
    revision: str = ""
    note: str = ""
    detail: str = field(default="", compare=False, repr=False)
    pinned: bool = field(default=False, compare=False, repr=False)

    @property
    def origin(self) -> str:
        """The source without the digest: "bundled", "random weights", "hf-hub:a/b at 01234567"."""
        location = "bundled" if self.kind == "bundled" else self.location
        return f"{location} at {self.revision[:8]}" if self.revision else location

    def short(self) -> Message:
        """One phrase for a caption: "Bundled weights (SHA-256 1a2b3c4d…)"."""
        digest = self.sha256[:8]
        if self.kind == "bundled":
            return Message("Bundled weights (SHA-256 {digest}…)", digest=digest)
        if self.kind == UNTRAINED:
            return Message("Random weights (SHA-256 {digest}…)", digest=digest)
        return Message("Weights from {location} (SHA-256 {digest}…)", location=self.origin, digest=digest)

    def as_json(self) -> dict[str, str]:
        """What may be shown, as strings; empty fields are left out."""
        names = ("kind", "location", "revision", "sha256", "note")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def with_note(self, text: str) -> Provenance:
        """A copy with this sentence after its note."""
        if not text:
            return self
        return replace(self, note=Message("{note} {text}", note=self.note, text=text) if self.note else text)


@dataclass(frozen=True)
class WeightsFile:
    """A file that a source delivered.

    Attributes:
        path: The file.
        provenance: Carries a digest if one was recorded for the file.
        config: The content of timm's config.json, if the source has one.
    """

    path: Path
    provenance: Provenance
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceOptions:
    """What the sources need to know.

    Attributes:
        weights_dir: Folder of weights, None for none.
        hub: Namespace on the Hub.
        report: Called with (bytes done, bytes in total, what) while downloading.
        allow_download: False uses only what is on this disk.
        hub_cache: Folder for downloads from the Hub in place of its client's cache, which is still read first.
        refresh: Look for a newer revision of an unpinned Hub repository, and download it.
    """

    weights_dir: Path | None
    hub: Namespace
    report: Report
    allow_download: bool = True
    hub_cache: Path | None = None
    refresh: bool = False


def from_user_source(spec: Named, source: str | os.PathLike[str], options: SourceOptions) -> WeightsFile:
    """A source that the user named: `hf-hub:NAMESPACE/NAME[@REVISION]`, a file, or a folder.

    In a folder without a file of the model's name or timm's layout, the only checkpoint is taken.
    """
    text = os.fspath(source).strip()
    if text.startswith(HUB_PREFIX):
        repository, _, revision = text.removeprefix(HUB_PREFIX).partition("@")
        return from_repository(repository, revision or None, options)
    path = Path(text.removeprefix(FOLDER_PREFIX)).expanduser()
    if path.is_dir():
        return _from_named_folder(spec, path)
    if not path.is_file():
        raise SourceFailed(
            "There is no file or folder {name}.",
            remedy=f"Check the path. A repository is written {HUB_PREFIX}NAMESPACE/NAME.", detail=str(path),
            name=quote(path.name),
        )  # fmt: skip
    config = _read_json(path.with_name(CONFIG)) if path.name == WEIGHTS else {}
    return WeightsFile(path, Provenance("file", path.name, detail=str(path)), config)


def _from_named_folder(spec: Named, path: Path) -> WeightsFile:
    try:
        return from_folder(spec, path)
    except SourceUnavailable:
        checkpoints = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES) and file.is_file())
    if len(checkpoints) == 1:
        return WeightsFile(checkpoints[0], Provenance("folder", checkpoints[0].name, detail=str(checkpoints[0])))
    names = ", ".join(file.name for file in checkpoints[:5])
    raise SourceFailed(
        Message("The folder {folder} contains several checkpoints: {names}.", folder=path.name, names=names)
        if checkpoints else Message("The folder {folder} contains no checkpoint.", folder=path.name),
        remedy=Message("Name one of the files.") if checkpoints else Message(
            "Checkpoints end in {suffixes}; timm's layout has {config} and {weights}.",
            suffixes=", ".join(SUFFIXES), config=CONFIG, weights=WEIGHTS),
        detail=str(path),
    )  # fmt: skip


def source_label(source: str | os.PathLike[str]) -> str:
    """A user's source as it may be shown: the id of a repository, the last part of a path."""
    text = os.fspath(source).strip()
    return text if text.startswith(HUB_PREFIX) else Path(text.removeprefix(FOLDER_PREFIX)).name


def from_weights_dir(spec: VariantSpec, options: SourceOptions) -> WeightsFile:
    """The configured folder."""
    if options.weights_dir is None:
        raise SourceUnavailable(
            "No weights folder is configured.", remedy="Pass --weights-dir or set TRANSXNET_WEIGHTS."
        )
    return from_folder(spec, options.weights_dir)


def check_weights_dir(path: Path) -> None:
    """Refuse a weights folder that holds no weights under a name that the program knows.

    Raises:
        SourceFailed: There is no such folder, or nothing usable in it.
    """
    import timm

    if not path.is_dir():
        raise SourceFailed(
            "The configured weights folder does not exist.", remedy="Correct --weights-dir or TRANSXNET_WEIGHTS.",
            detail=str(path),
        )  # fmt: skip
    if (path / CONFIG).is_file() and (path / WEIGHTS).is_file():
        return
    names = {name for spec in VARIANTS.values() for name in (spec.name, spec.short)}
    official = {spec.official_file for spec in VARIANTS.values()}
    for file in path.iterdir():
        suffix = next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if file.name.endswith(suffix)), "")
        stem = file.name.removesuffix(suffix)
        if file.name in official or (suffix and (stem in names or timm.is_model(stem.split(".")[0]))):
            return
    raise SourceFailed(
        "The weights folder holds no weights under a name that is known here.",
        remedy="Name the files transxnet_t.safetensors, transx-t.pth.tar, …, or name a model of your own: "
        "--model NAME=FILE.",
        detail=str(path),
    )


def from_folder(spec: Named, path: Path) -> WeightsFile:
    """`NAME.safetensors` or another checkpoint of that name, an official file name, or timm's layout."""
    stems = dict.fromkeys((spec.name, spec.short))
    names = [f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES]
    for name in [names[0], *filter(None, [spec.official_file]), *names[1:]]:
        if (path / name).is_file():
            return WeightsFile(path / name, Provenance("folder", name, detail=str(path / name)))
    if (path / CONFIG).is_file() and (path / WEIGHTS).is_file():
        config = _read_json(path / CONFIG)
        provenance = Provenance("folder", WEIGHTS, _recorded_digest(config), detail=str(path / WEIGHTS))
        return WeightsFile(path / WEIGHTS, provenance, config)
    raise SourceUnavailable(
        "The folder contains no {names}.", remedy="Put the file there, or pass another folder.", detail=str(path),
        names=" and no ".join(filter(None, [names[0], spec.official_file])),
    )  # fmt: skip


def from_hub(spec: VariantSpec, options: SourceOptions) -> WeightsFile:
    """NAMESPACE/<name> of the configured namespace, at the revision pinned there."""
    if not options.hub:
        raise SourceUnavailable(
            "No namespace is configured.", remedy="Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE."
        )
    return from_repository(options.hub.repository(spec), options.hub.revision_of(spec), options)


def from_repository(repository: str, revision: str | None, options: SourceOptions) -> WeightsFile:
    """A Hub repository in timm's layout: from the cache if it is complete there, else from the network.

    A cached branch is not updated: the same image gives the same result tomorrow, and no network is needed. The commit
    in the provenance says what is in use; @REVISION selects another, and `options.refresh` the newest.
    """
    files = cached_files(repository, revision, options)
    if files is not None and options.refresh and options.allow_download and revision is None:
        newest = _look_up(repository, files.commit)
        if newest != files.commit:  # by its commit first: the cached one stays in use until the download is complete
            fetch_repository(repository, newest, options.report, cache=options.hub_cache)
            files = None
    if files is not None:
        try:
            return _verify(repository, revision, files)
        except DigestMismatch:  # the cache is damaged: download again
            if not options.allow_download:
                raise
    elif not options.allow_download:
        raise _not_downloaded(f"{HUB_PREFIX}{repository}")
    files = fetch_repository(repository, revision, options.report, again=files is not None, cache=options.hub_cache)
    try:
        return _verify(repository, revision, files)
    except DigestMismatch:
        discard(files.weights)
        raise


def _look_up(repository: str, commit: str) -> str:
    """The newest commit. Raises RefreshFailed; commit: the one on this disk."""
    try:
        return newest_commit(repository)
    except SourceFailed as error:
        remedy = Message(
            "{remedy} Without --refresh, revision {commit} on this disk is used.", remedy=error.remedy,
            commit=commit[:8],
        )  # fmt: skip
        raise RefreshFailed(error.what, remedy=remedy, detail=error.detail) from error


def cached_files(repository: str, revision: str | None, options: SourceOptions) -> Repository | None:
    """The files of a repository in the Hub's cache or `options.hub_cache`; uses no network."""
    caches = [None] if options.hub_cache is None else [None, options.hub_cache]
    cached = (cached_repository(repository, revision, cache) for cache in caches)
    return next((files for files in cached if files is not None), None)


def from_bundle(spec: VariantSpec, options: SourceOptions) -> WeightsFile:
    """assets/weights/<name>.safetensors, whose card records its digest."""
    path = BUNDLED / f"{spec.name}.safetensors"
    if not path.is_file():
        raise SourceUnavailable(
            "{name} is not bundled.", remedy="Bundled models: {names}.", name=spec.name,
            names=", ".join(bundled_names()) or "none",
        )  # fmt: skip
    card = _read_json(path.with_suffix(".json"))
    digest = card.get("sha256", "")
    if not digest:
        raise SourceFailed(
            "The card of the bundled {name} records no SHA-256.", remedy="Restore assets/weights from the repository.",
            detail=str(path.with_suffix(".json")), name=spec.name,
        )  # fmt: skip
    provenance = Provenance("bundled", f"assets/weights/{path.name}", str(digest), detail=str(path))
    return WeightsFile(path, provenance.with_note(_accuracy_note(card)))


def _accuracy_note(card: Mapping[str, object]) -> str:
    """The top-1 accuracy of a bundled model as a sentence; '' where its card does not contain it."""
    accuracy = card.get("accuracy")
    template = "Top-1 accuracy {share}% ({images} validation images)."
    if card.get("label_set") == "tiny-imagenet-200":
        template = "Top-1 accuracy {share}% (Tiny-ImageNet, {images} validation images)."
    try:
        return Message(template, share=f"{100 * accuracy['top1']:.1f}", images=f"{accuracy['pictures']:,}")
    except (TypeError, KeyError, ValueError):
        return ""


def from_release(spec: VariantSpec, options: SourceOptions) -> WeightsFile:
    """The authors' release file, from the cache or the network."""
    if not spec.official_file:
        raise SourceUnavailable(
            "The authors released no weights for {name}.", remedy="Released: T, S, B and B-384.", name=spec.name
        )
    base, path = release_url(), release_path(spec)
    if not path.is_file():
        if not options.allow_download:
            raise _not_downloaded(path.name)
        fetch(f"{base}/{path.name}", path, options.report, path.name)
    location, tag = f"{_without_credentials(base)}/{path.name}", base.rsplit("/", 1)[-1]
    return WeightsFile(path, Provenance("release", location, revision=tag, detail=str(path)))


Source = Callable[[VariantSpec, SourceOptions], WeightsFile]
SOURCES: tuple[tuple[str, Source], ...] = (
    ("folder", from_weights_dir),
    ("hub", from_hub),
    ("bundled", from_bundle),
    ("release", from_release),
)


def check_digest(file: WeightsFile, sha256: str) -> Provenance:
    """Compare the digest of the bytes in use with the recorded one.

    Args:
        file: What a source delivered.
        sha256: Of the bytes that were read, 64 hex digits.

    Returns:
        The provenance with this digest.

    Raises:
        DigestMismatch: Another digest is recorded.
    """
    recorded, provenance = file.provenance.sha256, replace(file.provenance, sha256=sha256)
    if recorded and recorded != sha256:
        raise _mismatch(provenance.location, recorded, sha256, file.path)
    unconfirmed = UNCONFIRMED.get(file.path.name)
    if provenance.kind == "release" and unconfirmed and unconfirmed != sha256:
        text = Message(
            "The SHA-256 of {name} is {digest}; a public project recorded {recorded}. That record is unconfirmed: the "
            "file may be sound, or not the authors'.",
            name=file.path.name, digest=sha256, recorded=unconfirmed,
        )  # fmt: skip
        warnings.warn(text, stacklevel=2)
        provenance = provenance.with_note(text)
    return provenance


def bundled_names() -> list[str]:
    """Names of the variants whose weights are bundled."""
    return sorted(path.stem for path in BUNDLED.glob("*.safetensors"))


def release_url() -> str:
    """The folder of the authors' release files: TRANSXNET_RELEASE_URL, by default RELEASE_URL."""
    return (os.environ.get("TRANSXNET_RELEASE_URL") or RELEASE_URL).rstrip("/")


def release_path(spec: VariantSpec) -> Path:
    """Where a downloaded release file is stored."""
    return cache_folder() / "releases" / spec.official_file


def _verify(repository: str, revision: str | None, files: Repository) -> WeightsFile:
    location = f"{HUB_PREFIX}{repository}" + (f"@{revision}" if revision and revision != files.commit else "")
    provenance = Provenance("hub", location, "", files.commit, detail=str(files.weights), pinned=bool(revision))
    config = _read_json(files.config)
    digest = _recorded_digest(config)
    if not digest:
        note = Message("The repository records no SHA-256 to check the weights against.")
        return WeightsFile(files.weights, provenance.with_note(note), config)
    actual = file_sha256(files.weights)
    if actual != digest:
        raise _mismatch(location, digest, actual, files.weights)
    return WeightsFile(files.weights, replace(provenance, sha256=digest), config)


def _recorded_digest(config: Mapping[str, object]) -> str:
    """The digest that a config.json in timm's layout records for its weights, '' if none."""
    return str(config.get("sha256") or "")


def check_config(spec: Named, file: WeightsFile) -> None:
    """Refuse a file whose config.json describes another model than the one requested.

    Args:
        spec: The variant or backbone; of a backbone with timm's own name.
        file: As a source delivered it.

    Raises:
        WeightsMismatch: It has another architecture, or other classes.
    """
    architecture = file.config.get("architecture", spec.name)
    if architecture != spec.name:
        raise WeightsMismatch(
            "{location} contains {actual}, not {expected}.",
            remedy="Choose the model that these weights were trained for.", location=file.provenance.location,
            actual=str(architecture)[:60], expected=spec.name,
        )  # fmt: skip
    names = file.config.get("label_names")
    if isinstance(spec, VariantSpec) and isinstance(names, list) and tuple(names) != spec.labels.wnids:
        raise WeightsMismatch(
            "{location} has other classes than {expected}.",
            remedy="Choose another name for it: NAME=SOURCE.", location=file.provenance.location, expected=spec.name,
        )  # fmt: skip


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SourceFailed(
            "{name} is not valid JSON.", remedy="Download it again.", detail=str(path), name=path.name
        ) from error
    return content if isinstance(content, dict) else {}


def discard(path: Path) -> None:
    """Remove a wrong file from the Hub's cache: the name in the snapshot and its blob."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _mismatch(location: str, recorded: str, actual: str, path: Path) -> DigestMismatch:
    return DigestMismatch(
        "{location} is not the published file: its SHA-256 is {actual}…, the recorded one {recorded}….",
        remedy="It was damaged or replaced. Download it again; if that does not help, tell its publisher.",
        detail=f"{path}: {actual}, recorded {recorded}", location=location, actual=actual[:16], recorded=recorded[:16],
    )  # fmt: skip


def _not_downloaded(what: str) -> SourceUnavailable:
    return SourceUnavailable(
        Message("{what} is not on this disk, and downloads are disabled.", what=what), remedy="Allow downloads."
    )


def _without_credentials(url: str) -> str:
    """A URL without account, password and query."""
    parts = urlsplit(url)
    return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
