"""A Hub namespace as people write it, with the revisions they pin in it.

    lens-tests                    the newest commit of every variant's repository, lens-tests/transxnet_t, …
    lens-tests@v1                 a branch, tag or commit that all of them have
    lens-tests@t=COMMIT,s=v2      one revision a variant (a commit belongs to one repository); others the newest
    lens-tests@v1,t=COMMIT        both: T's own, v1 for the rest

A commit is written with all its 40 digits: the Hub knows no shorter ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import SourceFailed, quote
from ..variants import VariantSpec, find_variant

HUB_PREFIX = "hf-hub:"


@dataclass(frozen=True)
class Namespace:
    """revision: for every variant that `own` does not name; None is the newest. own: by the variant's full name."""

    name: str
    revision: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        pins = [self.revision] if self.revision else []
        pins += [f"{find_variant(name).short}={revision}" for name, revision in self.own.items()]
        return f"{self.name}@{','.join(pins)}" if pins else self.name

    def __bool__(self) -> bool:
        return bool(self.name)

    def repository(self, spec: VariantSpec) -> str:
        return f"{self.name}/{spec.name}"

    def revision_of(self, spec: VariantSpec) -> str | None:
        return self.own.get(spec.name, self.revision)


def configured_namespace(text: str | None) -> Namespace:
    """`parse_namespace` of what was given, or, where that is None, of TRANSXNET_HUB_NAMESPACE."""
    return parse_namespace(os.environ.get("TRANSXNET_HUB_NAMESPACE", "") if text is None else text)


def parse_namespace(text: str) -> Namespace:
    """What a person configured -> Namespace; '' is none. Raises SourceFailed, or UnknownName for a pinned variant."""
    name, at, pins = text.strip().removeprefix(HUB_PREFIX).partition("@")
    name, revision, own = name.strip().strip("/"), None, {}
    for pin in pins.split(",") if at else ():
        variant, named, value = (part.strip() for part in pin.rpartition("="))
        if not name or not value or (named and not variant) or (revision and not named):
            raise SourceFailed(
                f"{quote(text.strip())} is no Hub namespace with revisions.",
                remedy="Write NAMESPACE, NAMESPACE@REVISION, or NAMESPACE@VARIANT=REVISION,VARIANT=REVISION.",
            )
        if named:
            own[find_variant(variant).name] = value
        else:
            revision = value
    return Namespace(name, revision, own)
