"""Fonts of this machine for characters that DejaVu Sans lacks, and what replaces characters that no font has.

DejaVu Sans ships inside Matplotlib. Any other character is looked for in the families of FALLBACKS, in this order, so
that a machine draws the same text always the same way. Text of characters that DejaVu Sans has costs no search. Fonts
are read once a process; those installed after Matplotlib wrote its list of fonts are added when one is missing.

Where no font has a character, `printable` (text.py) writes "?", and a class name becomes its number within
`numbered_classes`; a canvas on which that happened ends with NOTE.
"""

from __future__ import annotations

import re
import sys
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path

import matplotlib
from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager, get_font

FAMILY = "DejaVu Sans"
_NOTO_SCRIPTS = (
    "Arabic", "Hebrew", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Tamil", "Telugu", "Kannada", "Malayalam",
    "Sinhala", "Thai", "Lao", "Khmer", "Myanmar", "Ethiopic", "Armenian", "Georgian", "Symbols", "Symbols 2",
)  # fmt: skip
FALLBACKS = (
    # Chinese, Japanese, Korean
    "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans CJK TC", "Noto Sans SC", "Noto Sans KR",
    "Noto Sans JP", "Source Han Sans SC", "Source Han Sans K", "Malgun Gothic", "Apple SD Gothic Neo", "NanumGothic",
    "AppleGothic", "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Yu Gothic", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    # other scripts
    "Noto Sans", *(f"Noto Sans {script}" for script in _NOTO_SCRIPTS),
    "Segoe UI", "Nirmala UI", "Leelawadee UI", "Geeza Pro", "Arial Hebrew", "Kohinoor Devanagari", "Thonburi",
    "Segoe UI Symbol", "Segoe UI Emoji", "Noto Emoji", "Arial Unicode MS", "Tahoma",
)  # fmt: skip
NOTE = (
    "No font of this machine has some characters of the names: classes appear as their numbers, other characters as "
    "“?”. Fonts such as Noto Sans CJK add them."
)
# Before 3.11, Matplotlib draws letters one by one from left to right.
SHAPES_TEXT = matplotlib.__version_info__[:2] >= (3, 11)
_BRAHMIC = range(0x0900, 0x1100)  # Devanagari to Myanmar: letters join, and change their order
_FILES = (  # how the files of FALLBACKS begin
    "notosans", "notoemoji", "sourcehansans", "malgun", "applesdgothic", "applegothic", "nanumgothic", "msyh",
    "pingfang", "hiragino", "yugoth", "simhei", "wqy", "droidsansfallback", "segoeui", "seguisym", "seguiemj",
    "nirmala", "leelawui", "geezapro", "arialhb", "kohinoor", "thonburi", "arialuni", "tahoma",
)  # fmt: skip
_lock = threading.RLock()
_drawing = threading.local()  # of the thread that draws: `names`, and the number of texts that lacked characters


def fallback_families(text: str) -> tuple[str, ...]:
    """The families that a text needs besides DejaVu Sans, in the order of FALLBACKS."""
    return () if text.isascii() else _fallback_families(text)


@lru_cache(8192)
def _fallback_families(text: str) -> tuple[str, ...]:
    needed = {family_of(c) for c in text}
    return tuple(family for family in FALLBACKS if family in needed)


@lru_cache(65536)
def family_of(character: str) -> str:
    """The first family that has a character; '' where none has, or Matplotlib cannot draw its script."""
    code = ord(character)
    if not SHAPES_TEXT and (unicodedata.bidirectional(character) in ("R", "AL") or code in _BRAHMIC):
        return ""
    if code in _characters(FAMILY):
        return FAMILY
    family = next((family for family in FALLBACKS if code in _characters(family)), "")
    if not family and _add_new_fonts():
        family = next((family for family in FALLBACKS if code in _characters(family)), "")
    return family


def lacks_characters(text: str) -> bool:
    """Whether no font has some character of a text."""
    return not text.isascii() and not all(c.isspace() or family_of(c) for c in text)


@cache
def _characters(family: str) -> frozenset[int]:
    """Code points of a family; none where it is not installed."""
    if family not in _families():
        return frozenset()
    with _lock:
        try:
            return frozenset(get_font(findfont(FontProperties(family=family), fallback_to_default=False)).get_charmap())
        except (ValueError, OSError, RuntimeError):  # RuntimeError: FreeType cannot read the file
            return frozenset()


@cache
def _families() -> frozenset[str]:
    return frozenset(entry.name for entry in fontManager.ttflist)


@cache
def _add_new_fonts() -> bool:
    """Add the fonts of FALLBACKS that are missing in Matplotlib's stored list; whether there were any.

    macOS has those fonts from the start, and listing its fonts takes seconds.
    """
    if sys.platform == "darwin":
        return False
    with _lock:
        known = {entry.fname for entry in fontManager.ttflist}
        added = 0
        for path in sorted(findSystemFonts()):
            if path not in known and re.sub(r"[^a-z0-9]", "", Path(path).stem.lower()).startswith(_FILES):
                try:
                    fontManager.addfont(path)
                    added += 1
                except (ValueError, OSError, RuntimeError):  # a font that FreeType cannot read
                    continue
        if added:
            _families.cache_clear()
            _characters.cache_clear()
    return added > 0


# --- what no font has -------------------------------------------------------------------------------------------------


@contextmanager
def numbered_classes(numbers: Mapping[str, str]) -> Iterator[None]:
    """Within it, class names that no font can draw are replaced, in this thread.

    Args:
        numbers: "class 17" by class name; names that can be drawn are ignored.
    """
    before = getattr(_drawing, "names", None)
    lacking = {" ".join(name.split()): number for name, number in numbers.items() if lacks_characters(name)}
    longest_first = sorted(lacking, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if lacking else None
    _drawing.names = pattern and (pattern, lacking)
    try:
        yield
    finally:
        _drawing.names = before


def replace_unprintable(text: str) -> str:
    """The text with the number of each class, and "?" for each other character, that no font has."""
    if not lacks_characters(text):
        return text
    _drawing.count = unprintable_count() + 1
    if names := getattr(_drawing, "names", None):
        pattern, numbers = names
        text = pattern.sub(lambda match: numbers[match[0]], text)
        text = re.sub(r"\b(class \d+) \(\1\)", r"\1", text)  # a caption that names the number as well
    return "".join(c if c.isspace() or family_of(c) else "?" for c in text)


def unprintable_count() -> int:
    """How many texts with such characters this thread has drawn so far."""
    return getattr(_drawing, "count", 0)
