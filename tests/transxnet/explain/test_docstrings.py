"""What every map is said to be: where it comes from, what it must not be read as, and its shapes or units."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import transxnet.explain

FOLDER = Path(transxnet.explain.__file__).parent
# they list, run, edit and read out; what they hand on is others'
NO_MAPS = {
    "__init__",
    "catalog",
    "edits",
    "methods",
    "observe",
    "predict",
    "ranks",
    "switches",
    "sanity_checks",
    "outcomes",
}
HANDED_ON = {"make_maps"}  # functions that return what those of METHODS say themselves
SOURCE = re.compile(
    r"arXiv|et al\.|\bICML|\bNeurIPS|\b(19|20)\d\d\b|[Tt]his project's own|\b[Oo]urs\b|definitions\.md"
    r"|Spearman|Oppenheim"
)
SAID = re.compile(  # a shape, a unit, a range, or the type it has
    r"\([^)]*[,:][^)]*\)|float|bool|uint8|pixel|logit|share|nats|-?[01] to 1|from 0|from 1|[Uu]nits|Raises|index|number"
)
MODULES = sorted(path for path in FOLDER.rglob("*.py") if path.stem not in NO_MAPS)


def public_functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def flat(words: str | None) -> str:
    return " ".join((words or "").split())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.stem}.{path.stem}")
def test_a_module_says_where_it_comes_from_and_what_it_must_not_be_read_as(path):
    words = flat(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
    assert SOURCE.search(words), "no source, and not said to be this project's own"
    assert "must not be read as" in words.lower()


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: f"{path.parent.stem}.{path.stem}")
def test_every_public_function_says_its_shapes_or_units(path):
    silent = []
    for function in public_functions(path):
        words = flat(ast.get_docstring(function))
        returned = ast.unparse(function.returns) if function.returns else ""
        tells = re.search(r"Tensor|ndarray|Explanation|float", returned)
        if len(words) < 20 or (function.name not in HANDED_ON and tells and not SAID.search(words)):
            silent.append(f"{function.name}: {words[:60]!r}")
    assert silent == []


def test_the_checks_can_fail():
    assert not SOURCE.search("A map, by a formula.")
    assert SOURCE.search("This project's own: no paper has it.")
    assert not SAID.search("The map of an image.")
