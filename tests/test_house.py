"""Imports point one way: app -> demo -> transxnet, and inside each from the upper floors to the lower.

Every .py file of the program is read with `ast` (nothing is run), also its imports inside functions and
under TYPE_CHECKING. A module may import modules of lower floors and of its own package, never a neighbor
on its own floor. The floors are the table below: a new module is placed there before it is used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("transxnet", "demo")  # and app.py above them

# Lowest floor first. A name stands for the module and, for a package, for all inside it; `transxnet` and
# `demo` alone stand for their __init__.py only.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("transxnet.messages",),
    ("transxnet.errors", "transxnet.image_structure"),
    (
        "transxnet.console",
        "transxnet.output",
        "transxnet.results",
        "transxnet.variants",
        "transxnet.trace",
        "transxnet.labels",
        "transxnet.weights.hub_errors",
    ),
    ("transxnet.weights.model_card",),
    ("transxnet.layers", "transxnet.weights.namespace"),
    ("transxnet.model",),
    ("transxnet.weights.checkpoint", "transxnet.weights.download", "transxnet.cost"),
    ("transxnet.weights.sources",),
    ("transxnet.backbones",),
    ("transxnet.weights.backbone_sources",),
    ("transxnet.images", "transxnet.weights.load"),
    ("transxnet.distributed", "transxnet.hardware", "transxnet.weights"),
    ("transxnet.timm_registry", "transxnet.explain", "transxnet.draw", "transxnet.training"),
    ("transxnet.study", "transxnet.publish"),
    ("transxnet.export",),
    ("transxnet",),  # __init__.py gathers the public names; nothing below it may import them from there
    ("transxnet.cli",),
    ("transxnet.__main__",),
    ("demo",),
    ("demo.words", "demo.captions"),
    ("demo.languages", "demo.memory"),
    ("demo.validation",),
    (
        "demo.address",
        "demo.connections",
        "demo.decode_worker",
        "demo.decoding",
        "demo.examples",
        "demo.hosts",
        "demo.in_order",
        "demo.jobs",
        "demo.requests",
        "demo.security_headers",
        "demo.session",
        "demo.session_expiry",
        "demo.shelf",
        "demo.streams",
        "demo.turns",
        "demo.uploads",
        "demo.wanted",
    ),
    (
        "demo.server",
        "demo.visitors",
        "demo.architecture",
        "demo.links",
        "demo.below",
        "demo.options",
        "demo.published",
        "demo.temporary_files",
        "demo.timing",
        "demo.backbones",
        "demo.download_folder",
        "demo.models",
    ),
    ("demo.studio",),
    ("demo.columns",),
    ("demo.cells", "demo.exports_asked", "demo.replies", "demo.second", "demo.shots"),
    ("demo.tables", "demo.tour"),
    ("demo.figures", "demo.payload", "demo.places", "demo.replies_ablation", "demo.views"),
    ("demo.exports_views",),
    ("demo.exports",),
    ("demo.asking", "demo.downloads", "demo.parameters"),
    ("demo.ui",),
    ("app",),
)

# What a module must not import although the floors would allow it, or because it comes from outside.
NEVER: dict[str, tuple[str, ...]] = {
    "transxnet.errors": ("torch", "numpy"),
    "transxnet.results": ("torch", "timm", "cv2", "matplotlib"),  # numpy only
    "transxnet.weights.model_card": ("torch", "timm", "huggingface_hub"),  # a mapping in, text out
    "transxnet.draw": ("torch", "torchvision", "timm", "captum"),  # results in, images out
    "transxnet.study": ("transxnet.draw", "cv2", "matplotlib"),  # it draws nothing
    "demo.captions": ("torch", "cv2", "matplotlib"),  # words
}

# Who alone may import a library; nobody, where the tuple is empty.
ONLY: dict[str, tuple[str, ...]] = {
    "gradio": ("app", "demo.connections", "demo.server", "demo.ui"),
    "matplotlib.pyplot": (),  # it keeps every figure alive: Figure objects instead
    "pylab": (),
}


def within(name: str, package: str) -> bool:
    """Whether `name` is `package` or lies inside it."""
    return name == package or name.startswith(package + ".")


def floor(module: str) -> int | None:
    """The module's row in FLOORS, None where it has no place yet."""
    for height, names in enumerate(FLOORS):
        if module in names or any(within(module, name) for name in names if "." in name):
            return height
    return None


def floor_package(module: str) -> str:
    """The entry of FLOORS that `module` stands under: transxnet.explain for transxnet.explain.erf.erf."""
    return next((n for row in FLOORS for n in row if module == n or ("." in n and within(module, n))), module)


