"""Settings of other packages that hold for the whole process, changed for the time of a `with` block.

The library leaves no such setting changed: whoever imports it may rely on torch, huggingface_hub and the environment
being as they were.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Setting = tuple[object, str, object]  # an object, its attribute, and the value inside the block


class ProcessSettings:
    """Attributes set inside `with settings():`, or inside a function decorated with `@settings()`, then restored.

    Blocks of several threads may overlap: the first one sets the values, the last one restores what was there.

    Args:
        settings: Returns the attributes to set, in this order. Called on entry, so that it may import what it names.
    """

    def __init__(self, settings: Callable[[], Sequence[Setting]]):
        self._settings = settings
        self._lock = threading.Lock()
        self._open_blocks = 0
        self._previous: list[Setting] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._open_blocks:
                settings = self._settings()
                self._previous = [(*setting[:2], value) for setting in settings for value in _read(setting)]
                _set(settings)
            self._open_blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._open_blocks -= 1
                if not self._open_blocks:
                    _set(self._previous)


def _read(setting: Setting) -> list[object]:
    """The current value in a list; empty where torch does not return a deprecated setting because of a newer one."""
    try:
        return [getattr(*setting[:2])]
    except RuntimeError:
        return []


def _set(settings: Sequence[Setting]) -> None:
    for target, attribute, value in settings:
        setattr(target, attribute, value)


def _tf32_off() -> list[Setting]:
    import torch

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    settings: list[Setting] = [(cudnn, "allow_tf32", False)]
    if not hasattr(cudnn, "conv"):  # before torch 2.9
        return [*settings, (matmul, "allow_tf32", False)]
    return settings + [(backend, "fp32_precision", "ieee") for backend in (cudnn.conv, cudnn.rnn, matmul)]


# Convolutions and matrix products in full float32 on CUDA. By default cuDNN rounds the inputs of float32 convolutions
# to TF32, whose mantissa has 10 bits: maps and logits would differ from those of a CPU by 1e-3.
without_tf32 = ProcessSettings(_tf32_off)
