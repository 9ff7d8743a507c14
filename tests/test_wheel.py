"""The wheel: what it contains, what it requires, and that it works where there is no checkout."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

import httpx
import pytest
from packaging.requirements import Requirement

from demo.examples import examples
from tests.processes import CV2_WITHOUT_LIBGL, DEADLINE, NO_PROXY, module_address, printed_url
from tests.repository import ROOT, requirements, tracked

pytestmark = pytest.mark.process

LARGEST = 50_000_000  # bytes
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = {"transxnet": "transxnet", "demo": "transxnet_lens"}  # folder -> what it is installed as
ASSETS = "transxnet/_assets/"
IMPORTED_AS = {"opencv-python": "cv2", "pillow": "PIL", "huggingface-hub": "huggingface_hub"}
SEPARATOR = "--- exit code"
INSTALL = 'pip install "transxnet-lens[demo]"'


def run_pip(*arguments: str) -> None:
    """pip without a network."""
    command = [sys.executable, "-m", "pip", *arguments, "--no-deps", "--no-index", "--disable-pip-version-check"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=DEADLINE)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the tracked files, and of a training log that is made before it is committed."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, source / path)
    (source / "assets" / "training").mkdir(exist_ok=True)
    (source / "assets" / "training" / "log.csv").write_text("step,loss\n", encoding="utf-8")
    run_pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="session")
def names(wheel: Path) -> list[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="session")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is installed."""
    folder = tmp_path_factory.mktemp("site")
    run_pip("install", "--no-compile", "--target", str(folder), str(wheel))
    return folder


@pytest.fixture(scope="session")
def metadata(site: Path) -> Distribution:
    (distribution,) = distributions(path=[str(site)])
    return distribution


# --- What it contains -------------------------------------------------------------------------------------------------


def test_wheel_is_named_and_small(wheel):
    assert wheel.name == f"transxnet_lens-{PROJECT['version']}-py3-none-any.whl"
    assert wheel.stat().st_size <= LARGEST


def test_wheel_installs_two_packages(names):
    top = {PurePosixPath(name).parts[0] for name in names}
    assert top == {*PACKAGES.values(), f"transxnet_lens-{PROJECT['version']}.dist-info"}


def test_wheel_holds_each_file_of_both_packages(names):
    """A new package has to be named in pyproject.toml, a new kind of file as its package data."""
    sources = [path.as_posix().partition("/") for path in tracked() if path.parts[0] in PACKAGES]
    expected = {f"{PACKAGES[folder]}/{rest}" for folder, _, rest in sources}
    packaged = {name for name in names if name.startswith((*(f"{package}/" for package in PACKAGES.values()),))}
    assert {name for name in packaged if not name.startswith(ASSETS)} == expected


def test_wheel_holds_what_runs_need_of_the_assets(names):
    assets = {name.removeprefix(ASSETS) for name in names if name.startswith(ASSETS)}
    tracked_assets = {path.as_posix().removeprefix("assets/") for path in tracked() if path.parts[0] == "assets"}
    assert assets <= tracked_assets
    tables = {"published.csv", "verdict_rates.csv"}
    assert {PurePosixPath(name).parts[0] for name in assets} == {*tables, "examples", "labels", "weights"}
    needed = {name for name in tracked_assets if name.endswith((".safetensors", ".npz", ".txt"))}
    needed = {name for name in needed if not name.startswith("training/")}  # of unfinished runs: nothing loads them
    needed |= {PurePosixPath(name).with_suffix(".json").as_posix() for name in needed if name.endswith(".safetensors")}
    needed |= {name for name in tracked_assets if name.startswith("examples/")}
    assert {*tables, *needed} <= assets
    assert not any(name.endswith(".png") for name in assets)


# --- What it requires -------------------------------------------------------------------------------------------------


def test_requirements_txt_is_the_whole_of_pyproject():
    """A Space installs requirements.txt; pip installs what pyproject.toml lists."""
    listed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["demo"]]
    assert sorted(str(Requirement(line)) for line in listed) == sorted(map(str, requirements("requirements.txt")))


def test_library_imports_its_base_requirements_only():
    base = {Requirement(line).name for line in PROJECT["dependencies"]}
    imported: set[str] = set()
    for path in (ROOT / "transxnet").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.partition(".")[0])
    imported -= {"transxnet", "pillow_heif", "datasets", *sys.stdlib_module_names}  # the two are extras
    assert imported | {"torchvision"} == {IMPORTED_AS.get(name, name) for name in base}  # timm needs torchvision


