"""The whole test bench: an edge detector is found out, Grad-CAM is not; nothing of the model changes."""

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
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attribution.captum_methods import integrated_gradients
from transxnet.explain.attribution.methods import METHODS, AttributionTarget, Method
from transxnet.explain.observe import observe
from transxnet.explain.sanity.outcomes import sanity_check
from transxnet.explain.sanity.sanity_checks import sanity_checks
from transxnet.images import decode, prepare
from transxnet.results import Explanation
from transxnet.results.sanity_checks import Faithfulness, Randomization
from transxnet.variants import VARIANTS
from transxnet.weights.checkpoint import untrained_model
from transxnet.weights.load import LoadedModel, Provenance

CHEAP = {name: METHODS[name] for name in ("attention", "grad_cam", "receptive_field")}
QUICK = {  # one of each kind
    "grad_cam": METHODS["grad_cam"],
    "gradients": Method(
        "gradients", multi_pass=lambda model, lock, p, q: integrated_gradients(model, lock, p, q.class_index, steps=2)
    ),
}


SMALL = replace(SPEC, depths=(1, 1, 1, 1))


def tiny() -> LoadedModel:
    return LoadedModel(recipe_model(SMALL), SMALL, Provenance("file", "tiny.safetensors"), torch.device("cpu"))


def sobel(seen, question) -> Explanation:
    """Edges of the image: what Adebayo et al. warn of."""
    gray = cv2.cvtColor(np.ascontiguousarray(seen.model_input.view), cv2.COLOR_RGB2GRAY).astype(np.float32)
    heatmap = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    geometry = seen.geometry(heatmap.shape, 1.0)
    return Explanation("edges", seen.model_name, "the image", "nothing", heatmap, False, "gray", geometry)


