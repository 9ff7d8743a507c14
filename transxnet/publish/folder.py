"""The folder that becomes a repository: made beside its final place, verified, and only then given its name.

Verified means: loaded back by transxnet and by timm, every tensor and the logits of a seeded image equal those of
the source, to the bit.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import timm
import torch
from torch import nn

from ..errors import PublishFailed
from ..weights.checkpoint import file_sha256
from ..weights.download import CONFIG, WEIGHTS
from ..weights.load import load
from ..weights.sources import FOLDER_PREFIX
from .convert import Source, write_weights
from .describe import attachments, config, describe, readme

README = "README.md"
_SEED = 0  # of the image whose logits are compared


def make_folder(source: Source, repository: str, out: Path) -> str:
    """Write and verify `out`; returns the SHA-256 of its model.safetensors. `out` is whole, or not there.

    repository: as the card says to load it, NAMESPACE/NAME[@REVISION].
    Raises PublishFailed: `out` holds something already, or what was made is not what the source holds.
    """
    check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        made = Path(scratch) / out.name
        made.mkdir()
        digest = _write(source, repository, made)
        verify(source, made)
        if out.is_dir():
            out.rmdir()  # it is empty, and a folder cannot be renamed onto another everywhere
        os.replace(made, out)
    return digest


def check_free(out: Path) -> None:
    """Raises PublishFailed unless `out` is not there, or an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PublishFailed(
            f"{out.name} exists already, and nothing is overwritten.",
            remedy="Give another folder by --out, or remove that one.",
            detail=str(out),
        )


def verify(source: Source, folder: Path) -> None:
    """Raises PublishFailed unless both ways of loading `folder` give the source's tensors and logits, to the bit."""
    expected = source.model()
    for who, model in (
        ("transxnet", lambda: load(source.spec.name, folder, "cpu").model),
        ("timm", lambda: timm.create_model(f"{FOLDER_PREFIX}{folder}", pretrained=True)),
    ):
        difference = _difference(expected, model().eval())
        if difference:
            raise PublishFailed(
                f"What {who} loads from the converted file is not what {source.path.name} holds: {difference}. "
                "Nothing was published.",
                remedy="Disk or memory may be failing: try again, and report it if that does not help.",
            )


def _write(source: Source, repository: str, folder: Path) -> str:
    write_weights(source, folder / WEIGHTS)
    digest = file_sha256(folder / WEIGHTS)
    text = json.dumps(config(source.spec, digest), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    (folder / README).write_text(readme(describe(source, repository, digest)), encoding="utf-8")
    for path in attachments(source):
        shutil.copyfile(path, folder / path.name)
    return digest


@torch.inference_mode()
def _difference(expected: nn.Module, found: nn.Module) -> str:
    """Where two models differ, in words; '' where they are equal."""
    state = found.state_dict()
    for key, value in expected.state_dict().items():
        if key not in state or not torch.equal(state[key], value):
            return f"{key} differs"
    side = expected.spec.image_size
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(_SEED))
    return "" if torch.equal(found(image), expected(image)) else "the logits of an image differ"
