"""Text of the page by key: completeness of the catalogs, look-up, translation of messages, choice of a locale."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.i18n.strings import STRINGS
from demo.i18n.translate import (
    CATALOGS,
    LANGUAGES,
    LIBRARY,
    Text,
    current_locale,
    in_every_locale,
    message,
    negotiate_locale,
    tr,
    tr_error,
    tr_group,
    tr_lines,
    tr_message,
    use_locale,
)
from demo.ui.language import InLanguage, Translations, chooser
from demo.web import inline_script
from transxnet import errors
from transxnet.backbones.spec import spec_of
from transxnet.draw import strings as figure_strings
from transxnet.errors import LensError, NoWeights
from transxnet.images import decode
from transxnet.messages import Message
from transxnet.weights.load import Availability

NAMES = frozenset(  # the same in every language: text of these alone needs no translation
    re.findall(
        r"\S+",
        "T S B M MB GMACs ms px pico STE OSRA IDConv DPE GN MS FFN D Mixer BatchNorm GroupNorm PNG SVG NPZ TransXNet "
        "Lens Grad CAM timm softmax bias SmoothGrad Top ImageNet arXiv "
        "dpi Hugging Face Hub Spearman logit V K Transformer q v kᵀ x",
    )
)
ROOT = Path(__file__).resolve().parents[2]
LOCALES = [locale for locale in LANGUAGES if locale != "en"]
ENGLISH_ONLY = {key for key in STRINGS if key.startswith("files.")}  # text of downloaded files
SECTIONS = {key.partition(".")[0] for key in STRINGS}
BY_KEY = ("tr", "tr_lines", "message")  # functions whose first argument is a key


@cache
def sources(package: str) -> dict[Path, ast.Module]:
    files = [path for path in sorted((ROOT / package).rglob("*.py")) if "strings" not in path.parts]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


@cache
def key_literals() -> dict[str, str]:
    """Every string in demo/ that reads as a key -> a place where it stands."""
    literals = {}
    for path, tree in sources("demo").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                section, dot, name = node.value.partition(".")
                if dot and section in SECTIONS and re.fullmatch(r"[A-Za-z0-9_]*[A-Za-z0-9]", name):
                    literals[node.value] = f"{path.name}:{node.lineno}"
    return literals


def forms(text: Text) -> dict[str, str]:
    """Plural form -> text; a text without plural forms is its own "other"."""
    return {"other": text} if isinstance(text, str) else dict(text)


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}", text))


# ---- catalogs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", LOCALES)
def test_catalog_has_exactly_the_keys_of_english(locale):
    assert set(CATALOGS[locale]) == set(STRINGS) - ENGLISH_ONLY


@pytest.mark.parametrize("locale", LOCALES)
def test_translations_keep_placeholders_and_lines(locale):
    pairs = [
        (forms(STRINGS[key])["other"], translation)
        for key, text in CATALOGS[locale].items()
        for translation in forms(text).values()
    ]
    for english, translation in [*pairs, *LIBRARY[locale].items()]:
        assert placeholders(translation) == placeholders(english), english
        assert translation.count("\n") == english.count("\n"), english
        assert translation.strip(), english


@pytest.mark.parametrize(("locale", "letters"), [("ko", "[\uac00-\ud7a3]"), ("zh", "[\u4e00-\u9fff]")])
def test_translations_are_of_their_language(locale, letters):
    """Except names and units: of the Hub, of a paper's architecture."""
    for key, text in CATALOGS[locale].items():
        text = forms(text)["other"]
        terms = set(re.findall(r"[^\W\d_]+", re.sub(r"\{[^}]*\}", " ", text))) - NAMES
        assert not terms or re.search(letters, text), key


@pytest.mark.parametrize("locale", LANGUAGES)
def test_plural_forms_are_those_of_the_locale(locale):
    plural = {key for key, text in STRINGS.items() if not isinstance(text, str)}
    assert {key for key, text in CATALOGS[locale].items() if not isinstance(text, str)} == plural
    assert {tuple(CATALOGS[locale][key]) for key in plural} == {("one", "other") if locale == "en" else ("other",)}


def test_catalogs_have_the_same_library_templates():
    assert set(LIBRARY["ko"]) == set(LIBRARY["zh"])


