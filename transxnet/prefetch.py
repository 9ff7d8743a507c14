"""Results of a function computed ahead by threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

T, R = TypeVar("T"), TypeVar("R")


def map_ahead(executor: Executor, function: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """Yield function(item) in the order of the items, as `Executor.map`, but with a bounded number of results.

    Args:
        executor: Runs the function.
        function: Called once for each item.
        items: Read only as far as results are computed.
        ahead: Number of items submitted beyond the one whose result is awaited.
    """
    futures: deque[Future[R]] = deque()
    for item in items:
        futures.append(executor.submit(function, item))
        if len(futures) > ahead:
            yield futures.popleft().result()
    while futures:
        yield futures.popleft().result()
