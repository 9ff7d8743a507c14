"""One visitor's page, in the words of the tests: open, look at a view, wait for an answer, read its numbers.

Nothing here sleeps. An answer has arrived when the view's panel carries another serial number than before, holds no
skeleton, every map in it is drawn, and no request waits for an answer any more (core/store.js says so at the root) but
for the figures below it: those who want them wait for them with `drawn`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request
from playwright.sync_api import TimeoutError as NotInTime

from demo.web import module_address

# importModule("core/format.js"): a module of demo/web/js as the page has loaded it.
IMPORT_MODULE = f"""
  window.importModule = (name) => import(new URL("{module_address("")}" + name, document.baseURI).href);
"""

# Gradio's client says so of the stream it closes itself when a page is left.
LEFT = re.compile(r"AbortError: signal is aborted without reason\s+at \S+ \(.*\)\s+at \S+\.close \(")
LONG = 5  # seconds after which what still works counts as long work, which says on the page how far it is
PATIENCE = 150_000  # milliseconds: other work may share the processor; a condition that holds ends the wait at once
WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}

_ARRIVED = """([view, before]) => {
  const panel = document.querySelector(`#panel-${view} .lens-panel`);
  return panel && panel.offsetParent && panel.dataset.serial && panel.dataset.serial !== before
    && !panel.querySelector(".lens-skeleton") && !panel.querySelector(".lens-frame:not(.drawn)");
}"""

# What an answer that has not come leaves behind, for whoever reads of it.
_STANDS = """() => JSON.stringify({
  address: location.href, tab: document.querySelector("#views [role=tab][aria-selected=true]")?.textContent,
  busy: document.documentElement.dataset.lensBusy, told: document.querySelector(".lens-notes")?.innerText,
  toasts: [...document.querySelectorAll("[data-testid=toast-body]")].map((one) => one.innerText),
  fields: [...document.querySelectorAll("#settings input[type=text], #settings textarea")].map((one) => one.value),
  panels: [...document.querySelectorAll(".lens-panel")].map((one) => ({
    in: one.closest("[id]")?.id, serial: one.dataset.serial, seen: Boolean(one.offsetParent),
    skeleton: Boolean(one.querySelector(".lens-skeleton")),
    undrawn: one.querySelectorAll(".lens-frame:not(.drawn)").length,
  })),
})"""

# Median milliseconds in which this browser colors one map and puts it on a canvas.
_MAP_TIME = """() => {
  const side = 352, context = document.createElement("canvas").getContext("2d"), times = [];
  context.canvas.width = context.canvas.height = side;
  for (let round = 0; round < 40; round++) {
    const began = performance.now(), image = context.createImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      const value = 255 * Math.pow((i % 97) / 97, 0.75);
      image.data.set([value, value, value, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[20];
}"""
MAP_TIME = 5.0  # milliseconds, on the machine for which the limits of the timing tests are meant

_QUIET = """(view) => document.documentElement.dataset.lensBusy === "false"
  || document.querySelector(`#figures-${view} .lens-figures-status`)"""


class Lens:
    """problems: console errors and exceptions. asked: every request, as Playwright has it.

    opened: seconds from asking for the page until its first result was drawn.
    """

    def __init__(self, page: Page, url: str):
        self.page, self.url = page, url
        self.problems: list[str] = []
        self.asked: list[Request] = []
        self.opened = float("inf")
        page.set_default_timeout(PATIENCE)
        page.add_init_script(IMPORT_MODULE)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", lambda request: self.asked.append(request))  # a method of a list is no handler

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not LEFT.match(message.text):
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    @property
    def strangers(self) -> list[str]:
        """Addresses beyond this machine that the page asked."""
        here = ("127.0.0.1", "")
        return [r.url[:200] for r in self.asked if (urlsplit(r.url).hostname or "") not in here]

    # ---- acting -----------------------------------------------------------------------------------------

    def open(self, view: str = "overview") -> Lens:
        """The page, with its first result drawn, which its address asks for in this view."""
        began = time.perf_counter()
        self.page.goto(self.url)
        self._arrive(view, None)
        self.opened = time.perf_counter() - began
        self._settle(view)
        self._initial = self.page.evaluate("lens.state")
        return self

    def start_over(self) -> Lens:
        """The state of the page when it was opened, at a tenth of the time: what no field of it holds stays."""
        self.asked.clear()
        self.page.unroute_all()
        self.page.mouse.move(0, 0)
        # The second time, because a change of the image has named the image before it.
        twice = "(initial) => { lens.update(initial); lens.update(initial); scrollTo(0, 0); }"
        self.page.evaluate(twice, self._initial)
        self.page.wait_for_function("document.documentElement.dataset.lensBusy === 'false'")
        self._arrive("overview", None)
        return self

    @contextmanager
    def answer(self, view: str = "overview") -> Iterator[None]:
        """What is done inside is followed by a complete new answer in this view."""
        before = self.serial(view)
        yield
        self._arrive(view, before)
        self._settle(view)

    def _arrive(self, view: str, before: str | None) -> None:
        """Until a panel with another serial number than before is drawn."""
        with self._told(f"no new answer in {view} after {before}"):
            self.page.wait_for_function(_ARRIVED, arg=[view, before])

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """If it does not come in time: what was asked last, and what stands on the page."""
        try:
            yield
        except NotInTime:
            sent = [request.post_data_json for request in self.view_requests()][-3:]
            raise AssertionError(f"{what}; last sent {sent}: {self.page.evaluate(_STANDS)}") from None

    def _settle(self, view: str) -> None:
        """Until nothing else is on its way but figures and what takes long, which has brought nothing for a while."""
        serial = ""
        while (now := self.serial(view)) != serial:
            serial = now
            with suppress(NotInTime):
                self.page.wait_for_function(_QUIET, arg=view, timeout=1000 * LONG)
                return

    def _drawing(self, view: str) -> Locator:
        return self.page.locator(f"#figures-{view} .lens-figures-status")

    def drawn(self, view: str) -> None:
        """Wait for the figures below a view."""
        self.page.locator(f"#figures-{view} .lens-figure").first.wait_for()
        self._drawing(view).wait_for(state="detached")

    def serial(self, view: str) -> str | None:
        return self.page.evaluate(f"document.querySelector('#panel-{view} .lens-panel')?.dataset.serial ?? null")

    def look_at(self, view: str) -> None:
        """Change to a view by its tab."""
        with self.answer(view):
            self.page.locator(f"#tab-{view}-button").click()

    def start(self, view: str) -> None:
        """Press the button that starts the figures below a view which take long."""
        self.page.locator(f"#figures-{view} .lens-stopped button").click()

    def unfold(self) -> None:
        """On a narrow screen: show what else can be chosen."""
        button = self.page.locator("#settings-fold button")
        if button.is_visible() and button.get_attribute("aria-expanded") == "false":
            button.click()

    def compare(self, *names: str, view: str = "overview") -> None:
        """Tick these variants, one after the other, and wait for all of them."""
        for name in names:
            with self.answer(view):
                self.tick(name)

    def tick(self, name: str) -> None:
        self.unfold()
        self.page.locator(f"#variants label:has(input[name='{name}'])").click()

    def without(self, part: str) -> None:
        """Press one of the buttons that set a model without a part beside one with all."""
        self.unfold()
        if not self.page.locator("#parts").is_visible():
            self.page.locator("#more > button").click()
        self.page.locator("#parts").get_by_role("button", name=part, exact=True).click()

    def choose(self, element: str, value: int) -> None:
        """One of a segmented control's values."""
        self.unfold()
        self.page.locator(f"#{element} label:has(input[value='{value}'])").click()

    def send(self, file: Path | dict[str, Any]) -> None:
        """Upload a file."""
        self.page.locator("#upload input[type=file]").set_input_files(file)

    def click_at(self, x: float, y: float) -> None:
        """Click the image at a point, in pixels of the upload."""
        width, height = self.size
        photo = self.photo
        box = photo.bounding_box()
        photo.click(position={"x": (x + 0.5) * box["width"] / width, "y": (y + 0.5) * box["height"] / height})

    def slowness(self) -> float:
        """How many times as long as on the machine for which the limits are meant everything takes now; at least 1."""
        return max(1.0, self.page.evaluate(_MAP_TIME) / MAP_TIME)

    # ---- reading ----------------------------------------------------------------------------------------

    @property
    def photo(self) -> Locator:
        return self.page.locator("#crosshair .lens-photo")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upload."""
        _, _, width, height = self.photo.locator("svg").get_attribute("viewBox").split()
        return int(width), int(height)

    @property
    def position(self) -> tuple[int, int]:
        """Where the crosshair stands, in pixels of the upload."""
        style = self.photo.locator(".lens-ring").get_attribute("style")
        left, top = (float(number) / 100 for number in re.findall(r"([\d.]+)%", style))
        width, height = self.size
        return round(left * width - 0.5), round(top * height - 0.5)

    def panel(self, view: str) -> Locator:
        return self.page.locator(f"#panel-{view} .lens-panel")

    def numbers(self, view: str, kind: str = "frame") -> list[dict[str, str]]:
        """What maps ("frame") or grids of small maps ("tiles") carry as data-…, in the order in which they stand."""
        return self.panel(view).locator(f".lens-{kind}").evaluate_all("all => all.map((one) => ({...one.dataset}))")

    def titles(self, view: str) -> list[str]:
        """Names of the variants: of the rows of the overview, of the columns elsewhere."""
        where = ".lens-row > header" if view == "overview" else ".lens-heads"
        return self.panel(view).locator(f"{where} h3").all_text_contents()

    def canvases(self, view: str) -> list[str]:
        """The pixels of every map, as data URLs."""
        return self.panel(view).locator(".lens-frame canvas").evaluate_all("all => all.map((one) => one.toDataURL())")

    def ticked(self) -> list[str]:
        return self.page.locator("#variants input:checked").evaluate_all("all => all.map((one) => one.name)")

    def view_requests(self) -> list[Request]:
        """The requests by which the page has sent its state."""
        return [r for r in self.asked if r.method == "POST" and r.url.endswith("/lens/view")]

    def events(self) -> int:
        """How often the page has sent its state."""
        return len(self.view_requests())

    def requests(self) -> int:
        """How many requests of any kind the page has made, except whether a model has been loaded meanwhile."""
        return sum(not r.url.endswith("/lens/models") for r in self.asked)

    def settled(self, view: str) -> None:
        """Wait until nothing is on its way to a view but figures, or long work that says how far it is."""
        with self._told(f"{view} did not come"):
            self.panel(view).wait_for()
        self._settle(view)
