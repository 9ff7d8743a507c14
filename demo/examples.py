"""Examples that need no network: photos shipped inside installed packages. What is not there is left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

from .i18n.translate import tr


@dataclass(frozen=True)
class Example:
    """A photo inside a package, and what it shows."""

    package: str
    file: str
    label: str
    key: str  # of its name

    @cached_property
    def path(self) -> Path:
        return Path(str(files(self.package))) / self.file


_EXAMPLES = (
    Example("gradio", "media_assets/images/cheetah1.jpg", "cheetah", "examples.cheetah"),
    Example("gradio", "media_assets/images/lion.jpg", "lion", "examples.lion"),
    Example("gradio", "media_assets/images/tower.jpg", "tower", "examples.tower"),
    Example("gradio", "media_assets/images/groot.jpeg", "toy figure", "examples.toy_figure"),
    Example("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "portrait", "examples.portrait"),
)


@cache
def examples() -> tuple[Example, ...]:
    """Those of the examples that are on this disk, best first."""
    return tuple(example for example in _EXAMPLES if example.path.is_file())


def example_name(label: str) -> str:
    """Name of the example with this label, in the current locale."""
    return next((tr(example.key) for example in _EXAMPLES if example.label == label), label)
