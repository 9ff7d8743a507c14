"""nano on the tests' own Hub: small enough that every test may download it. And what processes of their own fetch.

The fixtures `hub` and `nothing_bundled` (tests/transxnet/conftest.py) go with it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.hub import NAMESPACE, HubServer, commit_of, file_digest, use_hub
from transxnet.errors import NoWeights
from transxnet.variants import find_variant
from transxnet.weights.load import LoadedModel, load
from transxnet.weights.namespace import Namespace
from transxnet.weights.sources import SourceOptions, from_release

NAME = "transxnet_nano"
REPO = f"{NAMESPACE}/{NAME}"
BIAS = "classifier.2.bias"
PATIENCE = 120  # seconds: other work may share the processor; a condition that holds ends the wait at once


def cache(tmp_path: Path) -> Path:
    """The client's cache, where HF_HOME is `tmp_path`."""
    return tmp_path / "hub"


def load_nano(namespace: str = NAMESPACE, **options: object) -> LoadedModel:
    return load(NAME, device="cpu", hub_namespace=namespace, **options)


def why_not(namespace: str = NAMESPACE, **options: object) -> str:
    """The sentences of the Hub's attempt when loading fails."""
    with pytest.raises(NoWeights) as caught:
        load_nano(namespace, **options)
    (attempt,) = [attempt for attempt in caught.value.attempts if attempt[0] == "hub"]
    return f"{attempt[1]} {attempt[2]}"


def correct_nano(hub: HubServer) -> str:
    """Publish other weights of nano on a Hub whose folder may be changed; return their commit."""
    folder = hub.root / REPO
    state = load_file(folder / "model.safetensors")
    save_file(state | {BIAS: state[BIAS] + 1}, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["sha256"] = file_digest(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return commit_of(folder)


def cached_weights(folder: Path) -> list[Path]:
    """Weights under a final name in the client's cache; the folder's snapshots are links to its blobs."""
    blobs = [path for path in blobs_of(folder) if not path.name.endswith(".incomplete")]
    return [*folder.rglob("model.safetensors"), *(path for path in blobs if path.stat().st_size > 10_000)]


def blobs_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/blobs/*"))


def fetch_nano(url: str, cache_dir: Path) -> None:
    """For a process of its own (torchrun.Forked): nano from the Hub at this address."""
    with pytest.MonkeyPatch.context() as patch:
        use_hub(patch, url, cache_dir)
        provenance = load_nano().provenance
    print(provenance.kind, provenance.sha256)


def fetch_release() -> None:
    """Likewise: T's file from the author's release page, to where TRANSXNET_CACHE and TRANSXNET_RELEASE_URL say."""
    from_release(find_variant("t"), SourceOptions(None, Namespace(""), lambda *report: None))


def until(holds: Callable[[], object]) -> None:
    """Wait for something that tells nobody when it has happened."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.02)
