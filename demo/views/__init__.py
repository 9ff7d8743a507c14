"""Studies -> JSON that the browser draws, one module per tab: raw maps as base64 with geometry, range and caption.

Maps are colored by the page's JavaScript, so that opacity and color map need no request. Common pieces are in cells.py,
text is in i18n/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from types import MappingProxyType

from ..cells import TILES, Json, photo
from ..i18n.tabs import INTROS, LIMITS
from ..i18n.translate import current_locale, tr
from .ablation import ablation
from .attention import attention
from .compare import compare
from .erf import erf
from .grad_cam import grad_cam
from .kernels import kernels
from .overview import overview
from .sanity_checks import sanity_checks
from .scene import Scene
from .tour import tour

__all__ = ["RENDERERS", "Scene", "view"]

RENDERERS: Mapping[str, Callable[[Scene], Json]] = MappingProxyType(
    {
        "overview": overview, "attention": attention, "kernels": kernels, "grad_cam": grad_cam, "erf": erf,
        "compare": compare, "ablation": ablation, "sanity_checks": sanity_checks, "tour": tour,
    }
)  # fmt: skip
_serial = count(1)


def view(name: str, scene: Scene) -> Json:
    """Everything a tab shows. name: a key of i18n.tabs.TABS."""
    content = RENDERERS[name](scene)
    sizes = sorted({f"{s.crop.rgb.shape[1]} × {s.crop.rgb.shape[0]}" for s in scene.studies})
    limits = tr(LIMITS[name], sizes=tr("page.or_join").join(sizes) or tr("page.few")) if name in LIMITS else ""
    limits = content.pop("foot", limits)
    return {
        "view": name,
        "serial": next(_serial),
        "key": scene.image_key,
        "intro": tr(INTROS[name], shown=TILES),
        "foot": limits if current_locale() == "en" else f"{limits} {tr('page.in_english')}".strip(),
        **content,
        "images": {c.name: photo(c.study, scene.image) for c in scene.columns if c.study is not None}
        | content.get("images", {}),
    }
