"""Seeing inside: what a Trace records, what its edits do, and that threads and exceptions leave nothing behind."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.erf.erf import receptive_field
from transxnet.explain.observe import observe
from transxnet.layers import OSRA, GroupNorm1, IDConv
from transxnet.trace import KINDS, Tap, Trace, active_trace

X = model_input().tensor
THREADS = 8


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def everything(model) -> Trace:
    with torch.no_grad(), Trace(KINDS) as trace:
        model(X)
    return trace


# --- Records ---------------------------------------------------------------------------------------


def test_every_kind_is_recorded_once_a_block_stage_or_model(everything):
    blocks, stages = sum(SPEC.depths), 4
    expected = dict.fromkeys(KINDS, blocks) | {"stage": stages, "head": 1, "norm_statistics": 2 * blocks + 1}
    assert Counter(r.kind for r in everything.records) == expected


def test_records_know_their_stage_and_block(everything):
    places = [(s, b) for s, depth in enumerate(SPEC.depths, 1) for b in range(1, depth + 1)]
    assert [(r.stage, r.block) for r in everything.find("attention")] == places
    assert [(r.stage, r.block) for r in everything.find("stage")] == [(s, 0) for s in (1, 2, 3, 4)]
    assert everything.one("head").stage == 0
    record = everything.one("kernels", stage=3, block=2)
    assert record.path == "network.4.1.token_mixer.local_unit.kernels"
    assert record.tensor.shape == (1, 12, 7, 7)


def test_a_stage_is_the_output_of_its_last_block(everything):
    for stage, depth in enumerate(SPEC.depths, 1):
        last = everything.one("block", stage, depth).tensor
        assert torch.equal(everything.one("stage", stage).tensor, last)


def test_the_model_went_on_with_what_was_recorded(model, everything):
    """The classifier on the recorded head, and the head's norm on the recorded last stage, give the answer."""
    with torch.no_grad():
        assert torch.equal(model.classifier[0](everything.one("stage", 4).tensor), everything.one("head").tensor)
        pooled = everything.one("head").tensor.mean(dim=(2, 3), keepdim=True)
        torch.testing.assert_close(model.classifier[2](pooled).flatten(1), model(X))


