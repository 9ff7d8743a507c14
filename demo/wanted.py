"""What each view asks of a study: one row of WANTED a view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from transxnet.study import OVERVIEW_ANALYSES

SLOWER = ("integrated_gradients", "smooth_grad", "occlusion")  # maps that run the model many times
LONG = frozenset(
    {*SLOWER, "ablation_table", "sanity_checks"}
)  # parts that take seconds, so that waiting for them is shown
EVERY_POINT = ("attention", "kernels")  # views whose maps hold every point, so that a new one computes nothing
ALWAYS = "out_of_distribution"  # part that stands beside every view
ALIKE_EVERYWHERE = ("ablation_table",)  # parts that no point or block changes, and that hold every stage
BESIDE = ("timm:resnet50", "timm:convnext_tiny", "timm:swin_tiny_patch4_window7_224")  # of the paper's Figure 1


@dataclass(frozen=True)
class Wanted:
    """Parts of a Study (transxnet.study.ANALYSES). maps: shown in the panel. figures: drawn below it, when it is there.

    other: whether a second image takes part.
    """

    maps: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    other: bool = False


WANTED: Mapping[str, Wanted] = MappingProxyType(
    {
        "overview": Wanted(OVERVIEW_ANALYSES),
        "attention": Wanted(
            ("block_table", "stage_tables"), ("position_attention", "attention_depth", "rollouts", "pathway_energies")
        ),
        "kernels": Wanted(
            ("kernels", "kernel_arithmetic"),
            ("clusters", "kernels", "spectra", "kernel_depth", "kernel_change"),
            other=True,
        ),
        "grad_cam": Wanted(("grad_cam", "contrast", "cam_stages")),
        "erf": Wanted(("receptive_field",), ("receptive_field", "erf_pathways")),
        "compare": Wanted(OVERVIEW_ANALYSES, other=True),
        "ablation": Wanted(("ablation",), ("ablation_table",), other=True),
        "sanity_checks": Wanted(("sanity_checks",), ("sanity_checks",)),
        "tour": Wanted(),
    }
)
