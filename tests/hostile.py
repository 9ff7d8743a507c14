"""Values that a program may send where something else is expected, and what every answer to them has to be."""

from __future__ import annotations

import json
import logging
import re
import traceback
from typing import Any

from hypothesis import strategies as st

PATH = re.compile(r"(?<![\w.])/(?:tmp|home|root|work|usr|opt|proc|var)/|site-packages|Traceback|File \"")
MARK = "zq" * 40  # as long as what a sentence may repeat

# Values as JSON text, because several of them cannot be written by json.dumps, or read by json.loads.
SPECIAL = [
    "null", "true", "false", "0", "-0", "1", "-1", "3.0", "2.5", "-7", "1e9", "1e400", "-1e400", "NaN", "Infinity",
    "-Infinity", "1" + "0" * 400, "9" * 5000, "18446744073709551616", '""', '" "', '"3"', '"NaN"', '"\\ud800"',
    '"a\\u0000b"', '"\\ud83d\\ude00"', '"²"', '"../../etc/passwd"', '"<img src=x onerror=alert(1)>"', '"None"',
    '"timm:"', '"pico@"', '"pico,pico,pico,pico"', '"timm:resnet50@other"', f'"{MARK * 3}"', f'"{MARK * 1000}"',
    f'"{"é" * 5000}"', "[]", "[[]]", "[1]", '["pico"]', '["zeta"]', "{}", '{"a": 1}', '{"path": null}',
    '{"path": 5}', '{"path": "x.jpg", "meta": {"_type": "gradio.FileData"}}',
    '{"path": ["a"], "meta": {"_type": "gradio.FileData"}}', '{"path": "x.jpg", "meta": 3}',
    '{"path": "x.jpg", "meta": {"_type": "gradio.FileData"}, "orig_name": 5, "size": "large"}',
    '{"path": "x.jpg", "meta": {"_type": "gradio.FileData"}, "is_stream": true}', '{"__type__": "update"}',
    '{"path": "%s", "meta": {"_type": "gradio.FileData"}}' % ("x" * 900),
    '{"path": "\\u0000", "meta": {"_type": "gradio.FileData"}}',
    "[" * 30 + "]" * 30, "[" * 900 + "]" * 900, "[" * 100_000 + "]" * 100_000, '{"a":' * 900 + "1" + "}" * 900,
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.sampled_from(["pico", "3", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
).map(json.dumps)
VALUES = st.sampled_from(SPECIAL) | JSON


def check_sentence(message: Any, request: str) -> None:
    """Whether what was said is a sentence for whoever asked. asked: the request, for the test's own message."""
    request = request[:600]
    assert isinstance(message, str), f"no sentence but {message!r:.200}: {request}"
    assert len(message.split()) >= 4, f"{message!r}: {request}"
    assert not PATH.search(message), f"{message!r}: {request}"
    assert MARK not in message, f"more than 80 characters are repeated: {message[:300]!r}: {request}"
    assert len(message) < 1200, f"{message[:300]!r}: {request}"
    message.encode()  # no lone surrogates


class Tracebacks(logging.Handler):
    """Collects what would leave a traceback in the server's log: exceptions that are logged, or printed by Gradio."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.records.append(f"{record.getMessage()}\n{''.join(traceback.format_exception(*record.exc_info))}")

    def print_exc(self, *_: Any, **__: Any) -> None:
        """In the place of traceback.print_exc."""
        self.records.append(traceback.format_exc())

    def check(self, request: str) -> None:
        """Fails if there was one since the last call."""
        records, self.records[:] = list(self.records), []
        assert not records, f"{request[:600]}\n{records[0][-2500:]}"
