"""transxnet/cli/plugins.py: commands of other packages, and what is said where the page's package is missing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from transxnet.__main__ import main
from transxnet.cli import plugins

INSTALL = 'pip install "transxnet-lens[demo]"'


@pytest.fixture
def entry_points(monkeypatch) -> dict:
    """Name -> function that imports the command's module: the entry points that are installed."""
    loads: dict = {}

    def installed(group: str) -> list[SimpleNamespace]:
        assert group == "transxnet.commands"
        return [SimpleNamespace(name=name, load=load) for name, load in loads.items()]

    monkeypatch.setattr(plugins, "entry_points", installed)
    return loads


@pytest.fixture
def no_checkout(monkeypatch, tmp_path: Path) -> None:
    """The library without a folder demo/ next to it."""
    monkeypatch.setattr(plugins, "files", lambda package: tmp_path / package)


def command(**attributes) -> SimpleNamespace:
    defaults = {"SUMMARY": "count to a number", "add_options": lambda add: add("--to", "last number", type=int)}
    return SimpleNamespace(**defaults | attributes)


def fail(error: Exception):
    def load():
        raise error

    return load


def test_entry_point_adds_a_command(entry_points, capsys):
    counted = []
    entry_points["count"] = lambda: command(run=lambda args: counted.append(args.to) or 3)
    assert main(["count", "--to", "5"]) == 3
    assert counted == [5]
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "count to a number" in capsys.readouterr().out


def test_command_of_the_library_comes_first(entry_points, capsys):
    entry_points["list"] = lambda: command(run=lambda args: 3)
    assert main(["list", "--classes", "pico"]) == 0
    assert "n01443537" in capsys.readouterr().out


def test_checkout_finds_its_page(entry_points, capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", "--help"])
    assert exit_info.value.code == 0
    assert "--allowed-host" in capsys.readouterr().out


@pytest.mark.usefixtures("no_checkout")
@pytest.mark.parametrize("words", [["demo"], ["demo", "--help"], ["demo", "--port", "0", "--share"]], ids=" ".join)
def test_missing_page_says_what_to_install(entry_points, capsys, words: list[str]):
    assert main(words) == 2
    text = capsys.readouterr().err
    assert text.startswith("transxnet: The page is not installed. ")
    assert INSTALL in text
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModuleNotFoundError("No module named 'gradio'", name="gradio"), "The Python package gradio is not installed."),
        (ModuleNotFoundError("No module named 'transxnet_lens'", name="transxnet_lens"), "The page is not installed."),
    ],
)
def test_page_that_cannot_be_imported_says_what_to_install(entry_points, capsys, error: Exception, sentence: str):
    entry_points["demo"] = fail(error)
    assert main(["demo", "--port", "0"]) == 2
    text = capsys.readouterr().err
    assert sentence in text
    assert INSTALL in text
    assert text.count("\n") == 1


def test_broken_command_leaves_the_others_usable(entry_points, capsys):
    entry_points["count"] = fail(ImportError("cannot import name 'x'"))
    assert main(["list", "--classes", "pico"]) == 0
    assert main(["count"]) == 2
    assert "The command count cannot be imported." in capsys.readouterr().err
