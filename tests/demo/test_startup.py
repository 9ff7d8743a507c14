"""`python app.py` and `python -m transxnet` as processes: IPv6, and start-ups that cannot work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.processes import (
    CV2_WITHOUT_LIBGL,
    DEADLINE,
    NO_PROXY,
    module_address,
    printed_url,
    run_with_modules,
)
from tests.torchrun import Forked

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def run(*what: object, module: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    """Forked from a process that has imported the library, but neither OpenCV nor Gradio."""
    process = Forked(*what, module=module, **environment)
    output, errors = process.communicate(DEADLINE)
    return subprocess.CompletedProcess(what, process.returncode, output, errors)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_page_opens_on_a_free_port(tmp_path: Path):
    """On IPv6 where the machine has it: for Gradio the harder case; test_wheel gives host and port as options."""
    host = "::1" if has_ipv6() else "127.0.0.1"
    variables = {"GRADIO_SERVER_NAME": host, "GRADIO_SERVER_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-u", "app.py"], cwd=ROOT,
        env=os.environ | NO_PROXY | variables | {"GRADIO_TEMP_DIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )  # fmt: skip
    try:
        url = httpx.URL(printed_url(process))
        assert url.host == host
        assert url.port not in (0, 7860, None)
        page = httpx.get(url, timeout=DEADLINE, trust_env=False)
        assert page.status_code == 200
        script = httpx.get(url.join(module_address(page.text)), timeout=DEADLINE, trust_env=False)
        assert "window.lens = " in script.text
    finally:
        process.terminate()
        assert process.wait(DEADLINE) == 0
        process.stdout.close()


def assert_one_sentence(result: subprocess.CompletedProcess[str], code: int, sentence: str) -> None:
    output = result.stdout + result.stderr
    assert result.returncode == code, output
    assert sentence in output
    assert "Traceback" not in output
    assert "terminate called" not in output
    assert len(result.stderr.strip().splitlines()) <= 2, output  # the sentence, and what the system says


def test_port_in_use_ends_with_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert_one_sentence(run("app.py", "--port", str(port)), 1, f"Port {port} is in use.")


def test_temp_dir_that_cannot_be_made_ends_with_a_sentence():
    result = run("app.py", GRADIO_TEMP_DIR=os.devnull + "/x")
    assert_one_sentence(result, 1, "The folder for temporary files cannot be made.")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["app.py", "--port", "0"], 1),
        (["transxnet", "demo", "--port", "0"], 2),
        (["transxnet", "study", "IMAGE", "--analyses", "grad_cam", "--out", "OUT"], 2),
        (["transxnet", "erf", "IMAGE", "--models", "pico", "--out", "OUT"], 2),
    ],
    ids=["page", "demo", "study", "erf"],
)
def test_missing_libgl_ends_with_a_sentence(tmp_path: Path, command: list[str], code: int):
    from demo.examples import examples

    (tmp_path / "cv2.py").write_text(CV2_WITHOUT_LIBGL, encoding="utf-8")
    names = {"IMAGE": str(examples()[0].path), "OUT": str(tmp_path / "out")}
    result = run(run_with_modules, str(tmp_path), *(names.get(word, word) for word in command))
    assert_one_sentence(result, code, "OpenCV cannot load the shared library libGL.so.1.")
    assert "apt-get install libgl1" in result.stderr
    assert "pip install opencv-python-headless" in result.stderr
