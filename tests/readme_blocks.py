"""README's fenced blocks, and what a shell makes of those that hold commands."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

UNIT = "\x1f"  # between words: no README writes it
# Each program that a block may call tells its words instead of running; a shell without PATH finds no other.
TELLERS = "".join(f"{name}() {{ printf '%s{UNIT}' {name} \"$@\"; echo; }}\n" for name in ("python", "torchrun", "make"))


@dataclass(frozen=True)
class Block:
    """One fenced block. line: of its opening fence, from 1."""

    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.language}-line-{self.line}"


def blocks(text: str) -> list[Block]:
    """Every fenced block in order, indented ones and those without a language too. ValueError for one left open."""
    found, start = [], None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if fence := re.match(r"\s*(?:```|~~~)(.*)", line):
            if start is None:
                start, language = number, fence[1].strip()
            else:
                found.append(Block(language, "\n".join(lines[start : number - 1]) + "\n", start))
                start = None
    if start is not None:
        raise ValueError(f"the block of line {start} has no end")
    return found


def commands(text: str) -> list[list[str]]:
    """The commands a POSIX shell would run, as lists of words: loops unrolled, comments gone, variables filled in.

    ValueError, with the shell's words, where it refuses the text or the text calls anything but these three programs:
    `python`, `torchrun`, `make`.
    """
    shell = ["/bin/sh", "-eu", "-c", TELLERS + text]
    done = subprocess.run(shell, env={"PATH": "/nowhere"}, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise ValueError(done.stderr)
    return [line.split(UNIT)[:-1] for line in done.stdout.splitlines()]
