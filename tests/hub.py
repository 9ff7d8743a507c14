"""A Hub of the tests' own: the few answers of the real one that its client needs, from a folder, on loopback.

    with HubServer(root) as hub:                    # root/NAMESPACE/NAME/{config.json, model.safetensors}
        hub.fail(429, "model.safetensors")          # from now on, for files whose path contains that
        hub.hold(0.5, "model.safetensors")          # sends half of it, then waits for another share, or heal()

A repository's folder is its branch `main`; `revisions/NAME/` inside it holds others. A commit's hash comes from
the files' contents. `family_root()` is a folder with T, S and B by the reference recipe, made once a run.
`use_hub` points huggingface_hub, already imported, at such a server, in whichever process that is. Files under
root/releases/ stand for an author's release page.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import socket
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
import torch
from safetensors.torch import save_file

from tests.hub_uploads import Uploads
from tests.reference import recipe_state
from transxnet.model import TransXNet
from transxnet.timm_registry import pretrained_config
from transxnet.variants import VariantSpec, find_variant

NAMESPACE = "lens-tests"
BLOCK = 1 << 20


@lru_cache(maxsize=1)
def _weights(spec: VariantSpec) -> dict[str, torch.Tensor]:
    with torch.device("meta"):  # no random initialization
        shapes = {key: list(value.shape) for key, value in TransXNet(spec).state_dict().items()}
    return recipe_state(shapes)


def make_repo(root: Path, namespace: str, variant: str, *, revision: str = "", **changes: object) -> Path:
    """root/namespace/<name> in timm's layout, weights by the reference recipe; changes: entries of config.json.

    revision: writes that branch or tag instead of main.
    """
    spec = find_variant(variant)
    folder = root / namespace / spec.name
    folder = folder / "revisions" / revision if revision else folder
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_weights(spec), folder / "model.safetensors")
    config = {
        "architecture": spec.name,
        "num_classes": spec.num_classes,
        "num_features": spec.dims[-1],
        "model_args": {},
        "pretrained_cfg": pretrained_config(spec),
        "sha256": file_digest(folder / "model.safetensors"),
    } | changes
    (folder / "config.json").write_text(
        json.dumps({k: v for k, v in config.items() if v is not None}, indent=1), encoding="utf-8"
    )
    return folder


@cache
def family_root() -> Path:
    """A folder with T, S and B under NAMESPACE (350 MB, removed when Python ends)."""
    root = Path(tempfile.mkdtemp(prefix="transxnet-hub-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for variant in "tsb":
        make_repo(root, NAMESPACE, variant)
    return root


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str, cache_dir: Path) -> None:
    """Point huggingface_hub at a server and an own cache, and spare its back-off, until the test ends."""
    import huggingface_hub.constants as constants
    import huggingface_hub.file_download as file_download
    import huggingface_hub.utils._http as http

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache_dir))
    impatient = SimpleNamespace(**vars(time) | {"sleep": lambda seconds: None})
    for module in (file_download, http):
        monkeypatch.setattr(module, "time", impatient)


def unused_url() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def file_digest(path: Path) -> str:
    """SHA-256, remembered until the file changes: the server tells it in every answer."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@cache
