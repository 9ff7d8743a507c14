"""What a value sent by a browser or a program must be, checked by pydantic, and the sentence that refuses another.

    stage = Parameter("stage", choice(1, 2, 3, 4))
    stage.validate(2)      # 2
    stage.validate("two")  # InvalidValue: stage is one of 1, 2, 3, 4, not 'two'.

Values come from JSON, so they may be of any type: nothing is converted but a whole number written as 3.0, and a choice
written as text. demo/parameters.py declares the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AllowInfNan, BeforeValidator, Field, Strict, TypeAdapter, ValidationError

from transxnet.errors import InvalidValue, LensError, quote

from .i18n.translate import message


@dataclass(frozen=True)
class Kind:
    """What a value may be.

    Attributes:
        type: What pydantic validates.
        expected: Key of a text that completes "NAME is …", with placeholders.
        bounds: What they stand for.
        choices: The values, where there are few.
    """

    type: Any
    expected: str
    bounds: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One parameter of an endpoint, or one value that an event of the page carries.

    Attributes:
        name: By which programs send it, and messages mention it.
        kind: What it may be.
        default: Its value where a request leaves it out; an endpoint may have its own.
        description: For whoever sends it.
    """

    name: str
    kind: Kind
    default: Any = None
    description: str = ""

    def validate(self, value: Any) -> Any:
        """Check a value of JSON.

        Args:
            value: Anything.

        Returns:
            The value, of the declared type.

        Raises:
            InvalidValue: It is of another type or out of bounds. The message repeats at most 80 characters of it.
            LensError: A check of the kind's own refused it.
        """
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            if isinstance(cause, LensError):  # pydantic takes those that are ValueErrors for its own
                raise cause from None
            expected = message(self.kind.expected, **self.kind.bounds)
            sentence = message("parameters.invalid", name=self.name, expected=expected, value=as_sent(value))
            raise InvalidValue(sentence) from None

    @cached_property
    def _adapter(self) -> TypeAdapter:
        return TypeAdapter(self.kind.type)


def as_sent(value: Any) -> str:
    """A value as a message repeats it, in the words of JSON."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return quote(value)


def validate_inputs(components: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Check what was sent to an event.

    Args:
        components: The event's inputs, each with its `parameter`; the page's upload has none, and is checked before.
        values: What was sent to each, of JSON.

    Returns:
        The values, of the declared types.

    Raises:
        InvalidValue: Not one value for each input, or one that is refused by its parameter.
        LensError: As Parameter.validate.
    """
    if len(values) != len(components):
        raise InvalidValue(message("parameters.arguments", expected=len(components), count=len(values)))
    pairs = zip(components, values, strict=True)
    return [
        component.parameter.validate(value) if hasattr(component, "parameter") else value for component, value in pairs
    ]


# ---- kinds ---------------------------------------------------------------------------------------------------------


def whole_number(low: int, high: int) -> Kind:
    """An integer from `low` to `high`; 3.0 is one, true and "3" are none."""
    integer_type = Annotated[int, Strict(), Field(ge=low, le=high), BeforeValidator(_as_integer)]
    return Kind(integer_type, "parameters.whole_number", {"low": low, "high": high})


def number(low: float, high: float) -> Kind:
    """A finite number from `low` to `high`."""
    finite = Annotated[float, Strict(), AllowInfNan(False), Field(ge=low, le=high)]
    return Kind(finite, "parameters.number", {"low": low, "high": high})


def flag() -> Kind:
    return Kind(Annotated[bool, Strict()], "parameters.flag")


def text(most: int, check: Callable[[str], Any] | None = None) -> Kind:
    """Text of at most `most` characters. check: raises a LensError for text that means nothing."""
    return Kind(_text(most, check), "parameters.text", {"most": most})


def text_or_number(most: int) -> Kind:
    """Text, or a whole number in its place, which becomes text."""
    plain = Annotated[str, Strict(), Field(max_length=most)]
    return Kind(Annotated[plain, BeforeValidator(_as_text)], "parameters.text_or_number", {"most": most})


def choice(*values: str | int) -> Kind:
    """One of few values; also where it is sent as text."""
    by_text = {str(value): value for value in values}

    def find(value: Any) -> Any:
        if isinstance(value, bool):
            return None  # true is no 1
        value = _as_integer(value)
        return by_text.get(value, value) if isinstance(value, str) else value

    names = ", ".join(str(value) for value in values if value != "")
    one_of = Annotated[Literal[values], BeforeValidator(find)]
    return Kind(
        one_of, "parameters.choice" if "" not in values else "parameters.choice_or_empty", {"names": names}, values
    )


def identifier(most: int) -> Kind:
    """A random name, as Gradio's clients make them for a session."""
    name = Annotated[str, Strict(), Field(pattern=rf"^[A-Za-z0-9_-]{{1,{most}}}\z")]
    return Kind(name, "parameters.identifier", {"most": most})


def values(most: int) -> Kind:
    """A list of at most `most` values of any kind."""
    return Kind(Annotated[list, Strict(), Field(max_length=most)], "parameters.values", {"most": most})


def optional(kind: Kind) -> Kind:
    """The same, or null."""
    return Kind(kind.type | None, kind.expected, kind.bounds, kind.choices)


def image() -> Kind:
    """A file, or null. Which files may be opened is decided before (demo/uploads.py)."""
    return Kind(Annotated[dict | None, Strict()], "parameters.image")


def _text(most: int, check: Callable[[str], Any] | None) -> Any:
    plain = Annotated[str, Strict(), Field(max_length=most)]
    return plain if check is None else Annotated[plain, AfterValidator(lambda value: (check(value), value)[1])]


def _as_integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_text(value: Any) -> Any:
    is_short_integer = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9
    return str(value) if is_short_integer else value
