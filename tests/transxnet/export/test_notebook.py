"""transxnet.show: the report of studies as a notebook displays it."""

from __future__ import annotations

import html
import re

import pytest

import transxnet
from tests.fixtures.small_model import image, small_model
from transxnet.errors import InvalidValue
from transxnet.study import Study, StudyOptions, study


def make_study(kind: str = "folder", seed: int = 0) -> Study:
    return study(small_model(kind), image(seed), StudyOptions(stage=1, analyses=("attention", "grad_cam")))


def test_frame_holds_the_whole_report():
    result = make_study()
    shown = transxnet.show(result, image(), height=500)
    frame = shown._repr_html_()
    page = html.unescape(re.fullmatch(r'<iframe sandbox title="Explanation report" style="[^"]*" srcdoc="([^"]*)">'
                                      r"</iframe>", frame)[1])  # fmt: skip
    assert page == shown.html.replace("<head>", '<head><base href="about:srcdoc">', 1)
    assert "height:500px" in frame
    top = result.predictions.top[0]
    assert f"Predictions: {result.model}: {top.label} {100 * top.probability:.1f}%." in page
    assert page.count("data:image/") == 1  # the sheet
    assert "<code></code>" not in page
    assert "base64" not in repr(shown)


def test_photos_have_the_resolution_of_a_given_image():
    result = make_study()
    assert transxnet.show(result).html != transxnet.show(result, image()).html


def test_models_of_one_image_share_its_section():
    studies = [make_study(), make_study("untrained"), make_study(seed=1), make_study()]
    page = transxnet.show(studies).html
    first, second = studies[0].image[:8], studies[2].image[:8]
    assert re.findall(r"<h2[^>]*>(Image \w+)</h2>", page) == [f"Image {name}" for name in (first, second, first)]
    assert page.count("random weights</strong>") == 1


def test_unusable_arguments_are_refused():
    with pytest.raises(InvalidValue, match="There is no study to show"):
        transxnet.show([])
    with pytest.raises(InvalidValue, match="The image is not the one that was studied"):
        transxnet.show(make_study(), image(1))
    with pytest.raises(AttributeError, match="has no attribute 'shows'"):
        transxnet.shows  # noqa: B018
