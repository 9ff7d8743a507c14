"""The guided tour's own page: its steps, and the first variant's architecture as a figure whose boxes open views."""

from __future__ import annotations

from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.variants import VariantSpec

from ..architecture import architecture
from ..cells import Json
from ..columns import variant_title
from ..i18n.translate import tr
from ..tour import FALLBACK, listed
from .scene import Scene


def tour(scene: Scene) -> Json:
    own = [column for column in scene.columns if not is_backbone(column.name)]
    name = own[0].name if own else FALLBACK[0]
    shown = next((column.name for column in scene.columns if column.name == name and column.study is not None), "")
    stage = scene.done[0].options.stage if scene.done else 3
    spec: VariantSpec = spec_of(name)[0]
    return {
        "layout": "tour",
        "tour": listed(scene.session.tour),
        "architecture": architecture(spec, variant_title(name), stage),
        "photo": shown,  # whose view of the image the stages show
        "note": "" if own else tr("architecture.not_transxnet", variant=variant_title(name)),
    }
