"""The route that serves the page's JavaScript, and what the modules import and define."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

import gradio
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo import web
from demo.ui.components import ROOTS
from demo.ui.language import InLanguage
from transxnet.draw.colormaps import COLORMAPS

IMPORT = re.compile(r"^(?:import|export)\b(?:[^;\"]*?from)? ?\"([^\"]+)\";", re.MULTILINE | re.DOTALL)


@pytest.fixture
def client() -> Iterator[TestClient]:
    behind = [Route("/{path:path}", lambda request: PlainTextResponse("behind"), methods=["GET", "POST"])]
    with TestClient(Starlette(routes=behind, middleware=[Middleware(web.WebModules)])) as client:
        yield client


def address(name: str) -> str:
    return web.module_address(name).removeprefix(".")


def test_every_module_is_served_and_cached_for_ever(client):
    for name, source in web.modules().items():
        response = client.get(address(name))
        assert response.content == source
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    head = client.head(address("main.js"))
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "0000000000000000/main.js", "main.js", "", "HASH/", "HASH/core", "HASH/../../../app.py", "HASH/../__init__.py",
        "HASH//etc/passwd", "HASH/core/../main.js", "HASH/main.js\0", "HASH/css/base.css", "HASH\\main.js",
    ],
)  # fmt: skip
def test_anything_else_below_the_route_is_not_found(path):
    messages = []

    async def send(message: dict) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": f"/lens-web/{path.replace('HASH', web.content_hash())}"}
    asyncio.run(web.WebModules(app=None)(scope, receive=None, send=send))  # the decoded path, as a server hands it over
    assert (messages[0]["status"], messages[1]["body"]) == (404, b"")


def test_other_methods_are_refused_and_other_paths_pass(client):
    assert client.post(address("main.js")).status_code == 405
    assert client.get("/").text == "behind"
    assert client.get("/lens-website").text == "behind"


def test_modules_are_served_below_a_root_path():
    app = Starlette(middleware=[Middleware(web.WebModules)])
    with TestClient(app, root_path="/lens") as client:
        assert client.get(f"/lens{address('main.js')}").status_code == 200


def test_the_hash_changes_with_any_module(monkeypatch):
    before = web.content_hash()
    changed = web.modules() | {"core/dom.js": b"other"}
    monkeypatch.setattr(web, "modules", lambda: changed)
    web.content_hash.cache_clear()
    try:
        assert web.content_hash() != before
    finally:
        web.content_hash.cache_clear()


def test_the_head_preloads_every_module_before_the_entry_point():
    head = web.head()
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)">', head)
    assert preloaded == [web.module_address(name) for name in web.modules()]
    assert head.endswith(f'<script type="module" src="{web.module_address("main.js")}"></script>')
    assert all(link.startswith("./lens-web/") for link in preloaded)  # relative: also behind a proxy path


@pytest.mark.parametrize(("root_path", "path"), [("", "/"), ("/lens", "/lens/")])
def test_the_page_names_the_modules_before_gradios_script(root_path, path):
    template = Path(gradio.__file__).parent / "templates" / "frontend" / "index.html"
    page = HTMLResponse(template.read_text(encoding="utf-8"))

    async def answer(scope: dict, receive: object, send: object) -> None:
        await page(scope, receive, send)

    response = TestClient(InLanguage(answer, head=web.head()), root_path=root_path).get(path)
    assert response.text.count(web.head()) == 1
    assert response.text.index(web.head()) < response.text.index('<script type="module" crossorigin')
    assert int(response.headers["content-length"]) == len(response.content)


def test_every_import_names_a_module_and_every_module_is_imported():
    sources, imported = web.modules(), {"main.js"}
    for name, source in sources.items():
        for target in IMPORT.findall(source.decode()):
            resolved = normpath(join(dirname(name), target))
            assert resolved in sources, f"{name} imports {target}"
            imported.add(resolved)
    assert imported == set(sources)


def test_core_modules_import_neither_widgets_nor_views():
    layers = {"core": ("core",), "widgets": ("core", "widgets"), "views": ("core", "views")}
    for name, source in web.modules().items():
        for target in IMPORT.findall(source.decode()):
            if name != "main.js":
                layer = normpath(join(dirname(name), target)).split("/")[0]
                assert layer in layers[name.split("/")[0]], f"{name} imports {target}"


def test_the_only_global_is_lens():
    text = b"".join(web.modules().values()).decode()
    assigned = set(re.findall(r"\b(?:window|globalThis)\.(\w+)\s*=[^=]", text))
    assert assigned == {"lens", "fetch"}  # fetch: core/upload_errors.js


def test_every_component_of_the_page_is_mounted_by_name():
    names = re.search(r"const WIDGETS = \{(.*?)\};", web.modules()["main.js"].decode(), re.DOTALL)[1]
    assert set(ROOTS) == set(re.findall(r"(\w+): mount", names))


def test_the_generated_module_has_every_color_map():
    source = web.modules()["core/colormaps.js"].decode()
    assert all(f'"{name}"' in source for name in COLORMAPS)
