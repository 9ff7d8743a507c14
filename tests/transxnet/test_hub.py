"""Weights from the Hub: the real huggingface_hub client against a server of the tests' own on loopback."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests import reference
from tests.hub import NAMESPACE, HubServer, commit_of, family_root, file_digest, make_repo, unused_url, use_hub
from transxnet.errors import DigestMismatch, NoWeights
from transxnet.weights import Availability, available, load

NAME = "transxnet_nano"  # small, so that every test may download it
REPO = f"{NAMESPACE}/{NAME}"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    make_repo(root, NAMESPACE, NAME)
    return root


@pytest.fixture
def hub(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer(pristine) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        yield server


@pytest.fixture(autouse=True)
def nothing_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What loads here came from the Hub, or not at all."""
    monkeypatch.setattr("transxnet.sources.BUNDLED", tmp_path / "no-bundle")


def load_nano(**options: object):
    return load(NAME, device="cpu", hub_namespace=NAMESPACE, **options)


def why_not(**options: object) -> str:
    """The sentences of the Hub's attempt when loading fails."""
    with pytest.raises(NoWeights) as caught:
        load_nano(**options)
    (attempt,) = [attempt for attempt in caught.value.attempts if attempt[0] == "hub"]
    return f"{attempt[1]} {attempt[2]}"


def kept(folder: Path) -> list[Path]:
    """Weights at their final path in the client's cache; the folder's snapshots are links to its blobs."""
    return [*folder.rglob("model.safetensors"), *(p for p in folder.glob("*/blobs/*") if p.stat().st_size > 10_000)]


@pytest.mark.parametrize("variant", ["t", "s", "b"])
def test_the_family_loads_and_answers_as_the_reference(variant, tmp_path, monkeypatch):
    root = family_root()
    with HubServer(root) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        loaded = load(variant, hub_namespace=NAMESPACE, device="cpu")
    with torch.no_grad():
        logits = loaded.model(reference.reference_input(224, 224))[0]
    assert reference.relative_error(variant, logits, reference.arrays()[f"{variant}.224x224.logits"]) < 1e-4
    folder = root / NAMESPACE / f"transxnet_{variant}"
    assert loaded.provenance.as_json() == {
        "kind": "hub",
        "location": f"hf-hub:{NAMESPACE}/transxnet_{variant}",
        "revision": commit_of(folder),
        "sha256": file_digest(folder / "model.safetensors"),
    }


def test_again_from_the_cache_with_the_server_gone(pristine, tmp_path, monkeypatch):
    with HubServer(pristine) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        assert available(NAME, hub_namespace=NAMESPACE) == Availability.HUB
        first = load_nano()
    assert available(NAME, hub_namespace=NAMESPACE) == Availability.HUB_CACHE
    second = load_nano()
    assert second.provenance == first.provenance
    pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_nothing_is_fetched_where_that_is_not_allowed(hub):
    assert why_not(allow_download=False).startswith(f"hf-hub:{REPO} is not on this disk")
    assert hub.requests == []


def test_a_pinned_revision(hub, tmp_path):
    root = tmp_path / "root"
    old = make_repo(root, NAMESPACE, NAME, revision="v1")
    (make_repo(root, NAMESPACE, NAME) / "README.md").write_text("newer")
    hub.root = root
    new = commit_of(root / REPO)
    assert commit_of(old) != new
    for revision, commit in (("v1", commit_of(old)), (commit_of(old), commit_of(old)), ("main", new)):
        assert load(NAME, f"hf-hub:{REPO}@{revision}", "cpu").provenance.revision == commit
    with pytest.raises(NoWeights, match="has no such revision"):
        load(NAME, f"hf-hub:{REPO}@v9", "cpu")


def test_progress_reaches_the_end(hub, pristine):
    calls = []
    load_nano(progress=lambda done, total, what: calls.append((done, total, what)))
    size = (pristine / REPO / "model.safetensors").stat().st_size
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1] == (size, size, f"hf-hub:{REPO}")


def test_two_at_once_download_once(hub):
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(load_nano())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded[0].provenance == loaded[1].provenance
    assert loaded[0].model is not loaded[1].model
    assert hub.downloads("model.safetensors") == 1


