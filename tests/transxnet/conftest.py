"""What the library's tests share."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.fixtures.labeled_images import make_images  # noqa: F401  (a fixture)
from tests.fixtures.small_t import SPEC, STATE
from tests.fixtures.tiny_model import single_thread  # noqa: F401  (a fixture)
from tests.hub import NAMESPACE, HubServer, file_digest, make_repo, unused_url, use_hub
from tests.nano import NAME, cache
from transxnet.backbones.spec import spec_of
from transxnet.weights import load as weights
from transxnet.weights import own_models, sources


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hub's folder with nano; not to be changed."""
    root = tmp_path_factory.mktemp("hub")
    make_repo(root, NAMESPACE, NAME)
    return root


@pytest.fixture
def hub(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A server that has nano, known to huggingface_hub, whose cache is empty."""
    with HubServer(pristine) as server:
        use_hub(monkeypatch, server.url, cache(tmp_path))
        yield server


@pytest.fixture
def nothing_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What loads did not come from the bundle."""
    monkeypatch.setattr("transxnet.weights.sources.BUNDLED", tmp_path / "no-bundle")


@pytest.fixture
def small_t(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever asks for T gets its stand-in; nothing is bundled or cached, and no release page is there."""

    def parse(text: str):
        spec, untrained = spec_of(text)
        return (SPEC if spec.name == SPEC.name else spec), untrained

    monkeypatch.setattr(weights, "spec_of", parse)
    monkeypatch.setattr(own_models, "find_variant", lambda name: parse(name)[0])
    monkeypatch.setattr(sources, "BUNDLED", tmp_path / "bundle")
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TRANSXNET_RELEASE_URL", unused_url())


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The author's release page, holding T as the official training script saves it."""
    folder = tmp_path / "page" / "releases"
    folder.mkdir(parents=True)
    torch.save({"state_dict": STATE, "args": argparse.Namespace(lr=1e-3)}, folder / SPEC.official_file)
    with HubServer(tmp_path / "page") as server:
        monkeypatch.setenv("TRANSXNET_RELEASE_URL", f"{server.url}/releases/v1.0")
        monkeypatch.setattr(sources, "UNCONFIRMED", {SPEC.official_file: file_digest(folder / SPEC.official_file)})
        yield server
