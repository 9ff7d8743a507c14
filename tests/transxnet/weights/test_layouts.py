"""Checkpoints as training programs write them: containers, prefixes, heads, and what lies next to the tensors."""

from __future__ import annotations

import argparse
import collections
import datetime
import os
import types
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.fixtures.small_t import OTHER_STATE, STATE, MaliciousPayload, attempt_message, has_weights, load_error
from transxnet.errors import SourceFailed, WeightsMismatch
from transxnet.weights.checkpoint import open_checkpoint
from transxnet.weights.file_formats import ALLOWED, read_file
from transxnet.weights.layouts import find_state_dict
from transxnet.weights.load import load

pytestmark = pytest.mark.usefixtures("small_t")

BODY = {key: value for key, value in STATE.items() if not key.startswith("classifier")}
NORM = {part: STATE[f"classifier.0.{part}"] for part in ("weight", "bias")}
LINEAR = {"weight": STATE["classifier.2.weight"][:, :, 0, 0], "bias": STATE["classifier.2.bias"]}


def prefixed(prefix: str, state: dict[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def loaded_from(content: object, tmp_path: Path, name: str = "mine", **options: object):
    torch.save(content, tmp_path / "checkpoint.pth")
    return load(name, tmp_path / "checkpoint.pth", "cpu", **options)


# --- Containers and prefixes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "net", "weights"])
def test_containers(key, tmp_path):
    assert has_weights(loaded_from({key: STATE, "epoch": 3, "loss": torch.tensor(0.5)}, tmp_path))


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net.", "backbone.",
     "timm_model.", "model.module._orig_mod.", "module.backbone."],
)  # fmt: skip
def test_prefixes(prefix, tmp_path):
    assert has_weights(loaded_from({"state_dict": prefixed(prefix)}, tmp_path))


def test_nested_containers(tmp_path):
    assert has_weights(loaded_from({"model": {"state_dict": prefixed("module.")}, "epoch": 1}, tmp_path))


def test_averaged_model_of_torch(tmp_path):
    """torch.optim.swa_utils.AveragedModel adds its counter."""
    assert has_weights(loaded_from(prefixed("module.") | {"n_averaged": torch.tensor(5)}, tmp_path))


def test_unknown_prefix_is_refused(tmp_path):
    torch.save(prefixed("teacher."), tmp_path / "checkpoint.pth")
    message = attempt_message(load_error(tmp_path / "checkpoint.pth", "mine"), "checkpoint.pth")
    assert message.startswith("The tensors of checkpoint.pth are not those of a TransXNet")


def test_two_models_in_one_file_are_refused(tmp_path):
    torch.save(prefixed("model.") | prefixed("net."), tmp_path / "checkpoint.pth")
    message = attempt_message(load_error(tmp_path / "checkpoint.pth", "mine"), "checkpoint.pth")
    assert message.startswith("checkpoint.pth contains several models, under model. and net..")


def test_batch_counters_may_be_missing(tmp_path):
    state = {key: value for key, value in STATE.items() if not key.endswith("num_batches_tracked")}
    loaded = loaded_from(state, tmp_path)
    assert torch.equal(loaded.model.state_dict()["patch_embed.proj.bn.running_mean"], STATE[
        "patch_embed.proj.bn.running_mean"])  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precisions_become_float32(dtype, tmp_path):
    state = {key: value.to(dtype) if value.is_floating_point() else value for key, value in STATE.items()}
    loaded = loaded_from(state, tmp_path)
    expected = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    assert has_weights(loaded, expected)


def test_safetensors_without_its_suffix(tmp_path):
    save_file(STATE, tmp_path / "weights.bin", metadata={"format": "pt"})
    assert has_weights(load("mine", tmp_path / "weights.bin", "cpu"))


# --- Heads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "classifier"),
    [("norm", "head"), ("norm", "head.fc"), ("head.norm", "head.fc"), ("classifier.0", "fc"), ("norm6", "head.fc")],
)
def test_heads_of_other_code(norm, classifier, tmp_path):
    head = {f"{norm}.{part}": value for part, value in NORM.items()}
    head |= {f"{classifier}.{part}": value for part, value in LINEAR.items()}
    assert has_weights(loaded_from(BODY | head, tmp_path))


def test_head_of_mmpretrain(tmp_path):
    """The norm belongs to the backbone, the linear layer does not."""
    state = prefixed("backbone.", BODY | {f"norm6.{part}": value for part, value in NORM.items()})
    unused = {f"backbone.norm{i}.{part}": torch.ones(3) for i in (0, 2, 4) for part in NORM}
    head = {f"head.fc.{part}": value for part, value in LINEAR.items()}
    assert has_weights(loaded_from({"state_dict": state | unused | head, "meta": {}}, tmp_path))