def _digest(path: Path, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def commit_of(folder: Path) -> str:
    """The 40 hex digits that stand for a folder's files as they are now."""
    lines = "".join(f"{p.name} {file_digest(p)}\n" for p in sorted(folder.iterdir()) if p.is_file())
    return hashlib.sha1(lines.encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """What goes wrong with requests whose path contains `where`: an HTTP status, "truncated", "corrupt" or "held"."""

    what: int | str
    where: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    share: float = 1.0  # of a "held" file that is sent before the server waits


class HubServer:
    """The server, on a free port of 127.0.0.1 while the `with` block lasts. requests: (method, path), in order."""

    def __init__(self, root: Path):
        self.root = Path(root)
        self.requests: list[tuple[str, str]] = []
        self.fault: Fault | None = None
        self.tokens: dict[str, set[str]] = {}  # who may upload, and to which namespaces: see tests/hub_uploads.py
        self.objects: dict[str, bytes] = {}
        self.created: dict[str, dict[str, object]] = {}
        self.waiting = threading.Event()  # set once a held file has been sent up to its share
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, what: int | str, where: str = "", **headers: str) -> None:
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        self._set(Fault(what, where, pairs))

    def hold(self, share: float, where: str = "") -> None:
        """Send this share of a file and wait; called again with a larger one, go on to there."""
        self._set(Fault("held", where, share=share))

    def heal(self) -> None:
        self._set(None)

    def _set(self, fault: Fault | None) -> None:
        with self._changed:
            self.waiting.clear()
            self.fault = fault
            self._changed.notify_all()

    def may_send(self, start: int, size: int, path: str) -> int:
        """Up to which byte of a file may be sent. Waits where it is held and all of its share has been sent."""
        with self._changed:
            while (fault := self.fault) and fault.what == "held" and fault.where in path:
                if (end := int(fault.share * size)) > start:
                    return end
                self.waiting.set()
                self._changed.wait()
        return size

    def downloads(self, name: str) -> int:
        """How often a file was asked for, headers alone not counted."""
        return self.count_requests("GET", name)

    def count_requests(self, method: str, name: str) -> int:
        return sum(request_method == method and path.endswith(name) for request_method, path in self.requests)

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.heal()  # whoever waits for a held file need not wait for ever
        self._server.shutdown()
        self._server.server_close()


class _Handler(Uploads, BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append((self.command, path))
        fault = self.hub.fault if self.hub.fault and self.hub.fault.where in path else None
        if fault and isinstance(fault.what, int):
            return self._nothing(fault.what, dict(fault.headers))
        parts = path.split("/")
        if parts[:2] == ["api", "models"]:
            return self._repository_info(parts[2:])
        if parts[0] == "releases":
            return self._release_file(parts[-1], fault, body)
        if len(parts) < 3:
            return self._nothing(404, {"X-Error-Code": "RepoNotFound"})
        if parts[2] == "resolve":
            return self._repository_file(parts, fault, body)
        return self._nothing(404, {"X-Error-Code": "EntryNotFound"})

    def _release_file(self, name: str, fault: Fault | None, body: bool) -> None:
        file = self.hub.root / "releases" / name
        return self._file(file, {}, fault, body) if file.is_file() else self._nothing(404, {})

    def _repository_info(self, parts: list[str]) -> None:
        folder = self._folder("/".join(parts[:2]), parts[3] if parts[2:3] == ["revision"] else "main")
        if folder is not None:
            files = [{"rfilename": path.name} for path in sorted(folder.iterdir()) if path.is_file()]
            repo = "/".join(parts[:2])
            info = {"id": repo, "modelId": repo, "sha": commit_of(folder), "private": False, "siblings": files}
            self._send(200, {"Content-Type": "application/json"}, json.dumps(info).encode())

    def _repository_file(self, parts: list[str], fault: Fault | None, body: bool) -> None:
        folder = self._folder("/".join(parts[:2]), parts[3])
        if folder is None:
            return
        file = folder / "/".join(parts[4:])
        if not file.is_file():
            return self._nothing(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit_of(folder)})
        headers = {"X-Repo-Commit": commit_of(folder), "ETag": f'"{file_digest(file)}"', "Accept-Ranges": "bytes"}
        self._file(file, headers, fault, body)

    def _folder(self, repo: str, revision: str) -> Path | None:
        """The folder of a revision; where there is none, the client has been told so."""
        main = self.hub.root / repo
        if not main.is_dir():
            return self._nothing(404, {"X-Error-Code": "RepoNotFound"})
        for folder in (main, *sorted((main / "revisions").glob("*"))):
            if revision in ("main" if folder == main else folder.name, commit_of(folder)):
                return folder
        return self._nothing(404, {"X-Error-Code": "RevisionNotFound"})

    def _file(self, file: Path, headers: dict[str, str], fault: Fault | None, body: bool) -> None:
        size = file.stat().st_size
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers["Content-Length"] = str(size - start)
        if start:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self.send_response(206 if start else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            with suppress(ConnectionError):  # a client that was killed, or lost its patience
                self._stream(file, start, size, fault.what if fault else "")

    def _stream(self, file: Path, start: int, size: int, fault: int | str) -> None:
        end = size // 2 if fault == "truncated" else size  # asked for the rest, it sends nothing of it either
        with open(file, "rb") as source:
            source.seek(start)
            while start < end:
                allowed = self.hub.may_send(start, size, str(file))
                block = bytearray(source.read(min(BLOCK, min(allowed, end) - start)))
                if fault == "corrupt" and start == 0:
                    block[-1] ^= 0xFF
                self.wfile.write(block)
                start += len(block)
        if fault == "truncated":
            self.close_connection = True

    def _nothing(self, status: int, headers: dict[str, str]) -> None:
        self._send(status, headers, b"")

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
