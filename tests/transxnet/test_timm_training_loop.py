"""The calls of timm's train.py and validate.py, on random images: a few steps, a checkpoint, and resuming from it."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import pytest
import timm
import torch
from timm.data import Mixup, create_transform, resolve_data_config, resolve_model_data_config
from timm.layers import convert_splitbn_model, convert_sync_batchnorm
from timm.loss import SoftTargetCrossEntropy
from timm.models import load_checkpoint, model_parameters, resume_checkpoint
from timm.optim import create_optimizer_v2, optimizer_kwargs
from timm.scheduler import create_scheduler_v2, scheduler_kwargs
from timm.utils import CheckpointSaver, ModelEmaV3, NativeScaler, accuracy, dispatch_clip_grad, unwrap_model
from torch import Tensor, nn

from tests.fixtures.tiny_model import SPEC

CLASSES, SIDE, STEPS = 10, 64, 3
SHAPES = {name: getattr(SPEC, name) for name in ("depths", "dims", "heads", "kernel_groups", "mlp_ratios")}
# Those of train.py's arguments that the calls below read, with its defaults or as in a recipe.
ARGS = Namespace(
    model="transxnet", opt="adamw", opt_eps=None, opt_betas=None, momentum=0.9, weight_decay=0.05, lr=1e-3,
    layer_decay=0.75, layer_decay_min_scale=0.0, layer_decay_no_opt_scale=None, opt_foreach=None,
    sched="cosine", sched_on_updates=False, epochs=2, warmup_epochs=1, warmup_lr=1e-5, warmup_prefix=False, min_lr=0.0,
    cooldown_epochs=0, decay_rate=0.1, decay_epochs=90, decay_milestones=[90], patience_epochs=10, eval_metric="top1",
    lr_noise=None, lr_noise_pct=0.67, lr_noise_std=1.0, lr_cycle_mul=1.0, lr_cycle_decay=0.5, lr_cycle_limit=1,
    lr_k_decay=1.0, seed=42, num_classes=CLASSES,
)  # fmt: skip


def create_model(**kwargs: object) -> nn.Module:
    """What train.py passes: unset options are None, which timm removes."""
    arguments = {
        "pretrained": False, "in_chans": 3, "num_classes": CLASSES, "drop_rate": 0.1, "drop_path_rate": 0.1,
        "drop_block_rate": None, "global_pool": None, "bn_momentum": None, "bn_eps": None, "scriptable": False,
        "checkpoint_path": "",
    }  # fmt: skip
    return timm.create_model("transxnet", **(arguments | SHAPES | kwargs))


def batch(step: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(step)
    images = torch.randn(4, 3, SIDE, SIDE, generator=generator)
    return images, torch.randint(CLASSES, (4,), generator=generator)


def train_one_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    amp_dtype: torch.dtype | None = None,
    loss_scaler: NativeScaler | None = None,
    model_ema: ModelEmaV3 | None = None,
) -> list[float]:
    """train.py's function of this name without its logging; the losses."""
    model.train()
    mixup = Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=0.1, num_classes=CLASSES)
    loss_function, losses = SoftTargetCrossEntropy(), []
    for step in range(epoch * STEPS, (epoch + 1) * STEPS):
        images, target = mixup(*batch(step))
        with torch.autocast("cpu", amp_dtype) if amp_dtype else nullcontext():
            loss = loss_function(model(images), target)
        parameters = model_parameters(model)
        if loss_scaler is not None:
            loss_scaler(loss, optimizer, clip_grad=1.0, clip_mode="norm", parameters=parameters)
        else:
            loss.backward()
            dispatch_clip_grad(parameters, value=1.0, mode="norm")
            optimizer.step()
        optimizer.zero_grad()
        if model_ema is not None:
            model_ema.update(model, step=step)
        losses.append(loss.item())
    return losses


