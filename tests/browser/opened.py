"""A visitor's page, also for several tests of a module: opening it costs more than most of what is tested on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser

from tests.browser.lens import WIDE, Lens


@contextmanager
def opened(chromium: Browser, url: str, view: str = "overview", before: str = "", **more: object) -> Iterator[Lens]:
    """A page in a browser context that no other visitor has, until the block ends.

    Args:
        chromium: The browser.
        url: Of the page, with or without a state.
        view: Whose first answer is waited for.
        before: A script that runs before the page's own.
        more: Options of the browser context.

    Raises:
        AssertionError: At the end, for a console error, an exception, or a request to another machine.
    """
    context = chromium.new_context(**{"viewport": WIDE, "locale": "en-GB", "reduced_motion": "reduce", **more})
    context.add_init_script(before)
    lens = Lens(context.new_page(), url)
    yield lens.open(view)
    context.close()
    assert not lens.problems, lens.problems
    assert not lens.strangers, lens.strangers
