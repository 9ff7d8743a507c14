"""Headers of responses: what the page may load, and which sites may show it in a frame."""

from __future__ import annotations

import base64
import hashlib
import re
from argparse import Namespace
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest

from demo.http_policy import FRAMED_BY, MAX_BODY, policy, script_hashes
from demo.server import frame_sources, launch_options
from demo.ui.components import Blocks
from transxnet.errors import OutOfRange

SELF = "'self'"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page launched with our options."""
    with Blocks(analytics_enabled=False) as blocks:
        gr.Textbox()
    blocks.queue(api_open=False)
    options = launch_options(Namespace(host="127.0.0.1", quiet=True, frame_ancestors=["https://lens.example"]))
    _, address, _ = blocks.launch(prevent_thread_lock=True, **options)
    yield address.rstrip("/")
    blocks.close(verbose=False)


def directives(text: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in text.split("; "))}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200), ("HEAD", "/", 200), ("GET", "/config", 200), ("GET", "/nowhere", 404),
        ("GET", "/gradio_api/file=/etc/passwd", 403), ("POST", "/gradio_api/queue/join", 413),
        ("GET", "/gradio_api/queue/data", 422), ("POST", "/gradio_api/upload", 400), ("GET", "/theme.css", 200),
        ("GET", "/gradio_api/startup-events", 200), ("PUT", "/", 405),
    ],
)  # fmt: skip
def test_every_response_has_the_headers(url, method, path, status):
    body = b"x" * (MAX_BODY + 1) if status == 413 else b""
    response = httpx.request(method, url + path, content=body)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert "x-frame-options" not in response.headers  # it cannot name several sites
    sources = directives(response.headers["content-security-policy"])
    scripts = [source for source in sources["script-src"] if not source.startswith("'sha256-")]
    assert sources | {"script-src": scripts} == {
        "default-src": [SELF], "connect-src": [SELF], "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "data:", "blob:"], "object-src": ["'none'"], "base-uri": [SELF],
        "script-src": [SELF, "'unsafe-eval'"], "style-src": [SELF, "'unsafe-inline'"], "font-src": [SELF],
        "worker-src": [SELF],
        "frame-ancestors": [
            SELF, "https://huggingface.co", "https://*.hf.space", "http://localhost:*", "http://127.0.0.1:*",
            "https://lens.example",
        ],
    }  # fmt: skip


def test_each_inline_script_of_the_page_has_its_hash(url):
    response = httpx.get(url)
    texts = re.findall(r"<script[^>]*>([^<]+)</script>", response.text)
    assert len(texts) >= 5
    assert response.headers["content-length"] == str(len(response.content)) or "content-encoding" in response.headers
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts}
    allowed = directives(response.headers["content-security-policy"])["script-src"]
    assert hashes <= set(allowed)
    assert "'unsafe-inline'" not in allowed
    assert len(response.headers["content-security-policy"]) < 1500  # nginx holds 4 kB of headers


def test_scripts_with_a_source_have_no_hash():
    assert script_hashes(b'<script src="a.js"></script><SCRIPT type="module" src="b.js"></SCRIPT >') == []
    assert len(script_hashes(b"<script>1</script><script>1</script><script>2</script>")) == 2


def test_public_server_allows_no_page_of_this_machine():
    assert frame_sources(False) == FRAMED_BY == (SELF, "https://huggingface.co", "https://*.hf.space")
    more = ["https://*.example.org:8443", "http://example.org:*", "HTTPS://lens"]
    assert frame_sources(False, more) == (*FRAMED_BY, *more)
    assert policy(frame_sources(False, more)).endswith(f"frame-ancestors {' '.join((*FRAMED_BY, *more))}")


@pytest.mark.parametrize(
    "origin", ["*", "a.org", "https://a b", "https://a;script-src *", "https://a,b", "https://a\r\n", "", "x" * 99]
)
def test_invalid_origin_is_refused(origin):
    with pytest.raises(OutOfRange, match="--frame-ancestors") as error_info:
        launch_options(Namespace(frame_ancestors=[origin]))
    assert len(str(error_info.value)) < 250