def test_norm_statistics_are_mean_and_inverse_deviation(everything):
    statistics = everything.find("norm_statistics")[-1]  # the head's: its input is the last stage
    features = everything.one("stage", 4).tensor.double().numpy()
    expected = np.array([features.mean(), 1 / np.sqrt(features.var() + 1e-5)])
    assert statistics.path == "classifier.0.statistics"
    np.testing.assert_allclose(statistics.tensor.flatten().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(("kind", "dim"), [("attention", -1), ("gates", 1), ("bias_gates", 1)])
def test_softmaxes_sum_to_one_and_are_not_uniform(everything, kind, dim):
    for record in everything.find(kind):
        sums = record.tensor.sum(dim=dim)
        torch.testing.assert_close(sums, torch.ones_like(sums), rtol=0, atol=1e-5)
        assert record.tensor.std(dim=dim).max() > 0.05  # else these tests would see nothing


def test_keep_selects_kinds_or_taps(model):
    with torch.no_grad(), Trace(("gates",)) as some, Trace(lambda tap: tap.stage == 2) as second:
        model(X)
    assert some.records == []  # the inner trace was the active one
    assert {(r.kind, r.stage) for r in second.records} >= {("gates", 2), ("attention", 2), ("stage", 2)}
    assert {r.stage for r in second.records} == {2}


def test_recording_changes_no_bit_of_the_logits(model):
    with torch.no_grad():
        plain = model(X)
        with Trace(KINDS):
            assert torch.equal(model(X), plain)
        with Trace(lambda tap: True, {kind: lambda tap, x: x for kind in KINDS if kind != "norm_statistics"}):
            assert torch.equal(model(X), plain)


def test_taps_add_no_checkpoint_keys(model):
    taps = [name for name, module in model.named_modules() if isinstance(module, Tap)]
    assert len(taps) == 12 * sum(SPEC.depths) + 4 + 2  # twelve a block, the stages, the head and its norm
    assert [key for key in model.state_dict() if key.startswith(tuple(taps))] == []


def test_wrong_names_are_refused():
    with pytest.raises(ValueError, match="attentoin"):
        Trace(("attentoin",))
    with pytest.raises(ValueError, match="kernel"):
        Trace(edits={"kernel": lambda tap, x: x})
    with pytest.raises(TypeError, match="tuple"):
        Trace("attention")
    with pytest.raises(ValueError, match="taps"):
        Tap("taps")


def test_one_wants_exactly_one(everything):
    with pytest.raises(OutOfRange, match="3 records of 'attention' at stage 3"):
        everything.one("attention", stage=3)
    with pytest.raises(OutOfRange, match="0 records of 'attention' at stage 2, block 2"):
        everything.one("attention", stage=2, block=2)


# --- Edits -----------------------------------------------------------------------------------------


def test_uniform_attention_gives_the_mean_of_v_everywhere():
    torch.manual_seed(0)
    osra = OSRA(channels=6, heads=2, sr_ratio=1).eval()
    x, bias = torch.randn(1, 6, 3, 4), torch.randn(1, 2, 12, 12)
    with torch.no_grad():
        with Trace(edits={"attention": lambda tap, a: torch.full_like(a, 1 / a.shape[-1])}):
            out = osra(x, bias)
        v = osra.kv(x + osra.local_conv(x))[:, 6:]  # sr 1: no reduction; the second half of kv
    torch.testing.assert_close(out, v.mean(dim=(2, 3), keepdim=True).expand_as(out))
    assert v.std(dim=(2, 3)).min() > 0.1  # the mean was not all there was


def test_zeroed_kernels_leave_the_bias():
    torch.manual_seed(0)
    idconv = IDConv(channels=8, groups=3, kernel_size=7).eval()
    x = torch.randn(2, 8, 9, 10)
    with torch.no_grad(), Trace(("biases",), {"kernels": lambda tap, k: torch.zeros_like(k)}) as trace:
        out = idconv(x)
    assert torch.equal(out, trace.one("biases").tensor[:, :, None, None].expand_as(out))
    assert out.abs().max() > 1e-3


def test_an_edit_may_choose_its_taps(model):
    def only_third(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x) if (tap.stage, tap.block) == (3, 2) else x

    with torch.no_grad(), Trace(("idconv",), {"idconv": only_third}) as trace:
        changed = model(X)
        zeroed = [(r.stage, r.block) for r in trace.find("idconv") if not r.tensor.any()]
    assert zeroed == [(3, 2)]  # a record is what the model went on with
    assert not torch.allclose(changed, model(X), atol=1e-4)


def test_an_edit_must_keep_the_shape(model):
    with (
        pytest.raises(ValueError, match=r"network\.0\.0\.token_mixer\.global_unit\.attention"),
        Trace(edits={"attention": lambda tap, a: a[..., :1]}),
    ):
        model(X)
    assert active_trace() is None


def test_identical_norm_statistics_change_logits_only_by_rounding(model):
    with torch.no_grad():
        plain = model(X)
        with Trace(edits={"norm_statistics": lambda tap, s: s}):
            explicit = model(X)
    torch.testing.assert_close(explicit, plain, rtol=1e-4, atol=1e-4)


def test_detached_norm_statistics_leave_a_linear_norm():
    """d sum(a * norm(x)) / dx is a * weight / std where the statistics are held still, and not otherwise."""
    torch.manual_seed(0)
    norm = GroupNorm1(3)
    torch.nn.init.normal_(norm.weight)
    x, a = torch.randn(1, 3, 4, 5, requires_grad=True), torch.randn(1, 3, 4, 5)
    (full,) = torch.autograd.grad((a * norm(x)).sum(), x)
    with Trace(edits={"norm_statistics": lambda tap, s: s.detach()}):
        (held,) = torch.autograd.grad((a * norm(x)).sum(), x)
    std = (x.detach().var(correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(held, a * norm.weight.detach()[:, None, None] / std)
    assert (full - held).abs().max() > 0.01


def test_detached_norm_statistics_change_the_models_gradient(model):
    def gradient(**trace) -> torch.Tensor:
        x = X.clone().requires_grad_()
        with Trace(**trace):
            return torch.autograd.grad(model(x)[0, 0], x)[0]

    full, kept = gradient(), gradient(edits={"norm_statistics": lambda tap, s: s})
    held = gradient(edits={"norm_statistics": lambda tap, s: s.detach()})
    scale = full.abs().max()
    assert (full - kept).abs().max() < 1e-3 * scale
    assert (full - held).abs().max() > 0.05 * scale


# --- Nothing stays behind --------------------------------------------------------------------------


def test_an_exception_leaves_no_trace_active(model):
    with pytest.raises(ZeroDivisionError), Trace(KINDS):
        raise ZeroDivisionError
    assert active_trace() is None


def test_an_exception_inside_the_model_leaves_no_trace_active(model):
    def fail(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
        model(X)
    assert active_trace() is None


def test_a_nested_trace_gives_way_to_the_outer_one(model):
    with torch.no_grad(), Trace(("head",)) as outer:
        with Trace(("head",)) as inner:
            model(X)
        assert active_trace() is outer
        with pytest.raises(ZeroDivisionError), Trace():
            raise ZeroDivisionError
        model(X)
    assert (len(inner.records), len(outer.records)) == (1, 1)
    assert active_trace() is None


def test_an_active_trace_cannot_be_entered_again():
    with Trace() as trace:
        with pytest.raises(RuntimeError, match="already active"), trace:
            pass
        assert active_trace() is trace


# --- Threads ---------------------------------------------------------------------------------------


def in_threads(work, count: int) -> list:
    """work(i) for i = 0 … count - 1, each in a thread of its own, all at once."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def look(model, seed: int, edits=None) -> dict[str, np.ndarray]:
    """Everything one image gives: the logits, all records, and two maps that go backwards through the model."""
    seen = observe(model, model_input(64, 64, seed), KINDS, grad=True, edits=edits)
    found = {"logits": seen.logits} | {r.path: r.tensor for r in seen.trace.records}
    found = {name: tensor.detach().numpy() for name, tensor in found.items()}
    maps = {"grad_cam": grad_cam(seen, 1, stage=3), "erf": receptive_field(seen, 3, unit=(1, 2))}
    return found | {name: explanation.heatmap for name, explanation in maps.items()}


def test_eight_threads_with_eight_images_get_what_they_get_alone(model):
    alone = [look(model, seed) for seed in range(THREADS)]
    together = threading.Barrier(THREADS, timeout=60)

    def meet(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # all are inside the model, at the same tap
        if (tap.stage, tap.block) in ((1, 1), (3, 2)):
            together.wait()
        return x

    crowd = in_threads(lambda seed: look(model, seed, {"attention": meet}), THREADS)
    for one, other in zip(alone, crowd, strict=True):
        assert one.keys() == other.keys()
        assert [name for name in one if not np.array_equal(one[name], other[name])] == []
    assert not np.array_equal(alone[0]["logits"], alone[1]["logits"])
    assert leftovers(model) == []


def test_a_forward_hook_would_mix_images_up(model):
    """What the taps avoid. The hook keeps the attention it hears; both threads are inside before either reads it."""
    layer = model.network[4][1].token_mixer.global_unit.attention
    with torch.no_grad():
        alone = [
            observe(model, model_input(seed=i), ("attention",)).trace.one("attention", 3, 2).tensor for i in (0, 1)
        ]
        heard: dict[str, torch.Tensor] = {}
        both = threading.Barrier(2, timeout=60)

        def hook(module, inputs, output) -> None:
            heard["attention"] = output
            both.wait()

        def explain(i: int) -> torch.Tensor:
            with torch.no_grad():
                model(model_input(seed=i).tensor)
            return heard["attention"]

        handle = layer.register_forward_hook(hook)
        try:
            hooked = in_threads(explain, 2)
        finally:
            handle.remove()
    right = [torch.equal(mine, hooked[i]) for i, mine in enumerate(alone)]
    assert sorted(right) == [False, True]  # one of the two was shown the other's image


def test_another_thread_does_not_hear_this_ones_trace(model):
    with torch.no_grad(), Trace(KINDS) as trace:
        (other,) = in_threads(lambda _: (model(X), active_trace())[1], 1)
    assert other is None
    assert trace.records == []