def test_keys_begin_with_their_module():
    for path in (ROOT / "demo/i18n/strings").glob("[a-z]*.py"):
        keys = re.findall(r'^    "([^"]+)":', path.read_text(encoding="utf-8"), re.M)
        assert keys, path
        assert {key.partition(".")[0] for key in keys} == {path.stem}


# ---- keys in code -------------------------------------------------------------------------------------------------


def test_every_key_in_code_exists():
    missing = {key: location for key, location in key_literals().items() if key not in STRINGS}
    assert not missing


def test_every_key_is_used():
    prefixes = {
        node.value
        for tree in sources("demo").values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[a-z_]+\.([a-z_]+_)?", node.value)
    }
    literals = key_literals()
    unused = {key for key in STRINGS if key not in literals and not key.startswith(tuple(prefixes))}
    assert not unused


def test_keys_are_literals():
    """No key is built from parts, so that a search finds every use."""
    for path, tree in sources("demo").items():
        for call in calls(tree, *BY_KEY):
            assert not isinstance(call.args[0], (ast.JoinedStr, ast.BinOp)), f"{path}:{call.lineno}"


def test_messages_have_unique_english_text():
    """Their key is found again by that text."""
    first = [call.args[0] for tree in sources("demo").values() for call in calls(tree, "message")]
    used = {node.value for node in first if isinstance(node, ast.Constant)}
    texts = [text for english in STRINGS.values() for text in forms(english).values()]
    assert {key for key in used if key in STRINGS and texts.count(forms(STRINGS[key])["other"]) > 1} == set()


def test_values_match_placeholders():
    for path, tree in sources("demo").items():
        for call in calls(tree, *BY_KEY):
            named = {keyword.arg for keyword in call.keywords}
            if isinstance(call.args[0], ast.Constant) and named and None not in named:
                texts = forms(STRINGS[call.args[0].value])
                fields = set(re.findall(r"\{(\w+)", " ".join(texts.values()))) | (
                    {"count"} if len(texts) > 1 else set()
                )
                assert named == fields, f"{path}:{call.lineno}"


# ---- look-up ------------------------------------------------------------------------------------------------------


def test_text_is_in_the_current_locale():
    assert tr("tabs.attention") == "Attention"
    with use_locale("ko"):
        assert (tr("tabs.attention"), current_locale()) == ("어텐션", "ko")
        with use_locale("zh"):
            assert tr("tabs.attention") == "注意力"
    with use_locale("xx"):
        assert (tr("tabs.attention"), current_locale()) == ("Attention", "en")
    assert in_every_locale(lambda: tr("tabs.kernels")) == {"en": "Kernels", "ko": "커널", "zh": "卷积核"}


def test_values_fill_placeholders():
    assert tr("progress.steps") == "{done} of {total}"
    assert tr("progress.steps", done=3, total=8) == "3 of 8"
    with use_locale("zh"):
        assert tr("progress.steps", done=3, total=8) == "3 / 8"


def test_plural_form_follows_count():
    assert tr("architecture.blocks", count=1) == "1 block"
    assert tr("architecture.blocks", count=2) == "2 blocks"
    with use_locale("zh"):
        assert tr("architecture.blocks", count=1) == "1 个块"


def test_lines_and_sections():
    assert len(tr_lines("maps.places")) == 9
    assert tr_group("offline.") == {"gone": STRINGS["offline.gone"], "back": STRINGS["offline.back"]}
    assert tr_group("page.number_") == {"2": "two", "3": "three", "4": "four"}


def test_locale_is_local_to_a_thread():
    with use_locale("ko"), ThreadPoolExecutor(1) as another:
        assert another.submit(current_locale).result() == "en"


# ---- messages -----------------------------------------------------------------------------------------------------

NOT_ON_PAGE = (  # of transxnet/: what only the command line or a caller of the library can meet
    "cli", "training", "publish", "console.py", "distributed.py", "output.py", "explain/attention",
    "explain/erf/protocol.py", "explain/attribution/cam_variants.py", "explain/attribution/captum_methods.py",
    "explain/attribution/smooth_grad.py", "explain/kernels/change.py", "explain/kernels/clusters.py",
    "explain/kernels/spectra.py",
    "sequence",  # the page offers what is possible only
    # of a model that the operator names at the start
    "class_names.py", "registry.py", "weights/named_sources.py", "weights/description.py", "weights/architecture.py",
    "weights/layouts.py", "in_memory.py", "export/notebook.py",
)  # fmt: skip


