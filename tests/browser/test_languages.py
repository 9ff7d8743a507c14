"""English, Korean and Chinese in a browser: the words change, the numbers do not."""

from __future__ import annotations

import re

import pytest

from demo.examples import examples
from demo.i18n.translate import tr, use_locale
from demo.state import TABS
from tests.browser.lens import PHONE, Lens

pytestmark = pytest.mark.browser
LANGUAGES = {"en": ("English", "en"), "ko": ("한국어", "ko"), "zh": ("中文", "zh-CN")}  # code -> its own name, its tag


def said(text: str, code: str) -> str:
    with use_locale(code):
        return tr(text)


def speaks(lens: Lens, code: str) -> None:
    """The parts that Gradio draws, those that the browser draws and those that the server sends."""
    page, (name, tag) = lens.page, LANGUAGES[code]
    assert page.evaluate("document.documentElement.lang") == tag
    for view in TABS:
        tab = page.locator(f"#tab-{view}-button")
        if tab.is_visible():
            assert tab.inner_text().strip() == said(f"tabs.{view}", code)
    assert lens.panel("overview").locator(".lens-intro").inner_text() == said("intros.overview", code)
    assert page.get_by_role("heading", name=said("page.explain", code)).is_visible()
    assert page.locator("#stage label").first.inner_text().strip() == said("page.stage_number", code).format(stage=1)
    assert page.locator(".lens-language option:checked").inner_text() == name
    assert page.locator(".lens-language").get_attribute("aria-label") == said("page.language", code)
    foot = lens.panel("overview").locator(".lens-foot").inner_text()
    assert (said("page.in_english", code) in foot) == (code != "en")
    assert "__i18n__" not in page.inner_text("body")
    names = page.locator("[aria-label], [title], [placeholder], [alt]").evaluate_all(
        "all => all.flatMap((e) => ['aria-label', 'title', 'placeholder', 'alt'].map((a) => e.getAttribute(a) || ''))"
    )
    assert not [text for text in names if "__i18n__" in text]


def sticks_out(lens: Lens) -> int:
    """Pixels by which the page is wider than its window."""
    return lens.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_korean_browser_sees_korean_and_the_same_numbers(visit):
    korean, english = visit(locale="ko-KR"), visit()
    speaks(korean, "ko")
    speaks(english, "en")
    for kind in ("frame", "tiles"):
        assert korean.numbers("overview", kind) == english.numbers("overview", kind) != []
    shares = "all => all.map((one) => [one.dataset.wnid, one.dataset.share])"
    bars = [lens.page.locator("#predictions .lens-bar").evaluate_all(shares) for lens in (korean, english)]
    assert bars[0] == bars[1] != []
    assert "lang=" not in korean.page.url  # nobody asked for it: whoever gets the link reads their own language

    korean.send({"name": "cat.png", "mimeType": "image/png", "buffer": b"no image at all"})
    toast = korean.page.get_by_test_id("toast-body")
    toast.wait_for()
    assert "손상되었거나" in toast.inner_text()
    assert re.search("JPEG나 PNG로 변환해", toast.inner_text())

    korean.look_at("attention")
    panel = korean.panel("attention")
    assert panel.locator(".lens-intro").inner_text() == said("intros.attention", "ko")
    assert "스테이지 3, 블록 4" in panel.inner_text()


def test_the_address_asks_for_a_language_and_the_chip_keeps_the_rest_of_it(visit, served):
    lens = visit(f"{served.url}/?lang=zh&stage=2")
    speaks(lens, "zh")
    assert lens.page.locator("#stage input:checked").get_attribute("value") == "2"
    with lens.page.expect_navigation():
        lens.page.locator(".lens-language").select_option(label="한국어")
    lens._arrive("overview", None)
    lens._settle("overview")
    speaks(lens, "ko")
    assert lens.page.locator("#stage input:checked").get_attribute("value") == "2"
    assert re.search(r"\?(?=.*\blang=ko\b)(?=.*\bstage=2\b)", lens.page.url)
    with lens.answer():
        lens.choose("stage", 3)
    lens.page.wait_for_url(re.compile(r"lang=ko"))
    assert "stage=" not in lens.page.url.split("?")[1]
    assert "스테이지 3" in lens.panel("overview").inner_text()


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_nothing_sticks_out_on_a_phone(visit, served, code):
    lens = visit(f"{served.url}/?lang={code}", viewport=PHONE)
    speaks(lens, code)
    assert sticks_out(lens) == 0
    lens.page.get_by_role("tab", name=said("tabs.ablation", code), exact=True).click()
    intro = lens.panel("ablation").locator(".lens-intro")
    intro.wait_for()
    assert intro.inner_text() == said("intros.ablation", code)
    lens.settled("ablation")
    assert sticks_out(lens) == 0


def test_what_the_chip_would_lose_is_said_where_there_is_something(visit):
    lens = visit()
    chip = lens.page.locator(".lens-language")
    chip.hover()
    assert chip.get_attribute("title") == tr("page.language_hint")
    with lens.answer():
        lens.send(examples()[1].path)
    chip.focus()
    assert chip.get_attribute("title") == tr("page.language_upload")
