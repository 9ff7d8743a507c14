"""The errors that this library raises.

* LensError
  x UnknownName          a variant, class, method or layer that does not exist
  x OutOfRange           a stage, block, head, channel or position outside the model or the image
  x InvalidValue         a value of the wrong type, or out of its bounds
  x PartMissing          a part of the architecture that this variant does not have
  x ImageError           an image that cannot be used
    + ImageTooLarge      more bytes or pixels than the limits allow
    + ImageUnreadable    damaged, or not one of the supported formats
  x WeightsError         weights that cannot be used
    + SourceFailed       one source failed; carries cause and remedy
    + WeightsMismatch    keys, shapes or values do not fit the model
    + DigestMismatch     the file is not the one that was published
    + NoWeights          every source failed; lists each attempt
    + PublishFailed      publishing to the Hub failed
  x DeviceError          the device does not exist or is out of memory
  x Busy                 too many requests at once

Every error states what happened and what to do next. The text may be shown to a visitor, so it never contains a path
of the server: paths go to `detail`, which the command line prints and the page does not. Structure after httpx's
`_exceptions.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .messages import Message

QUOTED = 80  # characters of a value that a message repeats, quotation marks included


def quote(value: object) -> str:
    """Format a refused value for an error message.

    Args:
        value: Any object.

    Returns:
        Its repr, which escapes unprintable characters, cut to QUOTED characters.
    """
    try:
        text = repr(value[:QUOTED] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # an integer of more digits than Python writes; a list nested too deeply
        return f"a value of type {type(value).__name__}"
    fits = len(text) <= QUOTED and (not isinstance(value, str) or len(value) <= QUOTED)
    closing = text[0] if isinstance(value, str) else ""
    return text if fits else f"{text[: QUOTED - 1 - len(closing)].removesuffix(closing)}…{closing}"


class LensError(Exception):
    """Base class.

    Args:
        what: What happened, one or more sentences, or a template of them.
        remedy: What the reader can do about it, likewise; '' if nothing.
        detail: For the operator of the program only, such as a path.
        values: Fill the placeholders of both templates, see messages.Message.
    """

    def __init__(self, what: str, *, remedy: str = "", detail: str = "", **values: object):
        self.what, self.remedy = (_fill(text, values) for text in (what, remedy))
        self.detail = detail
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


def _fill(text: str, values: dict[str, object]) -> str:
    return Message(text, **values) if values and not isinstance(text, Message) else text


def error_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, outermost first; urllib stores the cause in `reason`."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        yield error
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__


class UnknownName(LensError, LookupError):
    """A variant, class, method or layer that does not exist."""


class OutOfRange(LensError, ValueError):
    """A stage, block, head, channel or position outside the model or the image."""


def check_name(name: str, names: Collection[str], template: str, remedy: str = "Choose one of: {names}.") -> None:
    """Raise UnknownName with the template's {name}, quoted, unless the name is one of `names`."""
    if name not in names:
        raise UnknownName(template, remedy=remedy, name=quote(name), names=", ".join(names))


def check_index(
    index: int, first: int, last: int, template: str, remedy: str = "Choose {first} to {last}.", **values: object
) -> int:
    """Return an index from `first` to `last`; raise OutOfRange with the template's {index} and `values` for others."""
    if index not in range(first, last + 1):
        raise OutOfRange(template, remedy=remedy, index=index, **values, first=first, last=last)
    return int(index)


class InvalidValue(LensError, ValueError):
    """A value of the wrong type, or out of its bounds."""


class PartMissing(LensError, LookupError):
    """The result needs a part of the architecture that this variant does not have."""


class ImageError(LensError, ValueError):
    """An image that cannot be used."""


class ImageTooLarge(ImageError):
    """More bytes or pixels than the limits allow."""


class ImageUnreadable(ImageError):
    """Damaged, empty, or not one of the supported formats."""


class WeightsError(LensError):
    """Weights that cannot be used."""


class SourceFailed(WeightsError):
    """One source of weights failed: `what` is the cause."""


class WeightsMismatch(WeightsError, ValueError):
    """Keys, shapes or values of a checkpoint do not fit the model."""


class DigestMismatch(WeightsError):
    """A file's SHA-256 differs from the one recorded when it was published."""


class NoWeights(WeightsError):
    """Every source failed.

    Attributes:
        attempts: One tuple (source, cause, remedy) per source that was tried.
    """

    def __init__(self, what: str, attempts: tuple[tuple[str, str, str], ...], **options: object):
        super().__init__(what, **options)
        self.attempts = attempts

    def __str__(self) -> str:
        lines = [self.what]
        lines += [
            f"  {i}. {source}: {cause} {remedy}".rstrip() for i, (source, cause, remedy) in enumerate(self.attempts, 1)
        ]
        return "\n".join([*lines, self.remedy] if self.remedy else lines)


class PublishFailed(WeightsError):
    """Publishing to the Hub failed, or what the Hub returns differs from what was uploaded."""


class DeviceError(LensError, RuntimeError):
    """The device does not exist or is out of memory."""


class Busy(LensError, RuntimeError):
    """Too many requests at once."""
