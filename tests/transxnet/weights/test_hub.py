"""Weights from the Hub: the real huggingface_hub client against a server of the tests' own on loopback.

What goes wrong on the way is in test_hub_faults.py.
"""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from tests import reference
from tests.hub import NAMESPACE, HubServer, commit_of, family_root, file_digest, make_repo, use_hub
from tests.nano import NAME, REPO, load_nano, why_not
from transxnet.errors import DigestMismatch, NoWeights
from transxnet.weights.load import Availability, available, load

pytestmark = pytest.mark.usefixtures("nothing_bundled")


@pytest.mark.parametrize("variant", ["t", "s", "b"])
def test_t_s_b_reproduce_the_reference_logits(variant, tmp_path, monkeypatch):
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


def test_second_load_uses_the_cache(pristine, tmp_path, monkeypatch):
    with HubServer(pristine) as server:
        use_hub(monkeypatch, server.url, tmp_path / "cache")
        assert available(NAME, hub_namespace=NAMESPACE) == Availability.HUB
        first = load_nano()
    assert available(NAME, hub_namespace=NAMESPACE) == Availability.HUB_CACHE
    second = load_nano()
    assert second.provenance == first.provenance
    pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_disabled_downloads_send_no_request(hub):
    assert why_not(allow_download=False).startswith(f"hf-hub:{REPO} is not on this disk")
    assert hub.requests == []


def test_a_pinned_revision(hub, tmp_path):
    root = tmp_path / "root"
    old = make_repo(root, NAMESPACE, NAME, revision="v1")
    (make_repo(root, NAMESPACE, NAME) / "README.md").write_text("newer", encoding="utf-8")
    hub.root = root
    new = commit_of(root / REPO)
    assert commit_of(old) != new
    for revision, commit in (("v1", commit_of(old)), (commit_of(old), commit_of(old)), ("main", new)):
        assert load(NAME, f"hf-hub:{REPO}@{revision}", "cpu").provenance.revision == commit
    with pytest.raises(NoWeights, match="has no such revision"):
        load(NAME, f"hf-hub:{REPO}@v9", "cpu")


def test_revisions_pinned_in_the_namespace(hub, tmp_path):
    """Of all variants, or of one; the provenance names what was asked for and the commit that it was."""
    hub.root = tmp_path / "root"
    old = make_repo(hub.root, NAMESPACE, NAME, revision="v1")
    (make_repo(hub.root, NAMESPACE, NAME) / "README.md").write_text("newer", encoding="utf-8")
    v1, newest = commit_of(old), commit_of(hub.root / REPO)
    for pins, location, commit in (
        ("v1", f"hf-hub:{REPO}@v1", v1),
        ("nano=v1,main", f"hf-hub:{REPO}@v1", v1),
        (f"transxnet_nano={v1}", f"hf-hub:{REPO}", v1),
        ("s=v9", f"hf-hub:{REPO}", newest),
    ):
        provenance = load_nano(f"{NAMESPACE}@{pins}").provenance
        assert (provenance.location, provenance.revision) == (location, commit)
    assert provenance.short() == f"Weights from hf-hub:{REPO} at {newest[:8]} (SHA-256 {provenance.sha256[:8]}…)"
    message = why_not(f"{NAMESPACE}@v9")
    assert message == f"{REPO} has no such revision. Name an existing branch, tag or full commit hash."
    assert available(NAME, hub_namespace=f"{NAMESPACE}@v1") == Availability.HUB_CACHE
    assert available(NAME, hub_namespace=f"{NAMESPACE}@v2") == Availability.HUB


def test_progress_reaches_the_end(hub, pristine):
    calls = []
    load_nano(progress=lambda received, total, what: calls.append((received, total, what)))
    size = (pristine / REPO / "model.safetensors").stat().st_size
    received = [call[0] for call in calls]
    assert received == sorted(received)
    assert calls[-1] == (size, size, f"hf-hub:{REPO}")
    assert max(b - a for a, b in itertools.pairwise(received)) <= 1 << 18  # often enough to see that it goes on


def test_two_threads_download_once(hub):
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(load_nano())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded[0].provenance == loaded[1].provenance
    assert loaded[0].model is not loaded[1].model
    assert hub.downloads("model.safetensors") == 1


def test_missing_digest_is_noted(hub, tmp_path):
    hub.root = tmp_path / "root"
    make_repo(hub.root, NAMESPACE, NAME, sha256=None)
    loaded = load_nano()
    assert loaded.provenance.note == "The repository records no SHA-256 to check the weights against."
    assert loaded.provenance.sha256 == file_digest(hub.root / REPO / "model.safetensors")


