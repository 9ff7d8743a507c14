"""Sources of the weights of timm backbones: a folder, then timm's repository on the Hub.

Counterpart of sources.py. timm records no digest in its repositories; the Hub does for every large file, and its client
stores the file under that name: it is compared with the bytes in use. Only model.safetensors is read, so no code from a
file is run.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..backbones.spec import PREFIX, BackboneSpec
from ..errors import DigestMismatch
from . import sources
from .checkpoint import file_sha256
from .sources import SourceOptions, SourceUnavailable, WeightsFile


def from_user_source(spec: BackboneSpec, source: object, options: SourceOptions) -> WeightsFile:
    """A file, a folder or `hf-hub:NAMESPACE/NAME[@REVISION]` that the user named."""
    return sources.from_user_source(with_timm_name(spec), source, options)


def from_weights_dir(spec: BackboneSpec, options: SourceOptions) -> WeightsFile:
    """NAME.safetensors in the configured folder: NAME as requested or with the tag of its weights.

    A file without a tag does not count for a requested tag: its weights may be others.
    """
    requested = spec.name.removeprefix(PREFIX)
    tagged = f"{spec.architecture}.{spec.tag}" if spec.tag else requested
    for name in dict.fromkeys((requested, tagged)):
        path = None if options.weights_dir is None else options.weights_dir / f"{name}.safetensors"
        if path is not None and path.is_file():
            return WeightsFile(path, sources.Provenance("folder", path.name, detail=str(path)))
    return sources.from_weights_dir(replace(spec, name=requested), options)


def from_hub(spec: BackboneSpec, options: SourceOptions) -> WeightsFile:
    """timm's repository: from the client's cache if it is complete, else from the network."""
    if not spec.hub_id:
        raise SourceUnavailable(
            "{name} publishes no weights for {architecture}.", remedy="Pass a file, or choose another backbone.",
            name="timm", architecture=spec.architecture,
        )  # fmt: skip
    was_cached = is_cached(spec, options)
    try:
        return _verify(sources.from_repository(spec.hub_id, None, options))
    except DigestMismatch:
        if not (was_cached and options.allow_download):
            raise
        return _verify(sources.from_repository(spec.hub_id, None, options))


SOURCES: tuple[tuple[str, sources.Source], ...] = (("folder", from_weights_dir), ("hub", from_hub))


def is_cached(spec: BackboneSpec, options: SourceOptions) -> bool:
    """Whether the Hub client's cache, or `options.hub_cache`, contains the backbone; uses no network."""
    return bool(spec.hub_id) and sources.cached_files(spec.hub_id, None, options) is not None


def with_timm_name(spec: BackboneSpec) -> BackboneSpec:
    """The spec under timm's own name, under which sources.py looks for files and architectures."""
    return replace(spec, name=spec.architecture)


def _verify(file: WeightsFile) -> WeightsFile:
    """The file with the digest under which the Hub stores it. A file that differs is deleted."""
    blob = file.path.resolve()
    if file.provenance.sha256 or not re.fullmatch("[0-9a-f]{64}", blob.name):
        return file
    file = WeightsFile(file.path, replace(file.provenance, sha256=blob.name, note=""))
    try:
        sources.check_digest(file, file_sha256(blob))
    except DigestMismatch:
        sources.discard(file.path)
        raise
    return file
