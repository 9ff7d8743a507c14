"""The page, as somebody uses it; every number it shows is the one the library computes."""

from __future__ import annotations

import io
import re
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Error, Route

from demo.examples import examples
from demo.i18n.translate import tr, tr_group
from demo.views import VIEWS
from transxnet import load
from transxnet.draw.text import percent
from transxnet.explain.kernels.kernels import REPRESENTATIVE_COUNT
from transxnet.images import decode
from transxnet.labels import label_set
from transxnet.results import AttentionFrom
from transxnet.study import Study, StudyOptions, study
from transxnet.weights.load import LoadedModel

pytestmark = pytest.mark.browser
FIRST, SECOND = (example.path for example in examples()[:2])
UNTRAINED = "pico@untrained"


@cache
def loaded(name: str) -> LoadedModel:
    return load(name)


def library(image: Path | bytes = FIRST, name: str = "pico", position: tuple[int, int] | None = None, **more) -> Study:
    """What the library says of the same image and point; the page looks from the middle at first."""
    decoded = decode(image)
    width, height = decoded.size
    return study(
        loaded(name), decoded, StudyOptions(position=position or ((width - 1) // 2, (height - 1) // 2), **more)
    )


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-6)


def stepped(maps: AttentionFrom) -> object:
    """The largest weight of the mean of heads, from a table in bytes: to half a step."""
    return pytest.approx(float(maps.mean.max()), abs=float(maps.heads.max()) / 510 * 1.001)


def said(numbers: dict[str, str], name: str = "peak") -> float:
    return float(numbers[name])


def check_overview(lens, expected: Study, row: int = 0) -> None:
    """The overview's numbers in one row are those of this study."""
    attention, cam, field = [one for one in lens.numbers("overview") if one["variant"] == expected.model]
    tiles = lens.numbers("overview", "tiles")[row]
    assert said(attention) == near(expected.attention.mean.max())
    assert said(cam) == near(max(expected.grad_cam.heatmap.max(), 0))
    heatmap = expected.receptive_field.heatmap
    assert said(field) == near(heatmap.max() / heatmap.mean())
    assert said(field, "r50") == near(expected.receptive_field.numbers["r50"])
    assert said(field, "total") == near(expected.receptive_field.numbers["total"])
    assert 0 < said(tiles) <= np.abs(expected.kernels.kernels).max() * (1 + 1e-6)


def shares(lens) -> dict[int, float]:
    bars = lens.page.locator("#predictions button.lens-bar")
    return {
        int(one["index"]): float(one["share"]) for one in bars.evaluate_all("a => a.map((one) => ({...one.dataset}))")
    }


def as_png(pixels: np.ndarray) -> dict:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_it_opens_on_the_first_example(visit):
    lens, expected = visit(), library()
    check_overview(lens, expected)
    assert shares(lens) == {a.index: near(a.probability) for a in expected.predictions.top}
    assert "Bundled weights" in lens.panel("overview").text_content()
    assert expected.provenance.sha256[:8] in lens.panel("overview").text_content()


def test_a_photo_and_its_neighbor_of_one_pixel(visitor):
    lens = visitor
    pixels = decode(SECOND).rgb.copy()
    with lens.answer():
        lens.send(as_png(pixels))
    check_overview(lens, library(as_png(pixels)["buffer"]))
    before = lens.numbers("overview")

    height, width = pixels.shape[:2]
    pixels[height // 2, width // 2] ^= 255
    with lens.answer():
        lens.send(as_png(pixels))
    after = lens.numbers("overview")
    check_overview(lens, library(as_png(pixels)["buffer"]))
    assert all(a["peak"] != b["peak"] for a, b in zip(before, after, strict=True))
    assert len(before) == 3


# ---- the crosshair ------------------------------------------------------------------------------------------


def test_a_click_on_the_image_moves_every_map(visitor):
    lens = visitor
    width, height = lens.size
    with lens.answer():
        lens.click_at(0.3 * width, 0.6 * height)
    assert lens.position == (pytest.approx(0.3 * width, abs=2), pytest.approx(0.6 * height, abs=2))
    check_overview(lens, library(position=lens.position))

    field = lens.panel("overview").locator(".lens-frame canvas").last  # a click on a map is a click on the image
    box = field.bounding_box()
    x0, y0, x1, y1 = library().crop.crop_box
    with lens.answer():
        field.click(position={"x": 0.75 * box["width"], "y": 0.25 * box["height"]})
    assert lens.position == (pytest.approx(0.25 * x0 + 0.75 * x1, abs=4), pytest.approx(0.75 * y0 + 0.25 * y1, abs=4))
    check_overview(lens, library(position=lens.position))


def test_arrow_keys_move_the_crosshair_again_and_again(visitor):
    lens = visitor
    (x, y), (width, height) = lens.position, lens.size
    small, big = (max(1, round(max(width, height) / share)) for share in (40, 8))
    lens.photo.focus()
    with lens.answer():
        lens.page.keyboard.press("ArrowRight")
        lens.page.keyboard.press("ArrowUp")
    assert lens.position == (x + small, y - small)
    check_overview(lens, library(position=lens.position))
    with lens.answer():  # the answer has not taken the focus away
        lens.page.keyboard.press("Shift+ArrowLeft")
    assert lens.position == (x + small - big, y - small)
    check_overview(lens, library(position=lens.position))


def test_two_visitors_each_see_their_own(visit):
    one, two = visit(), visit()
    with two.answer():
        two.page.locator("#thumbs button").nth(1).click()
    with two.answer(), one.answer():
        one.click_at(40, 50)
        two.click_at(60, 30)
    check_overview(one, library(FIRST, position=one.position))
    check_overview(two, library(SECOND, position=two.position))
    with one.answer("attention"), two.answer("grad_cam"):
        two.page.locator("#tab-grad_cam-button").click()
        one.page.locator("#tab-attention-button").click()
    assert said(one.numbers("attention")[0]) == stepped(library(FIRST, position=one.position).attention)
    assert said(two.numbers("grad_cam")[0]) == near(library(SECOND).grad_cam.heatmap.max())


# ---- inside the views ---------------------------------------------------------------------------------------


def test_blocks_and_stages_of_attention(visitor):
    lens = visitor
    lens.look_at("attention")
    for stage, block in ((3, 1), (2, 1), (2, 0)):
        for element, value in (("stage", stage), ("block", block)):
            if not lens.page.locator(f"#{element} input[value='{value}']").is_checked():
                with lens.answer("attention"):
                    lens.choose(element, value)
        maps = library(stage=stage, block=block).attention
        assert maps.stage == stage
        assert said(lens.numbers("attention")[0]) == stepped(maps)
        assert said(lens.numbers("attention", "tiles")[0]) == near(maps.heads.max())
        caption = lens.panel("attention").locator("figcaption").first.text_content()
        assert f"stage {stage}" in caption
        assert f"block {maps.block}" in caption


def test_kernels_of_two_stages(visitor):
    lens = visitor
    lens.look_at("kernels")
    for stage in (3, 1):
        if stage != 3:
            with lens.answer("kernels"):
                lens.choose("stage", stage)
        made = library(stage=stage).kernels
        kernels, change, gates = lens.numbers("kernels", "tiles")
        assert 0 < said(kernels) <= np.abs(made.kernels).max() * (1 + 1e-6)
        assert 0 < said(change) <= np.abs(made.kernels - made.static_kernels).max() * (1 + 1e-6)
        assert 0 < said(gates) <= made.gates[0].max() * (1 + 1e-6)
        assert lens.panel("kernels").locator(".lens-tile canvas").count() == 3 * REPRESENTATIVE_COUNT


def test_another_answer_is_explained_by_clicking_its_bar_or_by_name(visitor):
    lens = visitor
    lens.look_at("grad_cam")
    third = library().predictions.top[2]
    with lens.answer("grad_cam"):
        lens.page.locator(f"#predictions button[data-index='{third.index}']").click()
    cam = {"analyses": VIEWS["grad_cam"].maps}
    check_cam(lens, library(target=third.index, **cam), third.label)

    labels = label_set("tiny-imagenet-200")
    index = next(i for i in reversed(range(200)) if i not in shares(lens))
    with lens.answer("grad_cam"):
        box = lens.page.locator("#other input")
        box.click()
        box.fill(labels.names[index])
        lens.page.get_by_role("option", name=labels.names[index], exact=True).first.click()
    check_cam(lens, library(target=index, **cam), labels.names[index])
    assert list(shares(lens))[-1] == index  # below the best five, with its own share
    assert shares(lens)[index] == near(library().predictions.probabilities[index])

    with lens.answer("grad_cam"):
        lens.choose("cam-stage", 2)
    check_cam(lens, library(target=index, cam_layer=2, **cam), labels.names[index])
    with lens.answer("grad_cam"):  # the other stage is not its stage
        lens.choose("stage", 1)
    check_cam(lens, library(target=index, cam_layer=2, **cam), labels.names[index])


def check_cam(lens, expected: Study, label: str) -> None:
    raw, raised, contrast, stages = lens.numbers("grad_cam")
    assert said(raw) == near(expected.grad_cam.heatmap.max())
    assert said(raised) == near(max(expected.grad_cam.heatmap.max(), 0))
    assert said(contrast) == near(expected.contrast.heatmap.max())
    assert said(stages) == near(expected.cam_stages.heatmap.max())
    assert label in lens.panel("grad_cam").locator("figcaption").first.text_content()
    pressed = lens.page.locator("#predictions button[aria-pressed='true']")
    assert int(pressed.get_attribute("data-index")) == expected.target.index


def test_the_receptive_field_of_another_stage(visitor):
    lens = visitor
    lens.look_at("erf")
    for stage in (3, 2):
        if stage != 3:
            with lens.answer("erf"):
                lens.choose("stage", stage)
        numbers = library(stage=stage).receptive_field.numbers
        assert said(lens.numbers("erf")[0], "r50") == near(numbers["r50"])
        assert f" {percent(numbers['r20'])}" in lens.panel("erf").locator("figcaption").first.text_content()


# ---- several variants ---------------------------------------------------------------------------------------


def test_pico_beside_random_weights(visitor):
    lens = visitor
    lens.compare(UNTRAINED)
    trained = library()
    random = library(name=UNTRAINED, target=trained.target.index)
    check_overview(lens, trained, row=0)
    check_overview(lens, random, row=1)
    badges = (
        lens.panel("overview")
        .locator(".lens-row > header")
        .evaluate_all("rows => rows.map((row) => row.querySelectorAll('.lens-badge').length)")
    )
    assert badges == [0, 1]
    assert random.provenance.sha256[:8] in lens.panel("overview").locator(".lens-row > header").nth(1).text_content()

    lens.look_at("attention")
    assert lens.panel("attention").locator(".lens-head").count() == 2
    assert lens.panel("attention").locator(".lens-head").nth(1).locator(".lens-badge").count() == 1
    assert [said(one) for one in lens.numbers("attention")] == [stepped(s.attention) for s in (trained, random)]
    lens.look_at("compare")
    bars = lens.panel("compare").locator(".lens-bars").nth(1).locator(".lens-bar")
    assert int(bars.first.get_attribute("data-index")) == random.predictions.top[0].index
    assert float(bars.first.get_attribute("data-share")) == near(random.predictions.top[0].probability)


def test_what_changes_without_attention(visitor, artifacts):
    """Two models trained alike, one without OSRA: its cell says so in words, the other cells are drawn."""
    lens = visitor
    with lens.answer():
        lens.without("attention")
    assert lens.titles("overview") == ["pico (matched)", "pico (no OSRA)"]
    assert lens.ticked() == ["pico_matched", "pico_noosra"]
    whole, without = lens.panel("overview").locator(".lens-row").all()
    assert (whole.locator(".lens-frame.drawn").count(), without.locator(".lens-frame.drawn").count()) == (3, 2)
    assert "has no OSRA, so there is no attention: its IDConv takes all channels." in without.inner_text()
    lens.page.screenshot(path=artifacts / "without-attention-1440.png", full_page=True)
    with lens.answer():
        lens.tick("pico_noosra")
    assert lens.titles("overview") == ["pico (matched)"]
    assert lens.page.locator("#variants label:has(input[name=pico_noosra])").count() == 0


def test_of_four_variants_the_last_three_stay(visitor):
    lens = visitor
    for name in (UNTRAINED, "s", "b"):
        lens.tick(name)
    lens.page.wait_for_function("document.querySelectorAll('#panel-overview .lens-row').length === 3")
    three = (
        "document.querySelectorAll('#variants input:checked').length === 3"  # so they are for a moment before B, too
    )
    lens.page.wait_for_function(f"{three} && document.querySelector('#variants input[name=b]').checked")
    assert lens.ticked() == ["s", "b", UNTRAINED]  # in the order of the chips
    assert lens.titles("overview") == ["pico (random weights)", "S", "B"]  # in the order in which they were chosen


# ---- drawing, in the browser only ---------------------------------------------------------------------------


def test_opacity_and_colors_redraw_without_asking_the_server(visitor):
    lens = visitor
    page = lens.page
    start, events = lens.canvases("overview"), lens.events()

    page.locator("#display [name=opacity]").fill("0")
    bare = lens.canvases("overview")
    page.locator("#display [name=opacity]").fill("85")
    assert lens.canvases("overview") == start
    assert all(a != b for a, b in zip(start, bare, strict=True))

    page.locator("#display .more").click()
    page.locator("#display [name=colormap]").select_option("viridis")
    green = lens.canvases("overview")
    assert [a != b for a, b in zip(start, green, strict=True)] == [True, True, False]  # the last one is viridis itself
    page.locator("#display [name=colormap]").select_option("")
    assert lens.canvases("overview") == start

    page.locator("#display [name=model_resolution]").check()
    seen = lens.canvases("overview")
    assert all(a != b for a, b in zip(start, seen, strict=True))
    page.locator("#display [name=opacity]").fill("0")
    assert gray(page) == near_gray(library())
    assert lens.events() == events


def gray(page) -> float:
    """Mean gray of the first map's pixels."""
    return page.locator("#panel-overview .lens-frame canvas").first.evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum += (data[i] + data[i + 1] + data[i + 2]) / 3;
          return (4 * sum) / data.length;
        }"""
    )


def near_gray(expected: Study) -> object:
    """The view the model saw, in gray; the ring and rounding move the mean a little."""
    return pytest.approx((expected.crop.rgb @ [0.299, 0.587, 0.114]).mean(), abs=1.5)


# ---- what goes wrong ----------------------------------------------------------------------------------------


def test_t_without_a_network_says_what_was_tried_and_the_rest_goes_on(visitor, served):
    lens = visitor
    lens.tick("t")
    lens.panel("overview").locator(".lens-row").nth(1).locator(".lens-skeleton").wait_for()
    began = time.perf_counter()
    lens.click_at(50, 60)
    lens.page.wait_for_function(
        "(peak) => document.querySelector('#panel-overview .lens-frame')?.dataset.peak !== peak",
        arg=repr(float(library().attention.mean.max())),
    )
    answered = time.perf_counter() - began
    check_overview(lens, library(position=lens.position))
    assert lens.panel("overview").locator(".lens-skeleton").count() == 1  # T is still being looked for

    error = lens.panel("overview").locator(".lens-cell.error")
    error.wait_for()
    assert answered < time.perf_counter() - began < 30
    tried = error.locator("li").all_text_contents()
    assert [one.split(":")[0] for one in tried] == list(tr_group("weights.source_").values())
    assert all(len(one) > 30 for one in tried)
    assert "github.com" in tried[-1]
    assert "/" not in error.text_content().replace("https://", "")
    check_overview(lens, library(position=lens.position))  # pico's row stands beside it
    assert set(served.proxy.asked) == {"CONNECT github.com:443 HTTP/1.0"}  # nobody else was asked, since the start


@pytest.mark.parametrize(
    "file",
    [
        {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"Dear diary, this is no image.\n" * 20},
        as_png(np.zeros((1, 1, 3), np.uint8)),
    ],
    ids=["text", "one pixel"],
)
def test_a_broken_upload_gets_a_sentence_and_the_page_goes_on(visit, file):
    lens = visit()
    lens.send(file)
    toast = lens.page.get_by_test_id("toast-body")
    toast.wait_for()
    sentence = lens.page.get_by_test_id("toast-text").text_content()
    assert len(sentence.split()) > 5
    assert "/" not in sentence
    assert "Traceback" not in sentence
    lens.page.locator("#upload img").wait_for(state="detached")  # what cannot be shown does not stay
    with lens.answer():
        lens.click_at(70, 40)
    check_overview(lens, library(position=lens.position))
    with lens.answer():
        lens.send(as_png(decode(SECOND).rgb))
    check_overview(lens, library(SECOND))


def test_an_upload_without_room_gets_a_sentence(visit):
    lens = visit()
    sentence = f"{tr('errors.no_room')} {tr('errors.no_room_remedy')}"
    lens.page.route(
        re.compile(r"/upload(\?|$)"), lambda route: route.fulfill(status=507, json={"error": sentence}), times=1
    )
    # Gradio's client asks for the progress of each upload; the server has not seen this one and would answer 404
    done = 'data: {"msg": "done"}\n\n'
    progress = re.compile(r"/upload_progress\?")
    lens.page.route(progress, lambda route: route.fulfill(content_type="text/event-stream", body=done), times=1)
    lens.send(as_png(decode(SECOND).rgb))
    toast = lens.page.get_by_test_id("toast-text")
    toast.wait_for()
    assert sentence in toast.text_content()
    assert "{" not in toast.text_content()
    with lens.answer():
        lens.send(as_png(decode(SECOND).rgb))
    check_overview(lens, library(SECOND))
    lens.problems[:] = [one for one in lens.problems if "status of 507" not in one]  # Chromium's own


def test_another_button_moves_nothing(visitor):
    lens = visitor
    before, events = lens.position, lens.events()
    lens.photo.click(button="right", position={"x": 20, "y": 30})
    lens.photo.hover(position={"x": 90, "y": 60})
    assert (lens.position, lens.events()) == (before, events)


def test_a_key_pressed_on_the_image_before_moves_nothing(visitor):
    """Also if the next image's answer comes after the pause that ends a run of key presses (crosshair.js)."""
    lens = visitor
    width, height = decode(SECOND).size
    held: list[Route] = []
    lens.page.route(re.compile(r"/lens/view$"), lambda route: held.append(route))  # a method of a list is no handler
    with lens.answer():
        lens.photo.focus()
        lens.page.keyboard.press("ArrowLeft")
        lens.page.locator("#thumbs button").nth(1).click()
        lens.page.evaluate("window.clicked = performance.now()")
        lens.page.wait_for_function("performance.now() > window.clicked + 500")  # a fact of the page's own clock
        lens.page.unroute_all()
        for route in held:
            with suppress(Error):  # replaced by a newer request
                route.continue_()
    assert lens.position == ((width - 1) // 2, (height - 1) // 2)
