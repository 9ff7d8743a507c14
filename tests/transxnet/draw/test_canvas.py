"""The canvas: images keep their pixels, text wraps, rows grow, and SVG has text as text."""

from __future__ import annotations

import base64
import io
import threading
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from PIL import Image

from transxnet.draw.canvas import Canvas, Panel
from transxnet.draw.figure import Table
from transxnet.draw.overlay import resized
from transxnet.draw.scale import NORMALIZED, Tone, colorbar, colorize
from transxnet.draw.text import width, wrap

PHOTO = np.full((64, 64, 3), 200, np.uint8)
RANDOM = np.random.default_rng(0)
SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


def noise(side: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (side, side, 3), dtype=np.uint8)


def texts(canvas: Canvas) -> list[str]:
    return [text.get_text() for text in canvas.figure.texts]


def test_images_keep_every_pixel_and_position():
    canvas, image = Canvas(2, dpi=100, margin=0), noise(37)
    assert canvas.image(0.5, 0.25, image) == pytest.approx(0.37)
    canvas.y = 1
    page = canvas.to_rgb()
    assert page.shape == (100, 200, 3)
    assert np.array_equal(page[25:62, 50:87], image)
    assert (page[:25] == 255).all()


def test_images_of_given_width_are_scaled():
    canvas, image = Canvas(2, dpi=100, margin=0), noise(10)
    canvas.y += canvas.image(0, 0, image, width=0.4)
    assert np.array_equal(canvas.to_rgb()[:, :40], image.repeat(4, 0).repeat(4, 1))


def test_tiles_are_whole_pixels_in_hairlines():
    kernels = RANDOM.uniform(-1, 1, (2, 7, 7)).astype(np.float32)
    canvas = Canvas(3, dpi=100, margin=0)
    assert canvas.tiles(0.5, 0.6, kernels, (-1, 1), tap=10, gap=5, columns=2) == pytest.approx(0.7)
    canvas.y = 2
    image = canvas.to_rgb()
    expected = colorize(kernels[1], (-1, 1), "RdBu_r", signed=True)
    assert np.array_equal(image[61:131:10, 126:196:10], expected)  # inside a hairline; the second after 70 + 5 pixels
    assert np.array_equal(image[70:131:10, 135:196:10], expected)
    assert (image[60, 50:122] == image[60, 50]).all()  # the hairline
    assert (image[:60] == 255).all()


def test_panels_grow_by_rows():
    def height(count: int) -> int:
        canvas = Canvas()
        canvas.panels([Panel("a", PHOTO)] * count, 3)
        return canvas.to_rgb().shape[0]

    assert height(1) == height(3)
    assert height(4) - height(3) == pytest.approx(height(7) - height(4), abs=1)
    assert height(4) - height(3) > len(PHOTO)


def test_panel_images_of_a_row_share_one_line():
    first, second = noise(40), noise(40)
    canvas = Canvas(2, dpi=100)
    canvas.panels([Panel("short", first), Panel("a title on two lines for sure", second)])
    page = canvas.to_rgb()
    tops = [np.argwhere((page[..., :] == image[0, 0]).all(axis=-1)) for image in (first, second)]
    rows = [
        next(y for y, x in corners if np.array_equal(page[y : y + 40, x : x + 40], image))
        for corners, image in zip(tops, (first, second), strict=True)
    ]
    assert rows[0] == rows[1]


def test_long_titles_break_without_losing_letters():
    canvas = Canvas()
    canvas.panels([Panel("timm:swin_tiny_patch4_window7_224", PHOTO)], 5)
    assert "".join(texts(canvas)) == "timm:swin_tiny_patch4_window7_224"
    assert len(texts(canvas)) == 2


def test_a_panel_without_image_shows_its_caption():
    canvas = Canvas()
    canvas.panels([Panel("Kernels", None, ["Nothing to hold."])], 2)
    assert texts(canvas) == ["Kernels", "Nothing to hold."]


def test_color_bars_show_ends_and_units():
    canvas = Canvas(3, margin=0)
    height = canvas.color_bar((0.0, 0.5), "weight")
    assert texts(canvas) == ["0", "0.5", "weight"]
    canvas.y += height
    assert np.array_equal(canvas.to_rgb()[:13, :480], colorbar((0.0, 0.5), size=(13, 480)))
    narrow = Canvas(1, margin=0)
    assert narrow.color_bar((-2.0, 1.0), "units that are too long", decades=True) > height
    assert texts(narrow)[:2] == ["≤ 0.01", "10"]
    normalized = Canvas(3)
    normalized.color_bar((0.0, 1.0), "", tone=Tone(mode=NORMALIZED))
    assert texts(normalized)[:2] == ["map minimum", "map maximum"]


def test_tables_with_many_columns_and_one_row_are_transposed():
    wide, tall = Canvas(20), Canvas(20)
    head = tuple("abcdefgh")
    wide.table("Numbers", Table(head, [tuple("12345678")] * 8))
    tall.table("Numbers", Table(head, [tuple("12345678")]))
    assert texts(wide)[1:9] == list(head)
    assert texts(tall)[1:5] == ["a", "1", "b", "2"]


def test_wrapped_text_stays_in_its_room():
    canvas = Canvas(2)
    text = "several words that need more than a line " * 3
    assert canvas.wrapped(0, 0, text, 1.5) == pytest.approx(len(wrap(text, 108, 8)) * 8 * 1.35 / 72)
    assert max(width(line, 8) for line in texts(canvas)) <= 108


def test_svg_embeds_exact_pixels_and_keeps_text():
    canvas, image = Canvas(2, dpi=100), noise(31)
    canvas.text(0.1, 0.1, "a <b> & Löwe")
    canvas.image(0.5, 0.25, image, 'what "it" shows')
    canvas.y = 1
    root = ET.fromstring(canvas.to_svg("A title", '{"key": "<value>"}'))
    (element,) = root.iter(f"{SVG}image")
    assert element.get("aria-label") == 'what "it" shows'
    png = Image.open(io.BytesIO(base64.b64decode(element.get(HREF).partition("base64,")[2])))
    assert np.array_equal(np.asarray(png.convert("RGB")), image)
    assert [text.text for text in root.iter(f"{SVG}text")] == ["a <b> & Löwe"]
    assert root.find(f"{SVG}title").text == "A title"
    description = "{http://purl.org/dc/elements/1.1/}description"
    assert [node.text for node in root.iter(description)] == ['{"key": "<value>"}']
    assert {element.get(HREF)[:5] for element in root.iter() if element.get(HREF)} == {"data:"}


def test_svg_settings_do_not_leak_and_threads_agree():
    before, files = dict(matplotlib.rcParams), []

    def draw() -> None:
        canvas = Canvas(2)
        canvas.text(0.1, 0.1, "text")
        canvas.y = 1
        files.append(canvas.to_svg("title"))

    threads = [threading.Thread(target=draw) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files) == 6
    assert len(set(files)) == 1
    assert ">text</text>" in files[0]
    assert dict(matplotlib.rcParams) == before


def test_resized_averages_or_repeats():
    values = np.arange(16, dtype=float).reshape(4, 4)
    assert resized(values, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert resized(values, 8).tolist() == values.repeat(2, axis=0).repeat(2, axis=1).tolist()
    assert resized(PHOTO, 10).dtype == np.uint8
