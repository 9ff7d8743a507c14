"""The author's release files, by URL: every layout they may have, everything that may go wrong on the way.

"t" means the stand-in of tests/standin.py; the page of releases is a server of the tests' own on loopback.
"""

from __future__ import annotations

import argparse
import errno
import io
import itertools
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.fixtures.small_t import (
    OTHER_STATE,
    SPEC,
    STATE,
    MaliciousPayload,
    attempt_message,
    corrupt_weights,
    has_weights,
    load_error,
)
from tests.hub import HubServer, file_digest, unused_url
from tests.nano import PATIENCE, fetch_release, until
from tests.torchrun import Forked
from transxnet.weights import sources
from transxnet.weights.download import DownloadStopped
from transxnet.weights.load import load

pytestmark = pytest.mark.usefixtures("small_t")
FILE = SPEC.official_file

HALF = {key: value.half() if value.is_floating_point() else value for key, value in STATE.items()}
BOTH = "The file contains weights and their moving average ({}); {} is used."
ONLY = "The file contains only a moving average of the weights ({}), which is used."
LAYOUTS: dict[str, tuple[object, str]] = {  # what the file holds -> the note in the provenance
    "bare": (STATE, ""),
    "state_dict": ({"state_dict": STATE, "epoch": 300}, ""),
    "model": ({"model": STATE, "optimizer": {"state": {}}}, ""),
    "bare, module.": ({f"module.{key}": value for key, value in STATE.items()}, ""),
    "state_dict, module.": ({"state_dict": {f"module.{key}": value for key, value in STATE.items()}}, ""),
    "EMA beside state_dict": (
        {"state_dict": STATE, "state_dict_ema": OTHER_STATE}, BOTH.format("state_dict_ema", "state_dict"),
    ),
    "EMA before model": ({"model_ema": OTHER_STATE, "model": STATE}, BOTH.format("model_ema", "model")),
    "EMA alone": ({"state_dict_ema": STATE, "epoch": 3}, ONLY.format("state_dict_ema")),
    "EMA alone, module.": ({"model_ema": {f"module.{k}": v for k, v in STATE.items()}}, ONLY.format("model_ema")),
    "arguments inside": ({"state_dict": STATE, "args": argparse.Namespace(model="transxnet_t", lr=1e-3)}, ""),
    "half precision": ({"state_dict": HALF}, ""),
}  # fmt: skip


def publish(releases: HubServer, content: object, **options: object) -> Path:
    path = releases.root / "releases" / FILE
    torch.save(content, path, **options)
    return path


def downloaded(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, releases, monkeypatch):
    content, note = LAYOUTS[layout]
    path = publish(releases, content)
    monkeypatch.setattr(sources, "UNCONFIRMED", {})
    loaded = load("t", device="cpu")
    expected = {key: value.float() for key, value in HALF.items()} if layout == "half precision" else STATE
    assert has_weights(loaded, expected | {k: v for k, v in STATE.items() if not v.is_floating_point()})
    assert (loaded.provenance.kind, loaded.provenance.note) == ("release", note)
    assert loaded.provenance.sha256 == file_digest(path)


# --- What goes wrong -----------------------------------------------------------------------------------------


def damaged(releases: HubServer) -> None:
    path = releases.root / "releases" / FILE
    path.write_bytes(corrupt_weights(path.read_bytes()))


