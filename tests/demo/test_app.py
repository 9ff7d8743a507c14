"""app.py: its options, what it hands on to the page and to Gradio, and how it ends."""

from __future__ import annotations

import os
import runpy
import shlex
import signal
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import app
from demo import server
from demo import studio as studio_module
from demo.backbones import Backbones
from demo.requests import RequestCheck
from demo.security_headers import SecurityHeaders
from demo.streams import Streams
from demo.temporary_files import TemporaryFiles, UploadRoom
from demo.ui.language import InLanguage
from demo.uploads import FileRoutes
from demo.wanted import BESIDE
from demo.web import STYLES, WebModules
from tests.fixtures.small_model import image, small_model
from transxnet.errors import DeviceError, LensError, OutOfRange, UnknownName
from transxnet.study import StudyOptions
from transxnet.weights.load import Availability

ROOT = Path(__file__).parents[2]


def test_without_options_everything_is_left_to_the_environment():
    assert vars(app.arguments([])) == {
        "host": None, "port": None, "share": False, "weights_dir": None, "hub_namespace": None, "device": None,
        "default_variant": "pico", "beside": None, "visitor_backbones": "any", "mcp": False, "allowed_host": None,
        "frame_ancestors": None,
    }  # fmt: skip


def test_every_option_is_taken():
    line = "--host 0.0.0.0 --port 8000 --share --weights-dir w --hub-namespace n --device cpu --default-variant t"
    line += " --beside timm:resnet18,timm:resnet50 --visitor-backbones none --mcp"
    line += " --allowed-host a --allowed-host b --frame-ancestors https://a --frame-ancestors https://b"
    given = app.arguments(shlex.split(line))
    assert vars(given) == {
        "host": "0.0.0.0", "port": 8000, "share": True, "weights_dir": "w", "hub_namespace": "n", "device": "cpu",
        "default_variant": "t", "beside": "timm:resnet18,timm:resnet50", "visitor_backbones": "none",
        "mcp": True, "allowed_host": ["a", "b"], "frame_ancestors": ["https://a", "https://b"],
    }  # fmt: skip