def test_another_architecture_is_refused(hub, tmp_path):
    hub.root = tmp_path / "root"
    make_repo(hub.root, NAMESPACE, NAME, architecture="transxnet_pico")
    assert f"hf-hub:{REPO} contains transxnet_pico, not {NAME}." in why_not()


def test_given_source_is_the_only_one_tried(hub, tmp_path):
    """Other weights than those asked for would be a lie, even where the next source could deliver."""
    hub.fail("corrupt", "model.safetensors")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f"{NAME}.safetensors").write_bytes((hub.root / REPO / "model.safetensors").read_bytes())
    with pytest.raises(NoWeights) as caught:
        load(NAME, f"hf-hub:{REPO}", "cpu", weights_dir=folder)
    assert len(caught.value.attempts) == 1
    assert isinstance(caught.value.__cause__, DigestMismatch)


def test_failed_sources_are_noted(hub, tmp_path):
    """A configured source that fails gives way to the next, and the provenance says why."""
    (tmp_path / f"{NAME}.safetensors").write_bytes(b"no checkpoint")
    provenance = load_nano(weights_dir=tmp_path).provenance
    assert provenance.kind == "hub"
    assert provenance.note == (
        "Used because of failures of other sources: folder: "
        f"The file {NAME}.safetensors is damaged or not a checkpoint."
    )


def test_missing_variant_falls_back_to_the_bundle(hub, tmp_path):
    bundle(hub, tmp_path)
    provenance = load_nano("nobody").provenance
    assert provenance.kind == "bundled"
    assert provenance.note.endswith(
        f"Used because of failures of other sources: hub: The Hub has no repository nobody/{NAME}, or it is private."
    )


def test_digest_mismatch_stops_at_that_source(hub, tmp_path):
    """Not even by the bundle: somebody has to look at it."""
    bundle(hub, tmp_path)
    hub.fail("corrupt", "model.safetensors")
    with pytest.raises(NoWeights) as caught:
        load_nano()
    assert [source for source, *_ in caught.value.attempts] == ["folder", "hub"]
    assert "a file is not the published one, and no other source was tried." in caught.value.what
    assert isinstance(caught.value.__cause__, DigestMismatch)


def bundle(hub: HubServer, tmp_path: Path) -> None:
    path = tmp_path / "no-bundle" / f"{NAME}.safetensors"
    path.parent.mkdir()
    path.write_bytes((hub.root / REPO / "model.safetensors").read_bytes())
    path.with_suffix(".json").write_text(json.dumps({"sha256": file_digest(path)}), encoding="utf-8")


def test_timm_loads_equal_weights_from_hub_and_folder(hub, pristine):
    model = load_nano().model
    x = reference.reference_input(96, 96)
    with torch.no_grad():
        expected = model(x)
        from_hub = timm.create_model(f"hf-hub:{REPO}", pretrained=True).eval()
        from_folder = timm.create_model(f"local-dir:{pristine / REPO}", pretrained=True).eval()
        assert torch.equal(from_hub(x), expected)
        assert torch.equal(from_folder(x), expected)
    assert tuple(from_hub.pretrained_cfg["input_size"]) == (3, 128, 128)
    assert torch.equal(load(NAME, pristine / REPO, "cpu").model(x), expected)


def test_timm_loads_bias_tables_of_another_size(hub, tmp_path):
    """A checkpoint may store relative_pos_enc for another image side than its variant's row says."""
    hub.root = tmp_path / "root"
    folder = make_repo(hub.root, NAMESPACE, NAME)
    state = load_file(folder / "model.safetensors")
    small = {f"relative_pos_enc.{i}": t for i, t in enumerate(_tables_for_64())}
    save_file(state | small, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {
        "sha256": file_digest(folder / "model.safetensors")
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    model = load_nano().model
    timm_model = timm.create_model(f"hf-hub:{REPO}", pretrained=True).eval()
    assert model.relative_pos_enc[0].shape == timm_model.relative_pos_enc[0].shape == (1, 1, 256, 4)
    x = reference.reference_input(64, 64)
    with torch.no_grad():
        assert torch.equal(model(x), timm_model(x))


def _tables_for_64() -> list[torch.Tensor]:
    shapes = {f"relative_pos_enc.{i}": [1, heads, (16 >> i) ** 2, 4] for i, heads in enumerate((1, 2, 4, 8))}
    return list(reference.recipe_state(shapes).values())
