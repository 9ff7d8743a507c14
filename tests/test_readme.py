"""README cannot drift: its Python runs, its commands parse, what it names exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

from demo.examples import examples

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block, tmp_path, monkeypatch):
    (tmp_path / "photo.jpg").write_bytes(examples()[0].path.read_bytes())
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        exec(compile(block, "README.md", "exec"), {})


def test_there_are_as_many_blocks_as_expected():
    assert len(blocks("python")) == 3


@pytest.mark.parametrize(
    "line", [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python -m transxnet")]
)
def test_commands_parse(line):
    from transxnet.__main__ import parser

    words = shlex.split(line, comments=True)[3:]
    if "--help" in words:
        with pytest.raises(SystemExit) as done:
            parser().parse_args(words)
        assert done.value.code == 0
    else:
        assert parser().parse_args(words)


def test_page_options_are_the_documented_ones(capsys):
    import app

    with pytest.raises(SystemExit):
        app.arguments(["--help"])
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
