"""What the loopback Hub answers while somebody uploads: repositories, branches, LFS objects, commits.

    hub.tokens = {"hf_owner": {"lens-tests"}}       # who may write where; nobody, until a test says so

Mixed into the handler of tests/hub.py. A commit is made whole or not at all, as on the real Hub: first all its files
are there, then they get their names. Endpoints as huggingface_hub 1 and 2 use them without Xet, whose storage speaks a
protocol of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

Json = dict[str, object]


class Uploads:
    """do_POST and do_PUT. `hub` also keeps objects (digest -> bytes) and created (repository -> how)."""

    def do_POST(self) -> None:
        path, body = self._begin()
        if path is None or not self._may(path):
            return
        parts = path.split("/")
        if path == "api/validate-yaml":
            self._json(200, {"warnings": [], "errors": []})
        elif path == "api/repos/create":
            self._create(json.loads(body))
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body)["objects"])
        elif parts[4] == "preupload":
            self._upload_modes(self._revision(parts), json.loads(body)["files"])
        elif parts[4] == "branch":
            self._branch(parts)
        elif parts[4] == "commit":
            self._commit(self._revision(parts), "/".join(parts[2:4]), [json.loads(line) for line in body.splitlines()])

    def do_PUT(self) -> None:
        path, body = self._begin()
        if path is not None:
            is_complete = hashlib.sha256(body).hexdigest() == path.split("/")[1]
            if is_complete:
                self.hub.objects[path.split("/")[1]] = body
            self._json(200 if is_complete else 400, {})

    def _begin(self) -> tuple[str | None, bytes]:
        """The path and what was sent to it; None where a fault has been answered already."""
        path, body = unquote(urlsplit(self.path).path).strip("/"), self._body()
        self.hub.requests.append((self.command, path))
        fault = self.hub.fault
        if fault and fault.where in path:
            if fault.what == "cut":
                self.close_connection = True
                return None, b""
            if isinstance(fault.what, int):
                self._json(fault.what, {"error": "because the test said so"}, dict(fault.headers))
                return None, b""
        return path, body

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _may(self, path: str) -> bool:
        """Whether the token may write there; where not, the client has been told so."""
        namespaces = self.hub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if namespaces is None:
            self._json(401, {}, {"X-Error-Message": "Invalid credentials in Authorization header"})
            return False
        parts = path.split("/")
        namespace = parts[2] if parts[:2] == ["api", "models"] else parts[0]
        if namespace != "api" and namespace not in namespaces:
            self._json(403, {"error": "no write permission"})
            return False
        return True

    def _create(self, request: Json) -> None:
        namespace, name = request["organization"], request["name"]
        if namespace not in self.hub.tokens[self.headers["Authorization"].removeprefix("Bearer ")]:
            return self._json(403, {"error": f"You don't have the rights to create a model under {namespace}"})
        folder = self.hub.root / namespace / name
        existing = folder.is_dir()
        if not existing:
            folder.mkdir(parents=True)
            (folder / ".gitattributes").write_text(
                "*.safetensors filter=lfs diff=lfs merge=lfs -text\n", encoding="utf-8"
            )
            self.hub.created[f"{namespace}/{name}"] = request
        self._json(409 if existing else 200, {"url": f"{self.hub.url}/{namespace}/{name}"})

    def _branch(self, parts: list[str]) -> None:
        main = self.hub.root / parts[2] / parts[3]
        branch = main / "revisions" / parts[5]
        existing = branch.is_dir()
        if not existing:
            shutil.copytree(main, branch, ignore=shutil.ignore_patterns("revisions"))
        self._json(409 if existing else 200, {})

    def _revision(self, parts: list[str]) -> Path:
        main = self.hub.root / parts[2] / parts[3]
        return main if parts[5] == "main" else main / "revisions" / parts[5]

    def _upload_modes(self, folder: Path, files: list[Json]) -> None:
        """Weights go to LFS, other files into the commit; `oid` is what is there already, by either's digest."""
        answers = []
        for file in files:
            lfs, existing = file["path"].endswith(".safetensors"), folder / file["path"]
            data = existing.read_bytes() if existing.is_file() else None
            oid = None if data is None else hashlib.sha256(data).hexdigest() if lfs else _git_hash(data)
            mode = "lfs" if lfs else "regular"
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._json(200, {"files": answers})

    def _batch(self, objects: list[Json]) -> None:
        answers = []
        for entry in objects:
            upload = {"upload": {"href": f"{self.hub.url}/lfs/{entry['oid']}"}}
            answers.append(entry if entry["oid"] in self.hub.objects else entry | {"actions": upload})
        self._json(200, {"transfer": "basic", "objects": answers})

    def _commit(self, folder: Path, repo: str, lines: list[Json]) -> None:
        from tests.hub import commit_of

        files = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        for name, data in files.items():
            (folder / f".{name}.part").write_bytes(data)
        for name in files:
            os.replace(folder / f".{name}.part", folder / name)
        commit = commit_of(folder)
        self._json(200, {"commitUrl": f"{self.hub.url}/{repo}/commit/{commit}", "commitOid": commit})

    def _json(self, status: int, content: Json, headers: dict[str, str] | None = None) -> None:
        self._send(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(content).encode())


def _git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
