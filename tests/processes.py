"""What tests of commands share that start them as processes of their own."""

from __future__ import annotations

import re
import subprocess
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
