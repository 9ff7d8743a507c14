"""What the library's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import NAMESPACE, HubServer, make_repo, use_hub
from tests.nano import NAME, cache
from tests.reference import worst_errors


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
    monkeypatch.setattr("transxnet.sources.BUNDLED", tmp_path / "no-bundle")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each run says how far this model is from the official one."""
    for variant, error in sorted(worst_errors.items()):
        terminalreporter.write_line(
            f"reference arrays, {variant.upper()}: worst relative error {error:.2e} (limit 1e-4)"
        )
