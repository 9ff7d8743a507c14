"""The places weights come from, and what is known about them there: source -> WeightsFile, or SourceFailed.

In the order in which they are asked: a file or `hf-hub:` id the person named; a folder of theirs; the Hub
namespace they configured (namespace.py; a name that nobody owns is never a default); the weights bundled in
assets/; the author's release files. A digest that this project recorded is binding: another file is refused. The
one other digest known, for the author's transx-t, nobody has confirmed: a difference is a loud warning.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import DigestMismatch, SourceFailed, WeightsMismatch, quote
from ..labels import ASSETS
from ..variants import VariantSpec
from .checkpoint import file_sha256
from .download import CONFIG, WEIGHTS, Report, Repository, cached_repository, fetch, fetch_repository
from .namespace import HUB_PREFIX, Namespace

BUNDLED = ASSETS / "weights"
RELEASE_URL = "https://github.com/LMMMEng/TransXNet/releases/download/v1.0"
UNCONFIRMED = {  # recorded by one public project, confirmed by nobody
    "transx-t.pth.tar": "c8ef6f4834014e691c0e5a5c2f027b2a23172b16988e35742dda571f6b8e8704"
}
FOLDER_PREFIX = "local-dir:"


class SourceUnavailable(SourceFailed):
    """The source was not configured, or holds nothing for this variant: no fault, the next one is asked."""


@dataclass(frozen=True)
class Provenance:
    """Where weights came from. Everything but `detail` may be shown to a visitor.

    kind: "file", "folder", "hub", "bundled", "release" or "untrained". location: a name to find them by, never
    a path of this machine. sha256: of the file in use; for untrained weights of the tensors. revision: the
    Hub's commit or the release's tag. note: what a reader should know. detail: the full path.
    """

    kind: str
    location: str
    sha256: str = ""
    revision: str = ""
    note: str = ""
    detail: str = field(default="", compare=False, repr=False)

    def short(self) -> str:
        """A few words for a caption: "bundled, sha256 1a2b3c4d"."""
        where = self.kind if self.kind in ("bundled", "untrained") else self.location
        commit = f" at {self.revision[:8]}" if self.revision else ""
        return f"{where}{commit}, sha256 {self.sha256[:8]}"

    def as_json(self) -> dict[str, str]:
        """What may be shown, as strings; empty fields are left out."""
        pairs = ("kind", "location", "revision", "sha256", "note")
        return {name: getattr(self, name) for name in pairs if getattr(self, name)}

    def noting(self, text: str) -> Provenance:
        return replace(self, note=f"{self.note} {text}".strip()) if text else self


@dataclass(frozen=True)
class WeightsFile:
    """A file that a source delivered. Its provenance carries a digest where one was recorded for it."""

    path: Path
    provenance: Provenance


@dataclass(frozen=True)
class SourceOptions:
    """What the sources need to know. report(done, total, what) is told of bytes downloaded.

    hub_cache: folder that downloads from the Hub go to in place of its client's own cache, which is still read first.
    """

    weights_dir: Path | None
    hub: Namespace
    report: Report
    allow_download: bool = True
    hub_cache: Path | None = None


def named(spec: VariantSpec, source: str | os.PathLike[str], settings: SourceOptions) -> WeightsFile:
    """What a person named: `hf-hub:NAMESPACE/NAME[@REVISION]`, a file, or a folder."""
    text = os.fspath(source).strip()
    if text.startswith(HUB_PREFIX):
        repo, _, revision = text.removeprefix(HUB_PREFIX).partition("@")
        return from_repository(spec, repo, revision or None, settings)
    path = Path(text.removeprefix(FOLDER_PREFIX)).expanduser()
    if path.is_dir():
        return from_folder(spec, path)
    if not path.is_file():
        raise SourceFailed(
            f"There is no file or folder {quote(path.name)}.",
            remedy=f"Check the path; a repository is written {HUB_PREFIX}NAMESPACE/NAME.",
            detail=str(path),
        )
    return WeightsFile(path, Provenance("file", path.name, detail=str(path)))


def label(source: str | os.PathLike[str]) -> str:
    """A named source as it may be shown: the id of a repository, the last part of a path."""
    text = os.fspath(source).strip()
    return text if text.startswith(HUB_PREFIX) else Path(text.removeprefix(FOLDER_PREFIX)).name


def folder(spec: VariantSpec, settings: SourceOptions) -> WeightsFile:
    """The folder the person configured."""
    if settings.weights_dir is None:
        raise SourceUnavailable("No folder is configured.", remedy="Pass --weights-dir or set TRANSXNET_WEIGHTS.")
    if not settings.weights_dir.is_dir():
        raise SourceFailed(
            "The folder configured for weights does not exist.",
            remedy="Correct --weights-dir or TRANSXNET_WEIGHTS.",
            detail=str(settings.weights_dir),
        )
    return from_folder(spec, settings.weights_dir)


def from_folder(spec: VariantSpec, path: Path) -> WeightsFile:
    """`<name>.safetensors`, an official file name, or timm's layout (config.json beside model.safetensors)."""
    names = [f"{spec.name}.safetensors", *([spec.official_file] if spec.official_file else [])]
    for name in names:
        if (path / name).is_file():
            return WeightsFile(path / name, Provenance("folder", name, detail=str(path / name)))
    if (path / CONFIG).is_file() and (path / WEIGHTS).is_file():
        digest = _recorded_digest(spec, path / CONFIG, f"the folder {path.name}")
        return WeightsFile(path / WEIGHTS, Provenance("folder", WEIGHTS, digest, detail=str(path / WEIGHTS)))
    raise SourceUnavailable(
        f"The folder holds no {' and no '.join(names)}.",
        remedy="Put the file there, or name another folder.",
        detail=str(path),
    )