NOT_DOWNLOADED = "Could not download transx-t.pth.tar: "
FAULTS: dict[str, tuple[Callable[[HubServer], object], str]] = {  # how it is made -> cause and remedy
    "401": (lambda page: page.fail(401), f"{NOT_DOWNLOADED}127.0.0.1 requires authentication (401). Set"),
    "403": (lambda page: page.fail(403), f"{NOT_DOWNLOADED}127.0.0.1 denies access (403). Use a"),
    "404": (lambda page: page.fail(404), f"{NOT_DOWNLOADED}127.0.0.1 does not have it (404). It may"),
    "429": (lambda page: page.fail(429), f"{NOT_DOWNLOADED}too many requests to 127.0.0.1 (429). Wait a"),
    "500": (lambda page: page.fail(500), f"{NOT_DOWNLOADED}server error at 127.0.0.1 (500). Try again"),
    "truncated": (lambda page: page.fail("truncated"), f"{NOT_DOWNLOADED}the connection to 127.0.0.1"),
    "silent in the middle": (
        lambda page: page.hold(0.5), f"{NOT_DOWNLOADED}127.0.0.1 stopped sending data. Try"
    ),
    "damaged": (damaged, "The file transx-t.pth.tar is damaged or not a checkpoint. Download it again."),
    "code": (
        lambda page: publish(page, {"state_dict": STATE, "extra": MaliciousPayload()}),
        "The file transx-t.pth.tar contains an object of __builtin__.eval under extra; code from a file is never run.",
    ),
    "nothing in it": (
        lambda page: publish(page, {"epoch": 3}), "The file transx-t.pth.tar contains no state dict, neither"
    ),
    "another model": (lambda page: publish(page, {"a": torch.ones(1)}), "The tensors of 127.0.0.1:"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_failure_has_cause_and_remedy_and_no_leftover(fault, releases, tmp_path, monkeypatch):
    inject, expected = FAULTS[fault]
    monkeypatch.setattr("transxnet.weights.download.STALL_SECONDS", 0.2)
    monkeypatch.setattr(sources, "UNCONFIRMED", {})
    inject(releases)
    error = load_error()
    assert attempt_message(error, "release").startswith(expected)
    assert str(tmp_path) not in str(error)
    assert downloaded(tmp_path) == []
    assert "TRANSXNET_TEST_PWNED" not in os.environ
    releases.heal()
    publish(releases, {"state_dict": STATE})
    assert has_weights(load("t", device="cpu"))  # nothing that was left is in the way
    assert downloaded(tmp_path) == [FILE]


def test_every_failure_has_a_different_message(releases, monkeypatch):
    monkeypatch.setattr("transxnet.weights.download.STALL_SECONDS", 0.2)
    monkeypatch.setattr(sources, "UNCONFIRMED", {})
    causes = {}
    for name, (inject, _) in FAULTS.items():
        publish(releases, {"state_dict": STATE})
        releases.heal()
        inject(releases)
        causes[name] = attempt_message(load_error(), "release")
    with monkeypatch.context() as patch:
        patch.setattr("transxnet.weights.download.os.fsync", full)
        causes["full disk"] = attempt_message(load_error(), "release")
    monkeypatch.setenv("TRANSXNET_RELEASE_URL", unused_url())
    causes["refused"] = attempt_message(load_error(), "release")
    monkeypatch.setenv("TRANSXNET_RELEASE_URL", "http://releases.example")
    causes["no network"] = attempt_message(load_error(), "release")
    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patch:
        patch.setattr("transxnet.weights.download.RESPONSE_SECONDS", 0.2)
        patch.setenv("TRANSXNET_RELEASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        causes["silent"] = attempt_message(load_error(), "release")
    assert len(causes) == 15
    for (a, first), (b, second) in itertools.combinations(causes.items(), 2):
        assert first != second, f"{a} and {b}"


def test_web_page_is_refused_as_checkpoint(releases, tmp_path):
    (releases.root / "releases" / FILE).write_bytes(b"<html>Sign in</html>" * 1000)
    assert attempt_message(load_error(), "release").startswith(FAULTS["damaged"][1])
    assert downloaded(tmp_path) == []


def full(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.process
def test_two_processes_download_at_once(releases, tmp_path):
    releases.hold(0.5, FILE)
    both = [Forked(fetch_release) for _ in range(2)]
    until(lambda: releases.downloads(FILE) == 2)
    assert [name for name in downloaded(tmp_path) if not name.endswith(".part")] == []
    releases.heal()
    for process in both:
        assert process.communicate(timeout=PATIENCE) == ("", "")
        assert process.returncode == 0
    assert downloaded(tmp_path) == [FILE]
    assert has_weights(load("t", device="cpu", allow_download=False))


@pytest.mark.process
def test_killed_download_leaves_a_temporary_file(releases, tmp_path):
    releases.hold(0.5, FILE)
    killed = Forked(fetch_release)
    assert releases.waiting.wait(PATIENCE)
    until(lambda: downloaded(tmp_path))
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    (left,) = downloaded(tmp_path)
    assert left.endswith(".part")
    releases.heal()
    assert has_weights(load("t", device="cpu"))
    assert downloaded(tmp_path) == sorted([left, FILE])  # the leftover is swept a day later, as the next test shows


# --- What is kept, and what is said of it --------------------------------------------------------------------


def test_report_stops_a_release_download(releases, tmp_path):
    def stop(received: int, total: int, what: str) -> None:
        raise DownloadStopped

    with pytest.raises(DownloadStopped):
        load("t", device="cpu", progress=stop)
    assert downloaded(tmp_path) == []
    assert load("t", device="cpu").provenance.kind == "release"


def test_a_release_is_downloaded_once(releases, tmp_path):
    calls = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load("t", device="cpu", progress=lambda *call: calls.append(call))
    size = (releases.root / "releases" / SPEC.official_file).stat().st_size
    assert has_weights(loaded)
    assert (calls[0], calls[-1]) == ((0, size, "transx-t.pth.tar"), (size, size, "transx-t.pth.tar"))
    assert loaded.provenance.as_json() == {
        "kind": "release",
        "location": f"{releases.url.removeprefix('http://')}/releases/v1.0/transx-t.pth.tar",
        "revision": "v1.0",
        "sha256": file_digest(releases.root / "releases" / SPEC.official_file),
    }
    assert load("t", device="cpu", allow_download=False).provenance == loaded.provenance
    assert releases.downloads("transx-t.pth.tar") == 1
    assert [p.name for p in (tmp_path / "cache" / "releases").iterdir()] == ["transx-t.pth.tar"]


def test_unconfirmed_digest_mismatch_warns(releases, monkeypatch):
    monkeypatch.setattr(sources, "UNCONFIRMED", {SPEC.official_file: "c8ef" + "0" * 60})
    with pytest.warns(UserWarning, match="That record is unconfirmed") as caught:
        loaded = load("t", device="cpu")
    assert has_weights(loaded)
    text = str(caught[0].message)
    assert loaded.provenance.sha256 in text
    assert "c8ef" + "0" * 60 in text
    assert loaded.provenance.note == text


def test_full_disk_is_reported(releases, tmp_path, monkeypatch):
    monkeypatch.setattr("transxnet.weights.download.os.fsync", full)
    assert attempt_message(load_error(), "release").startswith("Could not save transx-t.pth.tar: the disk is full.")
    assert downloaded(tmp_path) == []


def test_old_temporary_files_are_removed(releases, tmp_path):
    folder = tmp_path / "cache" / "releases"
    folder.mkdir(parents=True)
    old, young = folder / f".{SPEC.official_file}.a.part", folder / f".{SPEC.official_file}.b.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    load("t", device="cpu")
    assert (old.exists(), young.exists()) == (False, True)  # the young one may be somebody's at this moment


def test_release_url_must_be_http(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSXNET_RELEASE_URL", tmp_path.as_uri())  # file:// would read this machine's files
    assert "Could not download transx-t.pth.tar from" in attempt_message(load_error(), "release")


def test_release_path_follows_the_environment(monkeypatch, tmp_path):
    assert sources.release_path(SPEC) == tmp_path / "cache" / "releases" / "transx-t.pth.tar"
    monkeypatch.delenv("TRANSXNET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert sources.release_path(SPEC) == tmp_path / "xdg" / "transxnet" / "releases" / "transx-t.pth.tar"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert sources.release_path(SPEC) == tmp_path / "home/.cache/transxnet/releases/transx-t.pth.tar"


def test_terminal_shows_a_progress_bar(releases, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    load("t", device="cpu")
    assert "transx-t.pth.tar: 100%" in sys.stderr.getvalue()
