"""Files of single maps, decoded: size in pixels and inches, dpi, fonts as text, caption, color bar, manifest, names."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.small_model import image, small_model
from transxnet.draw.styles import marked_position, result_geometry
from transxnet.errors import OutOfRange
from transxnet.export.map_file import map_files
from transxnet.export.map_options import MapFileOptions
from transxnet.study import StudyOptions, study

SVG, DC = "{http://www.w3.org/2000/svg}", "{http://purl.org/dc/elements/1.1/}"
CAPTION, UNITS = "Stage 2, block 2", "weight"
POINTS = 72  # an inch
NAMES = ("attention", "kernels", "grad_cam")


@pytest.fixture(scope="module")
def studies():
    options = StudyOptions(stage=2, position=(30, 40), analyses=NAMES)
    return [study(small_model(), image(), options)]


@pytest.fixture(scope="module")
def draw(studies):
    """draw("attention", format=…): that map's file."""

    def draw_one(name: str, **options) -> bytes:
        only = [replace(one, **{other: None for other in NAMES if other != name}) for one in studies]
        return next(iter(map_files(only, image().rgb, "cat", MapFileOptions(**options)).values()))

    return draw_one


def pdf_streams(data: bytes) -> list[bytes]:
    """The decoded streams of a PDF."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S)
    return [zlib.decompress(one) for one in streams if one[:1] == b"x"]


def pdf_text(data: bytes) -> str:
    """What its text operators show: two bytes a character, as Matplotlib writes TrueType fonts."""
    (page,) = [stream for stream in pdf_streams(data) if b"BT" in stream and b"Tf" in stream]
    lines = []
    for operand in re.findall(rb"BT.*?ET", page, re.S):
        strings = re.findall(rb"\(((?:[^()\\\\]|\\\\.)*)\)", operand, re.S)
        joined = b"".join(re.sub(rb"\\\\(.)", rb"\\1", string) for string in strings)
        lines.append(joined.decode("utf-16-be", "replace"))
    return " ".join(lines)


@pytest.mark.parametrize("width", [3.5, 7.0])
@pytest.mark.parametrize("dpi", [300, 600])
def test_png_has_the_width_in_pixels_and_states_its_dpi(draw, width, dpi):
    with Image.open(io.BytesIO(draw("attention", width=width, dpi=dpi))) as picture:
        assert picture.width == width * dpi
        assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
        manifest = json.loads(picture.text["transxnet-lens"])
    assert manifest["map"] == {"format": "png", "width": width, "dpi": dpi, "caption": True, "color_bar": True}


def test_caption_and_color_bar_can_be_left_out(draw):
    heights = {}
    for caption in (True, False):
        for color_bar in (True, False):
            with Image.open(io.BytesIO(draw("attention", caption=caption, color_bar=color_bar))) as picture:
                heights[caption, color_bar] = picture.height
                rgb = np.asarray(picture.convert("RGB"))
    assert heights[False, False] == 1050  # the map alone, which is square
    assert heights[False, False] < heights[False, True] < heights[True, True]
    assert heights[False, False] < heights[True, False] < heights[True, True]
    assert rgb.std(axis=(0, 1)).min() > 10


@pytest.mark.parametrize("width", [3.5, 7.0])
def test_svg_has_the_size_and_text_as_text(draw, width):
    root = ET.fromstring(draw("attention", format="svg", width=width))
    assert root.get("width") == f"{width * POINTS:g}pt"
    text = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
    assert CAPTION in text
    assert UNITS in text
    assert json.loads(next(root.iter(f"{DC}description")).text)["map"]["width"] == width
    bare = ET.fromstring(draw("attention", format="svg", width=width, caption=False, color_bar=False))
    assert list(bare.iter(f"{SVG}text")) == []
    assert len(list(bare.iter(f"{SVG}image"))) == 1


@pytest.mark.parametrize("width", [3.5, 7.0])
def test_pdf_has_the_size_and_text_as_text(draw, width):
    data = draw("attention", format="pdf", width=width)
    left, bottom, right, top = map(float, re.search(rb"/MediaBox \[([^\]]*)\]", data)[1].split())
    assert (left, bottom, right) == (0, 0, width * POINTS)
    assert top > right
    assert b"/FontFile2" in data  # TrueType, embedded
    assert CAPTION in pdf_text(data)
    assert UNITS in pdf_text(data)
    assert b"/CreationDate" not in data
    bare = draw("attention", format="pdf", width=width, caption=False, color_bar=False)
    assert b"/FontFile2" not in bare
    assert re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", bare).groups() == (f"{width * POINTS:g}".encode(),) * 2


def test_every_format_shows_the_same_map(draw, studies):
    """The brightest place of the attention map, read back from the pixels."""
    with Image.open(io.BytesIO(draw("attention", caption=False, color_bar=False))) as picture:
        png = np.asarray(picture.convert("RGB"))
    data = draw("attention", format="pdf", caption=False, color_bar=False)
    (pixels,) = [stream for stream in pdf_streams(data) if len(stream) > 1e6]
    assert np.array_equal(np.frombuffer(pixels[-png.size :], np.uint8).size, png.size)
    attention = studies[0].attention
    row, column = marked_position(attention)[::-1]
    height, width = result_geometry(attention).input_size
    y, x = int(row / height * png.shape[0]), int(column / width * png.shape[1])
    ring = png[max(0, y - 30) : y + 30, max(0, x - 30) : x + 30]
    assert (ring.min(axis=-1) > 240).any()  # the mark of the query position is white


def test_kernels_keep_whole_pixels_a_tap(draw):
    with Image.open(io.BytesIO(draw("kernels", caption=False, color_bar=False))) as picture:
        rgb = np.asarray(picture.convert("RGB"))
    columns = np.flatnonzero((rgb[:, 1:] != rgb[:, :-1]).any(axis=(0, 2))) + 1  # where colors change
    steps = np.diff(columns)
    assert len(set(steps.tolist())) <= 2  # a tap, and the gap between two kernels
    assert rgb.shape[1] == 1050


def test_names_say_image_model_map_layer_and_class(studies):
    names = list(map_files(studies, image().rgb, "my cat", MapFileOptions("pdf")))
    label = studies[0].target.label.replace(" ", "-")
    assert names[0] == f"my-cat-small-attention-stage2-{label}.pdf"
    assert f"my-cat-small-grad_cam-stage4-{label}.pdf" in names
    assert len(set(names)) == len(names) == 1 + 4 + 2  # kernels in four rows, Grad-CAM also signed


@pytest.mark.parametrize(
    "values", [{"format": "gif"}, {"width": 5.0}, {"dpi": 72}, {"caption": 1}, {"color_bar": "no"}]
)
def test_other_values_are_refused(values):
    with pytest.raises(OutOfRange, match="Choose one of"):
        MapFileOptions(**values)
