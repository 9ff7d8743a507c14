"""Commands in processes of their own on this machine, several of them as torchrun starts them: gloo over loopback.

`torchrun` has the launcher itself. `ranks` are processes with the same place among each other; they and those of
`Forked` come from one that has imported torch and this project already: four seconds of a core less a process, which
is what most tests need.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.distributed.run import get_args_parser

from tests.hub import unused_url

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
PATIENCE = 120  # seconds, at most

forking = get_context("forkserver")
forking.set_forkserver_preload(["transxnet.cli", "transxnet.training"])


def torchrun(function: Callable[..., None], *arguments: object, processes: int = 2) -> None:
    """Run a function as torchrun runs a script: its launcher on a free port, one thread each, no GPU.

    Raises:
        ChildFailedError: A process has failed; its traceback is on standard error.
    """
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, rdzv_backend="c10d", rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1", start_method="forkserver", max_restarts=0,
    )  # fmt: skip
    elastic_launch(config, _in_environment)(function, arguments)


def _in_environment(function: Callable[..., None], arguments: tuple) -> None:
    os.environ.update(ENVIRONMENT)
    function(*arguments)


def ranks(*command: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """As `torchrun`, whose own parser takes its options, without the launcher.

    Gives what all of them have written, in their order, and 0 where all have ended well.
    """
    given = get_args_parser().parse_args(command)
    argv = [given.training_script, *given.training_script_args]
    group = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": unused_url().rpartition(":")[2]}
    started = [
        Forked(*argv, module=given.module, **ENVIRONMENT, **group, RANK=str(rank), LOCAL_RANK=str(rank))
        for rank in range(processes)
    ]
    ended = [process.communicate(PATIENCE) for process in started]
    out, err = ("".join(texts) for texts in zip(*ended, strict=True))
    return subprocess.CompletedProcess(command, int(any(process.returncode for process in started)), out, err)


class Forked:
    """A module, a script or a function on its way in a process of its own, as subprocess.Popen has it.

    what: words of a command line, or a function that a module has under its name, and its arguments. environment: added
    to this process's own; packages that were imported before have read theirs already.
    """

    def __init__(self, *what: object, module: bool = True, **environment: str):
        self._folder = tempfile.TemporaryDirectory()
        self._files = [Path(self._folder.name) / stream for stream in ("out", "err")]
        for path in self._files:
            path.touch()
        self._process = forking.Process(target=_run, args=(what, module, os.environ | environment, self._files))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def communicate(self, timeout: float = PATIENCE) -> tuple[str, str]:
        """What it has written to stdout and stderr when it has ended; where it does not, it is killed."""
        self._process.join(timeout)
        self._process.kill()
        self._process.join()
        with self._folder:
            out, err = (path.read_text(encoding="utf-8") for path in self._files)
        return out, err


def _run(what: tuple, module: bool, environment: dict[str, str], files: list[Path]) -> None:
    """In the forked process: run a module or a script as `python` does, or a function, with its words in two files."""
    for stream, path in zip((sys.stdout, sys.stderr), files, strict=True):
        os.dup2(os.open(path, os.O_WRONLY), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    if callable(what[0]):
        what[0](*what[1:])
        return
    sys.argv = [str(word) for word in what]
    if module:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
