"""The page's words in its languages: catalogs, what is said and retold, which language a visitor gets."""

from __future__ import annotations

import importlib
import io
import pkgutil
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo import captions, words
from demo.captions import page
from demo.examples import examples
from demo.languages import CATALOGS, LANGUAGES, in_all, negotiated, retold, say, speaking, spoken, told
from demo.session import Session
from demo.ui.components import _language
from demo.ui.language import InLanguage, Words, chooser
from demo.ui.parts import PAIRS
from transxnet.backbones.spec import spec_of
from transxnet.errors import LensError, NoWeights
from transxnet.images import decode
from transxnet.weights.load import Availability

NAMES = frozenset(  # the same in every language: a text of these alone needs no entry
    re.findall(
        r"\S+",
        "T S B M MB GMACs ms px pico STE OSRA IDConv DPE GN MS FFN D Mixer BatchNorm GroupNorm PNG SVG NPZ TransXNet "
        "Lens Grad CAM timm softmax bias SmoothGrad Top ImageNet arXiv q v kᵀ x",
    )
)


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts_of(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from texts_of(one)


def modules() -> list[Any]:
    inside = pkgutil.iter_modules(captions.__path__)
    return [captions, *(importlib.import_module(f"{captions.__name__}.{one.name}") for one in inside)]


def shown() -> dict[str, str]:
    """Every text that captions hold for the page, and where the first of its kind stands."""
    found: dict[str, str] = {}
    for module in modules():
        for name, value in vars(module).items():
            constant = name.isupper() or name[0].isupper()
            if constant and name not in ("STAYS_ENGLISH", *getattr(module, "STAYS_ENGLISH", ())):
                for text in texts_of(value):
                    found.setdefault(text, f"{module.__name__}.{name}")
    return found


def needs_words(text: str) -> bool:
    return bool(set(re.findall(r"[^\W\d_]+", re.sub(r"\{[^}]*\}", " ", text))) - NAMES)


# ---- catalogs -----------------------------------------------------------------------------------------------------

OTHERS = [code for code in LANGUAGES if code != "en"]


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}", text))


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_the_page_has_its_words(code):
    missing = {text: where for text, where in shown().items() if needs_words(text) and text not in CATALOGS[code]}
    assert not missing, f"demo/words/{code}/ lacks: {missing}"


@pytest.mark.parametrize("code", OTHERS)
def test_no_words_are_left_of_what_the_page_no_longer_says(code):
    assert set(CATALOGS[code]) - set(shown()) == set()


@pytest.mark.parametrize("code", OTHERS)
def test_words_keep_placeholders_and_the_spaces_about_them(code):
    for english, other in CATALOGS[code].items():
        assert placeholders(other) == placeholders(english), english
        assert other.strip(), english


@pytest.mark.parametrize(("code", "letters"), [("ko", "[\uac00-\ud7a3]"), ("zh", "[\u4e00-\u9fff]")])
def test_words_are_of_their_language(code, letters):
    """But for names: of the Hub, of a paper's architecture, of a unit that nobody translates."""
    alike = {text for text, other in CATALOGS[code].items() if not re.search(letters, other)}
    assert len(alike) < 20, alike
    assert len({text for text in alike if CATALOGS[code][text] == text}) < 8, alike


def test_no_key_stands_in_two_files_of_a_catalog_with_different_words():
    for code in OTHERS:
        parts = list((Path(words.__file__).parent / code).glob("[a-z]*.py"))
        each = [importlib.import_module(f"demo.words.{code}.{part.stem}").WORDS for part in parts]
        assert len(each) > 10
        assert sum(map(len, each)) == len(CATALOGS[code])


def test_examples_and_parts_are_said():
    assert {example.label for example in examples()} <= set(page.IMAGES)
    assert tuple(PAIRS) == page.WITHOUT_PARTS


# ---- saying, speaking ---------------------------------------------------------------------------------------------


def test_a_text_is_said_in_the_language_that_is_spoken():
    assert say("Attention") == "Attention"
    with speaking("ko"):
        assert (say("Attention"), spoken()) == ("어텐션", "ko")
        with speaking("zh"):
            assert say("Attention") == "注意力"
        assert say("{n} apples") == "{n} apples"
    with speaking("xx"):
        assert (say("Attention"), spoken()) == ("Attention", "en")
    assert in_all(lambda: say("Kernels")) == {"en": "Kernels", "ko": "커널", "zh": "卷积核"}


