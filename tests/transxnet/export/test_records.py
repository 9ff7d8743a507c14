from __future__ import annotations

import io
import json

import numpy as np
import pytest

from tests.small import image, small_model
from transxnet.explain.kernels.kernels import representatives
from transxnet.export.images import Style, ranges
from transxnet.export.records import arrays, clean, describe, describe_scales, npz, versions
from transxnet.study import StudyOptions, study


@pytest.fixture(scope="module")
def looked():
    return study(small_model(), image(), StudyOptions(stage=2, position=(30, 70), target="ladybug"))


def test_npz_holds_the_raw_results(looked):
    with np.load(io.BytesIO(npz(arrays(looked))), allow_pickle=False) as file:
        assert sorted(file.files) == sorted(arrays(looked))
        for name, values in (
            ("attention", looked.attention.heads), ("attention_entropy", looked.attention.entropy),
            ("attention_distance", looked.attention.distance), ("kernels", looked.kernels.kernels),
            ("kernels_static", looked.kernels.static_kernels), ("kernels_gates", looked.kernels.gates),
            ("kernels_biases", looked.kernels.biases), ("kernels_static_distance", looked.kernels.static_distance),
            ("grad_cam", looked.grad_cam.heatmap), ("receptive_field", looked.receptive_field.heatmap),
            ("logits", looked.predictions.logits), ("crop", looked.crop.rgb),
        ):  # fmt: skip
            assert file[name].dtype == values.dtype
            assert np.array_equal(file[name], values), name


def test_descriptions_hold_layer_target_range_and_geometry(looked):
    words = json.loads(json.dumps(describe(looked), allow_nan=False))
    assert words["model"] == "small"
    assert words["provenance"] == {"kind": "folder", "location": "small.safetensors", "sha256": "ab" * 32}
    assert words["target"] == {"index": 36, "wnid": "n02165456", "label": "ladybug", "note": ""}
    assert words["position"] == [30, 70]
    assert words["crop"] == {"size": [64, 64], "crop_box": [10, 0, 90, 80], "source_size": [100, 80]}
    assert words["predictions"][0].keys() == {"index", "wnid", "label", "probability"}
    cam = words["heatmaps"]["grad_cam"]
    assert (cam["layer"], cam["explains"], cam["units"], cam["signed"]) == (
        "stage 4, block 1", "ladybug (class 36)", "logit", True,
    )  # fmt: skip
    assert cam["range"] == [looked.grad_cam.heatmap.min(), looked.grad_cam.heatmap.max()]
    assert cam["numbers"]["logit"] == pytest.approx(float(looked.predictions.logits[36]))
    asked = words["heatmaps"]["attention"]
    assert (asked["layer"], asked["explains"]) == ("stage 2, block 2", "query at row 7, column 2")
    assert asked["numbers"]["entropy"] == pytest.approx(looked.attention.entropy.tolist())
    assert asked["geometry"]["stride"] == 32
    assert words["heatmaps"]["kernels"]["range"] == [looked.kernels.kernels.min(), looked.kernels.kernels.max()]
    assert words["heatmaps"]["kernels"]["geometry"] is None
    assert words["heatmaps"]["receptive_field"]["geometry"]["grid"] == [64, 64]


def test_scales_describe_the_displayed_range(looked):
    style = Style(head=2, opacity=0.5, colormaps={"grad_cam": "magma"})
    words = describe_scales([looked], style)
    assert words["attention"] == {
        "range": [0, looked.attention.heads[1].max()], "scaling": "raw weights", "units": "weight", "signed": False,
        "root": False, "colormap": "magma", "opacity": "0.5 * strength ** 0.75", "head": 2,
    }  # fmt: skip
    assert words["grad_cam"]["colormap"] == "magma"
    assert words["receptive_field"]["root"] is True
    assert words["receptive_field"]["range"] == list(ranges([looked])["receptive_field"])
    assert words["kernels"]["channels"]["small"] == [c + 1 for c in representatives(looked.kernels, 16)]


def test_non_finite_numbers_become_null():
    value = {"a": (np.float32(0.5), float("nan")), 3: [np.int64(2), float("inf"), "x", None, True]}
    assert clean(value) == {"a": [0.5, None], "3": [2, None, "x", None, True]}


def test_versions_name_python_and_packages():
    found = versions()
    assert found["numpy"] == np.__version__
    assert {"python", "torch", "timm", "captum", "matplotlib"} <= set(found)
