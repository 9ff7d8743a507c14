"""Examples that need no network: photos shipped inside installed packages. What is not there is left out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """A photo inside a package, and what it shows."""

    package: str
    file: str
    label: str

    @property
    def path(self) -> Path:
        return Path(str(files(self.package))) / self.file


_EXAMPLES = (
    Example("gradio", "media_assets/images/cheetah1.jpg", "cheetah"),
    Example("gradio", "media_assets/images/lion.jpg", "lion"),
    Example("gradio", "media_assets/images/tower.jpg", "tower"),
    Example("gradio", "media_assets/images/groot.jpeg", "toy figure"),
    Example("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "portrait"),
)


def examples() -> list[Example]:
    """Those of the examples that are on this disk, best first."""
    return [example for example in _EXAMPLES if example.path.is_file()]
