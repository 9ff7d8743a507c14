"""Where a backbone's weights come from: a folder of the person's, then timm's own repository on the Hub.

The places are transxnet/weights/sources.py's, asked for timm's name. timm records no digest in its repositories; the
Hub does,
for every large file, and its client keeps the file under that name: it is compared with the bytes in use. Only
model.safetensors is read, so nothing that a file says is run.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..backbones.spec import PREFIX, BackboneSpec
from ..errors import DigestMismatch
from . import sources
from .checkpoint import file_sha256
from .sources import SourceOptions, SourceUnavailable, WeightsFile


def named(spec: BackboneSpec, source: object, settings: SourceOptions) -> WeightsFile:
    """What a person named: a file, a folder or `hf-hub:NAMESPACE/NAME[@REVISION]`."""
    return sources.named(_as_timm_names_it(spec), source, settings)


def folder(spec: BackboneSpec, settings: SourceOptions) -> WeightsFile:
    """NAME.safetensors in the folder the person configured: as it was asked for, with its tag, or without.

    A file without a tag is not taken for a tag that was asked for: those weights may be others.
    """
    asked = spec.name.removeprefix(PREFIX)
    tagged = f"{spec.architecture}.{spec.tag}" if spec.tag else asked
    for name in dict.fromkeys((asked, tagged)):
        path = None if settings.weights_dir is None else settings.weights_dir / f"{name}.safetensors"
        if path is not None and path.is_file():
            return WeightsFile(path, sources.Provenance("folder", path.name, detail=str(path)))
    return sources.folder(replace(spec, name=asked), settings)


def hub(spec: BackboneSpec, settings: SourceOptions) -> WeightsFile:
    """timm's repository: from the client's cache where it is there and whole, else from the network."""
    if not spec.hub_id:
        raise SourceUnavailable(
            f"timm publishes no weights for {spec.architecture}.", remedy="Give a file, or take another."
        )
    bare = _as_timm_names_it(spec)
    was_cached = cached(spec, settings)
    try:
        return _verified(sources.from_repository(bare, spec.hub_id, None, settings))
    except DigestMismatch:
        if not (was_cached and settings.allow_download):
            raise
        return _verified(sources.from_repository(bare, spec.hub_id, None, settings))


CHAIN: tuple[tuple[str, sources.Source], ...] = (("folder", folder), ("hub", hub))


def cached(spec: BackboneSpec, settings: SourceOptions) -> bool:
    """Whether the Hub client's cache, or the one that the settings name, holds the backbone; asks no network."""
    return bool(spec.hub_id) and sources.cached_files(spec.hub_id, None, settings) is not None


def _as_timm_names_it(spec: BackboneSpec) -> BackboneSpec:
    """sources.py looks for files and architectures under `name`."""
    return replace(spec, name=spec.architecture)


def _verified(found: WeightsFile) -> WeightsFile:
    """The same with the digest under which the Hub keeps the file. A file that differs is thrown away."""
    blob = found.path.resolve()
    if found.provenance.sha256 or not re.fullmatch("[0-9a-f]{64}", blob.name):
        return found
    found = WeightsFile(found.path, replace(found.provenance, sha256=blob.name, note=""))
    try:
        sources.check_digest(found, file_sha256(blob))
    except DigestMismatch:
        found.path.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
        raise
    return found
