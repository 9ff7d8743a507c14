"""The committed gallery is whole: every image that its page shows lies beside it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

GALLERY = Path(__file__).resolve().parents[1] / "assets" / "gallery"
PAGE = (GALLERY / "README.md").read_text(encoding="utf-8")
TITLES = [
    "Overview", "More methods for the same prediction", "All heads at one position",
    "Attention rollout (approximation)", "Receptive field, decomposed", "What does each part do for this image?",
    "Sanity checks", "Do the models agree?", "Effective receptive field",
]  # fmt: skip


def test_folder_holds_exactly_the_pages_images():
    shown = re.findall(r"^!\[[^\]]+\]\(([^)]+)\)$", PAGE, re.MULTILINE)
    assert len(shown) >= 18
    assert sorted([*shown, "README.md"]) == sorted(path.name for path in GALLERY.iterdir())


def test_page_shows_figures_models_and_command():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert [title for title in TITLES if title not in titles] == []
    assert re.search(r"^\* `pico`: bundled", PAGE, re.MULTILINE)
    assert re.search(r"^\* `t@untrained`: untrained.*Never trained", PAGE, re.MULTILINE)
    assert "python -m transxnet gallery" in PAGE


def test_gallery_is_smaller_than_ten_megabytes():
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 10e6
