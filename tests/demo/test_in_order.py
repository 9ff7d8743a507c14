"""Events of one visitor begin in the order in which they are asked, through Gradio's own way of running them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import gradio as gr

from demo.in_order import begun
from demo.turns import TURN, Turns
from demo.ui.components import PAGE, Blocks

WAIT = 60


class Clicks:
    """A page of one event, whose handler is slow to change what others build on, and slower to answer."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        self.go_on = threading.Event()
        with Blocks() as self.blocks:
            name, told = gr.Textbox(), gr.Textbox()
            line = {"concurrency_id": PAGE, "concurrency_limit": None}
            name.submit(self.handle, name, told, **line)

    def handle(self, name: str) -> Iterator[str]:
        if name == "broken":
            raise gr.Error(name, print_exception=False)
        time.sleep(0.1 if name == "first" else 0)  # as who decodes an image
        self.changed.append(name)
        begun.get()()
        assert name != "first" or self.go_on.wait(WAIT)
        yield f"answer to {name}"

    async def ask(self, name: str, visitor: str = "ann") -> str:
        found = await self.blocks.process_api(0, [name], session_hash=visitor, iterator=None)
        return found["data"][0]


async def asked(clicks: Clicks, *names: str) -> list[object]:
    return await asyncio.wait_for(asyncio.gather(*map(clicks.ask, names), return_exceptions=True), WAIT)


def test_the_earlier_one_changes_the_session_first_and_is_not_waited_for_any_longer():
    async def run() -> list[str]:
        first = asyncio.create_task(clicks.ask("first"))
        others = [asyncio.create_task(clicks.ask(name)) for name in ("second", "third")]
        answers = [await asyncio.wait_for(other, WAIT) for other in others]
        assert not first.done()
        clicks.go_on.set()
        return [await first, *answers]

    clicks = Clicks()
    assert asyncio.run(run()) == [f"answer to {name}" for name in ("first", "second", "third")]
    assert clicks.changed == ["first", "second", "third"]
    assert clicks.blocks.in_order._last == {}


def test_one_that_fails_or_is_given_up_holds_nobody_up():
    async def run() -> str:
        given_up = asyncio.create_task(clicks.ask("first"))
        waiting = asyncio.create_task(clicks.ask("second"))
        last = asyncio.create_task(clicks.ask("third"))
        await asyncio.sleep(0)
        waiting.cancel()
        given_up.cancel()
        return await asyncio.wait_for(last, WAIT)

    clicks = Clicks()
    clicks.go_on.set()
    broken, answer = asyncio.run(asked(clicks, "broken", "second"))
    assert isinstance(broken, gr.Error)
    assert answer == "answer to second"
    assert asyncio.run(run()) == "answer to third"


def test_nobody_waits_for_another_visitor():
    async def run() -> str:
        first = asyncio.create_task(clicks.ask("first"))
        answer = await asyncio.wait_for(clicks.ask("second", visitor="bob"), WAIT)
        clicks.go_on.set()
        await first
        return answer

    clicks = Clicks()
    assert asyncio.run(run()) == "answer to second"
    assert clicks.changed[0] == "second"


def test_a_step_that_a_newer_answer_overtook_while_it_was_on_its_way_is_left_out():
    """As when its thread, after its last look at whose turn it is, had to wait for the processor."""
    turns = Turns()
    with Blocks() as blocks:
        name, told, more = gr.Textbox(), gr.Textbox(), gr.Textbox()

        def handle(asked: str) -> Iterator[dict]:
            turn = turns.begin("ann")
            if asked == "overtaken":
                turns.begin("ann")
            if asked == "stopped":  # whose last step says so
                turns.stop("ann")
            yield {told: asked, TURN: turn}

        name.submit(handle, name, [told, more], concurrency_id=PAGE)

    async def ask(asked: str) -> list[object]:
        return (await blocks.process_api(0, [asked], session_hash="ann"))["data"]

    nothing = gr.skip()
    assert asyncio.run(ask("in time")) == ["in time", nothing]
    assert asyncio.run(ask("overtaken")) == [nothing, nothing]
    assert asyncio.run(ask("stopped")) == ["stopped", nothing]