def program() -> dict[str, Path]:
    """Module name -> file, for every .py file of the program that exists."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    files += [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
    named = {}
    for path in files:
        parts = path.relative_to(ROOT).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


MODULES = program()


def imports(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Yields (line, full dotted name) of every import, relative ones resolved; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".") if is_package else module.split(".")[:-1]
            base = ".".join(base[: len(base) - node.level + 1]) if node.level else ""
            start = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def owner(name: str, modules: set[str]) -> str:
    """The module that `name` comes from: transxnet.errors for transxnet.errors.LensError."""
    known = modules.union(*FLOORS)
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    return name


def faults(source: str, module: str, modules: set[str], *, is_package: bool = False, file: str = "") -> list[str]:
    """The imports in `source` that break the house's rules, one sentence each."""
    found = []
    for line, name in imports(source, module, is_package):
        where = f"{file or module}:{line} imports {name}"
        for who, what in NEVER.items():
            if within(module, who) and any(within(name, banned) for banned in what):
                found.append(f"{where}, which {who} never imports ({', '.join(what)})")
        for library, allowed in ONLY.items():
            if within(name, library) and not any(within(module, who) for who in allowed):
                found.append(f"{where}, allowed: {', '.join(allowed) or 'nobody'}")
        if name.partition(".")[0] in (*PACKAGES, "app"):
            found += against_the_floors(module, owner(name, modules), where)
    return found


def against_the_floors(module: str, target: str, where: str) -> list[str]:
    here, there = floor(module), floor(target)
    if there is None:
        return [f"{where}, which has no place in FLOORS of tests/test_house.py: put it on a floor"]
    if here is None or there < here or floor_package(module) == floor_package(target):
        return []  # a module without a place is reported by its own test
    below = ", ".join(name for row in FLOORS[:here] for name in row) or "nothing of the program"
    return [f"{where}, allowed: {below}"]


def test_the_program_is_found():
    assert "transxnet.errors" in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_position_one_way(module: str):
    path = MODULES[module]
    assert floor(module) is not None, (
        f"{path.relative_to(ROOT)} has no place in FLOORS of tests/test_house.py: put it on a floor."
    )
    found = faults(
        path.read_text(encoding="utf-8"),
        module,
        set(MODULES),
        is_package=path.name == "__init__.py",
        file=str(path.relative_to(ROOT)),
    )
    assert not found, "\n".join(["imports against the direction of the house:", *found])


READS_TEXT = ("open", "read_text", "write_text")


def without_encoding(source: str) -> list[int]:
    """Lines that open a file as text without naming its encoding, which then is the locale's."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if name not in READS_TEXT or (owner, name) in (("Image", "open"), ("os", "open")):
            continue
        values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
        modes = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        if not any(keyword.arg == "encoding" for keyword in node.keywords) and not any("b" in mode for mode in modes):
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("module", MODULES)
def test_text_files_name_their_encoding(module: str):
    assert without_encoding(MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["open(p)", "open(p, 'w')", "path.open()", "path.read_text()", "path.write_text(t)", "a / b.open('a')"]
)
def test_a_missing_encoding_is_noticed(source: str):
    assert without_encoding(source) == [1]


@pytest.mark.parametrize(
    "source",
    ["open(p, 'rb')", "path.open(mode='wb')", "path.read_text(encoding='utf-8')", "Image.open(p)", "os.open(p, 0)"],
)
def test_bytes_and_named_encodings_pass(source: str):
    assert without_encoding(source) == []


KNOWN = {
    "app", "demo", "demo.server", "demo.studio", "demo.ui.page", "transxnet", "transxnet.errors", "transxnet.variants",
    "transxnet.layers", "transxnet.model", "transxnet.weights.load", "transxnet.explain.erf.erf",
    "transxnet.explain.attention.attention",
    "transxnet.draw.overlay", "transxnet.study", "transxnet.new",
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("transxnet.layers", "from .model import TransXNet", "model.TransXNet, allowed: transxnet.errors,"),
        (
            "transxnet.explain.erf.erf",
            "def f():\n    from ...draw import overlay",
            "transxnet.explain.erf.erf:2 imports",
        ),
        ("transxnet.draw.overlay", "from transxnet.explain.erf.erf import erf", "explain.erf.erf.erf, allowed:"),
        ("transxnet.draw.overlay", "import torch.nn", "imports torch.nn, which transxnet.draw never imports"),
        ("transxnet.study", "from .draw import overlay", "which transxnet.study never imports"),
        ("transxnet.weights.load", "from transxnet import load", "imports transxnet.load, allowed:"),
        ("transxnet.weights.load", "import demo", "imports demo, allowed:"),
        ("demo.studio", "import gradio as gr", "imports gradio, allowed: app, demo.connections,"),
        ("demo.studio", "from .ui.page import Page", "imports demo.ui.page.Page, allowed:"),
        ("demo.ui.page", "from matplotlib import pyplot as plt", "imports matplotlib.pyplot, allowed: nobody"),
        ("app", "from transxnet.new import thing", "which has no place in FLOORS"),
    ],
)
def test_a_wrong_import_is_named(module: str, source: str, message: str):
    (fault,) = faults(source, module, KNOWN)
    assert message in fault


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("transxnet.explain.erf.erf", "from .pathways import rows\nfrom ..model import TransXNet\nimport torch"),
        ("transxnet.draw.overlay", "import cv2\nfrom matplotlib.figure import Figure\nfrom transxnet import errors"),
        ("transxnet.study", "from .explain import erf"),
        ("demo.studio", "import transxnet\nfrom transxnet.draw import overlay"),
        ("demo.server", "import gradio as gr"),
        ("app", "import gradio as gr\nfrom demo.ui.page import build"),
    ],
)
def test_a_right_import_passes(module: str, source: str):
    assert faults(source, module, KNOWN) == []
