"""`transxnet` or `python -m transxnet`: list, predict, study, erf, gallery, train, evaluate, publish, demo, …

Exit codes: 0 success; 1 some images failed, the others are finished; 2 invalid arguments, or nothing could be done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .cli import add_commands
from .console import decode_arguments, escape_unencodable, explain_import_error, program_name
from .errors import LensError
from .output import explain_storage_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; SystemExit(2) for arguments that argparse refuses."""
    escape_unencodable()
    if argv is None:
        decode_arguments()
    args = parser().parse_args(argv)
    args.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return args.run(args)
    except LensError as error:
        return _report(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of `… | head` has exited; buffered output must not raise again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        explained = explain_import_error(error) if isinstance(error, ImportError) else explain_storage_error(error)
        if explained is None:
            raise
        return _report(explained)


def _report(error: LensError) -> int:
    """Print an error and its details; return the exit code."""
    print(f"transxnet: {error}", *filter(None, [error.detail]), sep="\n", file=sys.stderr)
    return 2


def parser() -> argparse.ArgumentParser:
    """The parser of all commands. Each sets `run`, a function of the parsed arguments that returns the exit code."""
    top = argparse.ArgumentParser(
        prog=program_name(), description="Explain what TransXNet predicts for an image. COMMAND --help: options."
    )
    add_commands(top.add_subparsers(title="commands", metavar="COMMAND", required=True))
    return top


if __name__ == "__main__":
    sys.exit(main())
