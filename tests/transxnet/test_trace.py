"""Traces: what they record, what edits do, and that threads and exceptions leave no state."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
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


def test_every_kind_is_recorded(everything):
    blocks, stages = sum(SPEC.depths), 4
    expected = dict.fromkeys(KINDS, blocks) | {"stage": stages, "head": 1, "norm_statistics": 2 * blocks + 1}
    assert Counter(r.kind for r in everything.records) == expected


def test_records_have_stage_and_block(everything):
    layers = [(s, b) for s, depth in enumerate(SPEC.depths, 1) for b in range(1, depth + 1)]
    assert [(r.stage, r.block) for r in everything.find("attention")] == layers
    assert [(r.stage, r.block) for r in everything.find("stage")] == [(s, 0) for s in (1, 2, 3, 4)]
    assert everything.find_one("head").stage == 0
    record = everything.find_one("kernels", stage=3, block=2)
    assert record.path == "network.4.1.token_mixer.local_unit.kernels"
    assert record.tensor.shape == (1, 12, 7, 7)


def test_stage_output_equals_last_block(everything):
    for stage, depth in enumerate(SPEC.depths, 1):
        last = everything.find_one("block", stage, depth).tensor
        assert torch.equal(everything.find_one("stage", stage).tensor, last)


def test_the_model_uses_the_recorded_tensors(model, everything):
    """The classifier on the recorded head, and the head's norm on the recorded last stage, give the logits."""
    with torch.no_grad():
        assert torch.equal(
            model.classifier[0](everything.find_one("stage", 4).tensor), everything.find_one("head").tensor
        )
        pooled = everything.find_one("head").tensor.mean(dim=(2, 3), keepdim=True)
        torch.testing.assert_close(model.classifier[2](pooled).flatten(1), model(X))


def test_norm_statistics_are_mean_and_inverse_deviation(everything):
    statistics = everything.find("norm_statistics")[-1]  # the head's: its input is the last stage
    features = everything.find_one("stage", 4).tensor.double().numpy()
    expected = np.array([features.mean(), 1 / np.sqrt(features.var() + 1e-5)])
    assert statistics.path == "classifier.0.statistics"
    np.testing.assert_allclose(statistics.tensor.flatten().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(("kind", "dim"), [("attention", -1), ("gates", 1), ("bias_gates", 1)])
def test_softmax_sums_to_one(everything, kind, dim):
    for record in everything.find(kind):
        sums = record.tensor.sum(dim=dim)
        torch.testing.assert_close(sums, torch.ones_like(sums), rtol=0, atol=1e-5)
        assert record.tensor.std(dim=dim).max() > 0.05  # otherwise these tests would prove nothing


def test_keep_selects_kinds_or_taps(model):
    with torch.no_grad(), Trace(("gates",)) as outer, Trace(lambda tap: tap.stage == 2) as inner:
        model(X)
    assert outer.records == []  # the inner trace was the active one
    assert {(r.kind, r.stage) for r in inner.records} >= {("gates", 2), ("attention", 2), ("stage", 2)}
    assert {r.stage for r in inner.records} == {2}


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


def test_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match="attentoin"):
        Trace(("attentoin",))
    with pytest.raises(ValueError, match="kernel"):
        Trace(edits={"kernel": lambda tap, x: x})
    with pytest.raises(TypeError, match="tuple"):
        Trace("attention")
    with pytest.raises(ValueError, match="taps"):
        Tap("taps")


def test_find_one_requires_one_match(everything):
    with pytest.raises(OutOfRange, match="3 records of 'attention' at stage 3"):
        everything.find_one("attention", stage=3)
    with pytest.raises(OutOfRange, match="0 records of 'attention' at stage 2, block 2"):
        everything.find_one("attention", stage=2, block=2)


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
    assert v.std(dim=(2, 3)).min() > 0.1  # the mean is not all there is


def test_zeroed_kernels_leave_the_bias():
    torch.manual_seed(0)
    idconv = IDConv(channels=8, groups=3, kernel_size=7).eval()
    x = torch.randn(2, 8, 9, 10)
    with torch.no_grad(), Trace(("biases",), {"kernels": lambda tap, k: torch.zeros_like(k)}) as trace:
        out = idconv(x)
    assert torch.equal(out, trace.find_one("biases").tensor[:, :, None, None].expand_as(out))
    assert out.abs().max() > 1e-3


def test_edits_can_select_taps(model):
    def only_third(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x) if (tap.stage, tap.block) == (3, 2) else x

    with torch.no_grad(), Trace(("idconv",), {"idconv": only_third}) as trace:
        changed = model(X)
        zeroed = [(r.stage, r.block) for r in trace.find("idconv") if not r.tensor.any()]
    assert zeroed == [(3, 2)]  # a record is what the model continues with
    assert not torch.allclose(changed, model(X), atol=1e-4)


def test_edits_must_keep_the_shape(model):
    with (
        pytest.raises(ValueError, match=r"network\.0\.0\.token_mixer\.global_unit\.attention"),
        Trace(edits={"attention": lambda tap, a: a[..., :1]}),
    ):
        model(X)
    assert active_trace() is None


def test_explicit_norm_statistics_change_only_rounding(model):
    with torch.no_grad():
        plain = model(X)
        with Trace(edits={"norm_statistics": lambda tap, s: s}):
            explicit = model(X)
    torch.testing.assert_close(explicit, plain, rtol=1e-4, atol=1e-4)


