"""Models of the user's own, by the names that were given to them: `NAME=SOURCE` on the command line, or `register`.

A registered name can be used wherever a variant can. weights/load.py reads the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import UnknownName, quote
from .variants import VariantSpec

MAX_NAME = 60
_NAME = re.compile(r"[^\W_][\w.+-]*", re.UNICODE)


@dataclass(frozen=True)
class RegisteredModel:
    """A model by name.

    Attributes:
        name: As the user wrote it.
        source: A file, a folder, `hf-hub:ID[@REVISION]` or `local-dir:DIR`.
        spec: Read from the source.
        class_names: A file, the name of a label set, or the names; None takes what the source says.
        activation: "softmax", "sigmoid", or '' for what the source says.
        ema: Use the moving average of the weights.
    """

    name: str
    source: str
    spec: VariantSpec
    class_names: str | tuple[str, ...] | None = None
    activation: str = ""
    ema: bool = False


_models: dict[str, RegisteredModel] = {}


def add_model(model: RegisteredModel) -> None:
    """Register a model; a model of the same name is replaced."""
    _models[_key(model.name)] = model


def find_model(name: str) -> RegisteredModel | None:
    """The model registered under a name; None if there is none."""
    return _models.get(_key(name))


def registered_names() -> list[str]:
    """The names of all registered models, in the order in which they were registered."""
    return [model.spec.short for model in _models.values()]


def clear_models() -> None:
    """Forget all registered models."""
    _models.clear()


def check_model_name(name: str) -> str:
    """A valid NAME of a model of the user's own.

    Raises:
        UnknownName: The text cannot be a name.
    """
    name = name.strip()
    if not is_model_name(name):
        raise UnknownName(
            "{name} cannot be the name of a model.",
            remedy="Write NAME=SOURCE, where NAME is a word of letters, digits, and the characters . _ + -",
            name=quote(name),
        )  # fmt: skip
    return name


def is_model_name(text: str) -> bool:
    """Whether a text can be the NAME of a model."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def same_name(name: str, other: str) -> bool:
    """Whether two names stand for the same model."""
    return _key(name) == _key(other)


def _key(name: str) -> str:
    return name.strip().casefold().replace("-", "_").removeprefix("transxnet_")
