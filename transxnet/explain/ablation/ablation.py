"""A ablation: one image in one model with what a person has switched off and painted out, all at once.

This project's own way of asking; what each change does is ablations.py's and painting.py's.

One batched pass: the changed image, the same without its painted region, and the painted shape at other places
(painting.elsewhere), all under the same edits. Where nothing is asked there is no pass, and the answer is the one
before, bit for bit.

What it must not be read as: the model was never trained with a part changed or a hole in its image. A large change
says that the part, or the region, is used for this answer; see ablation_table and painting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...backbones.module import Backbone
from ...images import IMAGENET_MEAN, IMAGENET_STD, ModelInput
from ...labels import LabelSet
from ...model import TransXNet
from ...results import Prediction
from ...results.ablation import Ablation
from ..observe import need_eval, observe, pick_class
from ..predict import predict
from .edits import Edits
from .masking import elsewhere, on_view, painted_out, read_mask
from .switches import Switch, edits_of, possible, read_switches, words_for
from .table import GRAY, PIXELS, lent_kernels

TOP = 5  # answers to tell of


def ablation(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    labels: LabelSet,
    class_index: int | None = None,
    edits: Iterable[str] = (),
    mask: str = "",
    fill: str = "gray",
    other: ModelInput | None = None,
    other_words: str = "another image",
    before: np.ndarray | None = None,
) -> Ablation:
    """The answers before and after. No gradients, no randomness but the seeded places of the moved shape.

    class_index: the explained class; None takes the best answer. edits: keys as switches.read_switch takes them; those
        that this model cannot be changed by are in `skipped`, with the reason. mask: as painting.read_mask takes it,
        "" for none. fill: one of painting.FILLS.
    other: the image, prepared for this model, whose kernels `other_kernels` lends, and other_words its name; None
        lends those of a plain gray view.
    before: (classes,) float32, the untouched logits where somebody has them; None looks once more.
    Raises UnknownName (edits, fill), OutOfRange (edits, mask, class), LensError in training mode.
    """
    need_eval(model)
    asked = read_switches(edits)
    if before is None:
        before = predict(observe(model, model_input, keep=()), labels, top=1).logits
    index = int(before.argmax()) if class_index is None else pick_class(model, class_index)
    made, skipped = possible(model, asked)
    gone = on_view(read_mask(mask), model_input) if mask else np.zeros(model_input.crop.shape[:2], bool)
    looks = _Looks(model, model_input, edits_of(model, made, lambda: lent_kernels(model, model_input, other)), fill)
    words = GRAY if other is None else other_words
    return Ablation(
        model.spec.name, logits_before=before, changes=tuple(words_for(model, one, words) for one in made),
        skipped=skipped, fill=fill, painted=float(gone.mean()), **looks.answers(before, gone, made, index, labels),
    )  # fmt: skip


class _Looks:
    def __init__(self, model: TransXNet | Backbone, model_input: ModelInput, edits: Edits, fill: str):
        self.model, self.model_input, self.edits, self.fill = model, model_input, edits, fill
        self.x = model_input.tensor.float()  # (1, 3, H, W)

    def answers(
        self, before: np.ndarray, gone: np.ndarray, made: list[Switch], index: int, labels: LabelSet
    ) -> dict[str, object]:
        """The fields of a Ablation that follow from looking again."""
        painted = self._painted(gone[None])  # also where nothing is: an unknown fill is said at once
        found: dict[str, object] = {"view": self._rgb(painted[0], gone)}
        if gone.any():
            plain = [self.x] if made else []  # without edits that is the image from before
            looked = self._logits(torch.cat([painted, *plain, self._painted(elsewhere(gone))]))
            after, unpainted, moved = looked[0], looked[1] if made else before, looked[1 + len(plain) :]
            found["painted_change"] = float(after[index] - unpainted[index])
            found["elsewhere"] = np.array([one[index] - unpainted[index] for one in moved], np.float32)
        else:
            after = self._logits(self.x)[0] if made else before
        return found | _told(before, after, index, labels)

    def _painted(self, masks: np.ndarray) -> Tensor:  # (N, H, W) bool -> (N, 3, H, W)
        return painted_out(self.x, torch.from_numpy(masks), self.fill)

    def _logits(self, images: Tensor) -> list[np.ndarray]:
        """(N, 3, H, W) -> N times (classes,) float32, under the edits."""
        height, width = images.shape[-2:]
        found: list[np.ndarray] = []
        for batch in images.split(max(1, PIXELS // (height * width))):
            seen = observe(self.model, replace(self.model_input, tensor=batch), keep=(), edits=self.edits)
            found += [row.copy() for row in seen.logits.float().cpu().numpy()]
        return found

    def _rgb(self, painted: Tensor, gone: np.ndarray) -> np.ndarray:
        """What the model is given, as an image: uint8 (H, W, 3), the view's own pixels where nothing is painted."""
        spec = self.model.spec
        mean, std = getattr(spec, "mean", IMAGENET_MEAN), getattr(spec, "std", IMAGENET_STD)
        rgb = painted.permute(1, 2, 0).numpy() * np.float32(std) + np.float32(mean)
        rgb = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
        return np.where(gone[..., None], rgb, self.model_input.crop)


def _told(before: np.ndarray, after: np.ndarray, index: int, labels: LabelSet) -> dict[str, object]:
    """The answers worth telling, before and after; (classes,) each."""
    first, then = ([int(i) for i in np.argsort(-one, kind="stable")[:TOP]] for one in (before, after))
    listed = [*first, *(i for i in then if i not in first)]
    old, new = (_answers(one, labels) for one in (before, after))
    return {
        "explained": (old(index), new(index)), "before": tuple(map(old, listed)), "after": tuple(map(new, listed)),
        "new_top": new(then[0]) if then[0] != first[0] else None, "logits_after": after,
    }  # fmt: skip


def _answers(logits: np.ndarray, labels: LabelSet):  # (classes,) -> index -> Prediction
    shares = torch.from_numpy(logits).softmax(dim=0).numpy()  # as predict has them

    def answer(i: int) -> Prediction:
        return Prediction(i, labels.wnids[i], labels.names[i], float(shares[i]), float(logits[i]))

    return answer
