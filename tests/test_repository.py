"""What is committed: the right things at the top, nothing large, nothing of one machine, and requirements that hold.

Where git keeps the files, only tracked ones are looked at; in a copy without .git, every file that is there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.repository import ROOT, requirements, tracked

TOP_LEVEL = {
    "demo", "transxnet", "assets", "tests", "app.py", "requirements.txt", "README.md",  # the project
    "pyproject.toml", "requirements-dev.txt", "requirements.lock", "packages.txt", "LICENSE",  # its tools
    "Makefile", ".ci", ".gitignore",
    ".gitattributes",  # a Space marks large files there
}  # fmt: skip

# Names by which a requirement is imported, where that is not its own name.
IMPORT_NAMES = {"opencv-python": "cv2", "pillow": "PIL", "huggingface-hub": "huggingface_hub"}

# A Space takes larger files only through LFS.
LARGEST = 10 * 1000 * 1000

# Spelt in pieces, because this file is looked through as well.
REGISTRIES = [host.replace("-", ".") for host in ("pypi-org", "pythonhosted-org", "npmjs-org", "deb-debian-org")]


FILES = tracked()


def machine_paths() -> list[re.Pattern[bytes]]:
    """Patterns for paths that exist on one machine only. Each must start and end where a path's part does."""
    paths = ["/bash" + "_jobs", "/wo" + "rk", ".." + "/shared"]
    paths += [str(folder) for folder in (ROOT, ROOT.parent) if len(folder.parts) > 2]  # /tmp is on every machine
    return [re.compile(rb"(?<![\w.-])" + re.escape(path.encode()) + rb"(?![\w-])") for path in paths]


def line_of(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def test_files_are_tracked():
    assert Path("pyproject.toml") in FILES


def test_top_level_holds_only_what_belongs_there():
    assert {path.parts[0] for path in FILES} <= TOP_LEVEL


def test_no_file_is_too_large_for_a_space():
    sizes = {str(path): (ROOT / path).stat().st_size for path in FILES}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


def test_no_file_names_a_path_of_one_machine():
    patterns = machine_paths()
    violations = []
    for path in FILES:
        content = (ROOT / path).read_bytes()
        hits = [match for pattern in patterns for match in pattern.finditer(content)]
        violations += [f"{path}:{line_of(content, hit.start())}: {hit.group().decode()}" for hit in hits]
    assert not violations, "\n".join(["paths of one machine:", *violations])


def test_no_file_names_a_package_registry():
    violations = [
        f"{path}: {host}" for path in FILES for host in REGISTRIES if host.encode() in (ROOT / path).read_bytes()
    ]
    assert not violations, "\n".join(["hosts of package registries:", *violations])


def test_continuous_integration_can_be_executed():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("requirement", requirements("requirements.txt"), ids=lambda requirement: requirement.name)
def test_requirement_imports_and_is_recent_enough(requirement: Requirement):
    importlib.import_module(IMPORT_NAMES.get(requirement.name, requirement.name))
    installed = importlib.metadata.version(requirement.name)
    assert requirement.specifier.contains(installed, prereleases=True), (
        f"{requirement} is required, {installed} is here"
    )


def test_test_requirements_are_not_needed_to_run():
    run = {canonicalize_name(r.name) for r in requirements("requirements.txt")}
    assert run.isdisjoint(canonicalize_name(r.name) for r in requirements("requirements-dev.txt"))


DIRECT = [*requirements("requirements.txt"), *requirements("requirements-dev.txt")]
UNBOUNDED = {"starlette"}  # Gradio chooses its version


def locked() -> dict[str, list[Requirement]]:
    """Package name -> its entries in requirements.lock without hashes; several where Python's version decides."""
    entries: dict[str, list[Requirement]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", " ")):
            entry = Requirement(line.removesuffix("\\").strip())
            entries.setdefault(canonicalize_name(entry.name), []).append(entry)
    return entries


def pinned_version(entry: Requirement) -> Version:
    """The version of an entry of requirements.lock, which must be exact."""
    (specifier,) = entry.specifier
    assert specifier.operator == "==", entry
    return Version(specifier.version)


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_lock_covers_each_requirement(requirement: Requirement):
    """After changing a requirements file: make lock."""
    entries = locked()[canonicalize_name(requirement.name)]
    versions = {pinned_version(entry) for entry in entries}
    assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), versions


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_requirement_excludes_the_next_major_version(requirement: Requirement):
    if requirement.name not in UNBOUNDED:
        newest = max(pinned_version(entry) for entry in locked()[canonicalize_name(requirement.name)])
        assert not requirement.specifier.contains(f"{newest.major + 1}.0"), requirement


def test_each_locked_package_has_hashes():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^[^#\s].*(?:\n .*)*", text, flags=re.MULTILINE)
    assert len(entries) == sum(map(len, locked().values()))
    without = [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)]
    assert without == []


def test_lock_names_no_index_and_no_file():
    """Only packages, markers and hashes: an address or a path would hold for one machine or one mirror."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text))
    assert options == {"--hash"}
    assert re.findall(r"://|\s@\s|[/~]", text) == []
