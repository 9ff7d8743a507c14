"""What is asked of one image and one model."""

from __future__ import annotations

from dataclasses import dataclass

OVERVIEW = ("attention", "kernels", "grad_cam", "receptive_field")  # what the page's first view shows


@dataclass(frozen=True)
class StudyOptions:
    """What to look at. Hashable, so that it can be part of a cache's key."""

    stage: int = 3  # of attention, kernels and receptive field, from 1
    block: int | None = None  # of attention and kernels, from 1; None or 0 is the stage's last
    position: tuple[float, float] | None = None  # (x, y) in pixels of the upright upload; None is the view's middle
    target: str | int | None = None  # the explained class: words, WNID or index; None or '' is the top answer
    cam_layer: int | str = 4  # Grad-CAM's own stage, or "head"
    only: tuple[str, ...] = OVERVIEW  # some of ANALYSES; the prediction always comes
    top: int = 5  # answers to name
    thorough: bool = False  # sanity_checks: randomize the full cascade for the methods of many passes, too
    autocast: bool = False  # answers in half precision, on CUDA only; explanations stay in float32
    follow: bool = False  # target is another model's answer: where this one lacks the class, its own is explained
    contrast_target: str = ""  # WNID of the class that `contrast` compares with; '' is this model's best other answer
    edits: tuple[str, ...] = ()  # of `ablation`: what is changed inside the model, keys of explain.switches
    mask: str = ""  # of `ablation`: the painted region, as explain.painting reads it; '' is none
    fill: str = "gray"  # of `ablation`: what stands there, one of explain.painting.FILLS


@dataclass(frozen=True)
class Target:
    """The explained class of this model. note: why it is not the one asked for; '' if it is."""

    index: int
    wnid: str
    label: str
    note: str = ""
