"""What the C library keeps of freed memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

THREADS = """
import sys, threading
from demo.memory import limit_arenas, return_free_memory
if sys.argv[1] == "limited": limit_arenas()
ready, kept = threading.Barrier(9), []

def allocate():  # small blocks, of which every hundredth stays
    blocks = [bytes(1000) for _ in range(5000)]
    kept.append(blocks[::100])
    ready.wait()
    ready.wait()

threads = [threading.Thread(target=allocate, daemon=True) for _ in range(8)]
for thread in threads: thread.start()
ready.wait()
print(sum("-p" in line or "rw-p" in line for line in open("/proc/self/maps", encoding="utf-8")))
ready.wait()
return_free_memory()
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_threads_share_heaps():
    def mappings(limit: str) -> int:
        command = [sys.executable, "-c", THREADS, limit]
        done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, encoding="utf-8", timeout=120)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    assert mappings("limited") < mappings("free")
