"""Options of a study."""

from __future__ import annotations

from dataclasses import dataclass

NO_CLASS = -1  # Target.index for a model without a classifier
OVERVIEW_ANALYSES = ("attention", "kernels", "grad_cam", "receptive_field")  # what the page's first tab shows


@dataclass(frozen=True)
class StudyOptions:
    """What to analyze. Hashable, so that it can be part of a cache's key.

    Attributes:
        stage: Of attention, kernels and receptive field, from 1.
        block: Of attention and kernels, from 1; None or 0 is the stage's last.
        position: (x, y) in pixels of the upright upload; None is the center of the model input.
        target: The target class: name, WNID or index; None or "" is the top prediction.
        cam_layer: Layer of Grad-CAM, or several: explain.attribution.cam_layers names them.
        analyses: Some of ANALYSES; predictions are always computed.
        image_size: Side of the model input in pixels; None is the model's own.
        top: Number of predictions to name.
        full_cascade: Of `sanity_checks`: run the full randomization cascade for multi-pass methods as well.
        autocast: Predict in half precision, on CUDA only; explanations stay in float32.
        allow_missing_target: Explain the model's own top prediction where it lacks the target class, as for another
            model's prediction.
        contrast_target: WNID of the class that `contrast` compares with; "" is the best class but the target.
        ablations: Of `ablation`: what to change in the model, as explain.ablation.catalog.parse_ablation takes it.
        mask: Of `ablation`: the occluded region, as explain.ablation.masking.parse_mask takes it; "" is none.
        fill: Of `ablation`: what fills the region, one of explain.ablation.masking.FILLS.
    """

    stage: int = 3
    block: int | None = None
    position: tuple[float, float] | None = None
    target: str | int | None = None
    cam_layer: int | str = 4
    analyses: tuple[str, ...] = OVERVIEW_ANALYSES
    image_size: int | None = None
    top: int = 5
    full_cascade: bool = False
    autocast: bool = False
    allow_missing_target: bool = False
    contrast_target: str = ""
    ablations: tuple[str, ...] = ()
    mask: str = ""
    fill: str = "gray"


@dataclass(frozen=True)
class Target:
    """The target class.

    Attributes:
        index: Among the model's outputs, from 0; NO_CLASS for a model without a classifier.
        wnid: Its WordNet ID, or the label set's own identifier.
        label: Its name.
        note: Why it is not the class that was requested; "" if it is.
    """

    index: int
    wnid: str
    label: str
    note: str = ""