# --- What it finds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", examples()[:3], ids=lambda example: example.label)
def test_an_edge_detector_is_found_insensitive_and_grad_cam_sensitive(example):
    loaded = transxnet.load("pico")
    image = prepare(decode(str(example.path)), image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
    best = int(observe(loaded.model, image, ()).logits.argmax())
    rows = {"edges": Method("edges", sobel), "grad_cam": METHODS["grad_cam"]}
    found = sanity_checks(loaded, image, AttributionTarget(best), rows, steps=2)
    assert found.checks["edges"].follows == "insensitive"
    assert found.checks["edges"].words[0].startswith("Insensitive: rank correlation 1.00")
    assert "learned nothing" in found.checks["edges"].words[0]
    assert found.randomization["edges"].signed == pytest.approx([1] * 6)
    assert found.checks["grad_cam"].follows == "follows"
    left = found.randomization["grad_cam"].left
    assert f"{left:.2f} with 4 random copies" in found.checks["grad_cam"].words[0]
    assert leftovers(loaded.model) == []


def test_all_methods_of_the_tiny_model():
    loaded, progress = tiny(), []
    before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    found = sanity_checks(
        loaded, model_input(64, 64), AttributionTarget(3, "bee"), progress=lambda *at: progress.append(at), steps=3
    )
    assert list(found.maps) == list(METHODS)
    assert found.missing == {}
    assert found.target == "bee (class 3)"
    assert set(found.faithfulness) == set(found.randomization) == set(found.checks) == set(METHODS)
    assert found.agreement.names == tuple(METHODS)
    for name, row in METHODS.items():
        assert found.randomization[name].steps[0] == ("everything" if row.is_multi_pass else "head")
        assert (found.checks[name].words[0].startswith("It asks about one unit")) is not row.about_class
        assert found.faithfulness[name].class_index == 3
    assert [done for done, _ in progress] == list(range(1, len(progress) + 1))
    assert progress[-1][0] == progress[-1][1] == progress[0][1]
    assert all(torch.equal(value, before[name]) for name, value in loaded.model.state_dict().items())
    assert leftovers(loaded.model) == []


def test_thorough_takes_the_is_multi_pass_ones_all_the_way():
    found = sanity_checks(tiny(), model_input(32, 32), AttributionTarget(3), QUICK, thorough=True, steps=1)
    assert found.thorough
    assert found.randomization["gradients"].steps == found.randomization["grad_cam"].steps
    assert len(found.randomization["gradients"].signed) == 6
    assert len(found.randomization["gradients"].complete_signed) == 4


def test_what_this_model_lacks_is_missing():
    spec = VARIANTS["transxnet_pico_noosra"]
    loaded = LoadedModel(untrained_model(spec).eval(), spec, Provenance("untrained", "seed 0"), torch.device("cpu"))
    found = sanity_checks(loaded, model_input(64, 64), AttributionTarget(3), CHEAP, steps=1)
    assert list(found.maps) == ["grad_cam", "receptive_field"]
    assert "OSRA" in found.missing["attention"]
    with pytest.raises(PartMissing, match="none of these maps"):
        sanity_checks(loaded, model_input(64, 64), AttributionTarget(3), {"attention": METHODS["attention"]})


def test_the_class_to_compare_with_is_settled_before_the_model_forgets():
    """The best answer that is not the explained one, of the model that was asked: a random copy has another."""
    asked, loaded, image = [], tiny(), model_input(64, 64)
    row = Method("spy", lambda seen, q: asked.append(q.contrast_index) or METHODS["grad_cam"].single_pass(seen, q))
    order = observe(loaded.model, image, ()).logits[0].argsort(descending=True).tolist()
    sanity_checks(loaded, image, AttributionTarget(order[0]), {"spy": row}, steps=1)
    assert set(asked) == {order[1]}
    asked.clear()
    sanity_checks(loaded, image, AttributionTarget(order[2]), {"spy": row}, steps=1)
    assert set(asked) == {order[0]}


def test_maps_that_are_there_are_not_made_again():
    loaded, image = tiny(), model_input(64, 64)
    first = sanity_checks(loaded, image, AttributionTarget(3, contrast_index=1), CHEAP, steps=2)
    made = []
    rows = dict(CHEAP) | {
        "grad_cam": Method("grad_cam", lambda seen, q: made.append(1) or CHEAP["grad_cam"].single_pass(seen, q))
    }
    again = sanity_checks(loaded, image, AttributionTarget(3, contrast_index=1), rows, maps=first.maps, steps=2)
    assert again.maps["grad_cam"] is first.maps["grad_cam"]
    assert len(made) == 6 + 3  # the cascade and three further copies
    np.testing.assert_array_equal(
        again.randomization["grad_cam"].complete_signed, first.randomization["grad_cam"].complete_signed
    )


def test_eight_threads_eight_images_no_cross_talk():
    loaded = tiny()
    images = [model_input(32, 32, seed) for seed in range(8)]

    def run(image):
        return sanity_checks(loaded, image, AttributionTarget(3), QUICK, steps=2, copies=1)

    alone = [run(image) for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(run, images))
    for one, other in zip(alone, together, strict=True):
        for name in QUICK:
            np.testing.assert_array_equal(one.maps[name].heatmap, other.maps[name].heatmap)
            np.testing.assert_array_equal(one.faithfulness[name].deletion, other.faithfulness[name].deletion)
            np.testing.assert_array_equal(one.randomization[name].signed, other.randomization[name].signed)
    assert len({one.faithfulness["grad_cam"].deletion_auc for one in alone}) == 8
    assert leftovers(loaded.model) == []


def test_what_is_refused_leaves_nothing():
    loaded = tiny()
    with pytest.raises(OutOfRange, match="0 to 6"):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(7), CHEAP)
    with pytest.raises(OutOfRange, match="no stage 9"):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(3, stage=9), CHEAP)

    def fail(done, total):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sanity_checks(loaded, model_input(32, 32), AttributionTarget(3), CHEAP, progress=fail)
    assert leftovers(loaded.model) == []
    assert loaded.lock.acquire(blocking=False)
    loaded.lock.release()
    assert threading.active_count() < 20


# --- Words ----------------------------------------------------------------------------------------------------


def randomized(*complete: float, sizes: tuple[float, ...] | None = None, values: int = 4096) -> Randomization:
    r, a = np.array(complete), np.array(sizes or complete)
    return Randomization("tiny", ("everything",), r[:1], a[:1], np.zeros((1, 1, values)), r, a)


def faithful(
    deletion: float,
    chances: tuple[float, ...],
    insertion: float = 0.5,
    blank: bool = False,
    start: float | None = None,
    insertion_chances: tuple[float, ...] | None = None,
) -> Faithfulness:
    """Curves that are flat, so that their areas are what they are at; but for `start`, which takes no room."""
    shares = np.array([0.0, 0.0, 1.0])
    flat = [np.repeat(np.array(c)[:, None], 3, axis=1) for c in (chances, insertion_chances or chances)]
    falling = np.full(3, deletion)
    falling[0] = 0.5 if start is None else start
    return Faithfulness("tiny", 3, "gray", shares, falling, np.full(3, insertion), *flat, blank=blank)


@pytest.mark.parametrize(
    ("complete", "follows", "words"),
    [
        ((0.08,), "follows", "Follows the model: rank correlation 0.08 with one random copy."),
        ((0.5, -0.5, 0.6), "follows", "correlation 0.20 with 3 random copies (mean)."),
        ((0.5,), "partly", "Follows the model in part: rank correlation 0.50"),
        ((0.79, 0.79), "partly", "the image's or the architecture's doing"),
        ((0.8,), "insensitive", "Insensitive: rank correlation 0.80"),
        ((-0.97,), "insensitive", "-0.97 with one random copy; it would look the same for a model"),
        ((float("nan"),), "follows", "Follows the model: even, to a thousandth, for one random copy."),
    ],
)
def test_words_on_the_model(complete, follows, words):
    found = sanity_check(METHODS["grad_cam"], randomized(*complete), faithful(0.2, (0.4, 0.42)))
    assert found.follows == follows
    assert words in found.words[0]