def hub(spec: VariantSpec, settings: SourceOptions) -> WeightsFile:
    """NAMESPACE/<name> of the namespace the person configured, at the revision pinned there."""
    if not settings.hub:
        raise SourceUnavailable(
            "No namespace is configured.", remedy="Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE."
        )
    return from_repository(spec, settings.hub.repository(spec), settings.hub.revision_of(spec), settings)


def from_repository(spec: VariantSpec, repo: str, revision: str | None, settings: SourceOptions) -> WeightsFile:
    """A Hub repository in timm's layout: from the cache where it is there and whole, else from the network.

    Whether the branch has moved since is not asked: yesterday's image gets yesterday's answer, and no network is
    needed. The commit in the provenance says what is in use; @REVISION asks for another.
    """
    files = cached_files(repo, revision, settings)
    if files is not None:
        try:
            return _verified(spec, repo, revision, files)
        except DigestMismatch:  # the cache is damaged: get it again
            if not settings.allow_download:
                raise
    elif not settings.allow_download:
        raise _not_downloaded(f"{HUB_PREFIX}{repo}")
    files = fetch_repository(repo, revision, settings.report, again=files is not None, cache=settings.hub_cache)
    try:
        return _verified(spec, repo, revision, files)
    except DigestMismatch:
        _discard(files.weights)
        raise


def cached_files(repo: str, revision: str | None, settings: SourceOptions) -> Repository | None:
    """What the Hub's cache or `settings.hub_cache` holds of a repository; asks no network."""
    caches = [None] if settings.hub_cache is None else [None, settings.hub_cache]
    return next((files for cache in caches if (files := cached_repository(repo, revision, cache)) is not None), None)


def bundled(spec: VariantSpec, settings: SourceOptions) -> WeightsFile:
    """assets/weights/<name>.safetensors, whose card records its digest."""
    path = BUNDLED / f"{spec.name}.safetensors"
    if not path.is_file():
        raise SourceUnavailable(
            f"No {spec.name} is bundled.", remedy=f"Bundled are: {', '.join(bundled_names()) or 'none'}."
        )
    card = _read_json(path.with_suffix(".json"))
    digest = card.get("sha256", "")
    if not digest:
        raise SourceFailed(
            f"The card of the bundled {spec.name} records no digest.",
            remedy="Restore assets/weights from the repository.",
            detail=str(path.with_suffix(".json")),
        )
    provenance = Provenance("bundled", f"assets/weights/{path.name}", str(digest), detail=str(path))
    return WeightsFile(path, provenance.noting(_measured(card)))


def _measured(card: Mapping[str, object]) -> str:
    """How often a bundled model was right, in words; '' where its card does not say."""
    accuracy = card.get("accuracy")
    try:
        whose = " of Tiny-ImageNet's 200 classes" if card.get("label_set") == "tiny-imagenet-200" else ""
        return f"Right on {100 * accuracy['top1']:.1f} % of {accuracy['pictures']:,} validation images{whose}."
    except (TypeError, KeyError, ValueError):
        return ""


