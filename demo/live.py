"""Live: camera frames, analyzed in memory one by one. Nothing of a frame is cached or written to disk.

    POST lens/live?page=PAGE&…    a JPEG; the query is the state's, as in a URL; grad_cam=1 adds Grad-CAM
                                  -> {"model", "predictions", "maps", "kernels", "milliseconds"}
    POST lens/live?page=PAGE&freeze=1    -> {"key"}: the frame is kept in memory as an uploaded image is

A frame is dropped, never queued: a visitor has one on its way, and at most MAX_VISITORS send frames. Maps come in 255
steps of their maximum (quantized.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from cachetools import LRUCache

from transxnet import load
from transxnet.draw.styles import displayed_values, marked_position, result_geometry
from transxnet.errors import Busy
from transxnet.explain.kernels.kernels import representatives
from transxnet.images import Limits, SourceImage, decode
from transxnet.results import KernelSet
from transxnet.study import Study, StudyOptions, study

from .cells import TILES, Json, bars, result_scale
from .columns import model_title
from .i18n.translate import message
from .quantized import signed, unsigned
from .renderer import Renderer
from .state import from_query
from .views.sequence import layer_text

MAX_VISITORS = 2  # a process
LEASE = 5.0  # seconds without a frame after which another visitor may begin
MAX_FRAME = 256 * 1024  # bytes; a JPEG of 256 x 256 pixels takes 15 kB
MAPS = ("attention", "grad_cam")
LIMITS = Limits(
    MAX_FRAME, max_pixels=1_200_000, max_pixels_whole=1_200_000, max_scanned_pixels=2_400_000, formats=("JPEG",)
)
CPU_MODEL = "pico"  # where a GPU is lent for one call at a time (ZeroGPU), which takes longer than a frame


class Live:
    """Analyzes frames with the models of a renderer."""

    def __init__(self, renderer: Renderer):
        self.renderer = renderer
        self._lock = threading.Lock()
        self._visitors: dict[str, tuple[float, bool]] = {}  # page -> when its last frame came, whether it is on its way
        self._channels: LRUCache[tuple[str, int, int], np.ndarray] = LRUCache(64)
        self._cpu_model = None

    def frame(self, page: str, pairs: Sequence[tuple[str, str]], data: bytes) -> Json:
        """The results of one frame.

        Args:
            page: The browser's random name of its page.
            pairs: The query.
            data: The JPEG.

        Raises:
            Busy: Another frame of this page is on its way, or MAX_VISITORS send frames already.
            LensError: The frame or the state cannot be used.
        """
        query = dict(pairs)
        state, _ = from_query(pairs)
        if query.get("freeze"):
            return {"key": self.renderer.service.add_upload(decode(data, limits=LIMITS))}
        with self._visit(page):
            start, image = time.perf_counter(), decode(data, limits=LIMITS)
            analyses = ("attention", "kernels", *(("grad_cam",) if query.get("grad_cam") else ()))
            options = StudyOptions(
                stage=state.stage, block=state.block, position=state.position, target=state.target or None,
                cam_layer=state.cam_layer, analyses=analyses, image_size=state.image_size or None,
                allow_missing_target=True,
            )  # fmt: skip
            result = self._study(image, (state.models or (self.renderer.default_model,))[0], options)
            milliseconds = round(1000 * (time.perf_counter() - start))
        maps = {name: _map(name, result) for name in MAPS if getattr(result, name) is not None}
        return {
            "model": model_title(result.model), "predictions": bars(result), "target": result.target.index,
            "maps": maps, "kernels": None if result.kernels is None else self._kernels(result.model, result.kernels),
            "milliseconds": milliseconds,
        }  # fmt: skip

    def _study(self, image: SourceImage, name: str, options: StudyOptions) -> Study:
        service = self.renderer.service
        if not service.borrows_gpu:
            return service.study_frame(image, *service.check_names([name]), options)
        with self._lock:
            self._cpu_model = self._cpu_model or load(CPU_MODEL, device="cpu")
        return study(self._cpu_model, image, options)

    @contextmanager
    def _visit(self, page: str) -> Iterator[None]:
        """While a frame of this page is on its way."""
        now = time.monotonic()
        with self._lock:
            self._visitors = {p: (at, busy) for p, (at, busy) in self._visitors.items() if busy or now - at < LEASE}
            if self._visitors.get(page, (0.0, False))[1]:
                raise Busy(message("live.one_frame"))
            if page not in self._visitors and len(self._visitors) >= MAX_VISITORS:
                raise Busy(message("live.full", most=MAX_VISITORS), remedy=message("errors.decoders_busy_remedy"))
            self._visitors[page] = (now, True)
        try:
            yield
        finally:
            with self._lock:
                self._visitors[page] = (time.monotonic(), False)

    def _kernels(self, model: str, kernels: KernelSet) -> Json:
        """The same channels in every frame: those that represent the static kernels, which no image changes."""
        key = (model, kernels.stage, kernels.block)
        with self._lock:
            channels = self._channels.get(key)
        if channels is None:
            channels = representatives(replace(kernels, kernels=kernels.static_kernels), TILES)
            with self._lock:
                self._channels[key] = channels
        values = kernels.kernels[channels]
        return signed(values) | {"count": len(channels), "size": values.shape[-1], "layer": layer_text(kernels)}


def _map(name: str, result: Study) -> Json:
    values, geometry = displayed_values(getattr(result, name)), result_geometry(getattr(result, name))
    rows, cols = values.shape
    return unsigned(values) | {
        "rows": rows, "cols": cols, "stride": geometry.stride, "origin": geometry.origin,
        "input_size": list(geometry.input_size), "scale": result_scale(name, [result]),
        "position": list(marked_position(getattr(result, name)) or ()),
    }  # fmt: skip
