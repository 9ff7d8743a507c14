"""A Hub namespace and the revisions pinned in it, as one string.

    lens-tests                    the newest commit of every variant's repository, lens-tests/transxnet_t, …
    lens-tests@v1                 a branch, tag or commit that all of them have
    lens-tests@t=COMMIT,s=v2      a revision per variant (a commit belongs to one repository), newest for the others
    lens-tests@v1,t=COMMIT        both: COMMIT for T, v1 for the others

A commit is written with all its 40 digits: the Hub does not accept abbreviations.
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
    """A parsed namespace; false if it is empty.

    Attributes:
        name: The namespace itself, '' for none.
        revision: Of every variant that `pins` does not name; None is the newest.
        pins: Full name of a variant -> its revision.
    """

    name: str
    revision: str | None = None
    pins: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        pins = [self.revision] if self.revision else []
        pins += [f"{find_variant(name).short}={revision}" for name, revision in self.pins.items()]
        return f"{self.name}@{','.join(pins)}" if pins else self.name

    def __bool__(self) -> bool:
        return bool(self.name)

    def repository(self, spec: VariantSpec) -> str:
        """The id of a variant's repository, NAMESPACE/NAME."""
        return f"{self.name}/{spec.name}"

    def source(self, spec: VariantSpec) -> str:
        """A variant's repository with its pinned revision, NAMESPACE/NAME[@REVISION]."""
        return "@".join(filter(None, (self.repository(spec), self.revision_of(spec))))

    def revision_of(self, spec: VariantSpec) -> str | None:
        """The revision pinned for a variant; None is the newest."""
        return self.pins.get(spec.name, self.revision)


def configured_namespace(text: str | None) -> Namespace:
    """Parse `text`, or TRANSXNET_HUB_NAMESPACE where it is None."""
    return parse_namespace(os.environ.get("TRANSXNET_HUB_NAMESPACE", "") if text is None else text)


def parse_namespace(text: str) -> Namespace:
    """Parse NAMESPACE[@REVISION,VARIANT=REVISION,…].

    Args:
        text: See the head of this module; '' is no namespace.

    Returns:
        The namespace.

    Raises:
        SourceFailed: The text has another form.
        UnknownName: A pinned variant does not exist.
    """
    name, at, pinned = text.strip().removeprefix(HUB_PREFIX).partition("@")
    name, default, pins = name.strip().strip("/"), None, {}
    for pin in pinned.split(",") if at else ():
        variant, equals, revision = (part.strip() for part in pin.rpartition("="))
        if not name or not revision or (equals and not variant) or (default and not equals):
            raise SourceFailed(
                "{text} is not a Hub namespace with revisions.",
                remedy="Write NAMESPACE, NAMESPACE@REVISION, or NAMESPACE@VARIANT=REVISION,VARIANT=REVISION.",
                text=quote(text.strip()),
            )  # fmt: skip
        if equals:
            pins[find_variant(variant).name] = revision
        else:
            default = revision
    return Namespace(name, default, pins)
