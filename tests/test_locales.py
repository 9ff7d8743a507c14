"""The page and the commands as processes in locales whose encoding is not UTF-8.

One interpreter starts in each locale, with an image and a folder whose names no encoding can represent.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from demo.examples import examples
from tests.processes import DEADLINE, NO_PROXY, printed_url
from transxnet.cli.study_images import ENTRY

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAME = "大 사 é.jpg"
PAGES = ("ascii", "gbk")  # where the page is served too: what it does there is the same code in every encoding
LOCALES = {"gbk": ("zh_CN", "GBK"), "euc_kr": ("ko_KR", "EUC-KR"), "cp1252": ("en_US", "CP1252")}


@dataclass
class Ended:
    """A command that has ended: exit code, standard output and standard error."""

    code: int
    output: str
    errors: str


class Processes:
    """The commands under test and then the page, started in one locale by tests/commands_then_page.py."""

    def __init__(self, environment: dict[str, str], encoding: str, folder: Path):
        self.environment, self.encoding, self.out = os.environ | environment, encoding, folder / "결과 ñ"
        self.ended, image = folder / "ended", folder / NAME
        self.ended.mkdir()
        shutil.copyfile(examples()[0].path, image)
        groups = (
            ("--host", "127.0.0.1", "--port", "0") if encoding in PAGES else (),
            ("list", "pico"),
            ("predict", str(image), "--json"),
            ("study", str(image), "--analyses", "grad_cam", "--out", str(self.out)),
        )
        words = [word for group in groups for word in ("--", *group)]
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.commands_then_page", str(self.ended), *words], cwd=ROOT,
            env=self.environment | NO_PROXY | {"GRADIO_TEMP_DIR": str(folder / "temp")},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding=encoding, errors="replace",
        )  # fmt: skip
        if encoding in PAGES:
            self.url = printed_url(self.process)
        else:
            _, errors = self.process.communicate(timeout=DEADLINE)
            assert self.process.returncode == 0, errors

    def command(self, name: str) -> Ended:
        output, errors, code = (
            (self.ended / f"{name}.{suffix}").read_text(encoding=self.encoding, errors="replace")
            for suffix in ("out", "err", "code")
        )
        return Ended(int(code), output, errors)


def locale_environment(encoding: str, folder: Path) -> dict[str, str]:
    """The environment of a locale with this encoding, built from Debian's package `locales`."""
    if encoding == "ascii":
        return {"LC_ALL": "C", "LANG": "C"}
    language, charmap = LOCALES[encoding]
    name = f"{language}.{charmap}"
    command = ["localedef", "--quiet", "-i", language, "-f", charmap, str(folder / name)]
    subprocess.run(command, check=True)
    return {"LOCPATH": str(folder), "LC_ALL": name, "LANG": name}


@pytest.fixture(scope="module", params=["ascii", *LOCALES])
def processes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    environment = locale_environment(request.param, tmp_path_factory.mktemp("locale"))
    processes = Processes(environment | WITHOUT_UTF8, request.param, tmp_path_factory.mktemp(request.param))
    yield processes
    processes.process.kill()
    processes.process.communicate()


def test_python_uses_the_encoding_of_the_locale(processes):
    code = "import codecs, sys; print(codecs.lookup(sys.stdout.encoding).name)"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, env=processes.environment, encoding="ascii").strip() == processes.encoding


def test_list_prints_the_models(processes):
    ended = processes.command("list")
    assert (ended.code, ended.errors) == (0, "")
    assert "pico" in ended.output


def test_predict_prints_a_prediction(processes):
    ended = processes.command("predict")
    assert (ended.code, ended.errors) == (0, "")
    (line,) = ended.output.splitlines()
    result = json.loads(line)
    assert result["predictions"]
    image = result["image"].encode(processes.encoding, "surrogateescape")  # as this locale's Python opens it
    assert image.decode().endswith(NAME)


def test_study_writes_report_and_manifest(processes):
    ended = processes.command("study")
    assert ended.code == 0, ended.errors
    assert "<html" in (processes.out / "report.html").read_text(encoding="utf-8")
    entry = next(processes.out.rglob(ENTRY)).read_text(encoding="utf-8")
    assert ("\\udce5\\udca4\\udca7" in entry) == (processes.encoding == "ascii")  # the three bytes of 大 in UTF-8


def upload_and_predict(client: httpx.Client) -> str:
    """What the page's API predicts for an upload of this name."""
    content = Path(examples()[0].path).read_bytes()
    upload = client.post("/gradio_api/upload", files={"files": (NAME, content, "image/jpeg")})
    assert upload.status_code == 200, upload.text
    image = {"path": upload.json()[0], "orig_name": NAME, "meta": {"_type": "gradio.FileData"}}
    call = client.post("/gradio_api/call/predict", json={"data": [image, "pico", 1, False, 0]})
    return client.get(f"/gradio_api/call/predict/{call.json()['event_id']}").text


@pytest.mark.parametrize("processes", PAGES, indirect=True, scope="module")
def test_page_is_served_and_takes_an_upload(processes):
    with httpx.Client(base_url=processes.url, timeout=DEADLINE, trust_env=False) as client:
        page = client.get("/")
        prediction = upload_and_predict(client)
    assert page.status_code == 200
    assert "main.js" in page.text
    assert '"predictions"' in prediction
    processes.process.terminate()
    _, errors = processes.process.communicate(timeout=DEADLINE)
    assert processes.process.returncode == 0, errors
    assert "Traceback" not in errors
