"""All sanity checks of an image: an edge detector fails them, Grad-CAM does not; the model does not change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

import transxnet
from demo.examples import examples
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attribution.captum_methods import integrated_gradients
from transxnet.explain.attribution.methods import METHODS, AttributionTarget, Method
from transxnet.explain.observe import observe
from transxnet.explain.sanity.sanity_checks import sanity_checks
from transxnet.images import decode, prepare
from transxnet.results import Explanation
from transxnet.weights.load import LoadedModel, Provenance

SINGLE_PASS = {name: METHODS[name] for name in ("attention", "grad_cam", "receptive_field")}
QUICK = {  # one of each kind
    "grad_cam": METHODS["grad_cam"],
    "gradients": Method(
        "gradients", multi_pass=lambda model, lock, p, q: integrated_gradients(model, lock, p, q.class_index, steps=2)
    ),
}


SMALL = replace(SPEC, depths=(1, 1, 1, 1))


def tiny(**parts: bool) -> LoadedModel:
    spec = replace(SMALL, **parts)
    return LoadedModel(recipe_model(spec), spec, Provenance("file", "tiny.safetensors"), torch.device("cpu"))


def sobel(observation, target) -> Explanation:
    """Edges of the image: what Adebayo et al. warn of."""
    gray = cv2.cvtColor(np.ascontiguousarray(observation.model_input.crop), cv2.COLOR_RGB2GRAY).astype(np.float32)
    heatmap = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    geometry = observation.geometry(heatmap.shape, 1.0)
    return Explanation("edges", observation.model_name, "the image", "nothing", heatmap, False, "gray", geometry)


# --- Checks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", examples()[:2], ids=lambda example: example.name)
def test_edges_fail_and_grad_cam_passes_randomization(example):
    loaded = transxnet.load("pico")
    image = prepare(decode(str(example.path)), image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
    best = int(observe(loaded.model, image, ()).logits.argmax())
    methods = {"edges": Method("edges", sobel), "grad_cam": METHODS["grad_cam"]}
    result = sanity_checks(loaded, image, AttributionTarget(best), methods, steps=2)
    assert result.checks["edges"].randomization_outcome == "fails"
    assert result.checks["edges"].sentences[0].startswith("Insensitive: rank correlation 1.00")
    assert "learned nothing" in result.checks["edges"].sentences[0]
    assert result.randomization["edges"].signed == pytest.approx([1] * 6)
    assert result.checks["grad_cam"].randomization_outcome == "passes"
    randomization = result.randomization["grad_cam"].mean_correlation
    assert f"{randomization:.2f} with 4 random copies" in result.checks["grad_cam"].sentences[0]
    assert leftover_state(loaded.model) == []


def test_all_methods_are_checked():
    loaded, progress = tiny(), []
    weights_before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    result = sanity_checks(
        loaded, model_input(64, 64), AttributionTarget(3, "bee"), progress=lambda *at: progress.append(at), steps=3
    )
    assert list(result.maps) == list(METHODS)
    assert result.missing == {}
    assert result.target == "bee (class 3)"
    assert set(result.faithfulness) == set(result.randomization) == set(result.checks) == set(METHODS)
    assert result.agreement.names == tuple(METHODS)
    for name, method in METHODS.items():
        assert result.randomization[name].steps[0] == ("everything" if method.is_multi_pass else "head")
        assert ("It asks about one unit" in result.checks[name].sentences[1]) is not method.about_class
        assert result.faithfulness[name].class_index == 3
    assert [finished for finished, _ in progress] == list(range(len(progress)))
    assert progress[-1][0] == progress[-1][1] == progress[0][1]
    assert all(torch.equal(value, weights_before[name]) for name, value in loaded.model.state_dict().items())
    assert leftover_state(loaded.model) == []


def test_thorough_runs_multi_pass_methods_fully():
    result = sanity_checks(tiny(), model_input(32, 32), AttributionTarget(3), QUICK, full_cascade=True, steps=1)
    assert result.full_cascade
    assert result.randomization["gradients"].steps == result.randomization["grad_cam"].steps
    assert len(result.randomization["gradients"].signed) == 6
    assert len(result.randomization["gradients"].complete_signed) == 4


def test_unsupported_methods_are_missing():
    loaded = tiny(osra=False)
    result = sanity_checks(loaded, model_input(64, 64), AttributionTarget(3), SINGLE_PASS, steps=1)
    assert list(result.maps) == ["grad_cam", "receptive_field"]
    assert "OSRA" in result.missing["attention"]
    with pytest.raises(PartMissing, match="none of these maps"):
        sanity_checks(loaded, model_input(64, 64), AttributionTarget(3), {"attention": METHODS["attention"]})


def test_the_contrast_class_is_fixed_before_randomization():
    """The best class but the target, of the original model: a random copy has another."""
    contrasts, loaded, image = [], tiny(), model_input(64, 64)
    method = Method(
        "spy",
        lambda observation, q: contrasts.append(q.contrast_index) or METHODS["grad_cam"].single_pass(observation, q),
    )
    order = observe(loaded.model, image, ()).logits[0].argsort(descending=True).tolist()
    sanity_checks(loaded, image, AttributionTarget(order[0]), {"spy": method}, steps=1)
    assert set(contrasts) == {order[1]}
    contrasts.clear()
    sanity_checks(loaded, image, AttributionTarget(order[2]), {"spy": method}, steps=1)
    assert set(contrasts) == {order[0]}


def test_given_maps_are_not_recomputed():
    loaded, image = tiny(), model_input(64, 64)
    first = sanity_checks(loaded, image, AttributionTarget(3, contrast_index=1), SINGLE_PASS, steps=2)
    computed = []
    methods = dict(SINGLE_PASS) | {
        "grad_cam": Method(
            "grad_cam", lambda observation, q: computed.append(1) or SINGLE_PASS["grad_cam"].single_pass(observation, q)
        )
    }
    repeated = sanity_checks(loaded, image, AttributionTarget(3, contrast_index=1), methods, maps=first.maps, steps=2)
    assert repeated.maps["grad_cam"] is first.maps["grad_cam"]
    assert len(computed) == 6 + 3  # the cascade and three further copies
    np.testing.assert_array_equal(
        repeated.randomization["grad_cam"].complete_signed, first.randomization["grad_cam"].complete_signed
    )


def test_threads_do_not_mix_images():
    loaded = tiny()
    images = [model_input(32, 32, seed) for seed in range(4)]

    def run(image):
        return sanity_checks(loaded, image, AttributionTarget(3), QUICK, steps=2, copies=1)

    sequential = [run(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, images))
    for expected, threaded in zip(sequential, together, strict=True):
        for name in QUICK:
            np.testing.assert_array_equal(expected.maps[name].heatmap, threaded.maps[name].heatmap)
            np.testing.assert_array_equal(expected.faithfulness[name].deletion, threaded.faithfulness[name].deletion)
            np.testing.assert_array_equal(expected.randomization[name].signed, threaded.randomization[name].signed)
    assert len({expected.faithfulness["grad_cam"].deletion_auc for expected in sequential}) == 4
    assert leftover_state(loaded.model) == []


def test_errors_leave_no_state():
    loaded = tiny()
    with pytest.raises(OutOfRange, match="0 to 6"):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(7), SINGLE_PASS)
    with pytest.raises(OutOfRange, match="no stage 9"):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(3, stage=9), SINGLE_PASS)

    def fail(finished, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(3), SINGLE_PASS, progress=fail)
    assert leftover_state(loaded.model) == []
    assert loaded.lock.acquire(blocking=False)
    loaded.lock.release()
    assert threading.active_count() < 20
