"""`python -m tests.commands_then_page FOLDER -- OPTION… -- COMMAND… -- COMMAND…`: commands, then the page.

Each COMMAND is `python -m transxnet COMMAND…` in a fork of this process, which shares what they import; output, errors
and exit code become FOLDER/NAME.out, .err and .code. Then this process becomes `python app.py OPTION…`, if there are
options.
"""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from pathlib import Path

import transxnet.cli.study  # noqa: F401 - what the commands import, once
from transxnet.__main__ import main
from transxnet.console import decode_arguments


def run_forked(words: slice) -> None:
    """One command, in a process with the standard streams of an interpreter that has just started.

    The last one is the end of this process's command line, which `main` decodes; of others it would not see that.
    """
    ended = Path(sys.argv[1]) / sys.argv[words][0]
    child = os.fork()
    if child == 0:
        for stream, suffix in ((1, ".out"), (2, ".err")):
            os.dup2(os.open(ended.with_suffix(suffix), os.O_WRONLY | os.O_CREAT), stream)
        if words.stop < len(sys.argv):
            decode_arguments()
        sys.argv[1:] = sys.argv[words]
        code = 1
        try:
            code = main()
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended.with_suffix(".code").write_text(str(code), encoding="ascii")


if __name__ == "__main__":
    starts = [index + 1 for index, word in enumerate(sys.argv) if word == "--"]
    ends = [start - 1 for start in starts[1:]] + [len(sys.argv)]
    options, *commands = map(slice, starts, ends)
    for command in commands:
        run_forked(command)
    sys.argv[1:] = sys.argv[options]
    if len(sys.argv) > 1:
        runpy.run_path("app.py", run_name="__main__")
