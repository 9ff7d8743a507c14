"""Files that belong to the program but are not code: bundled weights, label sets, published values.

In a checkout they lie in assets/, next to this package. A wheel contains them as the package transxnet._assets
(pyproject.toml), so that nothing called "assets" is installed.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

_INSTALLED = "_assets"
_CHECKOUT = "assets"


def find_asset(name: str) -> Path:
    """Find a file or folder of the assets.

    Args:
        name: Its path below assets/, with "/", such as "labels/tiny-imagenet-200.txt".

    Returns:
        Its path on disk, which need not exist.
    """
    return _folder() / name


@cache
def _folder() -> Path:
    package = Path(str(files(__package__)))
    installed = package / _INSTALLED
    return installed if installed.is_dir() else package.parent / _CHECKOUT
