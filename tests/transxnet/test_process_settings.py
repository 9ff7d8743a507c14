"""Settings of other packages: changed inside a block only, whatever happens in it, and unchanged by the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.hub import NAMESPACE
from transxnet.explain.ablation.table import ablation_table
from transxnet.explain.attribution.captum_methods import integrated_gradients, occlusion
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.attribution.smooth_grad import smooth_grad
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.erf.protocol import published_erf
from transxnet.explain.observe import observe
from transxnet.explain.predict import predict_batch
from transxnet.explain.sanity.faithfulness import FaithfulnessTest
from transxnet.images import SourceImage, decode, prepare_for
from transxnet.process_settings import ProcessSettings, without_tf32
from transxnet.study import StudyOptions, study
from transxnet.weights.load import LoadedModel, load

ROOT = Path(__file__).resolve().parents[2]

# --- Blocks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def package() -> SimpleNamespace:
    """Another package with one setting."""
    return SimpleNamespace(tf32=True)


@pytest.fixture
def tf32_off(package: SimpleNamespace) -> ProcessSettings:
    return ProcessSettings(lambda: [(package, "tf32", False)])


def test_a_block_restores_the_setting(package, tf32_off):
    with tf32_off():
        assert not package.tf32
    assert package.tf32


def test_a_value_already_set_stays(package, tf32_off):
    package.tf32 = False
    with tf32_off():
        pass
    assert not package.tf32


def test_an_exception_restores_the_setting(package, tf32_off):
    with pytest.raises(KeyError), tf32_off():
        raise KeyError
    assert package.tf32


def test_a_decorated_function_restores_the_setting(package, tf32_off):
    assert tf32_off()(lambda: package.tf32)() is False
    assert package.tf32


def test_the_last_of_overlapping_blocks_restores(package, tf32_off):
    entered, leave = threading.Event(), threading.Event()

    def block() -> None:
        with tf32_off():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=block)
    with tf32_off():
        thread.start()
        entered.wait()
    assert not package.tf32  # the thread's block is open
    leave.set()
    thread.join()
    assert package.tf32


# --- TF32 ------------------------------------------------------------------------------------------------------


def precisions() -> list[str]:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return [backend.fp32_precision for backend in (cudnn.conv, cudnn.rnn, matmul)]


@pytest.fixture(params=["default", "cudnn off", "matmul on", "by the new setting"])
def user_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a program may have set before it calls the library; put back to torch's default afterwards."""
    if request.param == "cudnn off":
        torch.backends.cudnn.allow_tf32 = False
    elif request.param == "matmul on":
        torch.set_float32_matmul_precision("high")
    elif request.param == "by the new setting":
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        torch.backends.cuda.matmul.fp32_precision = "tf32"
    yield
    torch.backends.cudnn.conv.fp32_precision = torch.backends.cudnn.rnn.fp32_precision = "tf32"
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("highest")


def test_tf32_settings_of_torch_are_restored(user_settings):
    before = precisions()
    with without_tf32():
        assert precisions() == ["ieee"] * 3
    assert precisions() == before


def test_tf32_settings_before_torch_2_9(monkeypatch):
    cudnn, matmul = SimpleNamespace(allow_tf32=True), SimpleNamespace(allow_tf32=True)
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    monkeypatch.setattr(torch.backends.cuda, "matmul", matmul)
    with without_tf32():
        assert (cudnn.allow_tf32, matmul.allow_tf32) == (False, False)
    assert (cudnn.allow_tf32, matmul.allow_tf32) == (True, True)


class PrecisionRecorder(TorchDispatchMode):
    """Records in which precision convolutions and matrix products run, backward passes included."""

    def __init__(self) -> None:
        super().__init__()
        self.precisions: set[tuple[str, ...]] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(name in str(func) for name in ("convolution", "mm")):
            self.precisions.add(tuple(precisions()))
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico", device="cpu")


@pytest.fixture(scope="module")
def source_image() -> SourceImage:
    return decode(np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8))


def observed(pico: LoadedModel, source_image: SourceImage):
    return observe(pico.model, prepare_for(source_image, pico.spec), grad=True)