def test_detached_norm_statistics_leave_a_linear_norm():
    """d sum(a * norm(x)) / dx is a * weight / std where the statistics are detached, and not otherwise."""
    torch.manual_seed(0)
    norm = GroupNorm1(3)
    torch.nn.init.normal_(norm.weight)
    x, a = torch.randn(1, 3, 4, 5, requires_grad=True), torch.randn(1, 3, 4, 5)
    (full,) = torch.autograd.grad((a * norm(x)).sum(), x)
    with Trace(edits={"norm_statistics": lambda tap, s: s.detach()}):
        (detached,) = torch.autograd.grad((a * norm(x)).sum(), x)
    std = (x.detach().var(correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(detached, a * norm.weight.detach()[:, None, None] / std)
    assert (full - detached).abs().max() > 0.01


def test_detached_norm_statistics_change_the_gradient(model):
    def gradient(**trace) -> torch.Tensor:
        x = X.clone().requires_grad_()
        with Trace(**trace):
            return torch.autograd.grad(model(x)[0, 0], x)[0]

    full, explicit = gradient(), gradient(edits={"norm_statistics": lambda tap, s: s})
    detached = gradient(edits={"norm_statistics": lambda tap, s: s.detach()})
    scale = full.abs().max()
    assert (full - explicit).abs().max() < 1e-3 * scale
    assert (full - detached).abs().max() > 0.05 * scale


# --- No state left -------------------------------------------------------------------------------


def test_exceptions_deactivate_the_trace(model):
    with pytest.raises(ZeroDivisionError), Trace(KINDS):
        raise ZeroDivisionError
    assert active_trace() is None


def test_exceptions_in_the_model_deactivate_the_trace(model):
    def fail(tap: Tap, x: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
        model(X)
    assert active_trace() is None


def test_nested_traces_restore_the_outer_one(model):
    with torch.no_grad(), Trace(("head",)) as outer:
        with Trace(("head",)) as inner:
            model(X)
        assert active_trace() is outer
        with pytest.raises(ZeroDivisionError), Trace():
            raise ZeroDivisionError
        model(X)
    assert (len(inner.records), len(outer.records)) == (1, 1)
    assert active_trace() is None


def test_active_traces_cannot_be_reentered():
    with Trace() as trace:
        with pytest.raises(RuntimeError, match="already active"), trace:
            pass
        assert active_trace() is trace


# --- Threads ---------------------------------------------------------------------------------------


def in_threads(work, count: int) -> list:
    """work(i) for i = 0 … count - 1, each in its own thread, concurrently."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def explain_all(model, seed: int, edits=None) -> dict[str, np.ndarray]:
    """Everything of one image: the logits, all records, and two maps that need gradients."""
    observation = observe(model, model_input(64, 64, seed), KINDS, grad=True, edits=edits)
    arrays = {"logits": observation.logits} | {r.path: r.tensor for r in observation.trace.records}
    arrays = {name: tensor.detach().numpy() for name, tensor in arrays.items()}
    maps = {"grad_cam": grad_cam(observation, 1, stage=3), "erf": receptive_field(observation, 3, unit=(1, 2))}
    return arrays | {name: explanation.heatmap for name, explanation in maps.items()}


def test_threads_do_not_mix_images(model):
    sequential = [explain_all(model, seed) for seed in range(THREADS)]
    barrier = threading.Barrier(THREADS, timeout=60)

    def wait(tap: Tap, x: torch.Tensor) -> torch.Tensor:  # all threads are inside the model, at the same tap
        if (tap.stage, tap.block) in ((1, 1), (3, 2)):
            barrier.wait()
        return x

    threaded = in_threads(lambda seed: explain_all(model, seed, {"attention": wait}), THREADS)
    for expected, arrays in zip(sequential, threaded, strict=True):
        assert expected.keys() == arrays.keys()
        assert [name for name in expected if not np.array_equal(expected[name], arrays[name])] == []
    assert not np.array_equal(sequential[0]["logits"], sequential[1]["logits"])
    assert leftover_state(model) == []


def test_forward_hooks_mix_images(model):
    """What taps avoid. The hook stores the attention; both threads are inside the model before either reads it."""
    layer = model.network[4][1].token_mixer.global_unit.attention
    with torch.no_grad():
        sequential = [
            observe(model, model_input(seed=i), ("attention",)).trace.find_one("attention", 3, 2).tensor for i in (0, 1)
        ]
        recorded: dict[str, torch.Tensor] = {}
        both = threading.Barrier(2, timeout=60)

        def hook(module, inputs, output) -> None:
            recorded["attention"] = output
            both.wait()

        def explain(i: int) -> torch.Tensor:
            with torch.no_grad():
                model(model_input(seed=i).tensor)
            return recorded["attention"]

        handle = layer.register_forward_hook(hook)
        try:
            hooked = in_threads(explain, 2)
        finally:
            handle.remove()
    right = [torch.equal(expected, hooked[i]) for i, expected in enumerate(sequential)]
    assert sorted(right) == [False, True]  # one thread got the other's image


def test_traces_belong_to_one_thread(model):
    with torch.no_grad(), Trace(KINDS) as trace:
        (active,) = in_threads(lambda _: (model(X), active_trace())[1], 1)
    assert active is None
    assert trace.records == []
