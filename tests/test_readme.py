"""README cannot drift: every fenced block is run, what it names exists.

Commands run for real, in a folder that holds what they name, in small (tests/readme_scratch.py): stand-ins for T, S, B,
pico and nano at a thousandth of their work, recipes cut to one step, studies without --analyses and the gallery to two
parts, receptive fields to 32 px and one image, timm's backbones to one block a stage. Python blocks take the same
models; the page and the Hub that two of them need are on loopback. NOT_RUN lists what is left, and why.
"""

from __future__ import annotations

import ast
import re
import subprocess
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import timm
import torch
from torch import nn
from torch.distributed.run import get_args_parser

import transxnet
from tests import readme_scratch
from tests.fixtures.small_model import few_passes
from tests.fixtures.tiny_model import single_thread  # noqa: F401 - a fixture
from tests.hub import HubServer, use_hub
from tests.readme_blocks import Block, blocks, commands
from tests.torchrun import torchrun
from transxnet.__main__ import main
from transxnet.registry import clear_models

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README)

NOT_RUN = {
    ("make", "demo"): "serves until somebody ends it; tests/browser serve and visit the page",
    ("make", "test"): "is what runs this test",
    ("pip", "install", ".[demo]"): "tests/test_wheel.py builds and installs the wheel",
    ("transxnet", "demo"): "serves; tests/test_wheel.py visits the page",
}
TWO_PROCESSES = "runs/b"  # the torchrun line with this word has them; see run_torchrun
PAGE = "http://127.0.0.1:7860"
NEEDS = {
    "gradio_client": "page",
    "--to NAMESPACE": "hub",
    "hf-hub:NAMESPACE": "published",
}  # words of a block -> fixture


# --- What blocks need -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that commands name, and beside it `weights`; not to be changed."""
    root = tmp_path_factory.mktemp("readme")
    for name, write in (("here", readme_scratch.write_files), ("weights", readme_scratch.write_weights)):
        (root / name).mkdir()
        write(root / name)
    return root


