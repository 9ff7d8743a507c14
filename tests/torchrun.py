"""Commands in several processes of this machine, as torchrun starts them; they talk by gloo over loopback.

`torchrun` is the launcher itself. `ranks` are processes with the same place among each other, forked from one that has
imported torch and this project already: ten seconds of a core less, which is what most tests need.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from torch.distributed.run import get_args_parser

from tests.hub import unused_url

ROOT = Path(__file__).resolve().parent.parent
ALONE = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
PATIENCE = 120  # seconds, at most

forking = get_context("forkserver")
forking.set_forkserver_preload(["transxnet.commands", "transxnet.training"])


def torchrun(*command: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script or `-m MODULE` with its arguments in so many processes: a free port, one thread each, no GPU."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | ALONE
    return subprocess.run([*launcher, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def ranks(*command: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """As `torchrun`, whose own parser takes its options, without the launcher.

    Gives what all of them have written, in their order, and 0 where all have ended well.
    """
    given = get_args_parser().parse_args(command)
    argv = [given.training_script, *given.training_script_args]
    group = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": unused_url().rpartition(":")[2]}
    with tempfile.TemporaryDirectory() as folder:
        started = []
        for rank in map(str, range(processes)):
            environment = os.environ | ALONE | group | {"RANK": rank, "LOCAL_RANK": rank}
            files = tuple(f"{folder}/{rank}.{stream}" for stream in ("out", "err"))
            started.append(forking.Process(target=_run, args=(argv, given.module, environment, files)))
        for one in started:
            one.start()
        for one in started:
            one.join(PATIENCE)
            one.kill()  # where it has not ended
        out, err = (
            "".join(Path(f"{folder}/{rank}.{stream}").read_text() for rank in range(processes))
            for stream in ("out", "err")
        )
    return subprocess.CompletedProcess(command, int(any(one.exitcode for one in started)), out, err)


def _run(argv: list[str], module: bool, environment: dict[str, str], files: tuple[str, str]) -> None:
    """In the forked process: run a module or a script as `python` does, with its words in two files."""
    for stream, path in zip((sys.stdout, sys.stderr), files, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = argv
    if module:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(argv[0], run_name="__main__")
