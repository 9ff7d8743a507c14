"""Weights without the Hub: files, folders, the bundle, random ones; and what is said of them.

"t" means the stand-in of tests/standin.py, except where a test says otherwise.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.fixtures.small_t import (
    OTHER_STATE,
    SPEC,
    STATE,
    MaliciousPayload,
    attempt_message,
    bundle_weights,
    corrupt_weights,
    has_weights,
    load_error,
    save_weights,
)
from tests.hub import file_digest
from transxnet.assets import find_asset
from transxnet.errors import DigestMismatch, SourceFailed, UnknownName, WeightsMismatch
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS
from transxnet.weights import checkpoint, sources
from transxnet.weights import load as weights
from transxnet.weights.load import Availability, available, load, model_memory

pytestmark = pytest.mark.usefixtures("small_t")
X = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)


# --- The model that comes out -----------------------------------------------------------------------


def test_loaded_model_is_in_eval_mode(tmp_path):
    path = save_weights(tmp_path / "mine.safetensors")
    loaded = load("T", path, "cpu")
    assert has_weights(loaded)
    assert (loaded.name, loaded.spec, loaded.device) == ("t", SPEC, torch.device("cpu"))
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    with loaded.lock, loaded.lock:  # may be taken twice by one thread
        pass
    expected = TransXNet(SPEC).eval()
    expected.load_state_dict(STATE)
    with torch.no_grad():
        assert torch.equal(loaded.model(X), expected(X))


def test_provenance_describes_the_bytes_in_use(tmp_path):
    path = save_weights(tmp_path / "mine.safetensors")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    provenance = load("t", path, "cpu").provenance
    assert provenance.as_json() == {"kind": "file", "location": "mine.safetensors", "sha256": digest}
    assert provenance.short() == f"Weights from mine.safetensors (SHA-256 {digest[:8]}…)"
    assert provenance.detail == str(path)  # for whoever runs the program
    bundle_weights()
    assert load("t", device="cpu").provenance.short() == f"Bundled weights (SHA-256 {digest[:8]}…)"
    on_hub = sources.Provenance("hub", "hf-hub:a/b", digest, revision="0123456789abcdef")
    assert on_hub.short() == f"Weights from hf-hub:a/b at 01234567 (SHA-256 {digest[:8]}…)"


def test_half_precision_becomes_float32(tmp_path):
    half = {key: value.half() if value.is_floating_point() else value for key, value in STATE.items()}
    loaded = load("t", save_weights(tmp_path / "half.safetensors", half), "cpu")
    assert has_weights(loaded, {k: v.float() if v.is_floating_point() else v for k, v in half.items()})
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}


def test_loading_leaves_the_random_state(tmp_path):
    path = save_weights(tmp_path / "mine.safetensors")
    before = torch.get_rng_state()
    load("t", path, "cpu")
    load("t@untrained", device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


# --- Layouts and damage -------------------------------------------------------------------------------


def test_old_torch_format_is_read(tmp_path):
    """Before 1.6 torch.save wrote no zip."""
    torch.save({"state_dict": STATE}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert has_weights(load("t", tmp_path / "old.pth", "cpu"))


def test_code_in_a_file_is_never_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # flips a default that nobody here relies on
    torch.save({"state_dict": STATE, "extra": MaliciousPayload()}, tmp_path / "bad.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(MaliciousPayload(), protocol=2))
    for name, where in (("bad.pth", " under extra"), ("plain.pth", "")):
        message = attempt_message(load_error(tmp_path / name), name)
        assert message == (
            f"The file {name} contains an object of __builtin__.eval{where}; code from a file is never run. "
            "Save the tensors alone, as torch.save(model.state_dict(), FILE) or in a safetensors file."
        )
    assert "TRANSXNET_TEST_PWNED" not in os.environ


def _bytes(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


DAMAGED = {
    "empty.pth": lambda: b"",
    "cut.pth": lambda: _bytes(STATE)[:100_000],
    "flipped.pth": lambda: corrupt_weights(_bytes(STATE)),
    "page.pth": lambda: b"<!DOCTYPE html><html>Not found</html>" * 100,
    "noise.pth": lambda: bytes(range(256)) * 8,
    "empty.safetensors": lambda: b"",
    "page.safetensors": lambda: b"<!DOCTYPE html>" * 100,
    "boast.safetensors": lambda: b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",  # promises a header of 9 exabytes
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_damaged_file_is_reported(name, tmp_path):
    (tmp_path / name).write_bytes(DAMAGED[name]())
    error = load_error(tmp_path / name)
    message = f"The file {name} is damaged or not a checkpoint. Download it again."
    assert attempt_message(error, name) == message
    assert str(tmp_path) not in str(error)
    assert str(tmp_path) in error.detail


def _without(*keys: str) -> dict[str, Tensor]:
    return {key: value for key, value in STATE.items() if key not in keys}


KEYS = list(STATE)
MISFITS: dict[str, tuple[Callable[[], object], str]] = {
    "missing": (lambda: _without(*KEYS[1:6]), f"5 missing: {KEYS[1]}, {KEYS[2]}, {KEYS[3]}, and 2 more."),
    "another model": (lambda: {"fc.weight": torch.zeros(7, 3)}, "are not those of a TransXNet"),
    "unexpected": (lambda: STATE | {"head.fc.weight": torch.zeros(1)}, "1 unexpected: head.fc.weight."),
    "shape": (
        lambda: STATE | {"classifier.2.bias": torch.zeros(9)},
        "1 of another shape: classifier.2.bias is (9,), not (7,).",
    ),
    "two faults": (
        lambda: _without(KEYS[2]) | {"classifier.2.b": torch.zeros(7)},
        f"1 missing: {KEYS[2]}; 1 unexpected: classifier.2.b.",
    ),
    "nan": (lambda: STATE | {KEYS[1]: STATE[KEYS[1]] * torch.nan}, f"{KEYS[1]} contains values that are not finite"),
    "infinite": (lambda: STATE | {KEYS[1]: STATE[KEYS[1]] / 0}, f"{KEYS[1]} contains values that are not finite"),
    "no tensors": (lambda: {"epoch": 3, "history": [1, 2]}, "contains no state dict"),
    "a list": (lambda: [STATE], "contains no state dict"),
    "not all tensors": (lambda: STATE | {"epoch": 3}, "epoch is not a tensor"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_mismatches_are_listed(name, tmp_path):
    make, expected = MISFITS[name]
    torch.save(make(), tmp_path / "file.pth")
    error = load_error(tmp_path / "file.pth")
    assert expected in attempt_message(error, "file.pth")
    assert isinstance(error.__cause__, WeightsMismatch)


def test_bias_tables_of_another_size(tmp_path):
    """B at 384 px may be stored for 224 or for 384: the model is built for what is in the file."""
    state = TransXNet(SPEC, bias_size=96).state_dict()
    loaded = load("t", save_weights(tmp_path / "96.safetensors", state), "cpu")
    assert [tuple(t.shape[-2:]) for t in loaded.model.relative_pos_enc] == [(576, 9), (144, 9), (36, 9), (9, 9)]


# --- The order of the sources ---------------------------------------------------------------------------


def test_folder_before_bundle_before_release(releases, tmp_path, monkeypatch):
    kinds = [load("t", device="cpu").provenance.kind]
    bundle_weights()
    kinds.append(load("t", device="cpu").provenance.kind)
    save_weights(tmp_path / "env" / "transxnet_t.safetensors")
    monkeypatch.setenv("TRANSXNET_WEIGHTS", str(tmp_path / "env"))
    kinds.append(load("t", device="cpu").provenance.kind)
    torch.save(STATE, save_weights(tmp_path / "given" / "x").parent / SPEC.official_file)
    given = load("t", device="cpu", weights_dir=tmp_path / "given").provenance
    assert kinds == ["release", "bundled", "folder"]
    assert (given.kind, given.location) == ("folder", "transx-t.pth.tar")  # an argument goes before the variable


def test_every_attempt_is_listed_with_its_remedy(tmp_path):
    save_weights(tmp_path / "transxnet_s.safetensors")
    error = load_error(weights_dir=tmp_path)
    assert str(error) == "\n".join(
        [
            "No weights for transxnet_t: every source failed.",
            "  1. folder: The folder contains no transxnet_t.safetensors and no transx-t.pth.tar."
            " Put the file there, or pass another folder.",
            "  2. hub: No namespace is configured. Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE.",
            "  3. bundled: transxnet_t is not bundled. Bundled models: none.",
            "  4. release: Could not download transx-t.pth.tar: connection refused by 127.0.0.1."
            " Check the network, or pass --weights-dir.",
            "Use t@untrained for random weights.",
        ]
    )
    assert str(tmp_path) in error.detail


def test_unpublished_variant_has_no_weights():
    message = str(load_error(name="nano"))
    assert "1. folder: No weights folder is configured. Pass --weights-dir or set TRANSXNET_WEIGHTS." in message
    assert "4. release: The authors released no weights for transxnet_nano. Released: T, S, B and B-384." in message


def test_useless_weights_folder_is_refused(tmp_path):
    bundle_weights()
    with pytest.raises(SourceFailed, match="The configured weights folder does not exist"):
        load("t", device="cpu", weights_dir=tmp_path / "nowhere")
    torch.save(STATE, tmp_path / "mine.pth")
    with pytest.raises(SourceFailed, match="holds no weights under a name that is known here") as caught:
        load("t", device="cpu", weights_dir=tmp_path)
    assert str(tmp_path) not in str(caught.value)
    for name in ("t.pth", "transxnet_t.pt", "transxnet_t.ckpt"):
        (tmp_path / "mine.pth").rename(tmp_path / name)
        assert load("t", device="cpu", weights_dir=tmp_path).provenance.location == name
        (tmp_path / name).rename(tmp_path / "mine.pth")


def test_given_source_is_the_only_one_tried(tmp_path):
    bundle_weights()
    error = load_error(tmp_path / "missing.pth")
    assert [label for label, *_ in error.attempts] == ["missing.pth"]
    assert error.what == "No weights for transxnet_t: only the given source was tried."
    assert attempt_message(error, "missing.pth").startswith("There is no file or folder 'missing.pth'.")


def test_given_folder_is_used(tmp_path):
    save_weights(tmp_path / "transxnet_t.safetensors")
    assert has_weights(load("t", tmp_path, "cpu"))
    assert has_weights(load("t", f"local-dir:{tmp_path}", "cpu"))


def test_timm_folder_is_checked_against_its_digest(tmp_path):
    path = save_weights(tmp_path / "model.safetensors")
    config = {"architecture": "transxnet_t", "sha256": file_digest(path)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert has_weights(load("t", tmp_path, "cpu"))
    save_weights(path, OTHER_STATE)
    assert isinstance(load_error(tmp_path).__cause__, DigestMismatch)
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    assert "config.json is not valid JSON" in str(load_error(tmp_path))


# --- The bundle -------------------------------------------------------------------------------------------


def test_bundled_weights_must_match_their_card():
    path = bundle_weights(digest="0" * 64)
    error = load_error()
    assert attempt_message(error, "bundled").startswith(
        f"assets/weights/transxnet_t.safetensors is not the published file: its SHA-256 is "
        f"{file_digest(path)[:16]}…, the recorded one 0000000000000000…."
    )
    path.with_suffix(".json").unlink()
    assert "The card of the bundled transxnet_t records no SHA-256." in attempt_message(load_error(), "bundled")


def test_pico_is_bundled_and_equals_its_card(monkeypatch):
    monkeypatch.setattr(sources, "BUNDLED", find_asset("weights"))
    assert "transxnet_pico" in sources.bundled_names()
    for name in sources.bundled_names():
        loaded = load(name, device="cpu")
        card = json.loads((find_asset("weights") / f"{name}.json").read_text(encoding="utf-8"))
        assert (loaded.provenance.kind, loaded.provenance.sha256) == ("bundled", card["sha256"])
        assert (
            loaded.provenance.note
            == f"Top-1 accuracy {100 * card['accuracy']['top1']:.1f}% (Tiny-ImageNet, 5,000 validation images)."
        )
        assert card["name"] == name == loaded.spec.name
        assert (find_asset("weights") / f"{name}.safetensors").stat().st_size < 10_000_000


# --- Random weights ---------------------------------------------------------------------------------------


def test_random_weights_are_equal_in_every_thread():
    models: list[weights.LoadedModel] = []
    threads = [threading.Thread(target=lambda: models.append(load("t@untrained", device="cpu"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    torch.manual_seed(7)  # whatever the process's own numbers are
    models.append(load("T@Untrained", device="cpu"))
    assert len({loaded.provenance.sha256 for loaded in models}) == 1
    assert all(has_weights(loaded, models[0].model.state_dict()) for loaded in models)


def test_random_weights_are_labeled():
    loaded = load("t@untrained", device="cpu")
    assert loaded.untrained
    assert loaded.name == "t@untrained"
    assert loaded.provenance.kind == "untrained"
    assert loaded.provenance.note == "Random weights, not trained (seed 0)."
    assert loaded.provenance.sha256 == checkpoint.state_digest(loaded.model.state_dict())
    assert loaded.provenance.short() == f"Random weights (SHA-256 {loaded.provenance.sha256[:8]}…)"
    with pytest.raises(UnknownName, match="takes no source"):
        load("t@untrained", "hf-hub:a/b")


def test_random_weights_equal_the_start_of_training():
    """Constants where a new model has constants, and as widely spread where it has random numbers."""
    usual = TransXNet(SPEC).state_dict()
    ours = load("t@untrained", device="cpu").model.state_dict()
    random_keys = [key for key, value in usual.items() if value.min() < value.max()]
    assert len(random_keys) > 100
    assert all(torch.equal(ours[key], usual[key]) for key in usual.keys() - set(random_keys))
    assert not any(torch.equal(ours[key], usual[key]) for key in random_keys)
    for state in (ours, usual):
        values = torch.cat([state[key].flatten() for key in random_keys])
        assert values.std().item() == pytest.approx(0.02, rel=0.03)


def test_state_digest_depends_on_every_value():
    state = {"a": torch.zeros(2, 3), "b": torch.ones(1)}
    changed_states = (
        {"a": torch.zeros(3, 2), "b": torch.ones(1)},
        {"a": torch.zeros(2, 3), "c": torch.ones(1)},
        {"a": torch.zeros(2, 3), "b": torch.ones(1) + 2**-23},
        {"a": torch.zeros(2, 3, dtype=torch.int32), "b": torch.ones(1)},
    )
    digests = {checkpoint.state_digest(s) for s in (state, *changed_states)}
    assert len(digests) == 5
    assert checkpoint.state_digest({k: v.clone() for k, v in state.items()}) in digests


# --- Questions asked beforehand ----------------------------------------------------------------------------


def test_availability_without_network(tmp_path, monkeypatch):
    assert available("t") == Availability.RELEASE
    assert available("nano") == Availability.NOWHERE
    assert available("nano@untrained") == Availability.UNTRAINED
    torch.save(STATE, save_weights(sources.release_path(SPEC).parent / "x").parent / SPEC.official_file)
    assert available("t") == Availability.RELEASE_CACHE
    bundle_weights()
    assert available("t") == Availability.BUNDLED
    save_weights(tmp_path / "folder" / "transxnet_t.safetensors")
    assert available("t", weights_dir=tmp_path / "folder") == Availability.FOLDER
    assert available("nano", hub_namespace="nobody") == Availability.HUB
    ready = {a.name for a in Availability if a.ready}
    assert ready == {"UNTRAINED", "OWN", "FOLDER", "HUB_CACHE", "BUNDLED", "RELEASE_CACHE"}


@pytest.mark.parametrize("name", ["pico", "nano@untrained", "timm:test_resnet@untrained"])
def test_memory_is_computed_before_loading(name):
    model = load(f"{name.partition('@')[0]}@untrained", device="cpu").model
    assert model_memory(name) == sum(t.numel() * t.element_size() for t in model.state_dict().values())


def test_unknown_names():
    with pytest.raises(UnknownName, match="no model called 'xl'"):
        load("xl")
    with pytest.raises(UnknownName, match="no model called 't@trained'"):
        load("t@trained")


def test_official_checkpoints_at_full_size_load_strictly(tmp_path):
    """T with its real widths, as the author's training script saves it."""
    spec = VARIANTS["transxnet_t"]
    state = TransXNet(spec).state_dict()
    torch.save({"epoch": 299, "arch": "transxnet_t", "state_dict": state}, tmp_path / "transx-t.pth.tar")
    read = checkpoint.open_checkpoint(tmp_path / "transx-t.pth.tar")
    model = checkpoint.model_from(spec, read.state, "transx-t.pth.tar")
    assert read.sha256 == file_digest(tmp_path / "transx-t.pth.tar")
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    with pytest.raises(SourceFailed, match=r"There is no file nowhere.pth"):
        checkpoint.open_checkpoint(tmp_path / "nowhere.pth")
