"""`python -m transxnet publish`: upload a checkpoint to the Hugging Face Hub, verified before and after."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnknownName
from ..output import check_output
from .common import AddOption, add_model_options, named_models

if TYPE_CHECKING:
    from ..weights.named_sources import NamedModel


def add_options(add: AddOption) -> None:
    """Define the options of `publish`."""
    add_model_options(
        add, several=False, default="", required=True,
        help="model to publish: a file, a folder or hf-hub:ID; NAME is the variant's or another",
    )  # fmt: skip
    add("--to", "Hub repository; NAME", required=True, metavar="NAMESPACE[/NAME]", default_text="that of the variant")
    add("--dry-run", "write and verify the folder, upload nothing", action="store_true")
    add("--out", "keep the folder here", type=Path, metavar="DIR", default_text="./NAME with --dry-run, or temporary")
    add("--branch", "branch, created if it does not exist", default="main", metavar="NAME")
    add("--private", "make a new repository private", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Convert, verify, upload and verify again; arguments that cannot succeed are refused first."""
    from ..publish.folder import check_free
    from ..publish.upload import check_token, repository_id, repository_name
    from ..weights.named_sources import REMEDY

    (model,) = named_models(args, [args.model])
    if not model.source:
        raise UnknownName("--model names no checkpoint to publish.", remedy=REMEDY)
    repository = repository_id(args.to, repository_name(model.name))
    if not args.dry_run:
        check_token()
    if args.dry_run and args.out is None:
        args.out = Path(repository.split("/")[1])
    if args.out is not None:
        check_free(args.out)
        check_output(args.out)
        return _publish(args, model, repository, args.out)
    with tempfile.TemporaryDirectory(prefix="transxnet-publish-") as scratch:
        return _publish(args, model, repository, Path(scratch) / repository.split("/")[1])


def _publish(args: argparse.Namespace, model: NamedModel, repository: str, out: Path) -> int:
    from ..publish.convert import read_source
    from ..publish.folder import make_folder
    from ..publish.upload import DEFAULT_BRANCH, check_published, upload

    source = read_source(model.name, model.source, model.class_names, model.activation, model.ema)
    hub_id = repository + (f"@{args.branch}" if args.branch != DEFAULT_BRANCH else "")  # as its card says to load it
    digest = make_folder(source, hub_id, out)
    files = sorted(out.iterdir())
    for path in files:
        print(f"{path.stat().st_size:>12,} bytes  {path.name}")
    averaged = " (its moving average)" if source.averaged else ""
    print(f"verified: loaded back by transxnet and timm, equal to {source.path.name}{averaged} to the bit")
    print(f"stored as {source.stored}; sha256 {digest}")
    if args.dry_run:
        print(f"dry run: nothing was uploaded. {out} holds the {len(files)} files for hf-hub:{hub_id}")
        return 0
    commit = upload(out, repository, args.branch, args.private)
    check_published(out, repository, commit)
    print(f"published: hf-hub:{hub_id}, commit {commit}")
    print("verified after upload: every file of that commit equals the local one")
    return 0
