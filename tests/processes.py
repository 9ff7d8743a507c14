"""What tests of commands share that start them as processes of their own."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import threading

import pytest

DEADLINE = 220  # seconds; below pytest's own time-out (pyproject.toml), far above what any machine needs
NO_PROXY = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), "")
# A module cv2 of a machine without OpenCV's system libraries.
CV2_WITHOUT_LIBGL = """
raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory", name="cv2")
"""


def printed_url(process: subprocess.Popen[str]) -> str:
    """The address that the page prints once it is served."""
    watchdog, text = threading.Timer(DEADLINE, process.kill), ""
    watchdog.start()
    try:
        for line in process.stdout:
            text += line
            if match := re.search(r"http://\S+", line):
                return match[0]
    finally:
        watchdog.cancel()
    pytest.fail(f"no address in:\n{text}")


def module_address(page: str) -> str:
    """The address of the page's main JavaScript module, relative to the page with this HTML."""
    return re.search(r'<script type="module" src="\./(lens-web/[^"]+)"', page)[1]


def run_with_modules(folder: str, program: str, *arguments: str) -> None:
    """For tests.torchrun.Forked: `python app.py` or `python -m transxnet`, where modules of this folder come first."""
    sys.path.insert(0, folder)
    sys.argv = [program, *arguments]
    if program == "app.py":
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
