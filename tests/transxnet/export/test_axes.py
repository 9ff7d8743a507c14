"""Axes and units of every array that a study with all analyses has."""

from __future__ import annotations

import numpy as np

from tests.fixtures.small_model import few_passes, image, small_model
from transxnet.export.axes import describe_arrays
from transxnet.export.figures import figures
from transxnet.export.records import arrays
from transxnet.study import ANALYSES, StudyOptions, study


def test_every_array_has_an_axis_for_each_dimension():
    with few_passes():
        options = StudyOptions(stage=2, analyses=tuple(ANALYSES), ablations=("no_osra@2.0",))
        complete = study(small_model(), image(), options, image(3))
    described = describe_arrays(arrays(complete))
    for figure in figures([complete], image().rgb):
        described |= {f"{figure.name}/{name}": d for name, d in describe_arrays(figure.arrays, figure.name).items()}
    assert len(described) > 100
    for name, entry in described.items():
        assert len(entry["axes"]) == len(entry["shape"]), name
    assert described["attention"]["axes"] == ["head", "key row", "key column"]
    assert described["logits"]["units"] == "logit"


def test_names_of_models_and_images_do_not_matter():
    values = np.zeros((2, 3), np.float32)
    named = {"second/timm:resnet50/grad_cam": values, "difference/a/b": values}
    described = describe_arrays(named)
    assert described["second/timm:resnet50/grad_cam"] == {
        "shape": [2, 3], "axes": ["row", "column"], "units": "logit",
    }  # fmt: skip
    assert described["difference/a/b"]["axes"] == ["row", "column"]
