"""A stand-in for T: its names and a thousandth of its work, so that every test may write, send and load its weights.

The fixtures `small_t` and `releases` (tests/transxnet/conftest.py) put it in T's place.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests import tiny
from tests.hub import file_digest
from tests.reference import recipe_state
from transxnet.errors import NoWeights
from transxnet.model import TransXNet
from transxnet.weights import sources
from transxnet.weights.load import LoadedModel, load

SPEC = dataclasses.replace(tiny.SPEC, name="transxnet_t", official_file="transx-t.pth.tar")
STATE = recipe_state({key: list(value.shape) for key, value in TransXNet(SPEC).state_dict().items()})
OTHER = {key: value + 1 for key, value in STATE.items()}


class Payload:
    """What a hostile file asks the unpickler to run."""

    def __reduce__(self):
        return eval, ("__import__('os').environ.__setitem__('TRANSXNET_TEST_PWNED', 'yes')",)


def saved(path: Path, state: dict[str, Tensor] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(STATE if state is None else state, path)
    return path


def bundle(digest: str = "") -> Path:
    path = saved(sources.BUNDLED / f"{SPEC.name}.safetensors")
    path.with_suffix(".json").write_text(
        json.dumps({"name": SPEC.name, "sha256": digest or file_digest(path)}), encoding="utf-8"
    )
    return path


def holds(loaded: LoadedModel, state: dict[str, Tensor] = STATE) -> bool:
    actual = loaded.model.state_dict()
    return actual.keys() == state.keys() and all(torch.equal(actual[key], value) for key, value in state.items())


def why_not(source: object = None, name: str = "t", **options: object) -> NoWeights:
    with pytest.raises(NoWeights) as caught:
        load(name, source, "cpu", **options)
    return caught.value


def cause(error: NoWeights, source: str) -> str:
    (cause_text,) = [f"{what} {remedy}" for label, what, remedy in error.attempts if label == source]
    return cause_text


def flipped(data: bytes) -> bytes:
    """A file that holds STATE, of the same size, with one bit wrong inside a tensor: torch.load would take it."""
    where = data.index(STATE["classifier.2.weight"].numpy().tobytes())
    return data[:where] + bytes([data[where] ^ 1]) + data[where + 1 :]
