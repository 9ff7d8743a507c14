"""nano on the tests' own Hub: small enough that every test may download it. And commands that do, to be killed.

The fixtures `hub` and `nothing_bundled` (tests/transxnet/conftest.py) go with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub import NAMESPACE
from transxnet.errors import NoWeights
from transxnet.weights import LoadedModel, load

NAME = "transxnet_nano"
REPO = f"{NAMESPACE}/{NAME}"
ROOT = Path(__file__).parents[1]
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


def kept(folder: Path) -> list[Path]:
    """Weights under a final name in the client's cache; the folder's snapshots are links to its blobs."""
    blobs = [path for path in blobs_of(folder) if not path.name.endswith(".incomplete")]
    return [*folder.rglob("model.safetensors"), *(path for path in blobs if path.stat().st_size > 10_000)]


def blobs_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/blobs/*"))


def start(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A Python of its own, on its way; what it prints is in `communicate()[0]`."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env=os.environ | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def until(holds: Callable[[], object]) -> None:
    """Wait for something that tells nobody when it has happened."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.02)