def test_help_names_every_option_and_its_variable(capsys):
    with pytest.raises(SystemExit) as ended:
        app.arguments(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for word in (
        "--host",
        "--port",
        "--share",
        "--weights-dir",
        "--hub-namespace",
        "--device",
        "--default-variant",
        "--beside",
        "--visitor-backbones",
        "--mcp",
    ):
        assert word in text
    assert "NS@v1 pins a branch, tag or commit, NS@t=COMMIT,s=v2 one for each" in " ".join(text.split())
    for word in (
        "GRADIO_SERVER_NAME",
        "GRADIO_SERVER_PORT",
        "TRANSXNET_WEIGHTS",
        "TRANSXNET_HUB_NAMESPACE",
        "TRANSXNET_MCP",
        "TRANSXNET_VISITOR_BACKBONES",
    ):
        assert word in text


def test_a_wrong_option_ends_with_a_sentence(capsys):
    with pytest.raises(SystemExit) as ended:
        app.arguments(["--port", "many"])
    assert ended.value.code == 2
    assert "many" in capsys.readouterr().err


def test_the_environment_is_quiet_before_gradio_is_there():
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["GRADIO_TEMP_DIR"] == str(app.temporary)


# ---- the page -----------------------------------------------------------------------------------------------


@pytest.fixture
def space(monkeypatch) -> list[tuple]:
    """A hosted Space: the package `spaces` is there. What its GPU decorator ran."""
    ran: list[tuple] = []

    def gpu(function):
        def on_the_gpu(*args):
            ran.append(args[0])
            return function(*args)

        return on_the_gpu

    module = ModuleType("spaces")
    module.__spec__ = ModuleSpec("spaces", None)
    module.GPU = gpu
    monkeypatch.setitem(sys.modules, "spaces", module)
    return ran


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Stands for transxnet.load: what it was asked for; every model is the small one."""
    names: list[str] = []

    def load(name: str, **options: object):
        names.append(f"{name} from {options['weights_dir']} and {options['hub_namespace']}")
        return small_model()

    monkeypatch.setattr(studio_module, "load", load)
    return names


def test_on_a_space_explanations_run_where_its_gpu_is(space, asked):
    page = app.build(app.arguments(["--device", "cpu", "--weights-dir", "w", "--hub-namespace", "n"]))
    assert page.studio.preload("pico").done.wait(60)
    assert asked == ["pico from w and n"]  # on its way before anybody has opened the page
    key = page.studio.add(image())
    assert space == []
    page.studio.study(key, "pico", StudyOptions(analyses=()))
    assert [place[1] for place in space] == ["pico"]


def test_elsewhere_nothing_is_wrapped():
    def function():
        return None

    assert app.on_gpu()(function) is function


def test_the_page_opens_on_another_variant_where_told(asked):
    page = app.build(app.arguments(["--default-variant", "transxnet_s"]))
    assert page.default == "s"
    assert page.variants.value == ["s"]
    assert page.studio.preload("s").done.wait(60)
    assert asked == ["s from None and None"]


def test_a_variant_nobody_has_can_be_the_first_and_says_so(monkeypatch):
    monkeypatch.setattr(studio_module, "available", lambda name, **where: Availability.NOWHERE)
    page = app.build(app.arguments(["--default-variant", "nano"]))
    assert page.names == ["pico@untrained", "t@untrained", "nano"]
    assert page.studio.preload("nano").done.wait(60)
    assert "No weights" in str(page.studio.preload("nano").error)


def test_on_a_space_visitors_name_listed_backbones_only(monkeypatch, asked):
    assert app.arguments([]).visitor_backbones == "any"
    monkeypatch.setenv("SPACE_ID", "somebody/lens")
    page = app.build(app.arguments(["--beside", "TIMM:resnet18@untrained,timm:resnet50"]))
    assert page.studio.backbones == Backbones("listed", ("timm:resnet18", "timm:resnet50"))
    assert app.build(app.arguments([])).studio.backbones.listed == BESIDE
    monkeypatch.setenv("TRANSXNET_VISITOR_BACKBONES", "none")
    assert app.arguments([]).visitor_backbones == "none"
    assert app.arguments(["--visitor-backbones", "any"]).visitor_backbones == "any"
    monkeypatch.setenv("TRANSXNET_VISITOR_BACKBONES", "some")
    with pytest.raises(OutOfRange, match="cannot be 'some'"):
        app.build(app.arguments([]))


def test_what_cannot_be_is_refused_before_anything_is_served(asked):
    with pytest.raises(DeviceError, match="tpu"):
        app.build(app.arguments(["--device", "tpu"]))
    with pytest.raises(UnknownName, match="zeta"):
        app.build(app.arguments(["--default-variant", "zeta"]))
    with pytest.raises(OutOfRange, match="--beside names 4 backbones"):
        app.build(app.arguments(["--beside", ",".join(f"timm:resnet{layers}" for layers in (18, 34, 50, 101))]))
    assert asked == []


# ---- serving ------------------------------------------------------------------------------------------------


def test_gradio_is_launched_with_the_limits_and_the_look(monkeypatch):
    calls: list[tuple] = []

    monkeypatch.setattr(TemporaryFiles, "keep_present", lambda self: calls.append(("keeps", self.folder)))
    monkeypatch.setattr(TemporaryFiles, "start", lambda self: calls.append(("starts", self.folder)))
    handlers = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.update({number: handler}))
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7999")
    queued, launched = {}, {}
    blocks = SimpleNamespace(
        queue=lambda **options: queued.update(options), launch=lambda **options: launched.update(options) or "served"
    )
    page = SimpleNamespace(blocks=blocks, words=SimpleNamespace(i18n=lambda: "in three languages"))
    assert app.launch(page, app.arguments([]), quiet=True) == "served"

    assert calls == [("keeps", app.temporary), ("starts", app.temporary)]
    assert queued == {"api_open": False, "max_size": 64}
    assert (launched["server_name"], launched["server_port"]) == ("0.0.0.0", 7999)
    assert (launched["show_error"], launched["ssr_mode"], launched["strict_cors"]) == (False, False, True)
    assert launched["css_paths"] == STYLES
    assert launched["i18n"] == "in three languages"
    middleware = launched["app_kwargs"]["middleware"]
    assert [one.cls for one in middleware] == [
        SecurityHeaders, server.BodyLimit, FileRoutes, RequestCheck, Streams, WebModules, UploadRoom,
        InLanguage,
    ]  # fmt: skip
    assert middleware[-2].kwargs["files"].folder == app.temporary
    assert 'src="./lens-web/' in middleware[-1].kwargs["head"]
    assert "head" not in launched
    assert launched["quiet"] is True
    left = []
    monkeypatch.setattr(server, "leave", left.append)
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert left == [app.temporary]


@pytest.fixture
def run_app(monkeypatch):
    """`python app.py OPTIONS` inside this process: returns its exit code, and leaves the temporary folder."""

    def leave(folder: Path, code: int = 0) -> None:
        raise SystemExit(code)

    def run(*options: str) -> int:
        monkeypatch.setattr(server, "leave", leave)
        monkeypatch.setattr(sys, "argv", ["app.py", *options])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        return ended.value.code

    return run


def test_a_wrong_name_ends_the_command_with_a_sentence(run_app, capsys):
    assert run_app("--port", "0", "--default-variant", "zeta") == 1
    text = capsys.readouterr().err
    assert text.startswith("There is no model called 'zeta'.")
    assert text.count("\n") == 1


def test_an_unforeseen_error_ends_with_its_traceback(run_app, monkeypatch, capsys):
    """Through server.leave as well: threads that load a model would abort the process."""
    monkeypatch.setattr(server, "launch_options", lambda args: 1 / 0)
    assert run_app() == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_address_is_refused_before_anything_is_built(run_app, monkeypatch, capsys):
    monkeypatch.setattr(studio_module, "Studio", None)
    assert run_app("--host", "192.0.2.1") == 1
    assert capsys.readouterr().err.startswith("This machine cannot listen on the host '192.0.2.1'.")


def test_ipv6_in_the_environment_becomes_an_option(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "::1")
    monkeypatch.setattr(app.address, "find_port", lambda host, port: port)
    options = app.arguments([])
    app.check_address(options)
    assert options.host == "[::1]"
    assert "GRADIO_SERVER_NAME" not in os.environ


def fake_page(launch) -> SimpleNamespace:
    blocks = SimpleNamespace(queue=lambda **options: None, launch=launch)
    return SimpleNamespace(blocks=blocks, words=SimpleNamespace(i18n=lambda: "in three languages"))


@pytest.fixture
def quiet_server(monkeypatch):
    """No thread that sweeps, and this process' signal handlers stay."""
    monkeypatch.setattr(TemporaryFiles, "keep_present", lambda self: None)
    monkeypatch.setattr(TemporaryFiles, "start", lambda self: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


@pytest.mark.usefixtures("quiet_server")
def test_port_0_is_a_free_port_for_gradio():
    launched = {}
    app.launch(fake_page(lambda **options: launched.update(options)), app.arguments(["--port", "0"]))
    assert launched["server_port"] > 0


@pytest.mark.usefixtures("quiet_server")
def test_a_server_that_cannot_start_is_a_sentence():
    def launch(**options):
        raise OSError("Cannot find empty port in range: 7860-7959.")

    with pytest.raises(LensError, match="server could not start") as caught:
        app.launch(fake_page(launch), app.arguments([]))
    assert caught.value.detail == "Cannot find empty port in range: 7860-7959."
