"""Studies -> JSON that the browser draws, one module per tab: raw maps as base64 with geometry, range and caption.

VIEWS says which analyses each tab shows; `tab_options` and `figure_options` are the studies that a view state asks for.

Maps are colored by the page's JavaScript, so that opacity and color map need no request. Common pieces are in cells.py,
text is in i18n/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from types import MappingProxyType

from transxnet.explain.attribution.methods import MULTI_PASS_METHODS
from transxnet.study import OVERVIEW_ANALYSES, StudyOptions

from ..cells import TILES, Json, photo
from ..columns import Scene
from ..i18n.translate import current_locale, tr, tr_group
from ..state import ViewState
from .ablation import ablation
from .attention import attention
from .compare import compare
from .erf import erf
from .grad_cam import grad_cam
from .kernels import kernels
from .live import live
from .overview import overview
from .sanity_checks import sanity_checks
from .sequence import sequence
from .tour import tour

__all__ = ["VIEWS", "Scene", "View", "figure_options", "tab_options", "view"]

TABS_WITHOUT_POSITION = (
    "attention",
    "kernels",
    "sequence",
)  # their data holds every position, so a new one computes nothing
ALWAYS_SHOWN = "out_of_distribution"  # shown next to the predictions on every tab
LAYER_INDEPENDENT = ("ablation_table",)  # no position or block changes these, and they hold every stage


@dataclass(frozen=True)
class View:
    """One tab.

    Attributes:
        render: What its panel shows.
        maps: Analyses (transxnet.study.ANALYSES) that the panel shows.
        figures: Analyses drawn below it, once the maps are there.
        needs_reference: Whether a reference image takes part.
    """

    render: Callable[[Scene], Json]
    maps: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    needs_reference: bool = False


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "overview": View(overview, OVERVIEW_ANALYSES),
        "attention": View(
            attention, ("block_table", "stage_tables"),
            ("position_attention", "attention_depth", "rollouts", "pathway_energies"),
        ),
        "kernels": View(
            kernels, ("kernels", "kernel_arithmetic"),
            ("clusters", "kernels", "spectra", "kernel_depth", "kernel_change"), needs_reference=True,
        ),
        "grad_cam": View(grad_cam, ("grad_cam", "contrast", "cam_stages")),
        "erf": View(erf, ("receptive_field",), ("receptive_field", "erf_pathways")),
        "compare": View(compare, OVERVIEW_ANALYSES, needs_reference=True),
        "sequence": View(sequence, ("kernels",), needs_reference=True),
        "live": View(live),
        "ablation": View(ablation, ("ablation",), ("ablation_table",), needs_reference=True),
        "sanity_checks": View(sanity_checks, (), ("sanity_checks",)),
        "tour": View(tour),
    }
)  # fmt: skip
_serial = count(1)


def view(name: str, scene: Scene) -> Json:
    """Everything a tab shows. name: one of state.TABS."""
    content = VIEWS[name].render(scene)
    sizes = sorted({f"{s.crop.rgb.shape[1]} × {s.crop.rgb.shape[0]}" for s in scene.studies})
    limits = tr_group("limits.").get(name, "").format(sizes=tr("page.or_join").join(sizes) or tr("page.few"))
    limits = content.pop("foot", limits)
    return {
        "tab": name,
        "serial": next(_serial),
        "key": scene.image_key,
        "intro": tr_group("intros.")[name].format(shown=TILES),
        "foot": limits if current_locale() == "en" else f"{limits} {tr('page.in_english')}".strip(),
        **content,
        "images": {c.name: photo(c.study, scene.image) for c in scene.columns if c.study is not None}
        | content.get("images", {}),
    }


def tab_options(state: ViewState) -> StudyOptions:
    """Options of the study behind a tab's panel. The state must be resolved (Renderer.resolve)."""
    analyses = (*VIEWS[state.tab].maps, ALWAYS_SHOWN)
    target = state.target or None
    if state.tab == "ablation":  # no position changes it
        return StudyOptions(
            stage=state.stage, block=state.block, target=target, analyses=analyses, ablations=state.ablations,
            mask=state.mask, fill=state.fill, image_size=state.image_size or None,
        )  # fmt: skip
    if state.tab == "grad_cam" and state.slow_methods:
        analyses += MULTI_PASS_METHODS
    return StudyOptions(
        stage=state.stage, block=state.block, position=None if state.tab in TABS_WITHOUT_POSITION else state.position,
        target=target, cam_layer=state.cam_layer, analyses=analyses, image_size=state.image_size or None,
    )  # fmt: skip


def figure_options(state: ViewState, options: StudyOptions) -> StudyOptions:
    """Options of the study behind the figures below the panel. options: of the panel."""
    analyses = VIEWS[state.tab].figures
    if set(analyses) <= set(LAYER_INDEPENDENT):  # one study for all positions and stages
        return StudyOptions(target=state.target or None, analyses=analyses, image_size=options.image_size)
    return replace(options, analyses=analyses, position=state.position)
