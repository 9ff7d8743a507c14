"""The page as visitors have it: `python app.py` as a process of its own, Chromium, and a network that leads nowhere.

* `served` is the page on what is bundled, its other backbones timm's miniatures, untrained: no weights of theirs are
  anywhere here. It reaches the outside through a proxy on loopback that takes every connection and never answers: no
  network, at its worst.
* Each process of pytest-xdist has servers and a Chromium of its own; tests marked `timing` run alone, after the others.
* `visit` opens pages in Chromium, each of another visitor. When the test ends, none may have a console error or an
  exception, and none may have asked another machine for anything. `visitor` is one for all tests of a module, in the
  state in which it was opened: for tests to which nothing else matters, because opening a page takes seconds.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import torch
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from demo.web import head, module_address, modules
from tests.browser.lens import IMPORT_MODULE, PATIENCE, Lens
from tests.browser.opened import opened

ROOT = Path(__file__).parents[2]
MINIATURES = ("timm:test_resnet", "timm:test_convnext", "timm:test_vit")
MODULES_ONLY = "http://modules.test/"  # an address that Playwright answers
START = 120  # seconds to wait for a server, at most
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=PATIENCE)  # other work may share the processor


class SilentProxy:
    """Takes connections on a free port of 127.0.0.1, reads the first line into `asked`, and never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._held: list[socket.socket] = []  # a connection that is closed would be an answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        return {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": "127.0.0.1,localhost"}

    def _take(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connection)
            self.asked.append(connection.recv(4096).decode(errors="replace").splitlines()[0])

    def close(self) -> None:
        for one in (self._listener, *self._held):
            one.close()


@dataclass(frozen=True)
class Served:
    """A running page. proxy: its only way out.

    seconds: from starting the command to the first answer. queued: how much of that its main thread stood ready to
    run while other processes had the processor (proc_pid_schedstat): what a busy machine added.
    """

    url: str
    seconds: float
    queued: float
    proxy: SilentProxy


@contextmanager
def serve(*options: str, **environment: str) -> Iterator[Served]:
    """`python app.py` on a free port until the block ends. Its caches start empty."""
    proxy, port = SilentProxy(), free_port()
    with tempfile.TemporaryDirectory(prefix="transxnet-page-") as folder:
        caches = {"HF_HOME": f"{folder}/hf", "XDG_CACHE_HOME": f"{folder}/cache", "GRADIO_TEMP_DIR": f"{folder}/temp"}
        log = Path(folder) / "log"
        command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), *options]
        began = time.perf_counter()
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | caches | proxy.environment | environment,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, process, log)
            yield Served(url, time.perf_counter() - began, queued(process.pid), proxy)
            process.terminate()
            assert process.wait(60) == 0, log.read_text(encoding="utf-8")
            assert "Traceback" not in log.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")
            assert list((Path(folder) / "temp").iterdir()) == []  # nothing of any visitor is left behind
        finally:
            process.kill()
            proxy.close()


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    """Until the server answers. It is asked again and again, because it tells nobody when it is ready."""
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=START).is_success:
                return
        except httpx.TransportError:
            threading.Event().wait(0.05)
    pytest.fail(f"python app.py did not answer within {START} s:\n{log.read_text(encoding='utf-8')}")


def queued(pid: int) -> float:
    """Seconds a process' main thread has waited for a processor; 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9
    except OSError:
        return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module", autouse=True)  # other tests of the same process have one each
def as_many_threads() -> Iterator[None]:
    """As many as app.py takes: numbers on the page and the library's then agree to the last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serve("--backbones", ",".join(MINIATURES)) as page:
        yield page


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """Chromium with these flags; its windowless build, where there is one."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "no Chromium here: `make setup-dev` installs Debian's"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield browser
        browser.close()


@pytest.fixture(scope="module")  # for the session, its event loop would stand in the way of tests that run one
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def scripts(chromium: Browser) -> Iterator[Page]:
    """A page with the page's own modules only, and no server: importModule(name) imports one."""
    page = chromium.new_page()
    page.add_init_script(IMPORT_MODULE)
    page.route(f"{MODULES_ONLY}**", _serve_module)
    page.goto(MODULES_ONLY)
    page.wait_for_function("window.lens")
    yield page
    page.close()


def _serve_module(route: Route) -> None:
    if route.request.url == MODULES_ONLY:
        route.fulfill(body=f"<html><head>{head()}</head></html>", content_type="text/html")
    elif source := modules().get(route.request.url.removeprefix(urljoin(MODULES_ONLY, module_address("")))):
        route.fulfill(body=source, content_type="text/javascript")
    else:
        route.fulfill(status=404)  # the state of the page, which no server renders here


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Lens]]:
    """visit(url=the bundled page's, viewport=WIDE, …): another visitor's page, as `opened` opens it."""
    with ExitStack() as visitors:

        def open_one(url: str = "", **more: object) -> Lens:
            url = url or request.getfixturevalue("served").url
            return visitors.enter_context(opened(chromium, url, **more))

        yield open_one


@pytest.fixture(scope="module")
def module_visitor(chromium: Browser, served: Served) -> Iterator[Lens]:
    with opened(chromium, served.url) as lens:
        yield lens


@pytest.fixture
def visitor(module_visitor: Lens) -> Iterator[Lens]:
    yield module_visitor.start_over()
    problems, module_visitor.problems = module_visitor.problems, []
    assert (problems, module_visitor.strangers) == ([], [])
