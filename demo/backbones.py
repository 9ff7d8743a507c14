"""Which timm backbones visitors of the page may name: none, those that the operator listed, or any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from transxnet.backbones.spec import PREFIX
from transxnet.errors import OutOfRange, UnknownName

from .i18n.translate import message

Policy = Literal["none", "listed", "any"]
DEFAULT_BACKBONES = (  # of the paper's Figure 1
    "timm:resnet50", "timm:convnext_tiny", "timm:swin_tiny_patch4_window7_224",
)  # fmt: skip
POLICIES: tuple[Policy, ...] = ("none", "listed", "any")


@dataclass(frozen=True)
class Backbones:
    """A policy, and the backbones that the operator named at start-up.

    Attributes:
        policy: "none", "listed" or "any".
        listed: canonical names, without "@untrained", which is allowed wherever the name is.
    """

    policy: Policy = "any"
    listed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise OutOfRange(
                f"Visitors' backbones cannot be {self.policy[:40]!r}.", remedy=f"Choose one of: {', '.join(POLICIES)}."
            )

    @property
    def offered(self) -> bool:
        """Whether visitors may name any backbone at all."""
        return self.policy == "any" or (self.policy == "listed" and bool(self.listed))

    def lists(self, name: str) -> bool:
        """Whether the operator named this backbone."""
        return _without_prefix(name) in self.listed

    def check(self, name: str) -> None:
        """Raises UnknownName, always in the same words, where visitors may not name this backbone."""
        if self.policy == "any" or (self.policy == "listed" and self.lists(name)):
            return
        if not self.offered:
            raise UnknownName(message("models.no_backbones"), remedy=message("models.no_backbones_remedy"))
        remedy = message("models.not_listed_remedy", names=", ".join(self.listed))
        raise UnknownName(message("models.not_listed"), remedy=remedy)


ANY_BACKBONE = Backbones()


def _without_prefix(name: str) -> str:
    return PREFIX + name.strip()[len(PREFIX) :].partition("@")[0].strip()