def test_a_language_is_spoken_in_its_own_thread_only():
    with speaking("ko"), ThreadPoolExecutor(1) as another:
        assert another.submit(spoken).result() == "en"


# ---- retelling ----------------------------------------------------------------------------------------------------


def refused(*args: Any, **more: Any) -> LensError:
    with pytest.raises(LensError) as caught:
        decode(*args, **more)
    return caught.value


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "korean", "chinese"),
    [
        (b"no image at all", "“cat.png”: 손상되었거나 JPEG", "“cat.png”已损坏，或者不是 JPEG"),
        (b"", "“cat.png”: 비어 있습니다", "“cat.png”是空的"),
        (b"%PDF-1.4 and so on", "“cat.png”: ", "“cat.png”看起来是"),
        (png(4, 4), "“cat.png”: 4 x 4 픽셀로 너무 작습니다", "“cat.png”太小：4 x 4 像素"),
        (png(400, 10), "“cat.png”: 400 x 10 픽셀로 너무 가늡니다. 긴 쪽이 짧은 쪽의 20배", "太细长：400 x 10 像素"),
        (png(64, 64)[:-40], "“cat.png”: 손상되어 끝까지 읽지 못했습니다", "“cat.png”已损坏：无法完整解码"),
    ],
)
def test_what_the_library_says_of_a_image_is_retold_with_its_remedy(data, korean, chinese):
    error = refused(data, name="cat.png")
    with speaking("ko"):
        assert told(error).startswith(korean)
        assert not re.search(r"[a-z]{4,}", told(error).replace("cat.png", "").replace("pixel", "")), told(error)
    with speaking("zh"):
        assert chinese in told(error)
    assert told(error) == str(error)


def test_a_name_that_nobody_knows_is_retold():
    with pytest.raises(LensError) as caught:
        spec_of("timm:resnet5")
    with speaking("ko"):
        assert told(caught.value).startswith("timm에 'resnet5'(이)라는 백본이 없습니다. 비슷한 이름: timm:resnet50")


def test_weights_that_no_source_has_are_retold_one_by_one():
    error = NoWeights(
        "No weights for transxnet_s: every source failed.",
        (("folder", "No folder is configured.", "Pass --weights-dir or set TRANSXNET_WEIGHTS."), ("hub", "Odd.", "")),
        remedy="s@untrained shows the architecture with random weights.",
    )
    with speaking("zh"):
        lines = told(error).splitlines()
    assert lines == [
        "没有 transxnet_s 的权重：所有来源都失败了。",
        "  1. 权重文件夹: 没有配置文件夹。 请传入 --weights-dir，或设置 TRANSXNET_WEIGHTS。",
        "  2. Hugging Face Hub: Odd.",
        "s@untrained 用随机权重展示架构。",
    ]


def test_captions_of_results_are_retold_and_what_is_unknown_stays():
    with speaking("ko"):
        assert retold("stage 3, block 4, mean of 4 heads") == "스테이지 3, 블록 4, 헤드 4개의 평균"
        assert retold("peak 0.4, entropy 0.5, 44.1 px away on average") == "최댓값 0.4, 엔트로피 0.5, 평균 거리 44.1 px"
        assert retold("stage 3, block 4, query at row 4, column 5") == "스테이지 3, 블록 4, 4행 5열의 쿼리"
        assert retold("turned upright as its EXIF says; first frame of an animation") == (
            "EXIF 정보에 따라 바로 세움; 움직이는 그림의 첫 장면"
        )
        assert retold("Nobody wrote this.") == "Nobody wrote this."
        assert retold("") == ""
    assert retold("Attention") == "Attention"


@pytest.mark.parametrize("where", list(Availability))
def test_where_weights_are_is_retold(where):
    with speaking("ko"):
        assert retold(where.value) != where.value


