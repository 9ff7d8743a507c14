"""README's fenced blocks, and the commands in those that a shell runs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

SEPARATOR = "\x1f"  # of words: it does not occur in the README
PROGRAMS = ("python", "torchrun", "make", "pip", "transxnet")
# Each program prints its arguments instead of running; a shell without PATH finds no other.
FUNCTIONS = "".join(f"{name}() {{ printf '%s{SEPARATOR}' {name} \"$@\"; echo; }}\n" for name in PROGRAMS)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: After the opening fence.
        text: Between the fences.
        line: Number of the opening fence, from 1.
    """

    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.language}-line-{self.line}"


def blocks(text: str) -> list[Block]:
    """Every fenced block in order, also indented ones and those without language. ValueError for an open block."""
    blocks, start = [], None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if fence := re.match(r"\s*(?:```|~~~)(.*)", line):
            if start is None:
                start, language = number, fence[1].strip()
            else:
                blocks.append(Block(language, "\n".join(lines[start : number - 1]) + "\n", start))
                start = None
    if start is not None:
        raise ValueError(f"the block of line {start} is not closed")
    return blocks


def commands(text: str) -> list[list[str]]:
    """The commands that a POSIX shell would run, as lists of arguments, with loops and variables expanded.

    Raises:
        ValueError: The shell refuses the text, or the text calls another program than PROGRAMS.
    """
    shell = ["/bin/sh", "-eu", "-c", FUNCTIONS + text]
    process = subprocess.run(shell, env={"PATH": "/nowhere"}, capture_output=True, encoding="utf-8")
    if process.returncode:
        raise ValueError(process.stderr)
    return [line.split(SEPARATOR)[:-1] for line in process.stdout.splitlines()]