FAULTS = {
    "401": (lambda hub: hub.fail(401), "wants to know who asks for", "Set HF_TOKEN to a valid token."),
    "403": (lambda hub: hub.fail(403), "does not let this account have", "Use a token"),
    "gated": (lambda hub: hub.fail(403, X_Error_Code="GatedRepo"), "is gated", "Ask for access"),
    "no repository": (
        lambda hub: hub.fail(404, X_Error_Code="RepoNotFound"),
        f"has no repository {REPO}", "Check the namespace's spelling",
    ),
    "no file": (
        lambda hub: hub.fail(404, "model.safetensors", X_Error_Code="EntryNotFound"),
        "lacks config.json or model.safetensors", "upload both",
    ),
    "429": (lambda hub: hub.fail(429), "is asked too often from here", "Wait a few minutes"),
    "429 in the middle": (lambda hub: hub.fail(429, "model.safetensors"), "is asked too often from here", "Wait a few"),
    "500": (lambda hub: hub.fail(500), "itself is failing (500)", "Nothing is wrong here."),
    "truncated": (lambda hub: hub.fail("truncated", "model.safetensors"), "broke off before its end", "Try again"),
    "corrupt": (
        lambda hub: hub.fail("corrupt", "model.safetensors"), "is not the file that was published", "get it again"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_remedy_and_leaves_nothing(name, hub, tmp_path):
    inject, cause, remedy = FAULTS[name]
    inject(hub)
    sentences = why_not()
    assert cause in sentences
    assert remedy in sentences
    assert str(tmp_path) not in sentences
    assert kept(tmp_path / "cache") == []
    hub.heal()
    assert load_nano().provenance.kind == "hub"  # and nothing that was left is in the way


def test_a_refused_connection(tmp_path, monkeypatch):
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    assert why_not().startswith("the Hub (127.0.0.1) refused the connection. Is its address right")


def test_no_network_is_answered_at_once(tmp_path, monkeypatch):
    """A name that cannot be looked up (the suite forbids looking it up) is no network."""
    use_hub(monkeypatch, "http://hub.example", tmp_path / "cache")
    assert why_not().startswith("There is no network here, or no way from it to the Hub (hub.example).")


def test_offline_mode(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE forbids fetching it" in why_not()
    assert hub.requests == []


def test_a_hub_that_never_answers(tmp_path, monkeypatch):
    """It accepts the connection and stays silent: the time-out is ours, and short."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_hub(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path / "cache")
        monkeypatch.setattr("transxnet.download.ANSWER_SECONDS", 0.2)
        assert "did not answer in time" in why_not()


def test_no_two_faults_share_a_sentence(hub, tmp_path, monkeypatch):
    said = {}
    for name, (inject, *_) in FAULTS.items():
        if name != "429 in the middle":  # the same fault, later
            inject(hub)
            said[name] = why_not()
    use_hub(monkeypatch, unused_url(), tmp_path / "cache")
    said["refused"] = why_not()
    use_hub(monkeypatch, "http://hub.example", tmp_path / "cache")
    said["no network"] = why_not()
    for (a, first), (b, second) in itertools.combinations(said.items(), 2):
        assert first != second, f"{a} and {b}"


def test_a_damaged_cache_is_noticed_and_mended(hub, tmp_path):
    whole = load_nano().provenance
    (blob,) = [path for path in (tmp_path / "cache").glob("*/blobs/*") if path.stat().st_size > 10_000]
    damaged = bytearray(blob.read_bytes())
    damaged[-1] ^= 0xFF
    blob.write_bytes(damaged)
    assert "is not the file that was published" in why_not(allow_download=False)
    assert load_nano().provenance == whole
    assert hub.downloads("model.safetensors") == 2


def test_without_a_recorded_digest_the_provenance_says_so(hub, tmp_path):
    hub.root = tmp_path / "root"
    make_repo(hub.root, NAMESPACE, NAME, sha256=None)
    loaded = load_nano()
    assert loaded.provenance.note == "Its publisher recorded no digest to check against."
    assert loaded.provenance.sha256 == file_digest(hub.root / REPO / "model.safetensors")


def test_another_architecture_is_refused(hub, tmp_path):
    hub.root = tmp_path / "root"
    make_repo(hub.root, NAMESPACE, NAME, architecture="transxnet_pico")
    assert f"hf-hub:{REPO} holds a transxnet_pico, not a {NAME}." in why_not()


def test_a_source_that_is_named_is_tried_alone(hub, tmp_path):
    """Other weights than those asked for would be a lie, even where the next source could deliver."""
    hub.fail("corrupt", "model.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f"{NAME}.safetensors").write_bytes((hub.root / REPO / "model.safetensors").read_bytes())
    with pytest.raises(NoWeights) as caught:
        load(NAME, f"hf-hub:{REPO}", "cpu", weights_dir=folder)
    assert len(caught.value.attempts) == 1
    assert isinstance(caught.value.__cause__, DigestMismatch)


def test_what_was_passed_over_is_told(hub, tmp_path):
    """A configured source that fails gives way to the next, and the provenance says why."""
    (tmp_path / f"{NAME}.safetensors").write_bytes(b"no checkpoint")
    provenance = load_nano(weights_dir=tmp_path).provenance
    assert provenance.kind == "hub"
    assert provenance.note == f"Used because folder: The file {NAME}.safetensors is damaged, or is no checkpoint."


def test_timm_loads_the_same_from_the_hub_and_from_a_folder(hub, pristine):
    ours = load_nano().model
    x = reference.reference_input(96, 96)
    with torch.no_grad():
        expected = ours(x)
        from_hub = timm.create_model(f"hf-hub:{REPO}", pretrained=True).eval()
        from_folder = timm.create_model(f"local-dir:{pristine / REPO}", pretrained=True).eval()
        assert torch.equal(from_hub(x), expected)
        assert torch.equal(from_folder(x), expected)
    assert tuple(from_hub.pretrained_cfg["input_size"]) == (3, 128, 128)
    assert torch.equal(load(NAME, pristine / REPO, "cpu").model(x), expected)


def test_timm_takes_bias_tables_of_another_size(hub, tmp_path):
    """A checkpoint may store relative_pos_enc for another picture side than its variant's row says."""
    hub.root = tmp_path / "root"
    folder = make_repo(hub.root, NAMESPACE, NAME)
    state = load_file(folder / "model.safetensors")
    small = {f"relative_pos_enc.{i}": t for i, t in enumerate(_tables_for_64())}
    save_file(state | small, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text()) | {"sha256": file_digest(folder / "model.safetensors")}
    (folder / "config.json").write_text(json.dumps(config))
    ours = load_nano().model
    theirs = timm.create_model(f"hf-hub:{REPO}", pretrained=True).eval()
    assert ours.relative_pos_enc[0].shape == theirs.relative_pos_enc[0].shape == (1, 1, 256, 4)
    x = reference.reference_input(64, 64)
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


def _tables_for_64() -> list[torch.Tensor]:
    shapes = {f"relative_pos_enc.{i}": [1, heads, (16 >> i) ** 2, 4] for i, heads in enumerate((1, 2, 4, 8))}
    return list(reference.recipe_state(shapes).values())