def test_without_a_head_outputs_are_features(tmp_path):
    decoder = {"decode_head.conv.weight": torch.ones(3, 3)}
    loaded = loaded_from({"state_dict": prefixed("backbone.", BODY) | decoder}, tmp_path)
    assert (loaded.spec.num_classes, len(loaded.spec.labels)) == (0, 0)
    assert loaded.model(torch.zeros(1, 3, 64, 64)).shape == (1, 40)
    assert "A model without a classifier" in loaded.provenance.note


# --- The moving average ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema"])
def test_moving_average_on_request(key, tmp_path):
    content = {"state_dict": STATE, key: prefixed("module.", OTHER_STATE)}
    assert has_weights(loaded_from(content, tmp_path))
    averaged = loaded_from(content, tmp_path, ema=True)
    assert has_weights(averaged, OTHER_STATE)
    assert f"their moving average ({key}); {key} is used" in averaged.provenance.note


def test_own_training_run_gives_its_average(tmp_path):
    content = {"recipe": "smoke", "step": 5, "model": STATE, "ema": OTHER_STATE, "optimizer": {}}
    assert has_weights(loaded_from(content, tmp_path), OTHER_STATE)


def test_missing_average_is_an_error():
    with pytest.raises(WeightsMismatch, match="contains no moving average"):
        find_state_dict({"state_dict": STATE}, "file.pth", ema=True)


# --- What lies next to the tensors ----------------------------------------------------------------------------------

HARMLESS = {
    "numpy scalar": np.float64(81.6),
    "numpy integer and boolean": [np.int64(3), np.bool_(True)],
    "numpy arrays": {"confusion": np.zeros((3, 3)), "names": np.array(["a", "bc"]), "half": np.zeros(2, np.float16)},
    "path": Path("runs/7"),
    "paths of both systems": [PurePosixPath("/x"), PureWindowsPath("c:/x")],
    "namespace": argparse.Namespace(output_dir=Path("/x"), lr=1e-3, sizes=(1, 2)),
    "simple namespace": types.SimpleNamespace(a=1),
    "defaultdict": collections.defaultdict(list, a=[1]),
    "ordered dictionary and counter": [collections.OrderedDict(a=1), collections.Counter("aab")],
    "dates": [datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.date(2026, 1, 2), datetime.timedelta(3)],
    "sets": [{1, 2}, frozenset((1,))],
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_extras_are_accepted(name, tmp_path):
    torch.save({"state_dict": STATE, "extra": HARMLESS[name]}, tmp_path / "checkpoint.pth")
    assert "extra" in open_checkpoint(tmp_path / "checkpoint.pth").extras


class Callback:
    """An object of a training program."""


def test_other_objects_are_named_with_their_key(tmp_path):
    torch.save({"state_dict": STATE, "config": {"hooks": [1, Callback()]}}, tmp_path / "c.pth")
    with pytest.raises(SourceFailed, match=r"an object of .*\.Callback under config\.hooks\.1; code from a file"):
        read_file(tmp_path / "c.pth")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "c.pth")
    with pytest.raises(SourceFailed, match=r"an object of torch\.nn\.modules\.linear\.Linear; code"):
        read_file(tmp_path / "c.pth")


class _Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *args: object):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


class _State:
    """Pickles with a state that runs code in __setstate__."""

    def __reduce__(self):
        return (Callback, (), {"__class__": MaliciousPayload()})


def _payloads(marker: Path) -> dict[str, object]:
    write = f"open({str(marker)!r}, 'w').write('x')"
    return {
        "eval": _Calls(eval, write),
        "exec": _Calls(exec, write),
        "system": _Calls(os.system, f"touch {marker}"),
        "getattr": _Calls(getattr, _Calls(__import__, "os"), "system"),
        "state": _State(),
        "defaultdict": collections.defaultdict(os.getcwd),
        "in a numpy array": np.array([_Calls(eval, write)], dtype=object),
        "in a namespace": argparse.Namespace(hook=_Calls(eval, write)),
        "in a path": _Calls(Path, _Calls(eval, write)),
    }


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", _payloads(Path()))
def test_payloads_never_run(name, legacy, tmp_path):
    """Neither while a file is read nor while the refusal looks for the object's key."""
    marker = tmp_path / "ran"
    content = {"state_dict": STATE, "extra": [_payloads(marker)[name]]}
    torch.save(content, tmp_path / "bad.pth", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(SourceFailed, match="code from a file is never run"):
        open_checkpoint(tmp_path / "bad.pth")
    assert not marker.exists()
    assert "TRANSXNET_TEST_PWNED" not in os.environ


def test_foreign_types_have_a_stand_in():
    """A Windows path cannot be made here, Python 3.13 names its module in another way, and Lightning is not needed."""
    allowed = {name: kind for kind, name in ALLOWED}
    for module in ("pathlib", "pathlib._local"):
        assert allowed[f"{module}.WindowsPath"] is PureWindowsPath
        assert allowed[f"{module}.PosixPath"] is PurePosixPath
    assert allowed["lightning.fabric.utilities.data.AttributeDict"] is dict
    assert allowed["numpy.core.multiarray.scalar"] is allowed["numpy._core.multiarray.scalar"]
