"""Which analyses of a study each tab shows, and the study options that a view state asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from transxnet.study import OVERVIEW_ANALYSES, StudyOptions

from .state import ViewState

MULTI_PASS_METHODS = ("integrated_gradients", "smooth_grad", "occlusion")  # maps that run the model many times
LONG_ANALYSES = frozenset({*MULTI_PASS_METHODS, "ablation_table", "sanity_checks"})  # take seconds: they show progress
TABS_WITHOUT_POSITION = ("attention", "kernels")  # their data holds every position, so a new one computes nothing
ALWAYS_SHOWN = "out_of_distribution"  # shown next to the predictions on every tab
LAYER_INDEPENDENT = ("ablation_table",)  # no position or block changes these, and they hold every stage
DEFAULT_BACKBONES = (  # of the paper's Figure 1
    "timm:resnet50", "timm:convnext_tiny", "timm:swin_tiny_patch4_window7_224",
)  # fmt: skip


@dataclass(frozen=True)
class TabAnalyses:
    """Analyses (transxnet.study.ANALYSES) of one tab.

    Attributes:
        maps: Shown in the panel.
        figures: Drawn below it, once the maps are there.
        needs_reference: Whether a reference image takes part.
    """

    maps: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    needs_reference: bool = False


ANALYSES_BY_TAB: Mapping[str, TabAnalyses] = MappingProxyType(
    {
        "overview": TabAnalyses(OVERVIEW_ANALYSES),
        "attention": TabAnalyses(
            ("block_table", "stage_tables"), ("position_attention", "attention_depth", "rollouts", "pathway_energies")
        ),
        "kernels": TabAnalyses(
            ("kernels", "kernel_arithmetic"), ("clusters", "kernels", "spectra", "kernel_depth", "kernel_change"),
            needs_reference=True,
        ),
        "grad_cam": TabAnalyses(("grad_cam", "contrast", "cam_stages")),
        "erf": TabAnalyses(("receptive_field",), ("receptive_field", "erf_pathways")),
        "compare": TabAnalyses(OVERVIEW_ANALYSES, needs_reference=True),
        "ablation": TabAnalyses(("ablation",), ("ablation_table",), needs_reference=True),
        "sanity_checks": TabAnalyses(("sanity_checks",), ("sanity_checks",)),
        "tour": TabAnalyses(),
    }
)  # fmt: skip


def tab_options(state: ViewState) -> StudyOptions:
    """Options of the study behind a tab's panel. The state must be resolved (Renderer.resolve)."""
    analyses = (*ANALYSES_BY_TAB[state.tab].maps, ALWAYS_SHOWN)
    target = state.target or None
    if state.tab == "ablation":  # no position changes it
        return StudyOptions(
            stage=state.stage, block=state.block, target=target, analyses=analyses, ablations=state.ablations,
            mask=state.mask, fill=state.fill,
        )  # fmt: skip
    if state.tab == "grad_cam" and state.slow_methods:
        analyses += MULTI_PASS_METHODS
    return StudyOptions(
        stage=state.stage, block=state.block, position=None if state.tab in TABS_WITHOUT_POSITION else state.position,
        target=target, cam_layer=state.cam_layer, analyses=analyses,
    )  # fmt: skip


def figure_options(state: ViewState, options: StudyOptions) -> StudyOptions:
    """Options of the study behind the figures below the panel. options: of the panel."""
    analyses = ANALYSES_BY_TAB[state.tab].figures
    if set(analyses) <= set(LAYER_INDEPENDENT):  # one study for all positions and stages
        return StudyOptions(target=state.target or None, analyses=analyses)
    return replace(options, analyses=analyses, position=state.position)
