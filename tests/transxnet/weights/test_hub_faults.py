"""What goes wrong between the Hub and this disk: after each the right result, or its own cause and remedy.

The real huggingface_hub client, a server of the tests' own on loopback, and nothing half-written under a final name.
"""

from __future__ import annotations

import errno
import itertools
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.hub import NAMESPACE, file_digest, make_repo, unused_url, use_hub
from tests.nano import NAME, PATIENCE, REPO, blobs_of, cache, cached_weights, fetch_nano, load_nano, until, why_not
from tests.torchrun import Forked

pytestmark = pytest.mark.usefixtures("nothing_bundled")

FAULTS = {
    "401": (lambda hub: hub.fail(401), "requires authentication (401)", "Set HF_TOKEN to a valid token."),
    "403": (lambda hub: hub.fail(403), "denies access (403)", "Use a token"),
    "gated": (lambda hub: hub.fail(403, X_Error_Code="GatedRepo"), "is gated", "Request access"),
    "no repository": (
        lambda hub: hub.fail(404, X_Error_Code="RepoNotFound"),
        f"has no repository {REPO}", "Check the spelling of the namespace",
    ),
    "no file": (
        lambda hub: hub.fail(404, "model.safetensors", X_Error_Code="EntryNotFound"),
        "lacks config.json or model.safetensors", "upload both",
    ),
    "429": (lambda hub: hub.fail(429), "too many requests to", "Wait a few minutes"),
    "429, of the weights": (lambda hub: hub.fail(429, "model.safetensors"), "too many requests to", "Wait a few"),
    "500": (lambda hub: hub.fail(500), "server error at the Hub (127.0.0.1) (500)", "Try again in a few minutes."),
    "401, of the weights": (lambda hub: hub.fail(401, "model.safetensors"), "requires authentication", "Set HF_TOKEN"),
    "500, of the weights": (lambda hub: hub.fail(500, "model.safetensors"), "server error at", "Try again"),
    "truncated": (lambda hub: hub.fail("truncated", "model.safetensors"), "was interrupted", "Try again"),
    "silent in the middle": (
        lambda hub: hub.hold(0.5, "model.safetensors"), "stopped sending data", "Try again later."
    ),
    "corrupt": (
        lambda hub: hub.fail("corrupt", "model.safetensors"), "is not the published file", "Download it again"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_failure_has_cause_and_remedy_and_no_leftover(name, hub, tmp_path, monkeypatch):
    inject, cause, remedy = FAULTS[name]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)  # seconds of silence
    inject(hub)
    sentences = why_not()
    assert cause in sentences
    assert remedy in sentences
    assert str(tmp_path) not in sentences
    assert cached_weights(cache(tmp_path)) == []
    hub.heal()
    assert load_nano().provenance.sha256 == file_digest(hub.root / REPO / "model.safetensors")  # nothing is in the way
    assert len(cached_weights(cache(tmp_path))) == 2  # the blob, and the snapshot's name for it


def test_refused_connection_is_reported(tmp_path, monkeypatch):
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    assert why_not().startswith(
        f"Could not download {REPO}: connection refused by the Hub (127.0.0.1). Check the network"
    )


def test_missing_network_is_reported_immediately(tmp_path, monkeypatch):
    """A name that cannot be looked up (the suite forbids looking it up) is no network."""
    use_hub(monkeypatch, "http://hub.example", tmp_path / "cache")
    assert why_not().startswith(f"Could not download {REPO}: the Hub (hub.example) cannot be reached from this server.")


def test_offline_mode(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in why_not()
    assert hub.requests == []


def test_silent_hub_times_out(tmp_path, monkeypatch):
    """It accepts the connection and stays silent: the time-out is ours, and short."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path / "cache")
        monkeypatch.setattr("transxnet.weights.download.RESPONSE_SECONDS", 0.2)
        assert "did not respond in time" in why_not()


def test_every_failure_has_a_different_message(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    messages = {}
    for name, (inject, *_) in FAULTS.items():
        if not name.endswith("of the weights"):  # the same faults, later
            inject(hub)
            messages[name] = why_not()
    hub.heal()
    messages["no revision"] = why_not(f"{NAMESPACE}@v9")
    messages["no name"] = why_not("a/b/c")
    messages["not to be downloaded"] = why_not(allow_download=False)
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        messages["offline mode"] = why_not()
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.file_download.http_get", full_disk)
        messages["full disk"] = why_not()
    messages["no server"] = with_hub(unused_url(), tmp_path, monkeypatch)
    messages["no network"] = with_hub("http://hub.example", tmp_path, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patch:
        patch.setattr("transxnet.weights.download.RESPONSE_SECONDS", 0.2)
        messages["silent"] = with_hub(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path, monkeypatch)
    hub.root = tmp_path / "root"
    make_repo(hub.root, NAMESPACE, NAME, architecture="transxnet_pico")
    messages["another model"] = with_hub(hub.url, tmp_path, monkeypatch)
    assert len(messages) == 19
    for (a, first), (b, second) in itertools.combinations(messages.items(), 2):
        assert first != second, f"{a} and {b}"


def full_disk(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def with_hub(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    use_hub(monkeypatch, url, cache(tmp_path))
    return why_not()


def test_full_disk_is_reported(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.http_get", full_disk)
    assert (
        why_not()
        == f"Could not save {REPO}: the disk is full. Free disk space, or move the cache (HF_HOME, TRANSXNET_CACHE)."
    )
    assert cached_weights(cache(tmp_path)) == []


def test_damaged_cache_is_downloaded_again(hub, tmp_path):
    undamaged = load_nano().provenance
    (blob,) = [path for path in blobs_of(cache(tmp_path)) if path.stat().st_size > 10_000]
    damaged = bytearray(blob.read_bytes())
    damaged[-1] ^= 0xFF
    blob.write_bytes(damaged)
    assert "is not the published file" in why_not(allow_download=False)
    assert load_nano().provenance == undamaged
    assert hub.downloads("model.safetensors") == 2


# ---- Processes ------------------------------------------------------------------------------------------


@pytest.mark.process
def test_two_processes_download_at_once(hub, tmp_path):
    """The second asks while the first is in the middle: both get the file, and nobody gets half of it."""
    hub.hold(0.5, "model.safetensors")
    both = [Forked(fetch_nano, hub.url, cache(tmp_path)) for _ in range(2)]
    until(lambda: hub.count_requests("HEAD", "model.safetensors") == 2)
    assert hub.waiting.wait(PATIENCE)
    assert cached_weights(cache(tmp_path)) == []
    hub.heal()
    digest = file_digest(hub.root / REPO / "model.safetensors")
    assert [process.communicate(timeout=PATIENCE)[0].split() for process in both] == [["hub", digest]] * 2
    assert [file_digest(path) for path in cached_weights(cache(tmp_path))] == [digest, digest]
    assert 1 <= hub.downloads("model.safetensors") <= 2
    assert load_nano(allow_download=False).provenance.sha256 == digest


@pytest.mark.process
def test_killed_download_is_swept_later(hub, tmp_path):
    """What it left has no final name, is in nobody's way, and is swept a day later."""
    hub.hold(0.5, "model.safetensors")
    killed = Forked(fetch_nano, hub.url, cache(tmp_path))
    assert hub.waiting.wait(PATIENCE)
    until(lambda: any(path.name.endswith(".incomplete") for path in blobs_of(cache(tmp_path))))
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert cached_weights(cache(tmp_path)) == []
    (left,) = [path for path in blobs_of(cache(tmp_path)) if path.name.endswith(".incomplete")]
    young = left.with_name("somebodys.incomplete")
    young.write_bytes(b"half")
    os.utime(left, (time.time() - 2 * 86400,) * 2)
    hub.heal()
    loaded = load_nano()
    assert loaded.provenance.sha256 == file_digest(hub.root / REPO / "model.safetensors")
    assert len(cached_weights(cache(tmp_path))) == 2
    assert (left.exists(), young.exists()) == (False, True)  # the young one may be somebody's at this moment
