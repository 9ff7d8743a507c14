"""app.py and demo/command.py: the options, what they hand on to the page and to Gradio, and how they end."""

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

from demo import command, launch, server
from demo import service as service_module
from demo.backbones import DEFAULT_BACKBONES, Backbones
from demo.http_policy import BodyLimit, SecurityHeaders
from demo.page_routes import PageRoutes
from demo.requests import RequestCheck
from demo.temporary_files import TemporaryFiles, UploadRoom
from demo.ui.language import InLanguage
from demo.uploads import FileRoutes
from demo.web import STYLES, WebModules
from tests.fixtures.small_model import image, small_model
from transxnet.__main__ import main
from transxnet.errors import DeviceError, LensError, OutOfRange, UnknownName
from transxnet.study import StudyOptions
from transxnet.weights.load import Availability

ROOT = Path(__file__).parents[2]


def test_defaults_leave_the_rest_to_the_environment():
    assert vars(command.arguments([])) == {
        "host": None, "port": None, "root_path": None, "share": False, "weights_dir": None, "hub_namespace": None,
        "device": None, "refresh": False, "model": None, "class_names": None, "activation": None, "ema": False,
        "request_memory": 2.0, "backbones": None, "visitor_backbones": "any", "mcp": False, "allowed_host": None,
        "frame_ancestors": None,
    }  # fmt: skip


def test_every_option_is_parsed():
    line = "--host 0.0.0.0 --port 8000 --root-path /lens --share --weights-dir w --hub-namespace n --refresh"
    line += " --device cpu --model t"
    line += " --backbones timm:resnet18,timm:resnet50 --visitor-backbones none --mcp"
    line += " --allowed-host a --allowed-host b --frame-ancestors https://a --frame-ancestors https://b"
    assert vars(command.arguments(shlex.split(line))) == {
        "host": "0.0.0.0", "port": 8000, "root_path": "/lens", "share": True, "weights_dir": "w",
        "hub_namespace": "n", "device": "cpu", "refresh": True, "model": ["t"], "class_names": None, "activation": None,
        "ema": False, "request_memory": 2.0, "backbones": "timm:resnet18,timm:resnet50", "visitor_backbones": "none",
        "mcp": True, "allowed_host": ["a", "b"], "frame_ancestors": ["https://a", "https://b"],
    }  # fmt: skip


def test_help_names_every_option_and_its_variable(capsys):
    with pytest.raises(SystemExit) as exit_info:
        command.arguments(["--help"])
    assert exit_info.value.code == 0
    text = capsys.readouterr().out
    for name in (
        "--host",
        "--port",
        "--root-path",
        "--share",
        "--weights-dir",
        "--hub-namespace",
        "--refresh",
        "--device",
        "--model",
        "--backbones",
        "--visitor-backbones",
        "--mcp",
    ):
        assert name in text
    assert "NS@v1 pins a branch, tag or commit, NS@t=COMMIT,s=v2 one per model" in " ".join(text.split())
    for name in (
        "GRADIO_SERVER_NAME",
        "GRADIO_SERVER_PORT",
        "GRADIO_ROOT_PATH",
        "TRANSXNET_WEIGHTS",
        "TRANSXNET_HUB_NAMESPACE",
        "TRANSXNET_MCP",
        "TRANSXNET_VISITOR_BACKBONES",
    ):
        assert name in text


def test_keywords_of_a_mounted_page_are_parsed_as_options(monkeypatch):
    monkeypatch.setenv("TRANSXNET_MCP", "1")
    keywords = {"model": ["birds=a b.pth", "pico"], "ema": True, "request_memory": 4, "mcp": False, "device": None}
    line = ["--model", "birds=a b.pth", "--model", "pico", "--ema", "--request-memory", "4"]
    assert vars(command.keyword_arguments(keywords)) == vars(command.arguments(line)) | {"mcp": False}


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"modle": "pico"}, r"mount\(\) has no option 'modle'\. Options: activation, allowed_host, backbones,"),
        ({"port": 7860}, r"mount\(\) has no option 'port'\."),
        ({"request_memory": "much"}, r"mount\(\): argument --request-memory: invalid float value: 'much'\."),
        ({"visitor_backbones": "all"}, r"mount\(\): argument --visitor-backbones: invalid choice: 'all'"),
        ({"backbones": ["resnet18", "resnet50"]}, r"mount\(\): backbones takes one value, not a list\."),
        ({"ema": 1}, r"mount\(\): argument --ema: ignored explicit argument '1'\."),
    ],
)
def test_other_keywords_raise_a_type_error(keywords, sentence):
    with pytest.raises(TypeError, match=sentence):
        command.keyword_arguments(keywords)


def test_invalid_option_ends_with_a_sentence(capsys):
    with pytest.raises(SystemExit) as exit_info:
        command.arguments(["--port", "many"])
    assert exit_info.value.code == 2
    assert "many" in capsys.readouterr().err


