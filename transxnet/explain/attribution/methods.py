"""All methods that make one map for one image, by name: for sanity checks and for comparing methods.

A method can be repeated on any model of the same architecture, so that a randomized copy can be explained in the same
way. Single-pass maps come from one shared Observation; multi-pass methods run the model many times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType

from ...images import ModelInput
from ...model import TransXNet
from ...results import Explanation
from ...trace import Keep
from ..attention.attention import attention_from
from ..attention.rollout import rollout
from ..erf.erf import receptive_field
from ..observe import Observation, crop_center
from ..sanity.agreement import attention_map
from .cam_layers import parse_cam_layers
from .cam_variants import combined_layers, contrast
from .captum_methods import integrated_gradients, occlusion
from .grad_cam import grad_cam
from .smooth_grad import smooth_grad


@dataclass(frozen=True)
class AttributionTarget:
    """What a map explains.

    Attributes:
        class_index: Of the model's output.
        class_name: For captions.
        stage: Of attention, rollout and receptive field, from 1.
        block: From 1; 0 is the stage's last.
        position: (x, y) in pixels of the upright source image; None is the middle of the model input.
        cam_layer: Of Grad-CAM, as cam_layers.py names it; the contrast is on the last of several.
        contrast_index: The class that `contrast` compares with; None is the best prediction other than class_index.
        contrast_name: For captions.
    """

    class_index: int
    class_name: str = ""
    stage: int = 3
    block: int = 0
    position: tuple[float, float] | None = None
    cam_layer: int | str = 4
    contrast_index: int | None = None
    contrast_name: str = ""


SinglePass = Callable[[Observation, AttributionTarget], Explanation]
MultiPass = Callable[[TransXNet, AbstractContextManager, ModelInput, AttributionTarget], Explanation]


@dataclass(frozen=True)
class Method:
    """One method: exactly one of `single_pass` and `multi_pass` is set. They raise PartMissing for a model without
    the part that the map shows.

    Attributes:
        name: Key in METHODS.
        single_pass: From an Observation with the kinds KEEP and gradients.
        multi_pass: From the model, its lock and its input.
        about_class: False for maps that explain a unit and not a prediction.
    """

    name: str
    single_pass: SinglePass | None = None
    multi_pass: MultiPass | None = None
    about_class: bool = True

    @property
    def is_multi_pass(self) -> bool:
        """Whether the method runs the model many times."""
        return self.single_pass is None


def _attention(observation: Observation, target: AttributionTarget) -> Explanation:
    """The mean over heads of one query's weights."""
    position = target.position or crop_center(observation.model_input)
    return attention_map(attention_from(observation, target.stage, target.block, position))


def _grad_cam(observation: Observation, target: AttributionTarget) -> Explanation:
    """Of several layers, their combination."""
    layers = [layer.text for layer in parse_cam_layers(target.cam_layer)]
    if len(layers) > 1:
        return combined_layers(observation, target.class_index, layers, target.class_name)
    return grad_cam(observation, target.class_index, target.cam_layer, target.class_name)


def _contrast(observation: Observation, target: AttributionTarget) -> Explanation:
    return contrast(
        observation, target.class_index, target.contrast_index, parse_cam_layers(target.cam_layer)[-1].text,
        target.class_name,
        target.contrast_name,
    )  # fmt: skip


def _of_class(
    compute: Callable[..., Explanation], model: TransXNet, lock: AbstractContextManager, model_input: ModelInput,
    target: AttributionTarget,
) -> Explanation:  # fmt: skip
    return compute(model, lock, model_input, target.class_index, class_name=target.class_name)


_ALL = (
    Method("attention", _attention, about_class=False),
    Method("rollout", lambda obs, t: rollout(obs, t.stage, t.position, t.block), about_class=False),
    Method("grad_cam", _grad_cam),
    Method("contrast", _contrast),
    Method("cam_stages", lambda obs, t: combined_layers(obs, t.class_index, class_name=t.class_name)),
    Method("receptive_field", lambda obs, t: receptive_field(obs, t.stage, t.position), about_class=False),
    Method("integrated_gradients", multi_pass=lambda *run: _of_class(integrated_gradients, *run)),
    Method("smooth_grad", multi_pass=lambda *run: _of_class(smooth_grad, *run)),
    Method("occlusion", multi_pass=lambda *run: _of_class(occlusion, *run)),
)
METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
MULTI_PASS_METHODS = tuple(method.name for method in _ALL if method.is_multi_pass)
KEEP = ("stage", "head", "attention")  # the kinds that single-pass methods need


def cam_modules(cam_layer: int | str) -> tuple[str, ...]:
    """Modules whose outputs Grad-CAM at this layer needs.

    Args:
        cam_layer: As cam_layers.py names it.

    Returns:
        Their names.
    """
    return tuple(layer.module for layer in parse_cam_layers(cam_layer) if layer.module)


def needed_by(target: AttributionTarget) -> Keep:
    """What an observation must record for all single-pass methods.

    Args:
        target: With the layer of Grad-CAM.

    Returns:
        A predicate of a tap.
    """
    layers = parse_cam_layers(target.cam_layer)
    return lambda tap: tap.kind in KEEP or any(layer.is_kept(tap) for layer in layers)