# ---- which language -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "accepted", "wanted"),
    [
        ([], "", "en"),
        ([], "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ([], "zh-TW,zh;q=0.9", "zh"),
        ([], "zh-Hans-SG", "zh"),
        ([], "ZH-cn", "zh"),
        ([], "de-DE,de;q=0.9,ko;q=0.5,en;q=0.7", "en"),
        ([], "fr,ko;q=0.1", "ko"),
        ([], "en;q=0,ko;q=0.2", "ko"),
        ([], "ko;q=0", "en"),
        ([], "*", "en"),
        (["zh"], "ko", "zh"),
        (["en"], "ko", "en"),
        (["xx"], "ko", "ko"),
        (["zh", "ko"], "ko", "ko"),
        (["<script>"], "", "en"),
        ([], "ko;q=nan,zh;q=inf", "en"),
        ([], "ko;q=1e9,zh;q=0.1", "zh"),
        ([], "ko;q=-1", "en"),
        ([], ";;;,,,q=,\x00,\u2028", "en"),
        ([], "x" * 10_000 + ",ko", "en"),
        ([], "ko;q=0.5;level=1", "en"),
    ],
)
def test_the_address_decides_then_the_browser_then_english(asked, accepted, wanted):
    assert negotiated(asked, accepted) == wanted


# ---- the page's first answer --------------------------------------------------------------------------------------

PAGE = '<!doctype html>\n<html\n\tlang="en"\n\tstyle="margin: 0">\n<head>\n<title>x</title></head><body>é</body></html>'


def site() -> TestClient:
    async def root(request: Any) -> Any:
        return HTMLResponse(PAGE)

    routes = [Route("/", root), Route("/other", root)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(InLanguage)]))


@pytest.mark.parametrize(
    ("query", "accepted", "tag"),
    [("", "", "en"), ("", "ko-KR", "ko"), ("?lang=zh&x=1", "ko", "zh-CN"), ("?lang=%22%3E%3Cscript%3E", "", "en")],
)
def test_the_page_says_its_language_before_any_script_of_it_runs(query, accepted, tag):
    answer = site().get(f"/{query}", headers={"accept-language": accepted})
    script = f'<script>Object.defineProperty(navigator,"language",{{get:()=>"{tag}",configurable:true}});</script>'
    wanted = PAGE.replace("<html", f'<html lang="{tag}"', 1).replace('\n\tlang="en"', "", 1)
    assert answer.text == wanted.replace("<head>", f"<head>{script}", 1)
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["vary"] == "Accept-Language"


def test_nothing_else_is_touched():
    client = site()
    assert client.get("/other", headers={"accept-language": "ko"}).text == PAGE
    assert client.head("/", headers={"accept-language": "ko"}).text == ""
    assert client.get("/missing").status_code == 404


def test_an_answer_that_is_no_page_passes():
    async def image(request: Any) -> Any:
        return PlainTextResponse("<html><head>", status_code=503)

    client = TestClient(Starlette(routes=[Route("/", image)], middleware=[Middleware(InLanguage)]))
    answer = client.get("/", headers={"accept-language": "ko"})
    assert (answer.status_code, answer.text) == (503, "<html><head>")


# ---- Gradio's own components --------------------------------------------------------------------------------------


def test_words_of_components_are_keyed_by_the_english_in_every_language_of_the_front_end():
    said = Words()
    marker = said("Attention")
    said(page.STAGE_NUMBER, stage=2)
    found = said.i18n().translations_dict
    assert marker.key == "Attention"
    assert found == {
        "en": {"Attention": "Attention", "stage 2": "stage 2"},
        "ko": {"Attention": "어텐션", "stage 2": "스테이지 2"},
        "zh-CN": {"Attention": "注意力", "stage 2": "阶段 2"},
    }


def test_the_chooser_names_each_language_by_itself_and_has_the_spoken_one_chosen():
    with speaking("zh"):
        found = chooser()
    assert re.findall(r'value="(\w+)" lang="([\w-]+)"( selected)?>([^<]+)<', found) == [
        ("en", "en", "", "English"), ("ko", "ko", "", "한국어"), ("zh", "zh-CN", " selected", "中文"),
    ]  # fmt: skip
    assert 'aria-label="语言"' in found


def test_an_event_speaks_the_language_of_its_opened_page_else_of_its_request():
    request = gr.Request(query_params=QueryParams("lang=ko"), headers={"accept-language": "zh"})
    opened = SimpleNamespace(state_data={1: Session(image="key", language="zh")})
    assert _language(None, request) == "ko"
    assert _language(SimpleNamespace(state_data={1: Session()}), request) == "ko"
    assert _language(opened, request) == "zh"
    assert _language(None, None) == "en"
