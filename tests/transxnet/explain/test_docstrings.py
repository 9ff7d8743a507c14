"""Docstrings of explanations: source and limitations of a module, sections of a public function."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import transxnet.explain

FOLDER = Path(transxnet.explain.__file__).parent
NOT_METHODS = {  # modules that list, run or edit; the maps that they return are documented elsewhere
    "__init__", "catalog", "edits", "methods", "observe", "predict", "ranks", "sanity_checks",
}  # fmt: skip
SOURCE = re.compile(r"arXiv|et al\.|ICML|NeurIPS|\b(19|20)\d\d\b|[Tt]his project's own|Oppenheim|Spearman")
SECTION = re.compile(r"^(\w+):$", re.MULTILINE)
ITEM = re.compile(r"^    (\*{0,2}\w+)(?: \([^)]*\))?:", re.MULTILINE)
ALL_MODULES = sorted(FOLDER.rglob("*.py"))
METHOD_MODULES = [path for path in ALL_MODULES if path.stem not in NOT_METHODS]


def module_id(path: Path) -> str:
    return f"{path.parent.stem}.{path.stem}"


def public_functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def docstring_sections(docstring: str) -> dict[str, str]:
    """Text of each section by its title; the text before the first one under ""."""
    parts = SECTION.split(docstring)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def docstring_problems(function: ast.FunctionDef) -> list[str]:
    """What the docstring of a public function lacks."""
    sections = docstring_sections(ast.get_docstring(function) or "")
    arguments = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    raises = any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(function))
    returns = function.returns is not None and ast.unparse(function.returns) not in ("None", "Iterator[None]")
    problems = [] if sections[""].strip() else ["no summary"]
    if arguments != ITEM.findall(sections.get("Args", "")):
        problems.append("Args differ from the signature")
    if returns and not {"Returns", "Yields"} & sections.keys():
        problems.append("no Returns")
    if raises and "Raises" not in sections:
        problems.append("no Raises")
    return problems


@pytest.mark.parametrize("path", METHOD_MODULES, ids=module_id)
def test_module_states_source_and_limitations(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert SOURCE.search(docstring), "cites no source and does not say that it is this project's own"
    assert "\n\nLimitations: " in docstring


@pytest.mark.parametrize("path", ALL_MODULES, ids=module_id)
def test_public_functions_have_google_sections(path):
    problems = {function.name: docstring_problems(function) for function in public_functions(path)}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_checks_detect_missing_sections():
    source = 'def grad_cam(observation, stage=4) -> Explanation:\n    """{}"""\n    raise OutOfRange("no stage 5")'
    complete = "A map.\n\n    Args:\n        observation: Any.\n        stage: Any.\n\n    Returns:\n        The map."
    (bare,) = ast.parse(source.format("A map.")).body
    (documented,) = ast.parse(source.format(complete + "\n\n    Raises:\n        OutOfRange: Else.")).body
    assert docstring_problems(bare) == ["Args differ from the signature", "no Returns", "no Raises"]
    assert docstring_problems(documented) == []
    assert not SOURCE.search("A map, by a formula.")
