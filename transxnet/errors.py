"""Everything that can go wrong on purpose, as one small family.

* LensError
  x UnknownName          a variant, class, method or layer that does not exist
  x OutOfRange           a stage, block, head, channel or point outside the model or the image
  x InvalidValue         a value of another type than the parameter's, or out of its bounds
  x PartMissing          a part of the model that this variant does without
  x ImageError         bytes that cannot be shown as an image
    + ImageTooLarge    more bytes or pixels than we decode
    + ImageUnreadable  damaged, or not one of the formats we read
  x WeightsError         weights that cannot be used
    + SourceFailed       one source did not deliver; carries cause and remedy
    + WeightsMismatch    keys, shapes or values do not fit the model
    + DigestMismatch     the file is not the one that was published
    + NoWeights          every source failed; lists each attempt
    + PublishFailed      weights did not get to the Hub, or not as they were sent
  x DeviceError          the device asked for is absent or out of memory
  x Busy                 too many requests at once

Every error says what happened, to what, and what to do next. The text may be shown to a visitor, so
it never holds a path of the server: paths go to `detail`, which the command line prints and the page
does not. Structure after httpx's `_exceptions.py`.
"""

from __future__ import annotations

QUOTED = 80  # characters of a value that a message repeats, quotation marks included


def quote(value: object) -> str:
    """A value as a message repeats it.

    Args:
        value: Anything that was refused.

    Returns:
        Its repr, which escapes what cannot be printed, cut to QUOTED characters.
    """
    try:
        text = repr(value[:QUOTED] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # an integer of more digits than Python writes; a list nested too deeply
        return f"a value of type {type(value).__name__}"
    whole = len(text) <= QUOTED and (not isinstance(value, str) or len(value) <= QUOTED)
    closing = text[0] if isinstance(value, str) else ""
    return text if whole else f"{text[: QUOTED - 1 - len(closing)].removesuffix(closing)}…{closing}"


class LensError(Exception):
    """Base class. `remedy` is what the reader can do; `detail` is for whoever runs the program."""

    def __init__(self, what: str, *, remedy: str = "", detail: str = ""):
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class UnknownName(LensError, LookupError):
    """A variant, class, method or layer that does not exist."""


class OutOfRange(LensError, ValueError):
    """A stage, block, head, channel or point outside the model or the image."""


class InvalidValue(LensError, ValueError):
    """A value of another type than its parameter's, or out of its bounds."""


class PartMissing(LensError, LookupError):
    """What was asked for belongs to a part of the model that this variant does without."""


class ImageError(LensError, ValueError):
    """Bytes that cannot be shown as an image."""


class ImageTooLarge(ImageError):
    """More bytes or pixels than we are willing to decode."""


class ImageUnreadable(ImageError):
    """Damaged, empty, or not one of the formats we read."""


class WeightsError(LensError):
    """Weights that cannot be used."""


class SourceFailed(WeightsError):
    """One source of weights did not deliver. `what` is the cause, `remedy` the way out."""


class WeightsMismatch(WeightsError, ValueError):
    """Keys, shapes or values of a checkpoint do not fit the model."""


class DigestMismatch(WeightsError):
    """A file's SHA-256 is not the one that was recorded when it was published."""


class NoWeights(WeightsError):
    """Every source failed. `attempts` is a tuple of (source, cause, remedy)."""

    def __init__(self, what: str, attempts: tuple[tuple[str, str, str], ...], *, remedy: str = "", detail: str = ""):
        super().__init__(what, remedy=remedy, detail=detail)
        self.attempts = attempts

    def __str__(self) -> str:
        lines = [self.what]
        lines += [
            f"  {i}. {source}: {cause} {remedy}".rstrip() for i, (source, cause, remedy) in enumerate(self.attempts, 1)
        ]
        return "\n".join([*lines, self.remedy] if self.remedy else lines)


class PublishFailed(WeightsError):
    """Weights did not get to the Hub, or did not arrive there as they were sent."""


class DeviceError(LensError, RuntimeError):
    """The device asked for is absent, or out of memory."""


class Busy(LensError, RuntimeError):
    """Too many requests at once."""