EXPLANATIONS: dict[str, Callable[[LoadedModel, SourceImage], object]] = {
    "study": lambda pico, image: study(
        pico, image, StudyOptions(analyses=("attention", "kernels", "grad_cam", "receptive_field"))
    ),
    "grad_cam": lambda pico, image: grad_cam(observed(pico, image), 0),
    "receptive_field": lambda pico, image: receptive_field(observed(pico, image)),
    "published_erf": lambda pico, image: published_erf(pico, [image.rgb], size=64),
    "ablation_table": lambda pico, image: ablation_table(
        pico.model, prepare_for(image, pico.spec), pico.spec.labels, scopes="everywhere"
    ),
    "integrated_gradients": lambda pico, image: integrated_gradients(
        pico.model, pico.lock, prepare_for(image, pico.spec), 0, steps=2
    ),
    "occlusion": lambda pico, image: occlusion(pico.model, pico.lock, prepare_for(image, pico.spec), 0, patch=64),
    "smooth_grad": lambda pico, image: smooth_grad(
        pico.model, pico.lock, prepare_for(image, pico.spec), 0, samples=2
    ),
    "faithfulness": lambda pico, image: FaithfulnessTest(
        pico.model, prepare_for(image, pico.spec), steps=2, copies=1
    ).run(np.eye(4, dtype=np.float32)),
    "predict_batch": lambda pico, image: list(
        predict_batch(pico.model, [prepare_for(image, pico.spec).tensor], pico.spec.labels)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_an_explanation_runs_without_tf32(name, pico, source_image):
    with PrecisionRecorder() as recorder:
        EXPLANATIONS[name](pico, source_image)
    assert recorder.precisions == {("ieee",) * 3}
    assert precisions()[0] == "tf32"  # torch's default, as before


# --- The whole process -----------------------------------------------------------------------------------------

IMPORT = """
import json, os, sys, warnings
import captum.attr, cv2, huggingface_hub.constants as hub, matplotlib, timm, torch
def state():
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return {
        "environment": dict(os.environ), "warnings": [str(one) for one in warnings.filters],
        "hub": {name: str(value) for name, value in vars(hub).items() if name.isupper()},
        "torch": [cudnn.conv.fp32_precision, matmul.fp32_precision, cudnn.benchmark, cudnn.deterministic,
                  torch.get_num_threads(), torch.is_grad_enabled(), str(torch.get_default_dtype())],
        "numbers": torch.get_rng_state().sum().item(), "threads": cv2.getNumThreads(),
        "matplotlib": {name: str(value) for name, value in matplotlib.rcParams.items()},
        "limit": sys.getrecursionlimit(), "excepthook": repr(sys.excepthook),
    }
warnings.simplefilter("error")
before = state()
import transxnet, transxnet.study, transxnet.publish.upload, transxnet.export.report, transxnet.training.loop
import transxnet.cli.common
transxnet.load("pico", device="cpu")
transxnet.load("pico@untrained", device="cpu")
after = state()
print(json.dumps({name: [before[name], after[name]] for name in before if before[name] != after[name]}))
"""


def environment_without_openmp() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}


def test_import_and_load_change_no_setting():
    """They print nothing either, and warn of nothing."""
    result = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=ROOT, env=environment_without_openmp(), capture_output=True,
        encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {}


def test_a_download_changes_no_setting(hub, monkeypatch):
    from huggingface_hub import constants

    before, environment = dict(vars(constants)), dict(os.environ)
    assert load("nano", device="cpu", hub_namespace=NAMESPACE).provenance.kind == "hub"
    assert vars(constants) == before
    assert os.environ == environment


AS_SCRIPT = "import sys; sys.argv[0] = '/usr/bin/transxnet'; import transxnet"


@pytest.mark.parametrize("command", [["app.py"], ["-m", "transxnet"], ["-c", AS_SCRIPT], ["-c", "import transxnet"]])
def test_only_commands_limit_spinning_threads(command, tmp_path):
    """They set OpenMP's variable before torch, here a file that prints it, is imported."""
    (tmp_path / "torch.py").write_text("import os; print(os.environ.get('GOMP_SPINCOUNT')); os._exit(0)", "utf-8")
    environment = environment_without_openmp() | {"PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=60
    )
    assert result.stdout.split() == ["None" if command[-1] == "import transxnet" else "3000"], result.stderr
