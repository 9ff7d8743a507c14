"""Axes and units of arrays; those of every array that a study with all analyses has: test_figures.py."""

from __future__ import annotations

import numpy as np

from transxnet.export.axes import describe_arrays


def test_names_of_models_and_images_do_not_matter():
    values = np.zeros((2, 3), np.float32)
    named = {"second/timm:resnet50/grad_cam": values, "difference/a/b": values}
    described = describe_arrays(named)
    assert described["second/timm:resnet50/grad_cam"] == {
        "shape": [2, 3], "axes": ["row", "column"], "units": "logit",
    }  # fmt: skip
    assert described["difference/a/b"]["axes"] == ["row", "column"]
