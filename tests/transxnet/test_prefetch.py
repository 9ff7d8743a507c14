"""transxnet/prefetch.py: order, exceptions, and how far items are read ahead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from transxnet.prefetch import map_ahead


def test_results_come_in_order():
    with ThreadPoolExecutor(4) as pool:
        assert list(map_ahead(pool, lambda x: x * x, range(20), ahead=3)) == [x * x for x in range(20)]


def test_reads_no_more_than_needed():
    items = iter(range(10))
    with ThreadPoolExecutor(1) as pool:
        results = map_ahead(pool, str, items, ahead=2)
        assert next(results) == "0"
        assert next(items) == 3


def test_exception_is_raised_at_its_result():
    with ThreadPoolExecutor(2) as pool:
        results = map_ahead(pool, lambda x: 1 // x, [1, 0, 1], ahead=2)
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)
