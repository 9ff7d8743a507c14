"""Tab Tour: the steps of the guided tour, and the architecture of the first TransXNet as a clickable diagram."""

from __future__ import annotations

from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.variants import VariantSpec

from ..architecture import architecture
from ..cells import Json
from ..columns import Scene, model_title
from ..i18n.translate import tr
from ..tour import MODEL, listed


def tour(scene: Scene) -> Json:
    transxnets = [column for column in scene.columns if not is_backbone(column.name)]
    name = transxnets[0].name if transxnets else MODEL
    photo = next((column.name for column in scene.columns if column.name == name and column.study is not None), "")
    stage = scene.studies[0].options.stage if scene.studies else 3
    spec: VariantSpec = spec_of(name)[0]
    return {
        "layout": "tour",
        "tour": listed(scene.state.tour),
        "architecture": architecture(spec, model_title(name), stage),
        "photo": photo,  # key of the model input that the stages show
        "note": "" if transxnets else tr("architecture.not_transxnet", variant=model_title(name)),
    }
