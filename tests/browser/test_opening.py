"""How long a visitor waits: from `python app.py`, and from opening a page that is served, to the first result drawn."""

from __future__ import annotations

import statistics

import pytest

from tests.browser.conftest import Served, serve
from tests.browser.lens import Lens

pytestmark = [pytest.mark.browser, pytest.mark.timing]
USABLE = 15  # seconds from `python app.py` to the first result drawn, on two cores
OPENED = 3  # seconds from opening the page to the first result drawn, on two cores


def test_a_started_page_is_usable_soon(visit, served, capsys):
    seconds = usable(visit, served, capsys)
    if seconds >= USABLE:  # the first start after an installation reads gigabytes from the disk: measure the next
        with serve() as again:
            seconds = usable(visit, again, capsys)
    assert seconds < USABLE


def usable(visit, page: Served, capsys) -> float:
    """Seconds from `python app.py` to the first result without those spent in the queue for a core."""
    waited, slowness = opened(visit, page)
    with capsys.disabled():
        print(
            f"\nusable {page.seconds + waited:.1f} s after `python app.py`, {page.queued:.1f} s of them waiting for "
            f"other programs; slowness of the machine: {slowness:.1f}"
        )
    return (page.seconds - page.queued + waited) / slowness


def test_the_first_result_of_a_page_that_is_served_is_there_sooner(visit, served, capsys):
    """Each visitor's browser is new: nothing is in its cache."""
    visits = [opened(visit, served) for _ in range(3)]
    with capsys.disabled():
        print(f"\nfirst result {', '.join(f'{waited:.1f}' for waited, _ in visits)} s after opening the page")
    assert statistics.median(waited / slowness for waited, slowness in visits) < OPENED


def opened(visit, page: Served) -> tuple[float, float]:
    """A visit that ends when its first result is there: seconds until then, and the slowness of the machine."""
    lens: Lens = visit(page.url)
    slowness = lens.slowness()
    lens.page.context.close()
    return lens.opened, slowness
