"""The files of this repository, and what its requirements files list."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
MADE_HERE = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", "artifacts"}  # for copies without .git


def tracked() -> list[Path]:
    """Every committed (or staged) file that exists, relative to the root; in a copy without .git, every file."""
    if (ROOT / ".git").exists():
        command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
        listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8").stdout
        files = [Path(name) for name in listing.split("\0") if name]
    else:
        files = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in MADE_HERE]
            files += [(Path(folder) / name).relative_to(ROOT) for name in names]
    return sorted(path for path in files if (ROOT / path).is_file())


def requirements(name: str) -> list[Requirement]:
    """The requirements of one file, comments and `-r` lines left out."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]