@pytest.fixture
def here(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own with links to the files; it is where commands start."""
    folder = tmp_path / "here"
    folder.mkdir()
    for path in (files / "here").iterdir():
        (folder / path.name).symlink_to(path)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def small(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything in small, and weights for the family."""
    readme_scratch.cut(monkeypatch)
    monkeypatch.setenv("TRANSXNET_WEIGHTS", str(files / "weights"))
    with few_passes():
        yield


@pytest.fixture(scope="module")
def backbones(files: Path) -> None:
    """Weights for timm's backbones, beside the family's."""
    readme_scratch.write_backbones(files / "weights")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub without repositories that lets this test write to NAMESPACE, which is a name like any other."""
    (tmp_path / "hub").mkdir()
    with HubServer(tmp_path / "hub") as server:
        server.tokens = {"hf_owner": {"NAMESPACE"}}
        monkeypatch.setenv("HF_TOKEN", "hf_owner")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        use_hub(monkeypatch, server.url, tmp_path / "hub-cache")
        yield server


@pytest.fixture
def published(hub: HubServer, here: Path, small: None) -> None:
    """T's stand-in in NAMESPACE, and its folder as FOLDER."""
    command = ["publish", "--model", "t=transx-t.pth.tar", "--to", "NAMESPACE", "--out", "FOLDER"]
    assert main(command) == 0


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a page, on a free port."""
    from demo.renderer import Renderer
    from demo.server import launch_options
    from demo.service import StudyService
    from demo.ui.page import Page

    served = Page(Renderer(StudyService(device="cpu"))).blocks
    served.queue(api_open=False)
    _, url, _ = served.launch(prevent_thread_lock=True, **launch_options(Namespace(host="127.0.0.1", quiet=True)))
    try:
        yield url.rstrip("/")
    finally:
        served.close()


# --- Running a block --------------------------------------------------------------------------------------------------


def run_shell(block: Block, request: pytest.FixtureRequest) -> None:
    """Every command of the block in its order, in this process where nothing else is said."""
    request.getfixturevalue("small")
    for words in commands(block.text):
        if re.search(r"timm:(?!\w+@untrained)", " ".join(words)):
            request.getfixturevalue("backbones")
        run_command(words)


def run_command(words: list[str]) -> None:
    """One command, as a shell would split it."""
    if tuple(words) in NOT_RUN:
        if words[0] == "make":
            assert_target(words[1])
    elif words[0] == "torchrun":
        run_torchrun(words[1:])
    elif words[0] == "transxnet":
        run_lens(words[1:])
    elif words[:2] == ["python", "app.py"]:
        build_page(words[2:])
    else:
        assert words[:3] == ["python", "-m", "transxnet"]
        run_lens(words[3:])


def build_page(words: list[str]) -> None:
    """The page with these options, not served."""
    from demo import command, launch

    args = command.arguments([*words, "--device", "cpu"])
    page = launch.build(args)
    assert page.renderer.default_model == args.model[0].partition("=")[0]


def run_torchrun(words: list[str]) -> None:
    """torchrun's own parser takes its options. What follows them runs in two processes where that is cheap.

    That processes share work, and how, is tested with each command (test_distributed, test_evaluate_cli, …), so here
    only one of the README's three lines has them.
    """
    given = get_args_parser().parse_args(words)
    assert (given.module, given.training_script, int(given.nproc_per_node) > 1) == (True, "transxnet", True)
    rest = given.training_script_args
    if TWO_PROCESSES not in rest:
        return run_lens(rest)
    torchrun(readme_scratch.run_cut, str(Path.cwd()), rest)
    assert_written(rest)


def run_lens(words: list[str]) -> None:
    """`python -m transxnet` with these words: it ends well and, where it was given --out, has written."""
    if "--help" in words:
        with pytest.raises(SystemExit) as done:
            main(words)
        assert done.value.code == 0
        return
    smaller = ["--image-size", str(readme_scratch.SIDE), "--max-images", "1"] if words[0] == "erf" else []
    assert main([*words, *smaller]) == 0, words
    assert_written(words)


def assert_written(words: list[str]) -> None:
    if "--out" in words:
        out = Path(words[words.index("--out") + 1])
        assert any(out.iterdir()), out


def assert_target(name: str) -> None:
    """make knows how to make it."""
    done = subprocess.run(["make", "-n", name], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def run_python(block: Block, request: pytest.FixtureRequest) -> None:
    """Statement by statement. Models that it only names, one after another, are one model: their logits are equal."""
    request.getfixturevalue("small")
    text = block.text
    if PAGE in text:  # that port may be taken
        text = text.replace(PAGE, request.getfixturevalue("page"))
    names = {"transxnet": transxnet, "timm": timm} if "import" not in text else {}  # as the sentence before it says
    values = []
    for statement in ast.parse(text, "README.md").body:
        if isinstance(statement, ast.Expr):
            values.append(eval(compile(ast.Expression(statement.value), "README.md", "eval"), names))
        else:
            exec(compile(ast.Module([statement], []), "README.md", "exec"), names)
    assert_alike([value for value in values if isinstance(value, nn.Module)])


@torch.no_grad()
def assert_alike(models: list[nn.Module]) -> None:
    image = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    answers = [model.cpu().eval()(image) for model in models]
    assert all(torch.equal(answer, answers[0]) for answer in answers)


def read_bibtex(block: Block, request: pytest.FixtureRequest) -> None:
    """One entry with what a bibliography needs."""
    assert re.match(r"@\w+\{\w+,\n", block.text)
    assert block.text.count("{") == block.text.count("}")
    assert {"title", "author", "journal", "year"} <= set(re.findall(r"^ +(\w+) += \{.+\}", block.text, re.MULTILINE))


RUN: dict[str, Callable[[Block, pytest.FixtureRequest], None]] = {
    "sh": run_shell, "python": run_python, "py": run_python, "bibtex": read_bibtex,
}  # fmt: skip


def run(block: Block, request: pytest.FixtureRequest) -> None:
    """KeyError for a language that nothing here runs, none at all included."""
    how = RUN[block.language]
    for words, fixture in NEEDS.items():
        if words in block.text:
            request.getfixturevalue(fixture)
    with torch.random.fork_rng():
        how(block, request)


@pytest.fixture
def forget_models() -> Iterator[None]:
    """No model of a block is known to the next."""
    yield
    clear_models()


@pytest.mark.usefixtures("here", "forget_models")
@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_runs(block, request):
    run(block, request)


def test_no_block_escapes():
    """Every fence, wherever on a line it stands, became a block; languages and NOT_RUN are those of the README."""
    assert README.count("```") + README.count("~~~") == 2 * len(BLOCKS)
    assert {block.language for block in BLOCKS} == RUN.keys()
    called = {tuple(words) for block in BLOCKS if block.language == "sh" for words in commands(block.text)}
    assert called >= NOT_RUN.keys()
    assert {words for words in called if words[0] in ("make", "pip")} <= NOT_RUN.keys()
    assert len([words for words in called if words[0] == "torchrun" and TWO_PROCESSES in words]) == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("sh", "python -m transxnet predict photo.jpg --modle pico", SystemExit),
        ("sh", "for m in pico picco; do\n    python -m transxnet predict photo.jpg --model $m\ndone", AssertionError),
        ("sh", "python -m transxnet study absent.jpg --out figures", AssertionError),
        ("sh", "torchrun --processes 8 -m transxnet predict photo.jpg", SystemExit),
        ("sh", "make tea", AssertionError),
        ("sh", "pip install absent", AssertionError),
        ("sh", "transxnet predict absent.jpg", AssertionError),
        ("sh", "curl -O photo.jpg", ValueError),
        ("python", "from transxnet.study import Option", ImportError),
        ("py", 'transxnet.load("t", "hf-hub:NAMESPACE/transxnet_s").model', transxnet.LensError),
        ("py", 'transxnet.load("pico").model\ntransxnet.load("pico@untrained").model', AssertionError),
        ("", "anything", KeyError),
    ],
)
def test_a_wrong_block_is_noticed(language, text, error, request):
    with pytest.raises(error):
        run(Block(language, text, 1), request)


def test_a_wrong_endpoint_is_noticed(here, request):
    (block,) = [block for block in BLOCKS if "gradio_client" in block.text]
    wrong = Block(block.language, re.sub(r'api_name="/\w+"', 'api_name="/attend"', block.text), block.line)
    assert wrong != block
    with pytest.raises(ValueError, match="/attend"):
        run(wrong, request)


# --- What the text names ----------------------------------------------------------------------------------------------


SENTENCES = re.sub(r"^ *```.*?^ *```", "", README, flags=re.MULTILINE | re.DOTALL)
SPANS = "\n".join(re.findall(r"`([^`\n]+)`", SENTENCES))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", SPANS))))
def test_make_knows_what_sentences_name(target):
    assert_target(target)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:pip install -r|python) ([\w./-]+\.\w+)", SPANS))))
def test_pip_and_python_are_given_files_that_exist(path):
    assert (ROOT / path).is_file()


def test_page_options_are_the_documented_ones(capsys):
    from demo import command

    with pytest.raises(SystemExit):
        command.arguments(["--help"])
    there = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    line = next(line for line in README.splitlines() if line.startswith("* `python app.py --help`"))
    assert there == set(re.findall(r"--[a-z-]+", line)) - {"--help"}


@pytest.mark.parametrize("path", re.findall(r"`((?:tests|transxnet|demo|assets)/[\w./-]+?)`", README))
def test_named_files_exist(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", re.findall(r"\]\((assets/[^)]+)\)", README))
def test_linked_files_exist(path):
    assert (ROOT / path).is_file()


def test_front_matter_is_what_a_space_reads():
    front = README.split("---")[1]
    for line in ("sdk: gradio", "app_file: app.py", 'python_version: "3.12"'):  # ZeroGPU has no 3.11
        assert line in front
    short = re.search(r"short_description: (.*)", front)[1]
    assert len(short) <= 60  # the Hub refuses longer ones
