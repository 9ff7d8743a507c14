"""`python -m transxnet publish`: arguments, and what is printed."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from ..output import check_output


def add_commands(subparsers: argparse._SubParsersAction) -> None:
    """Register the command; it sets `run`, a function of the parsed arguments that returns the exit code."""
    parser = subparsers.add_parser("publish", help="a checkpoint -> a Hub repository that timm and transxnet load")
    parser.add_argument("--model", required=True, metavar="NAME", help="the variant that the checkpoint is of")
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="official or own, in any layout")
    parser.add_argument(
        "--to", required=True, metavar="NAMESPACE[/NAME]", help="repository on the Hub; NAME is the variant's without"
    )
    parser.add_argument("--ema", action="store_true", help="take the moving average beside the weights")
    parser.add_argument("--dry-run", action="store_true", help="make and verify the folder, upload nothing")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the folder there; --dry-run without it: ./NAME")
    parser.add_argument("--branch", "--revision", default="main", help="created if missing (main)")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.set_defaults(run=run_publish)


def run_publish(args: argparse.Namespace) -> int:
    """Convert, verify, upload, verify again; what can be refused without work is refused first."""
    from ..publish.folder import check_free
    from ..publish.upload import check_token, repository_id
    from ..variants import find_variant

    spec = find_variant(args.model)
    repository = repository_id(args.to, spec.name)
    if not args.dry_run:
        check_token()
    if args.dry_run and args.out is None:
        args.out = Path(repository.split("/")[1])
    if args.out is not None:
        check_free(args.out)
        check_output(args.out)
        return _publish(args, repository, args.out)
    with tempfile.TemporaryDirectory(prefix="transxnet-publish-") as scratch:
        return _publish(args, repository, Path(scratch) / spec.name)


def _publish(args: argparse.Namespace, repository: str, out: Path) -> int:
    from ..publish.convert import read_source
    from ..publish.folder import make_folder
    from ..publish.upload import DEFAULT_BRANCH, check_published, upload
    from ..variants import find_variant

    source = read_source(find_variant(args.model), args.checkpoint, args.ema)
    revised = repository + (f"@{args.branch}" if args.branch != DEFAULT_BRANCH else "")  # as its card says to load it
    digest = make_folder(source, revised, out)
    files = sorted(out.iterdir())
    for path in files:
        print(f"{path.stat().st_size:>12,} bytes  {path.name}")
    taken = " (its moving average)" if source.averaged else ""
    print(f"verified: loaded back by transxnet and timm, equal to {args.checkpoint.name}{taken} to the bit")
    print(f"stored as {source.stored}; sha256 {digest}")
    place = f"hf-hub:{revised}"
    if args.dry_run:
        print(f"dry run: nothing was uploaded. {out} holds the {len(files)} files that {place} would get")
        return 0
    commit = upload(out, repository, args.branch, args.private)
    check_published(out, repository, commit)
    print(f"published: {place}, commit {commit}")
    print("verified after upload: every file came back from that commit as it was sent")
    return 0