def test_environment_is_set_before_gradio_is_imported(monkeypatch):
    monkeypatch.setattr(server, "leave", lambda folder, code: None)
    with command.page_process():
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert os.environ["GRADIO_TEMP_DIR"] == str(server.private_temp_dir())


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def space(monkeypatch) -> list[tuple]:
    """A hosted Space, where the package `spaces` is installed. Returns the first arguments of decorated calls."""
    calls: list[tuple] = []

    def gpu(function):
        def decorated(*args):
            calls.append(args[0])
            return function(*args)

        return decorated

    module = ModuleType("spaces")
    module.__spec__ = ModuleSpec("spaces", None)
    module.GPU = gpu
    monkeypatch.setitem(sys.modules, "spaces", module)
    return calls


@pytest.fixture
def loaded_names(monkeypatch) -> list[str]:
    """Replaces transxnet.load by the small model, and records the requested names."""
    names: list[str] = []

    def load(name: str, **options: object):
        names.append(f"{name} from {options['weights_dir']} and {options['hub_namespace']}")
        return small_model()

    monkeypatch.setattr(service_module, "load", load)
    return names


def test_useless_weights_folder_ends_the_program(tmp_path):
    with pytest.raises(LensError, match="holds no weights under a name that is known here"):
        launch.build(command.arguments(["--device", "cpu", "--weights-dir", str(tmp_path)]))


def test_space_runs_studies_in_its_gpu_decorator(space, loaded_names, tmp_path):
    (tmp_path / "t.safetensors").touch()
    page = launch.build(command.arguments(["--device", "cpu", "--weights-dir", str(tmp_path), "--hub-namespace", "n"]))
    assert page.renderer.service.preload("pico").finished.wait(60)
    assert loaded_names == [f"pico from {tmp_path} and n"]  # on its way before anybody has opened the page
    key = page.renderer.service.add(image())
    assert space == []
    page.renderer.service.study(key, "pico", StudyOptions(analyses=()))
    assert [key[1] for key in space] == ["pico"]


def test_nothing_is_wrapped_outside_a_space():
    def function():
        return None

    assert launch.on_gpu()(function) is function


def test_page_opens_with_the_model_of_the_option(loaded_names):
    page = launch.build(command.arguments(["--model", "transxnet_s"]))
    assert page.renderer.default_model == "s"
    assert page.renderer.service.preload("s").finished.wait(60)
    assert loaded_names == ["s from None and None"]


def test_default_model_without_weights_reports_an_error(monkeypatch):
    monkeypatch.setattr(service_module, "available", lambda name, **where: Availability.NOWHERE)
    page = launch.build(command.arguments(["--model", "nano"]))
    assert page.renderer.model_names == ["nano", "pico@untrained", "t@untrained"]
    assert page.renderer.service.preload("nano").finished.wait(60)
    assert "No weights" in str(page.renderer.service.preload("nano").error)


def test_space_allows_listed_backbones_only(monkeypatch, loaded_names):
    assert command.arguments([]).visitor_backbones == "any"
    monkeypatch.setenv("SPACE_ID", "somebody/lens")
    page = launch.build(command.arguments(["--backbones", "TIMM:resnet18@untrained,timm:resnet50"]))
    assert page.renderer.service.backbones == Backbones("listed", ("timm:resnet18", "timm:resnet50"))
    assert launch.build(command.arguments([])).renderer.service.backbones.listed == DEFAULT_BACKBONES
    monkeypatch.setenv("TRANSXNET_VISITOR_BACKBONES", "none")
    assert command.arguments([]).visitor_backbones == "none"
    assert command.arguments(["--visitor-backbones", "any"]).visitor_backbones == "any"
    monkeypatch.setenv("TRANSXNET_VISITOR_BACKBONES", "some")
    with pytest.raises(OutOfRange, match="cannot be 'some'"):
        launch.build(command.arguments([]))


def test_invalid_values_are_refused_before_loading(loaded_names):
    with pytest.raises(DeviceError, match="tpu"):
        launch.build(command.arguments(["--device", "tpu"]))
    with pytest.raises(UnknownName, match="zeta"):
        launch.build(command.arguments(["--model", "zeta"]))
    with pytest.raises(OutOfRange, match="--backbones names 4 backbones"):
        launch.build(
            command.arguments(["--backbones", ",".join(f"timm:resnet{layers}" for layers in (18, 34, 50, 101))])
        )
    assert loaded_names == []


# ---- serving --------------------------------------------------------------------------------------------------------


