"""Grad-CAM's layers by name; the names are this project's own.

4                    the output of stage 4
3.2                  that of stage 3, block 2
head                 the head's normalized features
network.4.1.norm2    the output of any module that is a map, by its name in the model; in a timm backbone by timm's
2,3.2,head           several, whose maps are combined (cam_variants.combined_layers)

Limitations: the map of a module inside a block leaves out what passes around it through the residual connections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import OutOfRange, UnknownName, quote
from ...trace import Tap

HEAD = "head"
_BLOCK = re.compile(r"(\d{1,2})(?:\.(\d{1,3}))?")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_MAX_LAYERS = 8
_REMEDY = 'Name a stage (4), a block (3.2), "head", or a module such as network.4.1.norm2.'


@dataclass(frozen=True)
class CamLayer:
    """One layer.

    Attributes:
        text: As it was written.
        stage: From 1; None for the head or a module.
        block: From 1; 0 is the stage's last.
        module: Name of a module; '' for none.
    """

    text: str
    stage: int | None = None
    block: int = 0
    module: str = ""

    def is_kept(self, tap: Tap) -> bool:
        """Whether a trace must record a tap's tensor for this layer."""
        if self.module:
            return False
        if self.stage is None:
            return tap.kind == HEAD
        is_block = bool(self.block) and tap.kind == "block" and tap.block == self.block
        return tap.stage == self.stage and (tap.kind == "stage" or is_block)


def parse_cam_layers(value: int | str) -> tuple[CamLayer, ...]:
    """Parse one or several layers.

    Args:
        value: A stage, or a text as the head of this file shows.

    Returns:
        At least one layer.

    Raises:
        UnknownName: The text names no layer.
        OutOfRange: It names too many.
    """
    texts = [part.strip() for part in str(value).split(",")]
    if len(texts) > _MAX_LAYERS:
        raise OutOfRange("{count} layers are named.", remedy="Name up to {most}.", count=len(texts), most=_MAX_LAYERS)
    return tuple(map(_parse, texts))


def _parse(text: str) -> CamLayer:
    if match := _BLOCK.fullmatch(text):
        return CamLayer(text, int(match[1]), int(match[2] or 0))
    if text == HEAD:
        return CamLayer(text)
    if not _MODULE.fullmatch(text):
        raise UnknownName("{name} is not the name of a layer.", remedy=_REMEDY, name=quote(text))
    return CamLayer(text, module=text)
