"""A request of the page that names many models loads none of them, and other requests are answered."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240  # seconds; other processes may share the processor
MAX_GROWTH = 300 * 2**20  # bytes that a refused request may cost, including the visits in between
MANY = ("resnet50", "resnet101", "convnext_tiny", "swin_tiny_patch4_window7_224", "efficientnet_b3", "regnety_032")
FEW = ("pico", "timm:test_resnet@untrained", "timm:test_vit@untrained")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """`python app.py` on a free port, with empty caches and without a network."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    caches = {"HF_HOME": f"{folder}/hf", "XDG_CACHE_HOME": f"{folder}/cache", "GRADIO_TEMP_DIR": f"{folder}/temp"}
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    with open(folder / "log", "wb") as log:
        environ = os.environ | caches | {"HF_HUB_OFFLINE": "1", "TRANSXNET_RELEASE_URL": "http://127.0.0.1:9"}
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT)
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < until
            try:
                httpx.get(f"{url}/config", timeout=PATIENCE).raise_for_status()
                break
            except httpx.TransportError:
                threading.Event().wait(0.1)
        yield SimpleNamespace(url=url, pid=process.pid)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()


def request_view(server: SimpleNamespace, models: Sequence[str] = ()) -> httpx.Response:
    """The response to a new page's request for these models, received to its end."""
    body = {"page": uuid4().hex, "id": 1, "state": {"models": list(models)}}
    return httpx.post(f"{server.url}/lens/view", json=body, timeout=PATIENCE)


def is_complete(response: httpx.Response) -> bool:
    return response.status_code == 200 and json.loads(response.text.splitlines()[-1]) == {"done": True}


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


@pytest.mark.process
def test_many_names_cost_no_memory(server):
    assert is_complete(request_view(server))
    before = resident(server.pid)
    response = request_view(server, [f"timm:{name}@untrained" for name in MANY])
    assert is_complete(response)
    first = json.loads(response.text.splitlines()[0])["state"]
    assert first["state"]["models"] == ["pico"]
    assert "cannot be used and was ignored" in first["notes"][0]
    assert is_complete(request_view(server))
    assert resident(server.pid) - before < MAX_GROWTH
    assert is_complete(request_view(server, FEW))
    assert is_complete(request_view(server))
    assert resident(server.pid) - before < MAX_GROWTH
