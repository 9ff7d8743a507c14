"""A page of its own, and an event of one visitor that names many models: none is loaded, and others are answered."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 240  # seconds; other work may share the processor
MORE = 300 * 2**20  # bytes that a refused request may cost, the visitors who come meanwhile included
MANY = ("resnet50", "resnet101", "convnext_tiny", "swin_tiny_patch4_window7_224", "efficientnet_b3", "regnety_032")
FEW = ("pico", "timm:test_resnet@untrained", "timm:test_vit@untrained")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """`python app.py` on a free port; its caches are empty, and no network is there."""
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
                config = httpx.get(f"{url}/config", timeout=PATIENCE).json()
                break
            except httpx.TransportError:
                threading.Event().wait(0.1)
        yield SimpleNamespace(url=url, config=config, pid=process.pid)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()


def event_of(config: dict, name: str, kind: str = "") -> dict:
    kinds = {one["id"]: one["type"] for one in config["components"]}
    return next(
        one for one in config["dependencies"] for place, event in one["targets"]
        if event == name and (not kind or kinds.get(place) == kind)
    )  # fmt: skip


def send(server: SimpleNamespace, event: dict, session: str, changes: dict[int, Any]) -> dict:
    """The last message of an event's answer. changes: values of components other than their first ones."""
    values = {one["id"]: one["props"].get("value") for one in server.config["components"]} | changes
    body = {"data": [values.get(one) for one in event["inputs"]], "fn_index": event["id"], "session_hash": session}
    api = f"{server.url}/gradio_api/queue"
    body["trigger_id"] = event["targets"][0][0]
    assert httpx.post(f"{api}/join", json=body, timeout=PATIENCE).status_code == 200
    with httpx.stream("GET", f"{api}/data", params={"session_hash": session}, timeout=PATIENCE) as stream:
        for line in stream.iter_lines():
            message = json.loads(line[5:]) if line.startswith("data:") else {}
            if message.get("msg") == "process_completed":
                return message
    raise AssertionError("the stream ended before the answer")


def visit(server: SimpleNamespace) -> str:
    """Open the page as a new visitor; returns the session once it is answered."""
    session = uuid4().hex
    assert send(server, event_of(server.config, "load"), session, {})["success"]
    return session


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


@pytest.mark.process
def test_many_names_cost_no_memory(server):
    session = visit(server)
    chips = event_of(server.config, "input", "checkboxgroup")
    place = chips["targets"][0][0]
    before = resident(server.pid)
    answer = send(server, chips, session, {place: [f"timm:{name}@untrained" for name in MANY]})
    assert not answer["success"]
    assert answer["output"]["error"].startswith("More than 3 models were chosen at once; none was loaded.")
    visit(server)
    assert resident(server.pid) - before < MORE
    assert send(server, chips, session, {place: list(FEW)})["success"]
    visit(server)
    assert resident(server.pid) - before < MORE
