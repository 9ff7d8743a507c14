"""Write the folder that becomes a repository: under a temporary name, verified, then renamed.

Verified means: loaded by transxnet and by timm, every tensor and the logits of a seeded image equal those of the source
exactly.
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
    """Write and verify `out`, which is complete or absent afterwards.

    Args:
        source: The checkpoint.
        repository: NAMESPACE/NAME[@REVISION], from where the card says to load it.
        out: A new or empty folder.

    Returns:
        The SHA-256 of its model.safetensors.

    Raises:
        PublishFailed: `out` is not empty, or the written files do not reproduce the source.
    """
    check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        folder = Path(scratch) / out.name
        folder.mkdir()
        digest = _write(source, repository, folder)
        verify(source, folder)
        if out.is_dir():
            out.rmdir()  # it is empty; not every system renames a folder onto another
        os.replace(folder, out)
    return digest


def check_free(out: Path) -> None:
    """Raise PublishFailed unless `out` does not exist or is an empty folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PublishFailed(
            "{name} already exists and is not overwritten.",
            remedy="Pass another folder with --out, or remove that one.", detail=str(out), name=out.name,
        )  # fmt: skip


def verify(source: Source, folder: Path) -> None:
    """Raise PublishFailed unless transxnet and timm load exactly the source's tensors and logits from `folder`."""
    expected, written = source.model(), load(source.spec.short, folder, "cpu").spec
    names = ("labels", "activation", "image_size", "crop_pct", "crop_mode", "interpolation", "mean", "std")
    for name in names:
        if getattr(written, name) != getattr(source.spec, name):
            raise PublishFailed(
                "The written config.json gives back another {field} than {name} has. Nothing was published.",
                remedy="Report it.", field=name, name=source.path.name,
            )  # fmt: skip
    for loader, load_model in (
        ("transxnet", lambda: load(source.spec.short, folder, "cpu").model),
        ("timm", lambda: timm.create_model(f"{FOLDER_PREFIX}{folder}", pretrained=True)),
    ):
        difference = _difference(expected, load_model().eval())
        if difference:
            raise PublishFailed(
                "{loader} loads other values from the converted file than {name} contains: {difference}. Nothing "
                "was published.",
                remedy="Disk or memory may be defective. Try again, and report it if that does not help.",
                loader=loader, name=source.path.name, difference=difference,
            )  # fmt: skip


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
def _difference(expected: nn.Module, model: nn.Module) -> str:
    """A phrase for the first difference of two models; '' if they are equal."""
    state = model.state_dict()
    for key, value in expected.state_dict().items():
        if key not in state or not torch.equal(state[key], value):
            return f"{key} differs"
    side = expected.spec.image_size
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(_SEED))
    return "" if torch.equal(model(image), expected(image)) else "the logits of an image differ"
