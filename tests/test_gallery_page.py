"""The committed gallery is whole: every image that its page shows lies beside it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

GALLERY = Path(__file__).resolve().parents[1] / "assets" / "gallery"
PAGE = (GALLERY / "README.md").read_text(encoding="utf-8")
TITLES = [
    "Overview", "More maps of the same answer", "All heads at one point", "Attention rollout (approximation)",
    "Receptive field, taken apart", "What does each part do for this image?", "Can these maps be believed?",
    "Do the variants agree?", "Effective receptive field",
]  # fmt: skip


def test_every_image_of_the_page_is_there_and_nothing_else():
    shown = re.findall(r"^!\[[^\]]+\]\(([^)]+)\)$", PAGE, re.MULTILINE)
    assert len(shown) >= 18
    assert sorted([*shown, "README.md"]) == sorted(path.name for path in GALLERY.iterdir())


def test_it_shows_what_the_issue_asked_for_and_by_whom():
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert [title for title in TITLES if title not in titles] == []
    assert re.search(r"^\* `pico`: bundled", PAGE, re.MULTILINE)
    assert re.search(r"^\* `t@untrained`: untrained.*Never trained", PAGE, re.MULTILINE)
    assert "python -m transxnet gallery" in PAGE


def test_it_is_small_enough_to_travel():
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 10e6
