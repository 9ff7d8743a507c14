"""What the page and the command line share: OpenMP's threads, text in any encoding, failed imports explained."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
import unicodedata
from pathlib import Path

from .errors import LensError

INSTALL = 'Run: pip install "transxnet-lens[demo]" or, in a checkout, pip install -r requirements.txt.'
_SCRIPT = re.compile(r"transxnet(-script\.pyw?|\.exe)?")  # what pip calls the console script
_ESCAPE = "transxnet.escape"  # name of an error handler of codecs
_SHARED_LIBRARY = re.compile(r"\blib[\w.+-]*\.so[\w.]*")


def is_console_script() -> bool:
    """Whether the console script `transxnet` started this process. True before the script has imported anything."""
    return bool(sys.argv) and _SCRIPT.fullmatch(os.path.basename(sys.argv[0])) is not None


def program_name() -> str:
    """How the command line was started: "transxnet" by its console script, else "python -m transxnet"."""
    return "transxnet" if is_console_script() else "python -m transxnet"


def limit_spinning() -> None:
    """Let OpenMP's idle threads spin only shortly before they sleep. Has an effect before torch is imported.

    With the default they compete with everything else on a small machine: a batch took four times as long on two busy
    cores. Without any spinning two threads are no faster than one. A value that the environment sets is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")


def escape_unencodable() -> None:
    """Let standard output and error accept any text: characters outside their encoding are printed as \\u5927.

    Consoles of Chinese, Korean and Japanese Windows, and the C locale, cannot represent some characters of messages and
    file names; by default Python raises UnicodeEncodeError. The escapes are JSON's, so that JSON stays valid; those of
    Python's "backslashreplace" are not: \\xe9, \\U0001f600.
    """
    codecs.register_error(_ESCAPE, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a program may have replaced it, or have no console
            stream.reconfigure(errors=_ESCAPE)


def decode_arguments() -> None:
    """Decode the command line as os.fsdecode does, so that a file of any name in it can be opened.

    Python decodes it by the C library, some of whose encodings have characters that Python's codecs lack: to open a
    file whose name holds the byte 80 would raise UnicodeEncodeError in an EUC-KR or GBK locale. Does nothing where the
    encoding is UTF-8, and outside Linux.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return
    try:
        arguments = Path("/proc/self/cmdline").read_bytes().removesuffix(b"\0").split(b"\0")
    except OSError:
        return
    own = sys.argv[1:]
    if own and own == sys.orig_argv[-len(own) :] and len(arguments) == len(sys.orig_argv):  # as they were given
        sys.argv[1:] = map(os.fsdecode, arguments[-len(own) :])


def readable(text: str) -> str:
    """The text on one line: control characters, as in the name of a file, become JSON's escapes."""
    return "".join(json.dumps(c)[1:-1] if unicodedata.category(c) == "Cc" else c for c in text)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Error handler of a codec: JSON's escapes, surrogate pairs above U+FFFF."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def explain_import_error(error: ImportError) -> LensError | None:
    """An error to report instead of a failed import.

    Args:
        error: What `import` raised.

    Returns:
        The error with its remedy, or None if the cause is neither a missing package nor a missing shared library:
        then the traceback is needed.
    """
    package = (error.name or "").partition(".")[0]
    match = _SHARED_LIBRARY.search(str(error))
    library = f"the shared library {match[0]}" if match else "a DLL" if "DLL load failed" in str(error) else ""
    if library:
        remedy = "Install the system package that contains it."
        if package == "cv2" or re.search(r"\blib(GL|gthread|glib)", library):
            remedy = (
                "On Debian and Ubuntu: apt-get install libgl1 libglib2.0-0. If you cannot install system packages: "
                "pip uninstall opencv-python, then pip install opencv-python-headless."
            )
        name = {"cv2": "OpenCV", "": "A Python package"}.get(package, package)
        return LensError(f"{name} cannot load {library}.", remedy=remedy, detail=str(error))
    if isinstance(error, ModuleNotFoundError) and package not in ("", "transxnet", "transxnet_lens", "demo"):
        return LensError(f"The Python package {package} is not installed.", remedy=INSTALL)
    return None
