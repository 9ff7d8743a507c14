"""Sequences for the browser: the frames of a transition, computed one by one, quantized to bytes; and as a file.

    steps     {"finished", "total", "seconds"} after every frame, then {"sequence": …}
    file      GIF or WebM of the same frames

Closing the steps stops the work. The last few sequences are cached, so that a file does not compute its frames again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
from cachetools import LRUCache

from transxnet.draw.sequence import GATE_COLORMAP, GATE_RANGE, kernel_range, sequence_frames
from transxnet.export.video import encode
from transxnet.results.sequence import KernelSequence
from transxnet.sequence import TWO_IMAGES, combine, options_of, transition

from .cells import Json, jpeg
from .columns import model_title
from .exports import File
from .i18n.translate import tr
from .quantized import signed, unsigned
from .renderer import Renderer
from .state import ViewState
from .views.sequence import layer_text

CACHED = 4  # sequences, of a few megabytes each
KINDS = {"gif": "image/gif", "webm": "video/webm"}


class Sequences:
    """Computes sequences with the models and images of a renderer."""

    def __init__(self, renderer: Renderer):
        self.renderer = renderer
        self._lock = threading.Lock()
        self._encoder = threading.Lock()  # one file at a time: VP9 takes every core
        self._cache: LRUCache[tuple, KernelSequence] = LRUCache(CACHED)

    def steps(self, state: ViewState) -> Iterator[Json]:
        """Progress after every frame, and the sequence. Raises LensError."""
        result: KernelSequence | None = None
        for step in self._results(state):
            if isinstance(step, KernelSequence):
                result = step
            else:
                yield step
        yield {"sequence": _payload(result)}

    def file(self, state: ViewState, kind: str) -> File:
        """The sequence as a file. Raises LensError."""
        *_, result = self._results(state)
        model, layer = state.models[0] if state.models else self.renderer.default_model, layer_text(result)
        with self._encoder:
            data = encode(sequence_frames(result, f"{model_title(model)}, {layer}"), kind)
        name = f"transxnet-lens-{state.transition}-{result.model}-stage{result.stage}.{kind}"
        return File(name, KINDS[kind], data)

    def _results(self, state: ViewState) -> Iterator[Json | KernelSequence]:
        """Progress of every frame that is computed; at last the sequence."""
        state, image_key, _ = self.renderer.resolve(state)
        service, name = self.renderer.service, state.models[0]
        reference = self.renderer.reference(state).key if state.transition in TWO_IMAGES else ""
        options = options_of(state.stage, state.block, state.image_size or None)
        key = (image_key, reference, name, options, state.transition, state.frames)
        with self._lock:
            result = self._cache.get(key)
        if result is None:
            images = [service.image(image) for image in filter(None, (image_key, reference))]
            spec, start, studies = service.spec_at(name, options), time.perf_counter(), []
            for frame in transition(state.transition, spec, *images, count=state.frames):
                studies.append(service.study_frame(frame, name, options))
                left = (time.perf_counter() - start) / len(studies) * (state.frames - len(studies))
                if studies[-1].kernels is None:
                    break  # `combine` says why
                yield {"finished": len(studies), "total": state.frames, "seconds": round(left)}
            result = combine(studies)
            with self._lock:
                self._cache[key] = result
        yield result


def _payload(sequence: KernelSequence) -> Json:
    """Everything that the browser shows of the frames."""
    high = kernel_range(sequence)[1]
    return {
        "images": [jpeg(crop) for crop in sequence.crops],
        "kernels": signed(sequence.kernels),
        "gates": unsigned(sequence.gates, GATE_RANGE[1]),
        "scale": {"range": [-high, high], "signed": True, "root": False, "units": "weight", "colormap": "RdBu_r"},
        "gate_scale": {
            "range": list(GATE_RANGE), "signed": False, "root": False, "units": "gate", "colormap": GATE_COLORMAP,
        },
        "size": sequence.kernels.shape[-1],
        "layer": layer_text(sequence),
        "names": [tr("kernels.tile", channel=channel + 1) for channel in sequence.channels.tolist()],
        "distance": np.nan_to_num(sequence.distance).tolist(),
        "predictions": [
            [{"index": p.index, "wnid": p.wnid, "label": p.label, "share": p.probability} for p in predictions.top]
            for predictions in sequence.predictions
        ],
    }  # fmt: skip