def test_absolute_values_are_named_where_more_is_left_of_them():
    left = randomized(0.63, -0.6, sizes=(0.4, 0.24))
    assert left.left == pytest.approx(0.32)
    found = sanity_check(METHODS["grad_cam"], left, faithful(0.2, (0.4, 0.42)))
    assert "rank correlation of absolute values 0.32 with 2 random copies (mean)." in found.words[0]
    assert found.remarks == ("Left: of absolute values.",)


def test_few_values_and_their_luck_are_named():
    """9 values, four copies: 1.96 / sqrt(4 * 8) = 0.35; one copy: 0.69, so that 0.6 is no more than luck."""
    found = sanity_check(METHODS["grad_cam"], randomized(0.1, 0.1, 0.1, 0.1, values=9), faithful(0.2, (0.4, 0.42)))
    assert found.words[0] == (
        "Follows the model: rank correlation 0.10 with 4 random copies (mean) (9 values reach ±0.35 by luck)."
    )
    assert found.remarks == ("9 values reach ±0.35 by luck.",)
    one = [
        sanity_check(METHODS["grad_cam"], randomized(r, values=9), faithful(0.2, (0.4, 0.42))).follows
        for r in (0.6, 0.7)
    ]
    assert one == ["follows", "partly"]
    # never beyond the other threshold
    assert (
        sanity_check(METHODS["grad_cam"], randomized(0.9, values=2), faithful(0.2, (0.4, 0.42))).follows
        == "insensitive"
    )


def test_words_on_the_answer():
    # s = sqrt(2) / 100 about 0.43; two copies: t = 6.314, margin = t s sqrt(1.5)
    margin = 6.314 * np.sqrt(2) / 100 * np.sqrt(1.5)
    found = sanity_check(METHODS["grad_cam"], randomized(0), faithful(0.21, (0.42, 0.44), 0.6))
    assert (found.finds, margin) == ("better", pytest.approx(0.109, abs=1e-3))
    assert found.words[1] == (
        "Removing what it marks lowers the answer faster than the same map moved elsewhere "
        "(deletion 0.210, chance 0.430 ± 0.109)."
    )
    assert found.words[2] == (
        "Showing it brings the answer back sooner than the moved map (insertion 0.600, chance 0.430 ± 0.109)."
    )
    for deletion, finds in ((0.33, "chance"), (0.53, "chance"), (0.54, "worse"), (0.32, "better")):
        assert sanity_check(METHODS["grad_cam"], randomized(0), faithful(deletion, (0.42, 0.44))).finds == finds
    worse = sanity_check(METHODS["grad_cam"], randomized(0), faithful(0.6, (0.42, 0.44), 0.2))
    assert "more slowly than" in worse.words[1]
    assert "later than" in worse.words[2]
    alone = sanity_check(METHODS["grad_cam"], randomized(0), faithful(0.1, (0.43,)))
    assert alone.finds == "chance"  # one moved copy says nothing of how they vary
    own = sanity_check(
        METHODS["grad_cam"], randomized(0), faithful(0.1, (0.42, 0.44), 0.6, insertion_chances=(0.6, 0.62))
    )
    assert "no sooner than the moved map (insertion 0.600, chance 0.610 ± 0.109)" in own.words[2]


def test_the_start_is_named_and_little_to_lose_said():
    sure = sanity_check(METHODS["grad_cam"], randomized(0), faithful(0.1, (0.42, 0.44), start=0.62))
    assert sure.words[-1] == "The answer starts at 62.0 %."
    assert sure.remarks == ()
    unsure = sanity_check(METHODS["grad_cam"], randomized(0), faithful(0.01, (0.02, 0.02), start=0.029))
    assert unsure.words[-1] == "The answer starts at 2.9 %: there is little to lose."
    assert unsure.remarks == unsure.words[-1:]


def test_maps_of_units_claim_nothing_and_even_maps_are_called_so():
    found = sanity_check(METHODS["attention"], randomized(0.1), faithful(0.21, (0.42, 0.44)))
    assert found.words[0] == "It asks about one unit and makes no claim about the class."
    assert found.remarks == found.words[:1]
    assert len(found.words) == 5
    empty = sanity_check(METHODS["grad_cam"], randomized(float("nan")), faithful(0.21, (0.42, 0.44), blank=True))
    assert (empty.follows, empty.finds, len(empty.words)) == ("even", "even", 1)
    assert empty.words[0].startswith("Even:")
