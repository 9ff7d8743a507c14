from __future__ import annotations

import io
import json

import numpy as np
import pytest

from tests.fixtures.small_model import image, small_model
from transxnet.explain.kernels.kernels import representatives
from transxnet.export.images import Style, ranges
from transxnet.export.records import arrays, clean, describe, describe_scales, npz, versions
from transxnet.study import StudyOptions, study


@pytest.fixture(scope="module")
def small_study():
    return study(small_model(), image(), StudyOptions(stage=2, position=(30, 70), target="ladybug"))


def test_npz_holds_the_raw_results(small_study):
    with np.load(io.BytesIO(npz(arrays(small_study))), allow_pickle=False) as file:
        assert sorted(file.files) == sorted(arrays(small_study))
        for name, values in (
            ("attention", small_study.attention.heads), ("attention_entropy", small_study.attention.entropy),
            ("attention_distance", small_study.attention.distance), ("kernels", small_study.kernels.kernels),
            ("kernels_static", small_study.kernels.static_kernels), ("kernels_gates", small_study.kernels.gates),
            ("kernels_biases", small_study.kernels.biases),
            ("kernels_static_distance", small_study.kernels.static_distance),
            ("grad_cam", small_study.grad_cam.heatmap), ("receptive_field", small_study.receptive_field.heatmap),
            ("logits", small_study.predictions.logits), ("crop", small_study.crop.rgb),
        ):  # fmt: skip
            assert file[name].dtype == values.dtype
            assert np.array_equal(file[name], values), name


def test_descriptions_hold_layer_target_range_and_geometry(small_study):
    description = json.loads(json.dumps(describe(small_study), allow_nan=False))
    assert description["model"] == "small"
    assert description["provenance"] == {"kind": "folder", "location": "small.safetensors", "sha256": "ab" * 32}
    assert description["target"] == {"index": 36, "wnid": "n02165456", "label": "ladybug", "note": ""}
    assert description["position"] == [30, 70]
    assert description["crop"] == {"size": [64, 64], "crop_box": [10, 0, 90, 80], "source_size": [100, 80]}
    assert description["predictions"][0].keys() == {"index", "wnid", "label", "probability"}
    cam = description["heatmaps"]["grad_cam"]
    assert (cam["layer"], cam["explains"], cam["units"], cam["signed"]) == (
        "stage 4, block 1", "ladybug (class 36)", "logit", True,
    )  # fmt: skip
    assert cam["range"] == [small_study.grad_cam.heatmap.min(), small_study.grad_cam.heatmap.max()]
    assert cam["numbers"]["logit"] == pytest.approx(float(small_study.predictions.logits[36]))
    attention = description["heatmaps"]["attention"]
    assert (attention["layer"], attention["explains"]) == ("stage 2, block 2", "query at row 7, column 2")
    assert attention["numbers"]["entropy"] == pytest.approx(small_study.attention.entropy.tolist())
    assert attention["geometry"]["stride"] == 32
    assert description["heatmaps"]["kernels"]["range"] == [
        small_study.kernels.kernels.min(),
        small_study.kernels.kernels.max(),
    ]
    assert description["heatmaps"]["kernels"]["geometry"] is None
    assert description["heatmaps"]["receptive_field"]["geometry"]["grid"] == [64, 64]


def test_scales_describe_the_displayed_range(small_study):
    style = Style(head=2, opacity=0.5, colormaps={"grad_cam": "magma"})
    description = describe_scales([small_study], style)
    assert description["attention"] == {
        "range": [0, small_study.attention.heads[1].max()], "scaling": "raw weights", "units": "weight",
        "signed": False, "root": False, "colormap": "magma", "opacity": "0.5 * strength ** 0.75", "head": 2,
    }  # fmt: skip
    assert description["grad_cam"]["colormap"] == "magma"
    assert description["receptive_field"]["root"] is True
    assert description["receptive_field"]["range"] == list(ranges([small_study])["receptive_field"])
    assert description["kernels"]["channels"]["small"] == [c + 1 for c in representatives(small_study.kernels, 16)]


def test_non_finite_numbers_become_null():
    value = {"a": (np.float32(0.5), float("nan")), 3: [np.int64(2), float("inf"), "x", None, True]}
    assert clean(value) == {"a": [0.5, None], "3": [2, None, "x", None, True]}


def test_versions_name_python_and_packages():
    by_name = versions()
    assert by_name["numpy"] == np.__version__
    assert {"python", "torch", "timm", "captum", "matplotlib"} <= set(by_name)
