"""Studies -> what the browser draws: raw maps as base64, with geometry, range, caption and numbers. A file a view.

No colors and no images of maps are made here: the page's JavaScript does that from these numbers, so
opacity and color map never come back to the server. The pieces are made in cells.py, the words are captions'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from types import MappingProxyType

from ..captions import FOOT, INTRO
from ..captions import page as words
from ..cells import TILES, Json, photo
from ..languages import say, spoken
from ..session import KEY
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

__all__ = ["SHOWN", "Scene", "view"]

SHOWN: Mapping[str, Callable[[Scene], Json]] = MappingProxyType(
    {
        "overview": overview, "attention": attention, "kernels": kernels, "grad_cam": grad_cam, "erf": erf,
        "compare": compare, "ablation": ablation, "sanity_checks": sanity_checks, "tour": tour,
    }
)  # fmt: skip
_serial = count(1)


def view(name: str, scene: Scene) -> Json:
    """The whole of one view. name: a key of captions.VIEWS."""
    shown = SHOWN[name](scene)
    sizes = sorted({f"{s.crop.rgb.shape[1]} x {s.crop.rgb.shape[0]}" for s in scene.done})
    foot = say(FOOT[name]).format(sizes=say(words.OR).join(sizes) or say(words.FEW)) if FOOT[name] else ""
    foot = shown.pop("foot", foot)
    return {
        "view": name,
        "serial": next(_serial),
        "key": scene.image.sha256[:KEY],
        "intro": say(INTRO[name]).format(shown=TILES),
        "foot": foot if spoken() == "en" else f"{foot} {say(words.IN_ENGLISH)}".strip(),
        **shown,
        "images": {c.name: photo(c.study, scene.image) for c in scene.columns if c.study is not None}
        | shown.get("images", {}),
    }