def test_launch_passes_limits_and_theme_to_gradio(monkeypatch):
    temporary = server.private_temp_dir()
    calls: list[tuple] = []

    monkeypatch.setattr(TemporaryFiles, "keep_present", lambda self: calls.append(("keeps", self.folder)))
    monkeypatch.setattr(TemporaryFiles, "start", lambda self: calls.append(("starts", self.folder)))
    handlers = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.update({number: handler}))
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7999")
    queue_options, launch_options = {}, {}
    blocks = SimpleNamespace(
        queue=lambda **options: queue_options.update(options),
        launch=lambda **options: launch_options.update(options) or "served",
    )
    page = SimpleNamespace(blocks=blocks, renderer=None, translations=SimpleNamespace(i18n=lambda: "translations"))
    assert launch.launch(page, command.arguments([]), quiet=True) == "served"

    assert calls == [("keeps", temporary), ("starts", temporary)]
    assert queue_options == {"api_open": False, "max_size": 64}
    assert (launch_options["server_name"], launch_options["server_port"]) == ("0.0.0.0", 7999)
    assert (launch_options["show_error"], launch_options["ssr_mode"], launch_options["strict_cors"]) == (
        False,
        False,
        True,
    )
    assert launch_options["css_paths"] == STYLES
    assert launch_options["i18n"] == "translations"
    middleware = launch_options["app_kwargs"]["middleware"]
    assert [entry.cls for entry in middleware] == [
        SecurityHeaders, PageRoutes, WebModules, BodyLimit, FileRoutes, RequestCheck, UploadRoom, InLanguage,
    ]  # fmt: skip
    assert middleware[-2].kwargs["files"].folder == temporary
    assert 'src="./lens-web/' in middleware[-1].kwargs["head"]
    assert "head" not in launch_options
    assert launch_options["quiet"] is True
    folders = []
    monkeypatch.setattr(server, "leave", folders.append)
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert folders == [temporary]


@pytest.fixture
def exits_are_raised(monkeypatch):
    """The page's process ends with SystemExit, and leaves the temporary folder."""

    def leave(folder: Path, code: int = 0) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(server, "leave", leave)


@pytest.fixture
def run_app(monkeypatch, exits_are_raised):
    """`python app.py OPTIONS` inside this process: returns its exit code."""

    def run(*options: str) -> int:
        monkeypatch.setattr(sys, "argv", ["app.py", *options])
        with pytest.raises(SystemExit) as exit_info:
            runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
        return exit_info.value.code

    return run


def test_unknown_model_ends_with_a_sentence(run_app, capsys):
    assert run_app("--port", "0", "--model", "zeta") == 1
    text = capsys.readouterr().err
    assert text.startswith("There is no model called 'zeta'.")
    assert text.count("\n") == 1


@pytest.mark.usefixtures("exits_are_raised")
def test_command_ends_with_the_exit_code_of_commands(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", "--port", "many"])
    assert exit_info.value.code == 2
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", "--port", "0", "--model", "zeta"])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("There is no model called 'zeta'.")


def test_unexpected_error_ends_with_its_traceback(run_app, monkeypatch, capsys):
    """Through server.leave as well: threads that load a model would abort the process."""
    monkeypatch.setattr(server, "launch_options", lambda args: 1 / 0)
    assert run_app() == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_address_is_refused_before_building(run_app, monkeypatch, capsys):
    monkeypatch.setattr(service_module, "StudyService", None)
    assert run_app("--host", "192.0.2.1") == 1
    assert capsys.readouterr().err.startswith("This machine cannot listen on the host '192.0.2.1'.")


def test_ipv6_of_the_environment_becomes_an_option(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "::1")
    monkeypatch.setattr(launch.address, "find_port", lambda host, port: port)
    options = command.arguments([])
    launch.check_address(options)
    assert options.host == "[::1]"
    assert "GRADIO_SERVER_NAME" not in os.environ


def fake_page(serve) -> SimpleNamespace:
    blocks = SimpleNamespace(queue=lambda **options: None, launch=serve)
    return SimpleNamespace(blocks=blocks, renderer=None, translations=SimpleNamespace(i18n=lambda: "translations"))


@pytest.fixture
def quiet_server(monkeypatch):
    """No thread that sweeps, and this process' signal handlers stay."""
    monkeypatch.setattr(TemporaryFiles, "keep_present", lambda self: None)
    monkeypatch.setattr(TemporaryFiles, "start", lambda self: None)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


@pytest.mark.usefixtures("quiet_server")
def test_port_0_is_a_free_port_for_gradio():
    launch_options = {}
    launch.launch(fake_page(lambda **options: launch_options.update(options)), command.arguments(["--port", "0"]))
    assert launch_options["server_port"] > 0


@pytest.mark.usefixtures("quiet_server")
def test_server_that_cannot_start_is_a_sentence():
    def refuse(**options):
        raise OSError("Cannot find empty port in range: 7860-7959.")

    with pytest.raises(LensError, match="server could not start") as error_info:
        launch.launch(fake_page(refuse), command.arguments([]))
    assert error_info.value.detail == "Cannot find empty port in range: 7860-7959."
