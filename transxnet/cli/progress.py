"""A tqdm bar for `train` and `evaluate`, drawn only where somebody watches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def progress_bar(unit: str, shown: bool = True) -> Iterator[tqdm]:
    """A bar that counts `unit`s; `advance` moves it. One process of several shows it."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=not (shown and sys.stderr.isatty())) as bar:
        yield bar


def advance(bar: tqdm, done: int, total: int) -> None:
    """Set a bar to `done` of `total`."""
    bar.total = total
    bar.update(done - bar.n)