def test_metadata_names_the_extra_and_the_commands(metadata):
    assert (metadata.name, metadata.version) == ("transxnet-lens", PROJECT["version"])
    assert metadata.metadata["License-Expression"] == "Apache-2.0"
    assert "# TransXNet Lens" in (metadata.metadata["Description"] or metadata.metadata.get_payload())
    assert metadata.metadata.get_all("Provides-Extra") == ["demo", "heif", "datasets"]
    base = {line for line in metadata.requires if "extra ==" not in line}
    assert not any(line.startswith("gradio") for line in base)
    assert len(base) == len(PROJECT["dependencies"])
    points = {(point.group, point.name): point.value for point in metadata.entry_points}
    assert points == {
        ("console_scripts", "transxnet"): "transxnet.__main__:main",
        ("transxnet.commands", "demo"): "transxnet_lens.command",
    }


# --- Outside the checkout ---------------------------------------------------------------------------------------------


def start(site: Path, *command: str, folder: Path) -> subprocess.Popen[str]:
    """Start Python with these arguments and the installed packages in `folder`, outside the checkout."""
    return subprocess.Popen(
        [sys.executable, "-u", *command], cwd=folder,
        env=os.environ | NO_PROXY | {
            "PYTHONPATH": os.pathsep.join((str(site), os.environ["PYTHONPATH"])), "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )  # fmt: skip


# `list`, and then the console script: where OpenCV's system libraries are missing, and where Gradio is.
COMMANDS = f"""
import runpy, sys
from transxnet.__main__ import main
script, image, without_opencv, without_gradio = sys.argv[1:]
code = main(["list", "--json"])
print("{SEPARATOR}", code)
sys.path.insert(0, without_opencv)
sys.argv = [script, "predict", image, "--model", "pico"]
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as ended:
    code = ended.code
print("{SEPARATOR}", code)
sys.path[0] = without_gradio
sys.argv = [script, "demo", "--port", "0"]
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def ended(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and output of the installed commands, one after another in one process."""
    folder = tmp_path_factory.mktemp("commands")
    missing = "raise ModuleNotFoundError(\"No module named 'gradio'\", name='gradio')\n"
    for name, text in (("cv2", CV2_WITHOUT_LIBGL), ("gradio", missing)):
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(text, encoding="utf-8")
    script, image = site / "bin" / "transxnet", examples()[0].path
    process = start(site, "-c", COMMANDS, *map(str, (script, image, folder / "cv2", folder / "gradio")), folder=folder)
    output, _ = process.communicate(timeout=DEADLINE)
    models, list_code, predicted, predict_code, demo = re.split(rf"^{SEPARATOR} (.*)\n", output, flags=re.MULTILINE)
    return {
        "list": (int(list_code), models), "predict": (int(predict_code), predicted), "demo": (process.returncode, demo),
    }  # fmt: skip


def test_installed_list_names_the_bundled_models(ended):
    code, output = ended["list"]
    assert code == 0, output
    weights = {model["name"]: model["weights"] for model in map(json.loads, output.splitlines())}
    bundled = {name for name, source in weights.items() if source == "bundled"}
    assert bundled == {"pico", "pico_matched", "pico_static", "pico_noosra", "pico_noste"}


def test_installed_predict_needs_no_opencv(ended):
    """The console script, on a machine without OpenCV's system libraries."""
    code, output = ended["predict"]
    assert code == 0, output
    assert "pico: Bundled weights" in output
    assert "cougar" in output


def test_installed_demo_serves_its_page(site, tmp_path):
    script = str(site / "bin" / "transxnet")
    process = start(site, script, "demo", "--host", "127.0.0.1", "--port", "0", folder=tmp_path)
    try:
        url = httpx.URL(printed_url(process))
        page = httpx.get(url, timeout=DEADLINE, trust_env=False)
        script = httpx.get(url.join(module_address(page.text)), timeout=DEADLINE, trust_env=False)
        assert (page.status_code, script.status_code) == (200, 200)
        assert "window.lens = " in script.text
    finally:
        process.terminate()
        assert process.wait(DEADLINE) == 0
        process.stdout.close()


def test_installed_demo_without_gradio_says_what_to_install(ended):
    code, output = ended["demo"]
    assert code == 2, output
    assert output.startswith("The Python package gradio is not installed.")
    assert INSTALL in output
    assert output.count("\n") == 1
