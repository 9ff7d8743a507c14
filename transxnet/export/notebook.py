"""Show the report of studies in a notebook, in a frame that isolates its styles from those of the notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from ..errors import InvalidValue
from ..images import SourceImage
from ..study import Study
from .files import write_image
from .records import clean, versions
from .report import report


@dataclass(frozen=True)
class NotebookReport:
    """A report that Jupyter and similar notebooks display.

    Attributes:
        html: The report, one self-contained page.
        height: Of the frame, in pixels.
    """

    html: str = field(repr=False)
    height: int

    def _repr_html_(self) -> str:
        # Without the base, an anchor's address is the notebook's. sandbox: nothing in the report is run.
        page = self.html.replace("<head>", '<head><base href="about:srcdoc">', 1)
        style = f"width:100%;height:{self.height}px;border:1px solid #ccc"
        return f'<iframe sandbox title="Explanation report" style="{style}" srcdoc="{escape(page)}"></iframe>'


def show(studies: Study | Sequence[Study], image: SourceImage | None = None, height: int = 800) -> NotebookReport:
    """The report of studies, which a notebook displays as the last value of a cell.

    Args:
        studies: What `transxnet.study.study` returns, or several: of one image by several models, or of several images.
        image: The image that all of them explain, for photos in full resolution; None shows the models' crops.
        height: Of the frame, in pixels.

    Returns:
        An object with the report as `html`; a notebook displays it in a frame. IPython is not needed.

    Raises:
        InvalidValue: There is no study, or `image` is another one.

    Example:
        >>> transxnet.show(study(transxnet.load("pico"), photo), photo)  # doctest: +SKIP
    """
    studies = [studies] if isinstance(studies, Study) else list(studies)
    if not studies:
        raise InvalidValue("There is no study to show.", remedy="Pass what transxnet.study.study returns.")
    if image is not None and any(study.image != image.sha256 for study in studies):
        raise InvalidValue("The image is not the one that was studied.", remedy="Leave it out, or pass that image.")
    rgb = None if image is None else image.rgb
    manifest = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "failed": [], "versions": versions()}
    with tempfile.TemporaryDirectory(prefix="transxnet-report-") as name:
        folder = Path(name)
        images = [
            write_image(folder, str(i), group, rgb, f"Image {group[0].image[:8]}")
            for i, group in enumerate(_by_image(studies))
        ]
        return NotebookReport(report(clean({**manifest, "images": images}), folder), height)


def _by_image(studies: Sequence[Study]) -> list[list[Study]]:
    """Studies of one image by different models belong together."""
    groups: list[list[Study]] = []
    for study in studies:
        fitting = (
            group for group in groups
            if group[0].image == study.image and study.model not in [other.model for other in group]
        )  # fmt: skip
        group = next(fitting, None)
        if group is None:
            groups.append([study])
        else:
            group.append(study)
    return groups
