"""Corrected weights on the Hub: unpinned revisions are looked up on request only, pinned ones never."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from tests.fixtures.small_model import image
from tests.hub import NAMESPACE, HubServer, commit_of, unused_url, use_hub
from tests.nano import BIAS, NAME, REPO, cache, correct_nano, load_nano, why_not
from transxnet.__main__ import main
from transxnet.draw.overlay import to_png
from transxnet.errors import NoWeights, SourceFailed
from transxnet.weights.load import load, newer_revision, register
from transxnet.weights.revisions import DAY, newest_commit

pytestmark = pytest.mark.usefixtures("nothing_bundled")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSXNET_CACHE", str(tmp_path / "records"))


@pytest.fixture
def changing_hub(hub: HubServer, pristine: Path, tmp_path: Path) -> HubServer:
    """A Hub whose nano may be corrected."""
    shutil.copytree(pristine, tmp_path / "root")
    hub.root = tmp_path / "root"
    return hub


def test_refresh_downloads_the_newest(changing_hub):
    first = load_nano()
    newest = correct_nano(changing_hub)
    changing_hub.requests.clear()
    assert load_nano().provenance == first.provenance
    assert changing_hub.requests == []  # a cached revision needs no request
    corrected = load_nano(refresh=True)
    assert corrected.provenance.revision == newest != first.provenance.revision
    assert torch.equal(corrected.model.state_dict()[BIAS], first.model.state_dict()[BIAS] + 1)
    assert load_nano().provenance == corrected.provenance  # from now on
    changing_hub.requests.clear()
    assert load_nano(refresh=True).provenance == corrected.provenance
    assert changing_hub.requests == [("GET", f"api/models/{REPO}")]  # it is the newest: nothing is downloaded


def test_interrupted_refresh_keeps_the_cached_revision(changing_hub):
    first = load_nano()
    correct_nano(changing_hub)
    changing_hub.fail(503, "model.safetensors")
    with pytest.raises(NoWeights, match="server error"):
        load_nano(refresh=True)
    assert load_nano(allow_download=False).provenance == first.provenance


@pytest.mark.parametrize("pin", ["main", "COMMIT"])
def test_pinned_revision_never_changes(changing_hub, pin):
    commit = commit_of(changing_hub.root / REPO)
    revision = pin.replace("COMMIT", commit)
    sources = {"namespace": f"{NAMESPACE}@nano={revision}"}, {"source": f"hf-hub:{REPO}@{revision}", "namespace": ""}
    assert [load_nano(**source).provenance.revision for source in sources] == [commit, commit]
    correct_nano(changing_hub)
    changing_hub.requests.clear()
    provenances = [load_nano(**source, refresh=True).provenance for source in sources]
    assert [(provenance.revision, provenance.pinned) for provenance in provenances] == [(commit, True)] * 2
    assert newer_revision(NAME, hub_namespace=f"{NAMESPACE}@{revision}") == ""
    assert changing_hub.requests == []


def test_refresh_offline_names_cause_and_remedy(hub, tmp_path, monkeypatch):
    commit = load_nano().provenance.revision
    use_hub(monkeypatch, unused_url(), cache(tmp_path))
    assert why_not(refresh=True) == (
        f"Could not download {REPO}: connection refused by the Hub (127.0.0.1). Check the network, or pass "
        f"--weights-dir. Without --refresh, revision {commit[:8]} on this disk is used."
    )
    with pytest.raises(NoWeights, match="the newest revision could not be looked up, and no other source was tried"):
        load_nano(refresh=True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert f"Could not download {REPO}: HF_HUB_OFFLINE is set." in why_not(refresh=True)
    assert load_nano().provenance.revision == commit


def test_look_up_is_stored_for_a_day(changing_hub, tmp_path):
    first = commit_of(changing_hub.root / REPO)
    assert newest_commit(REPO, max_age=DAY) == first
    newest = correct_nano(changing_hub)
    assert newest_commit(REPO, max_age=DAY) == first
    assert len(changing_hub.requests) == 1
    assert newest_commit(REPO) == newest
    with pytest.raises(SourceFailed, match="The Hub has no repository"):
        newest_commit("lens-tests/absent")


def test_source_of_a_registered_model_is_refreshed(changing_hub):
    register("birds", f"hf-hub:{REPO}")
    first = load("birds", device="cpu").provenance.revision
    newest = correct_nano(changing_hub)
    assert newer_revision("birds") == newest
    assert load("birds", device="cpu").provenance.revision == first
    register("birds", f"hf-hub:{REPO}", refresh=True)
    assert load("birds", device="cpu").provenance.revision == newest
    assert newer_revision("birds") == ""


def test_list_says_that_a_newer_revision_exists(changing_hub, capsys, monkeypatch):
    monkeypatch.setattr("transxnet.cli.list._cost", lambda spec: (1, 1.0))  # seconds for a model of the user's own
    command = ["list", "nano", f"birds=hf-hub:{REPO}", "--hub-namespace", NAMESPACE]
    first = load_nano().provenance.revision
    newest = correct_nano(changing_hub)
    for options, count in (([], 0), (["--refresh"], 2)):
        assert main([*command, *options]) == 0
        assert capsys.readouterr().out.count(f"(revision {newest[:8]} is newer)") == count
    assert main([*command, "--refresh", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["newer_revision"] for row in rows] == [newest, newest]
    assert load_nano().provenance.revision == first  # `list` downloads nothing newer


def test_predict_with_refresh_uses_the_newest(changing_hub, capsys, tmp_path):
    (tmp_path / "photo.png").write_bytes(to_png(image().rgb))
    command = ["predict", str(tmp_path / "photo.png"), "--model", "nano", "--hub-namespace", NAMESPACE]
    load_nano()
    newest = correct_nano(changing_hub)
    for options, has_newest in (([], False), (["--refresh"], True)):
        assert main([*command, *options, "--device", "cpu"]) == 0
        assert (f"at {newest[:8]}" in capsys.readouterr().out) is has_newest
