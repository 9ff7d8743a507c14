"""Text for people that can be translated: a template and the values that fill it.

The library writes English. An interface in another language looks the template up in its catalog and formats the
translation with the same values, so that no finished English sentence has to be parsed.
"""

from __future__ import annotations


class Message(str):
    """A `str` that remembers what it was formatted from.

    Example:
        >>> Message("{model} has no stage {stage}.", model="pico", stage=5)
        'pico has no stage 5.'

    Attributes:
        template: English text with named placeholders, the key of a translation.
        values: What fills the placeholders; a value may be a Message itself, which is translated first.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Message:
        """Format the template; without values it is taken as it is, braces included."""
        self = super().__new__(cls, template.format(**values) if values else template)
        self.template, self.values = template, values
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.template, self.values)


def _restore(template: str, values: dict[str, object]) -> Message:
    return Message(template, **values)
