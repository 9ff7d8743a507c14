"""Models that the operator names: the page opens on them, and visitors name them and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from demo import command, launch
from demo.controls import classes_of
from demo.renderer import Renderer
from demo.state import ViewState, from_query
from tests.fixtures.own_checkpoint import CLASSES, own_checkpoint
from transxnet.errors import LensError, UnknownName
from transxnet.registry import clear_models


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """The page, opened on a model of 37 classes."""
    folder = tmp_path_factory.mktemp("own")
    path = own_checkpoint(folder)
    built = launch.build(command.arguments(["--device", "cpu", "--model", f"birds={path}", "--model", "pico"]))
    yield SimpleNamespace(renderer=built.renderer, service=built.renderer.service, path=path)
    clear_models()


def build(*arguments: str) -> Renderer:
    try:
        return launch.build(command.arguments(["--device", "cpu", *arguments])).renderer
    finally:
        clear_models()


def test_page_opens_on_the_first_model(page):
    assert page.renderer.default_model == "birds"
    assert page.renderer.model_names[:2] == ["birds", "pico"]
    state, _, notes = page.renderer.resolve(ViewState())
    assert (state.models, notes) == (("birds",), [])


def test_its_classes_can_be_chosen(page):
    assert classes_of("birds") == sorted([name, name] for name in CLASSES)
    choices = page.renderer.controls.of(ViewState(models=("birds",)))["target"]
    assert (choices["label_set"], len(choices["choices"])) == ("birds", 1 + len(CLASSES))
    state, _, notes = page.renderer.resolve(ViewState(models=("birds", "pico"), target=CLASSES[3]))
    assert (state.target, notes) == (CLASSES[3], [])


def test_a_url_names_it(page):
    state, notes = from_query([("models", "birds,birds@untrained"), ("class", CLASSES[36])])
    assert (state.models, state.target, notes) == (("birds", "birds@untrained"), CLASSES[36], [])


@pytest.mark.parametrize(
    "name",
    [
        "birds.pth.tar", "/etc/passwd", "../birds.pth.tar", "./birds", "C:\\birds.pth", "file:///etc/passwd",
        "~/birds.pth", "hf-hub:someone/birds", "hf-hub:someone/birds@main", "someone/birds", "local-dir:/tmp",
        "local-dir:.", "birds=birds.pth.tar", "pico=/etc/passwd", "https://example.org/birds.pth", "birds/",
        "bird", "birds@", "birds@v1", "transxnet", "{path}", "",
    ],
)  # fmt: skip
def test_visitors_name_no_files(page, name):
    name = name.format(path=page.path)
    with pytest.raises(UnknownName) as caught:
        page.service.check_names([name])
    message = str(caught.value)
    assert message.startswith("There is no model called '")
    assert "Choose one of: birds, t, s, b" in message
    assert str(page.path.parent) not in message.replace(name, "")


def test_a_name_is_given_once(page):
    with pytest.raises(UnknownName, match="'a' is given twice"):
        build("--model", f"a={page.path}", "--model", f"A={page.path}")
    with pytest.raises(UnknownName, match="'pico' is given twice"):
        build("--model", "pico", "--model", f"pico={page.path}")


def test_options_of_models(page, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("index,name\n" + "\n".join(f"{i},class of mine {i}" for i in range(37)), encoding="utf-8")
    renderer = build(
        "--model", f"a={page.path}", "--model", f"two={page.path}", "--class-names", f"two={names}", "--activation",
        "a=sigmoid",
    )  # fmt: skip
    assert renderer.model_names[:2] == ["a", "two"]
    for arguments, message in (
        (("--class-names", str(names)), "'--class-names' applies to models of your own|--class-names applies"),
        (("--model", f"a={page.path}", "--model", f"two={page.path}", "--class-names", str(names)), "names no model"),
        (("--model", f"a={page.path}", "--class-names", f"a={names}", "--class-names", str(names)), "given twice"),
        (("--ema",), "--ema applies to models of your own"),
        (("--model", f"a={page.path}", "--ema"), "contains no moving average"),
        (("--model", "a=nowhere.pth"), "There is no file or folder 'nowhere.pth'"),
        (("--model", str(page.path)), "is a path, not the name of a model"),
        (("--model", "a="), "names no model"),
    ):
        with pytest.raises(LensError, match=message):
            build(*arguments)


def test_a_source_may_contain_equals_signs(tmp_path):
    folder = tmp_path / "lr=0.1,epochs=3"
    folder.mkdir()
    assert build("--model", f"mine={own_checkpoint(folder)}").default_model == "mine"
