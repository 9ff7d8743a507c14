"""Commands in several processes of this machine, as torchrun starts them; they talk by gloo over loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def torchrun(*command: str, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a script or `-m MODULE` with its arguments in so many processes: a free port, one thread each, no GPU."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT)}
    return subprocess.run([*launcher, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
