"""Every way of making one map for one image, by name: what trust tests, and what compares methods.

A row says how to make the map again for any model of the same kind, so that a randomized copy can be asked the same
question. Maps of one pass come from one Observation, several at once; the dear ones run the model many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType

from ...images import ModelInput
from ...model import TransXNet
from ...results import Explanation
from ..attention.attention import attention_from
from ..attention.rollout import rollout
from ..erf.erf import receptive_field
from ..observe import Observation, middle_of
from ..sanity.differences import as_map
from .cam_variants import combined_stages, contrast
from .captum_methods import integrated_gradients, occlusion
from .grad_cam import grad_cam
from .smooth_grad import smooth_grad


@dataclass(frozen=True)
class AttributionTarget:
    """What a map is asked about. stage, block from 1, block 0 the last; point (x, y) in pixels of the upright upload.

    other_index: the class that `contrast` compares with; None is the model's best answer that is not class_index.
    """

    class_index: int
    class_name: str = ""
    stage: int = 3
    block: int = 0
    position: tuple[float, float] | None = None
    cam_layer: int | str = 4
    contrast_index: int | None = None
    contrast_name: str = ""


OnePass = Callable[[Observation, AttributionTarget], Explanation]
ManyPasses = Callable[[TransXNet, AbstractContextManager, ModelInput, AttributionTarget], Explanation]


@dataclass(frozen=True)
class Method:
    """One row. Exactly one of `one_pass` and `many_passes` is there. about_class: False for maps that ask about a unit
    and not about an answer. Raises PartMissing for a model without what the map shows.
    """

    name: str
    single_pass: OnePass | None = None
    multi_pass: ManyPasses | None = None
    about_class: bool = True

    @property
    def is_multi_pass(self) -> bool:
        return self.single_pass is None


def _attention(seen: Observation, q: AttributionTarget) -> Explanation:
    """The mean over heads of one query's weights."""
    return as_map(attention_from(seen, q.stage, q.block, q.position or middle_of(seen.model_input)))


_ROWS = (
    Method("attention", _attention, about_class=False),
    Method("rollout", lambda seen, q: rollout(seen, q.stage, q.position, q.block), about_class=False),
    Method("grad_cam", lambda seen, q: grad_cam(seen, q.class_index, q.cam_layer, q.class_name)),
    Method(
        "contrast",
        lambda seen, q: contrast(seen, q.class_index, q.contrast_index, q.cam_layer, q.class_name, q.contrast_name),
    ),
    Method("cam_stages", lambda seen, q: combined_stages(seen, q.class_index, target_words=q.class_name)),
    Method("receptive_field", lambda seen, q: receptive_field(seen, q.stage, q.position), about_class=False),
    Method(
        "integrated_gradients",
        multi_pass=lambda model, lock, model_input, q: integrated_gradients(
            model, lock, model_input, q.class_index, target_words=q.class_name
        ),
    ),
    Method(
        "smooth_grad",
        multi_pass=lambda model, lock, model_input, q: smooth_grad(
            model, lock, model_input, q.class_index, target_words=q.class_name
        ),
    ),
    Method(
        "occlusion",
        multi_pass=lambda model, lock, model_input, q: occlusion(
            model, lock, model_input, q.class_index, target_words=q.class_name
        ),
    ),
)
METHODS: Mapping[str, Method] = MappingProxyType({row.name: row for row in _ROWS})
KEEP = ("stage", "head", "attention")  # what an Observation must have kept for the maps of one pass
