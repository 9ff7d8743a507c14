"""What every test may rely on: clean settings, no network beyond this machine, and no silent skips.

* Settings of whoever runs the tests are removed before any library is imported, caches start empty.
* A connection or a name look-up that would leave the machine fails as if the network were down.
* A skipped test fails the run, except tests marked `cuda` on a machine without CUDA: those are counted.
* `pytest -n 2` (pytest-xdist) shares the files between two processes, the long ones first; what they counted is told
  by the one above them.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# --- Settings: before the imports that read them -------------------------------------------------

SETTINGS = ("TRANSXNET_", "HF_", "HUGGING_FACE_", "TORCH_HOME", "GRADIO_", "SPACE_", "SPACES_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
for name in list(os.environ):
    if name.startswith(SETTINGS) or name.lower() in PROXIES:
        del os.environ[name]

THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"  # two processes already fill two cores
TESTS = Path(__file__).parent
SCRATCH = Path(tempfile.mkdtemp(prefix="transxnet-tests-"))
os.environ |= {
    "HF_HOME": str(SCRATCH / "hf"),
    "TORCH_HOME": str(SCRATCH / "torch"),
    "GRADIO_TEMP_DIR": str(SCRATCH / "gradio"),
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": THREADS,  # for the commands that tests start
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait fight with Chromium for two cores
    # Of the processes that tests start, as pyproject.toml has it for pytest: our files name every encoding.
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONWARNINGS": "ignore::EncodingWarning",
    "PYTHONPATH": os.pathsep.join(filter(None, (str(TESTS / "fixtures" / "startup"), os.environ.get("PYTHONPATH")))),
}

import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.reference import worst_errors  # noqa: E402

torch.set_num_threads(min(int(THREADS), os.cpu_count() or 1))
NO_CUDA = not torch.cuda.is_available()

# --- No network beyond this machine ---------------------------------------------------------------


LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def stays_here(host: object) -> bool:
    """Whether `host` (a name or an address, as sockets take them) is this machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in ("", "localhost", socket.gethostname()):
        return True  # no host at all means the local machine
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False  # any other name would have to be looked up
    return address.is_loopback or address.is_unspecified


def refuse_to_leave(event: str, args: tuple) -> None:
    """An audit hook: Python calls it before every connection, datagram and look-up, in any thread."""
    if event in LOOK_UPS and not stays_here(args[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"the tests have no network: {args[0]!r} was not looked up")
    if event in ("socket.connect", "socket.sendto"):
        sock, address = args
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not stays_here(address[0]):
            raise OSError(errno.ENETUNREACH, f"the tests have no network: {address[0]!r} was not contacted")


sys.addaudithook(refuse_to_leave)

# --- No silent skips --------------------------------------------------------------------------------

cuda_skips: list[str] = []


def pytest_runtest_setup(item: pytest.Item) -> None:
    if NO_CUDA and item.get_closest_marker("cuda"):
        cuda_skips.append(item.nodeid)
        pytest.skip("no CUDA device here")


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = (
            f"{report.nodeid}: {reason}\nA skip fails this suite; only tests marked `cuda` may be skipped."
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if item.nodeid not in cuda_skips:
        fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    report = yield
    fail_if_skipped(report)
    return report


# --- The same in any order ----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws without a generator of its own depends on no other test."""
    torch.manual_seed(2310)  # not the seed of untrained models


# --- Random input -------------------------------------------------------------------------------------

# `suite` draws the same input in every run, so that no run fails by chance; `make fuzz` draws other and more input.
OF_ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "database": None}
settings.register_profile("suite", derandomize=True, max_examples=20, **OF_ANY_SPEED)
settings.register_profile("long", max_examples=1000, print_blob=True, **OF_ANY_SPEED)
settings.load_profile("suite")

# --- Several processes ------------------------------------------------------------------------------

# Begun last, any of these would keep one process busy long after the other has nothing left to do.
LONG = (
    "browser/test_every_view.py", "browser/test_hub_page.py", "browser/test_network.py", "browser/test_links.py",
    "browser/test_page.py", "browser/test_own_models.py", "browser/test_explanations.py",
    "browser/test_kernel_inspector.py", "browser/test_everyone.py", "browser/test_attention_hover.py",
    "browser/test_first_screen.py", "transxnet/test_export.py", "test_readme.py", "test_locales.py",
    "demo/test_fuzz_endpoints.py", "demo/test_api.py", "demo/test_renderer.py", "transxnet/cli/test_study.py",
    "test_wheel.py", "transxnet/explain/sanity/test_sanity_checks.py", "transxnet/publish/test_publish.py",
    "transxnet/backbones/test_families.py", "transxnet/training/test_loop.py", "demo/test_startup.py",
    "transxnet/cli/test_cli.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, in this order; the others as they were found."""
    strays = [i.nodeid for i in items if i.get_closest_marker("timing") and TESTS / "browser" not in i.path.parents]
    if strays:
        raise pytest.UsageError(f"`make test` runs what measures seconds in tests/browser only, not {strays}")
    order = {TESTS / name: index for index, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


COUNTED = {"cuda_skips": cuda_skips, "worst_errors": worst_errors}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of pytest-xdist's processes hands over what it counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput.update(COUNTED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The process above them puts it together."""
    counted = getattr(node, "workeroutput", {})
    cuda_skips.extend(counted.get("cuda_skips", ()))
    for variant, error in counted.get("worst_errors", {}).items():
        worst_errors[variant] = max(error, worst_errors.get(variant, 0.0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each run says how far this model is from the official one, and what was skipped."""
    for variant, error in sorted(worst_errors.items()):
        terminalreporter.write_line(
            f"reference arrays, {variant.upper()}: worst relative error {error:.2e} (limit 1e-4)"
        )
    if cuda_skips:
        terminalreporter.write_line(f"cuda: {len(cuda_skips)} tests skipped: no CUDA device here")


# --- Files -------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--artifacts", metavar="DIR", help="where screenshots go (default: tests/artifacts)")


def pytest_unconfigure() -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)


@pytest.fixture(scope="session")
def artifacts(request: pytest.FixtureRequest) -> Path:
    """The folder for what a person may want to look at after the run."""
    folder = Path(request.config.getoption("--artifacts") or request.config.rootpath / "tests" / "artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def restore_registered_models() -> Iterator[None]:
    """No test sees a model that another one has registered, as a command with NAME=SOURCE does."""
    from transxnet import registry

    before = dict(registry._models)
    yield
    registry._models.clear()
    registry._models.update(before)