def release(spec: VariantSpec, settings: SourceOptions) -> WeightsFile:
    """The author's release file, from the cache or the network."""
    if not spec.official_file:
        raise SourceUnavailable(
            f"The paper's author released no {spec.name}.", remedy="Only T, S, B and B-384 are published."
        )
    base, path = release_url(), release_path(spec)
    if not path.is_file():
        if not settings.allow_download:
            raise _not_downloaded(f"the author's {path.name}")
        fetch(f"{base}/{path.name}", path, settings.report, path.name)
    location, tag = f"{_public(base)}/{path.name}", base.rsplit("/", 1)[-1]
    return WeightsFile(path, Provenance("release", location, revision=tag, detail=str(path)))


Source = Callable[[VariantSpec, SourceOptions], WeightsFile]
CHAIN: tuple[tuple[str, Source], ...] = (("folder", folder), ("hub", hub), ("bundled", bundled), ("release", release))


def check_digest(found: WeightsFile, sha256: str) -> Provenance:
    """The provenance with the digest of the bytes in use. Raises DigestMismatch where another one is binding."""
    known, provenance = found.provenance.sha256, replace(found.provenance, sha256=sha256)
    if known and known != sha256:
        raise _mismatch(provenance.location, known, sha256, found.path)
    unconfirmed = UNCONFIRMED.get(found.path.name)
    if provenance.kind == "release" and unconfirmed and unconfirmed != sha256:
        text = (
            f"The digest of {found.path.name} is {sha256}; a public project recorded {unconfirmed}. "
            "Nobody has confirmed that record: the file may be sound, or not the author's."
        )
        warnings.warn(text, stacklevel=2)
        provenance = provenance.noting(text)
    return provenance


def bundled_names() -> list[str]:
    """Names of the variants whose weights are bundled."""
    return sorted(path.stem for path in BUNDLED.glob("*.safetensors"))


def release_url() -> str:
    return (os.environ.get("TRANSXNET_RELEASE_URL") or RELEASE_URL).rstrip("/")


def release_path(spec: VariantSpec) -> Path:
    """Where a release file is kept."""
    return cache_folder() / "releases" / spec.official_file


def cache_folder() -> Path:
    """Where this project keeps its own downloads: TRANSXNET_CACHE, else transxnet/ in the user's cache folder."""
    own, user = os.environ.get("TRANSXNET_CACHE"), os.environ.get("XDG_CACHE_HOME")
    root = Path(own) if own else (Path(user) if user else Path.home() / ".cache") / "transxnet"
    return root.expanduser()


def _verified(spec: VariantSpec, repo: str, revision: str | None, files: Repository) -> WeightsFile:
    where = f"{HUB_PREFIX}{repo}" + (f"@{revision}" if revision and revision != files.commit else "")
    provenance = Provenance("hub", where, revision=files.commit, detail=str(files.weights))
    digest = _recorded_digest(spec, files.config, where)
    if not digest:
        return WeightsFile(files.weights, provenance.noting("Its publisher recorded no digest to check against."))
    actual = file_sha256(files.weights)
    if actual != digest:
        raise _mismatch(where, digest, actual, files.weights)
    return WeightsFile(files.weights, replace(provenance, sha256=digest))


def _recorded_digest(spec: VariantSpec, config: Path, where: str) -> str:
    """The digest a config.json in timm's layout records for its weights, '' if none."""
    settings = _read_json(config)
    architecture = settings.get("architecture", spec.name)
    if architecture != spec.name:
        raise WeightsMismatch(
            f"{where} holds a {str(architecture)[:60]}, not a {spec.name}.",
            remedy="Choose the variant these weights were trained for.",
        )
    return str(settings.get("sha256") or "")


def _read_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SourceFailed(
            f"{path.name} cannot be read as JSON.", remedy="Get it again from where it came from.", detail=str(path)
        ) from error
    return content if isinstance(content, dict) else {}


def _discard(path: Path) -> None:
    """Remove a file known to be wrong from the Hub's cache: the name in the snapshot and the blob behind it."""
    blob = path.resolve()
    path.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _mismatch(where: str, recorded: str, actual: str, path: Path) -> DigestMismatch:
    return DigestMismatch(
        f"{where} is not the file that was published: its SHA-256 is {actual[:16]}…, recorded is {recorded[:16]}….",
        remedy="It was damaged or exchanged on its way: get it again, and tell its publisher if that does not help.",
        detail=f"{path}: {actual}, recorded {recorded}",
    )


def _not_downloaded(what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{what} is not on this disk, and nothing may be downloaded now.", remedy="Allow downloading."
    )


def _public(url: str) -> str:
    """A URL without account, password and query."""
    parts = urlsplit(url)
    return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
