"""The teacher: what its model receives, and which weights it accepts."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from transxnet.errors import WeightsError, WeightsMismatch
from transxnet.images import IMAGENET_MEAN, IMAGENET_STD
from transxnet.training.teacher import Teacher, load_teacher

CPU = torch.device("cpu")
NAME = "timm:tf_efficientnet_lite0"


class Recorder(nn.Module):
    """Returns the mean of its input for each channel and remembers the input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.received = x
        return x.mean(dim=(2, 3))


def for_student(image: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) in 0 to 1, normalized with ImageNet's mean and standard deviation."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (image - mean) / std


def test_teacher_has_its_normalization():
    image = torch.rand(2, 3, 32, 32)
    teacher = Teacher(Recorder(), mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))
    teacher(for_student(image))
    expected = (image - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / torch.tensor([0.5, 0.25, 0.2])[:, None, None]
    assert torch.allclose(teacher.model.received, expected, atol=1e-6)


def test_teacher_gets_the_same_crop_at_its_size():
    image = torch.rand(1, 3, 4, 4).repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)  # 64 px, blocks of 16
    teacher = Teacher(Recorder(), image_size=32)
    teacher(for_student(image))
    assert teacher.model.received.shape == (1, 3, 32, 32)
    center = teacher.model.received[..., 4::8, 4::8]  # the center of each block, which resizing does not change
    assert torch.allclose(center, for_student(image)[..., 8::16, 8::16], atol=1e-5)


def test_mixed_images_stay_mixed():
    first, second = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    teacher = Teacher(Recorder(), image_size=48, mean=(0.5,) * 3, std=(0.5,) * 3)
    received = []
    for image in (first, second, 0.3 * first + 0.7 * second):
        teacher(for_student(image))
        received.append(teacher.model.received)
    assert torch.allclose(received[2], 0.3 * received[0] + 0.7 * received[1], atol=1e-5)


def test_teacher_gives_no_gradients():
    x = torch.rand(1, 3, 32, 32, requires_grad=True)
    assert not Teacher(Recorder())(x).requires_grad


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model("tf_efficientnet_lite0", num_classes=5).eval()


def saved(net: nn.Module, path: Path, **metadata: str) -> Path:
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, path, metadata=metadata or None)
    return path


def test_file_metadata_set_size_and_normalization(net, tmp_path):
    file = saved(net, tmp_path / "teacher.safetensors", input="96", mean="0.5", std="0.2 0.3 0.4")
    teacher = load_teacher(NAME, file, 5, CPU)
    assert teacher.image_size == 96
    expected = torch.tensor(IMAGENET_STD) / torch.tensor([0.2, 0.3, 0.4])
    assert torch.allclose(teacher.scale.flatten(), expected)


def test_timm_configuration_without_metadata(net, tmp_path):
    teacher = load_teacher(NAME, saved(net, tmp_path / "teacher.safetensors"), 5, CPU)
    assert teacher.image_size == 224
    assert torch.allclose(teacher.scale.flatten(), torch.tensor(IMAGENET_STD) / 0.5)  # timm: mean and std 0.5


def test_bfloat16_teacher_predicts_like_float32(net, tmp_path):
    file = saved(net, tmp_path / "teacher.safetensors", input="64", mean="0.5", std="0.5")
    image = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        expected = net((image - 0.5) / 0.5).softmax(dim=1)
    assert torch.allclose(load_teacher(NAME, file, 5, CPU)(for_student(image)).softmax(dim=1), expected, atol=0.01)


def test_timm_teacher_needs_a_file():
    with pytest.raises(WeightsError, match="needs weights for the 200 classes") as caught:
        load_teacher(NAME, None, 200, CPU)
    assert "--teacher FILE" in caught.value.remedy


def test_other_number_of_classes_is_refused(net, tmp_path):
    with pytest.raises(WeightsMismatch, match="do not fit the model"):
        load_teacher(NAME, saved(net, tmp_path / "teacher.safetensors"), 200, CPU)


@pytest.mark.parametrize("text", ["half", "nan", "0", "-0.5", "0.5 0.5", "1e9"])
def test_invalid_metadata_are_refused(net, tmp_path, text):
    with pytest.raises(WeightsMismatch, match="say std = "):
        load_teacher(NAME, saved(net, tmp_path / "teacher.safetensors", std=text), 5, CPU)
