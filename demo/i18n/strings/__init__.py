"""English text of the page, by key. One module per tab and subject; the part of a key before the dot is the module."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

STRINGS: dict[str, str | dict[str, str]] = {}
for _module in iter_modules(__path__):
    STRINGS |= import_module(f".{_module.name}", __name__).STRINGS