def test_training_is_saved_and_resumed(tmp_path):
    """With layer decay, a schedule, a moving average and gradient checkpointing, as train.py combines them."""
    torch.manual_seed(ARGS.seed)
    model = create_model()
    model.set_grad_checkpointing(enable=True)
    model.to(memory_format=torch.channels_last)
    optimizer = create_optimizer_v2(model, **optimizer_kwargs(cfg=ARGS))
    scales = {group["lr_scale"] for group in optimizer.param_groups}
    assert max(scales) == 1
    assert len(scales) > sum(SPEC.depths)  # a layer each: stem, blocks and those between stages, head
    scheduler, epochs = create_scheduler_v2(optimizer, **scheduler_kwargs(ARGS), updates_per_epoch=STEPS)
    model_ema = ModelEmaV3(model, decay=0.5)
    saver = CheckpointSaver(
        model=model, optimizer=optimizer, args=ARGS, model_ema=model_ema, checkpoint_dir=str(tmp_path),
        recovery_dir=str(tmp_path), max_history=2,
    )  # fmt: skip
    before = {key: value.clone() for key, value in model.state_dict().items()}
    for epoch in range(epochs):
        losses = train_one_epoch(model, optimizer, epoch, model_ema=model_ema)
        scheduler.step(epoch + 1, 0.0)
        saver.save_checkpoint(epoch, metric=float(epoch))
    saver.save_recovery(epochs, batch_idx=1)
    assert all(map(torch.isfinite, map(torch.tensor, losses)))
    trained = model.state_dict()
    assert not [key for key, value in before.items() if torch.equal(value, trained[key])]

    last = str(tmp_path / "last.pth.tar")
    resumed = create_model()
    resumed_optimizer = create_optimizer_v2(resumed, **optimizer_kwargs(cfg=ARGS))
    assert resume_checkpoint(resumed, last, resumed_optimizer) == epochs
    assert all(torch.equal(value, trained[key]) for key, value in resumed.state_dict().items())
    averaged = ModelEmaV3(resumed, decay=0.5)
    load_checkpoint(averaged.module, last, use_ema=True)
    expected = unwrap_model(model_ema).state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in averaged.module.state_dict().items())


def test_validation_of_a_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pth.tar"
    trained = create_model()
    torch.save({"state_dict": {f"module.{key}": value for key, value in trained.state_dict().items()}}, path)
    model = create_model(drop_rate=None, drop_path_rate=None)
    load_checkpoint(model, str(path), use_ema=False)
    config = resolve_data_config({"input_size": None, "img_size": SIDE, "crop_pct": None}, model=model)
    assert config["input_size"] == (3, SIDE, SIDE)
    images, target = batch(0)
    with torch.inference_mode():
        logits = model.eval()(images)
        assert torch.equal(logits, trained.eval()(images))
    top1, top5 = accuracy(logits, target, topk=(1, 5))
    assert 0 <= top1 <= top5 <= 100


@pytest.mark.parametrize("part", ["idconv", "osra", "ste"])
def test_mixed_precision(part):
    """bfloat16 as train.py --amp uses it, and its loss scaler; an epoch without each part, as in pico's siblings."""
    torch.manual_seed(0)
    model = create_model(**{part: False})
    model.set_grad_checkpointing()
    optimizer = create_optimizer_v2(model, **optimizer_kwargs(cfg=ARGS))
    scaler = NativeScaler(device="cpu")
    losses = train_one_epoch(model, optimizer, 0, torch.bfloat16, scaler)
    assert all(map(torch.isfinite, map(torch.tensor, losses)))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("convert", [convert_sync_batchnorm, nn.SyncBatchNorm.convert_sync_batchnorm])
def test_synchronized_batch_norm(convert):
    """On one process it computes what BatchNorm computes; training needs a process group, see train.py."""
    model = create_model().eval()
    images, _ = batch(0)
    with torch.no_grad():
        expected = model(images)
        converted = convert(model)
        assert not [module for module in converted.modules() if type(module) is nn.BatchNorm2d]
        torch.testing.assert_close(converted(images), expected)


def test_split_batch_norm():
    model = convert_splitbn_model(create_model(), 2)
    images, _ = batch(0)
    model.train()(images).sum().backward()


def test_preprocessing_follows_the_image_size():
    """resolve_model_data_config is what timm's documentation calls."""
    model = create_model(img_size=160)
    assert resolve_model_data_config(model)["input_size"] == (3, 160, 160)
    assert model.pretrained_cfg["input_size"] == model.default_cfg["input_size"] == (3, 160, 160)
    assert model.pretrained_cfg["pool_size"] == (5, 5)
    transform = create_transform(**resolve_model_data_config(model), is_training=False)
    assert [step.size for step in transform.transforms if type(step).__name__ == "CenterCrop"] == [(160, 160)]


def test_weights_of_another_file_get_a_new_classifier(tmp_path: Path):
    """train.py --pretrained-path: num_classes=-1 in the overlay."""
    source = create_model(num_classes=5)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    overlay = {"file": str(tmp_path / "weights.pth"), "num_classes": -1}
    model = create_model(pretrained=True, pretrained_cfg_overlay=overlay)
    assert model.get_classifier().out_channels == CLASSES
    model.get_classifier().weight.data.mul_(0.1)  # --head-init-scale
    trunk = {key: value for key, value in source.state_dict().items() if not key.startswith("classifier.2")}
    assert all(torch.equal(model.state_dict()[key], value) for key, value in trunk.items())
