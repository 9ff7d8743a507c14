"""Names in any script are drawn by fonts of the machine, or by their class number; the search has a fixed order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from transxnet.draw import fonts, text
from transxnet.draw.bars import prediction_bars
from transxnet.draw.canvas import Canvas, Panel
from transxnet.draw.fonts import FALLBACKS, NOTE, family_of, numbered_classes, unprintable_count
from transxnet.draw.text import font, printable, width, wrap
from transxnet.results import Prediction

DOG, CAT = "강아지", "猫咪"


def write_font(path: Path, family: str, characters: str) -> None:
    """A font of a few characters, each of them a filled square of one em."""
    pen = TTGlyphPen(None)
    for i, point in enumerate([(0, 0), (0, 1000), (1000, 1000), (1000, 0)]):
        (pen.lineTo if i else pen.moveTo)(point)
    pen.closePath()
    glyph = pen.glyph()
    names = [".notdef", *(f"g{i}" for i in range(len(characters)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): name for c, name in zip(characters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def forget_fonts() -> None:
    for cached in (
        fonts._families, fonts._characters, fonts._add_new_fonts, fonts.family_of, fonts._fallback_families, text.width
    ):  # fmt: skip
        cached.cache_clear()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with Matplotlib's own fonts; returns a function that installs another one."""
    manager = font_manager.fontManager
    own = [entry for entry in manager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(manager, "ttflist", own)
    files: list[str] = []
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: list(files))
    manager._findfont_cached.cache_clear()
    forget_fonts()

    def install(family: str, characters: str, listed: bool = True) -> None:
        path = tmp_path / f"{family.replace(' ', '')}-Regular.ttf"
        write_font(path, family, characters)
        if listed:
            manager.addfont(path)
        files.append(str(path))
        forget_fonts()

    yield install
    monkeypatch.undo()
    manager._findfont_cached.cache_clear()
    forget_fonts()


def test_fonts_are_searched_in_a_fixed_order(machine):
    machine("Microsoft YaHei", DOG + CAT)
    machine("Malgun Gothic", DOG)
    machine("Not Listed", "ก")
    assert [family_of(c) for c in "a강猫ก"] == ["DejaVu Sans", "Malgun Gothic", "Microsoft YaHei", ""]
    assert font(8, text=f"{CAT} {DOG}").get_family() == ["DejaVu Sans", "Malgun Gothic", "Microsoft YaHei"]
    assert font(8, text="Löwe").get_family() == ["DejaVu Sans"]
    assert printable(f"{DOG} {CAT} ก") == f"{DOG} {CAT} ?"
    order = ["Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo", "Microsoft YaHei"]
    assert sorted(order, key=FALLBACKS.index) == order


def test_fonts_installed_later_are_found(machine):
    """Matplotlib stores its list of fonts, and does not look again."""
    machine("Noto Sans CJK KR", DOG, listed=False)
    machine("Other Sans", CAT, listed=False)
    assert printable(f"{DOG} {CAT}") == f"{DOG} ??"


@pytest.mark.filterwarnings("error:Glyph:UserWarning")
def test_text_is_drawn_and_measured_with_the_fallback(machine):
    machine("Noto Sans CJK KR", DOG)
    assert width("강", 10) == pytest.approx(10, abs=0.2)
    canvas = Canvas(3, 100)
    canvas.text(0.5, 0.1, "강", 20)
    canvas.y = 0.5
    ink = (canvas.to_rgb() < 128).all(axis=2)
    assert ink.sum() == pytest.approx((20 / 72 * 100) ** 2, rel=0.1)
    svg = canvas.to_svg("title")
    assert "강" in svg
    assert "'DejaVu Sans', 'Noto Sans CJK KR', Verdana, sans-serif" in svg


def test_class_without_a_font_is_shown_by_its_number(machine):
    machine("Noto Sans CJK KR", DOG)
    with numbered_classes({DOG: "class 1", CAT: "class 17", "猫": "class 3", "cougar": "class 4"}):
        assert printable(f"{DOG}, {CAT}, 猫, cougar, 狗.jpg") == f"{DOG}, class 17, class 3, cougar, ?.jpg"
        assert printable(f"Predicts {CAT} (class 17), 3%.") == "Predicts class 17, 3%."
        assert printable(f"{CAT}咪") == "???"  # another word
    assert printable(CAT) == "??"


def test_figure_with_replaced_characters_ends_with_a_note(machine):
    for name, noted in ((CAT, True), ("cougar", False)):
        canvas = Canvas()
        canvas.panels([Panel("Predictions", prediction_bars([Prediction(17, "n0", name, 0.5, 1.0)], width=96))])
        svg = canvas.to_svg("title")
        assert (NOTE[:40] in svg) == noted
        canvas.to_rgb()  # the note is not repeated
        assert canvas.to_svg("title").count(NOTE[:40]) == noted


def test_note_leaves_bars_square(machine):
    assert prediction_bars([Prediction(17, "n0", CAT, 0.5, 1.0)], width=96).shape == (96, 96, 3)


def test_long_names_of_east_asian_scripts_wrap(machine):
    machine("Noto Sans CJK SC", CAT)
    lines = wrap(f"Target class: {CAT * 9} (class 17).", 60, 8)
    assert len(lines) > 2
    assert max(width(line, 8) for line in lines) <= 60
    assert "".join(lines).replace(" ", "") == f"Targetclass:{CAT * 9}(class17)."


def test_ascii_text_costs_no_search(monkeypatch):
    monkeypatch.setattr(fonts, "family_of", lambda c: pytest.fail("searched"))
    before = unprintable_count()
    assert printable("cougar, 12.3%") == "cougar, 12.3%"
    assert font(8, text="cougar").get_family() == ["DejaVu Sans"]
    assert unprintable_count() == before


def test_drawing_text_of_other_scripts_gives_pixels(machine):
    """Right-to-left and combining text is shaped, where Matplotlib can; otherwise it is not drawn wrongly."""
    arabic = printable("كلب")
    assert (arabic == "كلب") == fonts.SHAPES_TEXT
    canvas = Canvas(2, 100)
    canvas.text(0.1, 0.1, arabic, 12)
    canvas.y = 0.4
    assert np.ptp(canvas.to_rgb()) > 100
