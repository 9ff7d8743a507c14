"""What a value sent by a program must be, checked by pydantic, and the sentence that refuses another.

    block = Parameter("block", Annotated[int, Field(ge=0, le=99)])
    block.validate(2)      # 2
    block.validate("two")  # InvalidValue: block must be an integer from 0 to 99, not 'two'.

Values come from JSON, so they may be of any type: nothing is converted but a whole number written as 3.0.
demo/parameters.py declares the parameters of the endpoints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from transxnet.errors import InvalidValue, quote

from .i18n.translate import message

EXPECTED = {  # type in a JSON schema -> key of a text that completes "NAME must be …"
    "integer": "parameters.whole_number", "number": "parameters.number", "boolean": "parameters.flag",
    "string": "parameters.text", "array": "parameters.values", "object": "parameters.image",
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One parameter of an endpoint, or one field of a request to Gradio.

    Attributes:
        name: By which programs send it, and messages mention it.
        type: What it may be, with its bounds; `expected` in the schema is a key in place of that of EXPECTED.
        default: Its value where a request leaves it out; an endpoint may have another.
        check: Raises a LensError for a value that means nothing.
    """

    name: str
    type: Any
    default: Any = field(default=None, compare=False)
    check: Callable[[Any], Any] = lambda value: value

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of its values other than null."""
        schema = self._adapter.json_schema()
        return next((option for option in schema.get("anyOf", ()) if option["type"] != "null"), schema)

    @cached_property
    def _adapter(self) -> TypeAdapter:
        return TypeAdapter(self.type, config=ConfigDict(strict=True, allow_inf_nan=False))

    def validate(self, value: Any) -> Any:
        """Check a value of JSON.

        Args:
            value: Anything.

        Returns:
            The value, of the declared type.

        Raises:
            InvalidValue: It is of another type or out of bounds. The message repeats at most 80 characters of it.
            LensError: `check` refused it.
        """
        is_whole = isinstance(value, float) and value.is_integer()
        try:
            valid = self._adapter.validate_python(int(value) if is_whole else value)
        except ValidationError:
            quoted = json.dumps(value) if value is None or isinstance(value, bool) else quote(value)
            sentence = message("parameters.invalid", name=self.name, expected=self._expected(), value=quoted)
            raise InvalidValue(sentence) from None
        self.check(valid)
        return valid

    def _expected(self) -> str:
        """The text that completes "NAME must be …"."""
        schema = self.schema
        if "enum" in schema:
            key = "parameters.choice_or_empty" if "" in schema["enum"] else "parameters.choice"
            return message(key, names=", ".join(str(choice) for choice in schema["enum"] if choice != ""))
        most = schema.get("maxLength", schema.get("maxItems"))
        key = schema.get("expected", EXPECTED[schema["type"]])
        return message(key, low=schema.get("minimum"), high=schema.get("maximum"), most=most)
