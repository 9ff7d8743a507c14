"""Captured graphs: torch.compile, torch.export, ONNX, torch.jit.trace and torch.fx give the logits of eager mode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
import timm
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace
from torchvision.models.feature_extraction import create_feature_extractor

from tests.fixtures.tiny_model import SPEC, recipe_model, recipe_weights
from tests.reference import reference_input
from transxnet.trace import Trace
from transxnet.variants import VARIANTS

DEPTHS = (1, 0, 0, 1)  # capturing a graph takes as long as the model is deep; in stage 4 alone OSRA reduces no keys
MATCHED = replace(VARIANTS["transxnet_pico_matched"], depths=DEPTHS, bias_size=96)  # its tables are resized
KINDS = {
    "static_noste": replace(MATCHED, idconv=False, ste=False),
    "noosra": replace(MATCHED, osra=False),
    "other_size": None,  # all parts in all stages
}
SIDE = 64
BATCH = torch.cat([reference_input(SIDE, SIDE, seed) for seed in (0, 1)])
LARGER_BATCH = torch.cat([reference_input(SIDE, SIDE, seed) for seed in (2, 3, 4, 5, 6)])
ZERO_EDITS = {kind: lambda _, x: torch.zeros_like(x) for kind in ("gates", "attention", "norm_statistics", "stage")}


def other_size(depths: tuple[int, ...] = DEPTHS) -> nn.Module:
    """A model of no variant's size, through timm's generic entry."""
    shapes = {name: getattr(SPEC, name) for name in ("dims", "heads", "kernel_groups", "mlp_ratios")}
    model = timm.create_model("transxnet", depths=depths, num_classes=7, img_size=SIDE, kernel_size=5, **shapes)
    model.load_state_dict(recipe_weights(model))
    return model.eval()


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    """One of each kind, with weights by which every logit depends on every part."""
    spec = KINDS[request.param]
    return recipe_model(spec) if spec else other_size((1, 1, 1, 1))


@pytest.fixture(autouse=True)
def fresh_dynamo() -> None:
    """Compiled code of another test is not used again."""
    torch.compiler.reset()


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return model(images)


def assert_equal_logits(actual: Tensor, expected: Tensor) -> None:
    """Equal to 1e-5 of the largest."""
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_compile_gives_one_graph(model):
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert_equal_logits(logits_of(compiled, BATCH), logits_of(model, BATCH))


def test_compile_for_any_batch_size():
    model = other_size()
    compiled = torch.compile(model, backend="eager", fullgraph=True, dynamic=True)
    for images in (BATCH, LARGER_BATCH):
        assert_equal_logits(logits_of(compiled, images), logits_of(model, images))


def test_compiled_training_step_gives_the_same_gradients():
    model, images = other_size().train(), BATCH
    model.set_grad_checkpointing()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    gradients = []
    for forward in (model, torch.compile(model, backend="aot_eager", fullgraph=True)):
        model.load_state_dict(state)
        model.zero_grad()
        forward(images).square().sum().backward()
        gradients.append(
            torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None])
        )
    assert_equal_logits(*gradients)


def test_compile_of_features():
    features = timm.create_model("transxnet", depths=DEPTHS, features_only=True, out_indices=(0, 2)).eval()
    compiled = torch.compile(features, backend="eager", fullgraph=True)
    with torch.no_grad():
        for actual, expected in zip(compiled(BATCH), features(BATCH), strict=True):
            assert_equal_logits(actual, expected)


def test_export_for_any_batch_size(model):
    program = torch.export.export(model, (BATCH,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    for images in (BATCH, BATCH[:1], LARGER_BATCH):
        assert_equal_logits(logits_of(program.module(), images), logits_of(model, images))


def test_jit_trace_for_any_batch_size(model, tmp_path):
    torch.jit.save(torch.jit.trace(model, BATCH), tmp_path / "model.pt")
    traced = torch.jit.load(tmp_path / "model.pt")
    for images in (BATCH, BATCH[:1], LARGER_BATCH):
        assert_equal_logits(logits_of(traced, images), logits_of(model, images))


def test_onnx_for_any_batch_size(tmp_path):
    """With resized bias tables, and optimized, as an export is by default."""
    model, path = recipe_model(MATCHED), tmp_path / "model.onnx"
    dynamic_shapes = ({0: torch.export.Dim("batch")},)
    torch.onnx.export(model, (BATCH,), path, dynamo=True, dynamic_shapes=dynamic_shapes, verbose=False)
    for images in (BATCH, BATCH[:1], LARGER_BATCH):
        assert_equal_logits(onnx_logits(path, images), logits_of(model, images))


def onnx_logits(path: Path, images: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(path)
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: images.numpy()})[0])


def test_fx_graph(model):
    graph = symbolic_trace(model)
    for images in (BATCH, LARGER_BATCH, reference_input(96, 40)):
        assert torch.equal(logits_of(graph, images), logits_of(model, images))


def test_fx_feature_extraction(model):
    """Nodes are named by the module that computes them last; in both modes, as torchvision traces both."""
    stages_with_blocks = [index for index in (0, 2, 4, 6) if len(model.network[index])]
    names = {f"network.{index}": str(index) for index in stages_with_blocks} | {"classifier.2": "logits"}
    extractor = create_feature_extractor(model, names).eval()
    with torch.no_grad():
        stages = model.forward_intermediates(BATCH, intermediates_only=True)
        features = extractor(BATCH)
        assert all(torch.equal(features[str(index)], stages[index // 2]) for index in stages_with_blocks)
        assert torch.equal(features["logits"].flatten(1), model(BATCH))
    extractor.train()(BATCH)["logits"].sum().backward()


def test_script_is_refused_with_the_alternatives():
    model = other_size()
    with pytest.raises(NotImplementedError, match=r"torch\.jit\.trace, torch\.export or torch\.compile"):
        torch.jit.script(model)
    assert_equal_logits(logits_of(torch.jit.trace(model, BATCH), BATCH), logits_of(model, BATCH))  # still usable


@pytest.mark.parametrize("capture", ["compile", "export", "strict export", "jit.trace", "fx"])
def test_active_trace_stays_out_of_the_graph(capture):
    """Neither its edits nor its records: a graph that is captured inside a trace is that of the model."""
    model = other_size()
    with Trace(keep=tuple(ZERO_EDITS), edits=ZERO_EDITS) as trace, torch.no_grad():
        if capture == "compile":
            captured = torch.compile(model, backend="eager", fullgraph=True)
            captured(BATCH)
        elif capture == "jit.trace":
            captured = torch.jit.trace(model, BATCH, check_trace=False)
        elif capture == "fx":
            captured = symbolic_trace(model)
        else:
            captured = torch.export.export(model, (BATCH,), strict=capture == "strict export").module()
    assert trace.records == []
    assert_equal_logits(logits_of(captured, BATCH), logits_of(model, BATCH))
    with Trace(keep=("stage",)) as trace, torch.no_grad():
        model(BATCH)
    assert len(trace.records) == 4