def message_templates() -> dict[str, str]:
    """Template of every Message and error in the library that a visitor can meet -> a place where it stands."""
    templates = {text: f"draw.strings.{name}" for name, text in vars(figure_strings).items() if name.isupper()}
    error_types = [name for name, value in vars(errors).items() if isinstance(value, type)]
    for path, tree in sources("transxnet").items():
        if not str(path.relative_to(ROOT / "transxnet")).startswith(NOT_ON_PAGE):
            for call in calls(tree, "Message", *error_types):
                remedies = [keyword.value for keyword in call.keywords if keyword.arg == "remedy"]
                for text in (text for node in (*call.args[:1], *remedies) for text in literals(node, tree)):
                    templates.setdefault(text, f"{path.name}:{call.lineno}")
    return {
        text: location for text, location in templates.items() if re.search(r"[^\W\d_]", re.sub(r"\{[^}]*\}", "", text))
    }


def literals(node: ast.expr, tree: ast.Module) -> list[str]:
    """The texts that an argument can be: a literal, one of two, or what a name of the module was assigned."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return literals(node.body, tree) + literals(node.orelse, tree)
    if isinstance(node, ast.Name):
        assignments = [item for item in ast.walk(tree) if isinstance(item, ast.Assign)]
        named = [item for item in assignments if node.id in map(ast.unparse, item.targets)]
        values = [item.value for item in named if isinstance(item.value, (ast.Constant, ast.IfExp))]
        return [text for value in values for text in literals(value, tree)]
    return []


def test_every_message_of_the_library_has_a_translation():
    untranslated = {text: location for text, location in message_templates().items() if text not in LIBRARY["ko"]}
    assert not untranslated


def test_message_is_translated_by_its_template():
    inner = Message("it generates no kernels")
    outer = Message("{name} is no TransXNet: {lacks}.", name="resnet50", lacks=inner)
    assert tr_message(outer) == str(outer) == "resnet50 is no TransXNet: it generates no kernels."
    with use_locale("zh"):
        assert tr_message(outer) == LIBRARY["zh"][outer.template].format(name="resnet50", lacks=tr_message(inner))
        assert tr_message(inner) != str(inner)
        assert tr_message(Message("Nobody wrote {this}.", this=1)) == "Nobody wrote 1."
    assert tr_message("") == ""


def test_message_of_a_key_is_translated_where_it_is_shown():
    refusal = message("models.unexpected", name="pico")
    assert refusal == "Loading pico failed because of an unexpected error."
    with use_locale("ko"):
        assert tr_message(refusal) == tr("models.unexpected", name="pico") != refusal
        assert (
            tr_error(LensError(refusal, remedy=message("models.cancelled_remedy")))
            == f"{tr_message(refusal)} {tr('models.cancelled_remedy')}"
        )


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
        (b"%PDF-1.4 and so on", "“cat.png”: ", "“cat.png”是 a PDF"),
        (png(4, 4), "“cat.png”: 4 × 4 픽셀로 너무 작습니다", "“cat.png”太小：4 × 4 像素"),
        (png(400, 10), "“cat.png”: 400 × 10 픽셀로 너무 좁습니다. 가로세로비가 20:1", "太窄：400 × 10 像素"),
        (png(64, 64)[:-40], "“cat.png”: 손상되어 끝까지 읽지 못했습니다", "“cat.png”已损坏：无法完整解码"),
    ],
)
def test_image_errors_are_translated_with_their_remedy(data, korean, chinese):
    error = refused(data, name="cat.png")
    with use_locale("ko"):
        assert tr_error(error).startswith(korean)
        assert not re.search(r"[a-z]{4,}", tr_error(error).replace("cat.png", "").replace("pixel", "")), tr_error(error)
    with use_locale("zh"):
        assert chinese in tr_error(error)
    assert tr_error(error) == str(error)


def test_unknown_backbone_is_translated():
    with pytest.raises(LensError) as caught:
        spec_of("timm:resnet5")
    with use_locale("ko"):
        assert tr_error(caught.value).startswith("timm에 'resnet5'(이)라는 백본이 없습니다. 비슷한 이름: timm:resnet50")


def test_every_failed_source_of_weights_is_translated():
    error = NoWeights(
        Message("No weights for {name}: {why}", name="transxnet_s", why="every source failed."),
        (
            ("folder", "No weights folder is configured.", "Pass --weights-dir or set TRANSXNET_WEIGHTS."),
            ("hub", "Odd.", ""),
        ),
        remedy=Message("Use {name} for random weights.", name="s@untrained"),
    )
    with use_locale("zh"):
        lines = tr_error(error).splitlines()
    assert lines == [
        "没有 transxnet_s 的权重：所有来源都失败了。",
        "  1. 权重文件夹: 没有配置权重文件夹。 请传入 --weights-dir，或设置 TRANSXNET_WEIGHTS。",
        "  2. Hugging Face Hub: Odd.",
        "如需随机权重，请使用 s@untrained。",
    ]


def test_captions_are_translated_and_unknown_text_stays():
    layer = Message("stage {stage}, block {block}", stage=3, block=4)
    with use_locale("ko"):
        assert tr_message(layer) == "스테이지 3, 블록 4"
        assert tr_message(Message("{layer}, {target}", layer=layer, target="cat")) == "스테이지 3, 블록 4, cat"
        assert tr_message("Nobody wrote this.") == "Nobody wrote this."
        assert tr_message("") == ""
    assert tr_message("Attention") == "Attention"


@pytest.mark.parametrize("where", list(Availability))
def test_availability_of_weights_is_translated(where):
    with use_locale("ko"):
        assert tr_message(where.value) != where.value


# ---- which language -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requested", "accepted", "expected"),
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
def test_address_then_browser_then_english_decide(requested, accepted, expected):
    assert negotiate_locale(requested, accepted) == expected


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
def test_page_declares_its_language_before_scripts(query, accepted, tag):
    answer = site().get(f"/{query}", headers={"accept-language": accepted})
    with use_locale(tag[:2]):
        script = inline_script(tag, tr("page.root_path"))
    assert f'(navigator, "language", {{ get: () => "{tag}", configurable: true }});' in script
    expected = PAGE.replace("<html", f'<html lang="{tag}"', 1).replace('\n\tlang="en"', "", 1)
    assert answer.text == expected.replace("<head>", f"<head>{script}", 1)
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["vary"] == "Accept-Language"


def test_other_routes_are_unchanged():
    client = site()
    assert client.get("/other", headers={"accept-language": "ko"}).text == PAGE
    assert client.head("/", headers={"accept-language": "ko"}).text == ""
    assert client.get("/missing").status_code == 404


def test_response_that_is_no_page_passes():
    async def image(request: Any) -> Any:
        return PlainTextResponse("<html><head>", status_code=503)

    client = TestClient(Starlette(routes=[Route("/", image)], middleware=[Middleware(InLanguage)]))
    answer = client.get("/", headers={"accept-language": "ko"})
    assert (answer.status_code, answer.text) == (503, "<html><head>")


# ---- Gradio's own components --------------------------------------------------------------------------------------


def test_component_text_exists_in_every_front_end_language():
    labels = Translations()
    marker = labels("tabs.attention")
    labels("page.stage_number", stage=2)
    translations = labels.i18n().translations_dict
    assert marker.key == "Attention"
    assert translations == {
        "en": {"Attention": "Attention", "stage 2": "stage 2"},
        "ko": {"Attention": "어텐션", "stage 2": "스테이지 2"},
        "zh-CN": {"Attention": "注意力", "stage 2": "阶段 2"},
    }


def test_language_menu_selects_the_current_locale():
    with use_locale("zh"):
        translations = chooser()
    assert re.findall(r'value="(\w+)" lang="([\w-]+)"( selected)?>([^<]+)<', translations) == [
        ("en", "en", "", "English"), ("ko", "ko", "", "한국어"), ("zh", "zh-CN", " selected", "中文"),
    ]  # fmt: skip
    assert 'aria-label="语言"' in translations
