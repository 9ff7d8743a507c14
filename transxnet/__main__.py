"""python -m transxnet: list, predict, study, erf, gallery, out-of-distribution, train, evaluate, bundle, publish.

--help tells more of each.

Exit codes: 0 all well; 1 some images failed, the others were done; 2 wrong arguments, or nothing could be done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import cli as commands
from .cli import publish as publish
from .cli import training as training
from .console import escape_unencodable, explain_import_error
from .errors import LensError
from .output import explain_storage_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; SystemExit(2) for arguments that argparse refuses."""
    escape_unencodable()
    args = parser().parse_args(argv)
    args.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return args.run(args)
    except LensError as error:
        return _report(error)
    except ImportError as error:
        explained = explain_import_error(error)
        if explained is None:
            raise
        return _report(explained)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `… | head` has seen enough; what is still buffered must not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        full = explain_storage_error(error)
        if full is None:
            raise
        return _report(full)


def _report(error: LensError) -> int:
    """Print an error for whoever ran the command; return the exit code."""
    print(f"transxnet: {error}", *filter(None, [error.detail]), sep="\n", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """All commands, each with `run`: the function of its parsed arguments that returns the exit code."""
    top = argparse.ArgumentParser(
        prog="python -m transxnet", description="See what TransXNet answers for an image, and how it got there."
    )
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commands.add_commands(subparsers)
    training.add_commands(subparsers)
    publish.add_commands(subparsers)
    return top


if __name__ == "__main__":
    sys.exit(main())
