"""Models as the person who runs the program names them: NAME, or NAME=SOURCE for a model of their own.

    models = parse_models(["pico", "birds=runs/birds.pth.tar"], ["birds=birds.txt"], ["birds=sigmoid"])
    register_models(models)  # "pico", "birds"

SOURCE is a file, a folder, `hf-hub:ID[@REVISION]` or `local-dir:DIR`. After that the names can be used anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..backbones.spec import displayed_name
from ..errors import InvalidValue, UnknownName, quote
from ..messages import Message
from ..registry import same_name
from .load import register

REMEDY = "Write NAME=SOURCE, where SOURCE is a file, a folder, hf-hub:ID[@REVISION] or local-dir:DIR."


def split_models(texts: Iterable[str]) -> list[str]:
    """Split comma-separated lists of models: ["a,b=x.pth", "c"] -> ["a", "b=x.pth", "c"].

    A source that exists under its whole text may contain commas.
    """
    models: list[str] = []
    for text in texts:
        source = text.partition("=")[2]
        whole = bool(source) and "," in source and Path(source).expanduser().exists()
        models += [text] if whole else [part.strip() for part in text.split(",") if part.strip()]
    return models


@dataclass(frozen=True)
class NamedModel:
    """One model of the command line.

    Attributes:
        name: As it was written.
        source: '' for a model that the program knows.
        class_names: Of the source, as `load` takes them.
        activation: Likewise.
        ema: Likewise.
    """

    name: str
    source: str = ""
    class_names: str | None = None
    activation: str = ""
    ema: bool = False


def parse_models(
    texts: Sequence[str], class_names: Sequence[str] = (), activations: Sequence[str] = (), ema: bool = False
) -> list[NamedModel]:
    """Parse names and sources; nothing is read.

    Args:
        texts: NAME or NAME=SOURCE.
        class_names: NAME=FILE, or FILE for the only model with a source; see `load`.
        activations: NAME=ACTIVATION, or ACTIVATION for the only model with a source.
        ema: Use the moving average of the weights of every source.

    Raises:
        UnknownName: A name with a source is given twice, or an option names no model with a source.
        InvalidValue: `ema` without a source.
    """
    pairs = [tuple(part.strip() for part in text.partition("=")[::2]) for text in texts]
    own = [name for name, source in pairs if source]
    for text, (name, source) in zip(texts, pairs, strict=True):
        if "=" in text and not (name and source):
            raise UnknownName("{text} names no model.", remedy=REMEDY, text=quote(text))
        if source and sum(same_name(name, other) for other, _ in pairs) > 1:
            raise UnknownName("{name} is given twice.", remedy="Give each model a different name.", name=quote(name))
    files = _by_name(class_names, own, "--class-names")
    functions = _by_name(activations, own, "--activation")
    if ema and not own:
        raise InvalidValue("--ema applies to models of your own, and none is given.", remedy=REMEDY)
    return [
        NamedModel(name, source, files.get(name), functions.get(name, ""), ema) if source else NamedModel(name)
        for name, source in pairs
    ]


def register_models(models: Iterable[NamedModel], refresh: bool = False) -> tuple[str, ...]:
    """Read the models that have a source, and give them their names.

    Args:
        models: In order.
        refresh: As `load` takes it.

    Returns:
        The names of all models as they are displayed, in order, without repetitions.

    Raises:
        UnknownName: There is no such model.
        LensError: As `load` does.
    """
    names: dict[str, None] = {}
    for model in models:
        if model.source:
            options = {
                "class_names": model.class_names,
                "activation": model.activation,
                "ema": model.ema,
                "refresh": refresh,
            }
            names[register(model.name, model.source, **options).short] = None
        else:
            names[_known_name(model.name)] = None
    return tuple(names)


def _known_name(name: str) -> str:
    """The displayed name; the UnknownName for the path of a file says how to name it."""
    try:
        return displayed_name(name)
    except UnknownName as error:
        if not Path(name).expanduser().exists():
            raise
        raise UnknownName(
            Message("{name} is a path, not the name of a model.", name=quote(name)),
            remedy=Message("Give it a name: NAME={path}", path=name),
        ) from error


def _by_name(texts: Sequence[str], own: Sequence[str], option: str) -> dict[str, str]:
    """The values of an option by the model that they are for."""
    values: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        owner = next((own_name for own_name in own if value and same_name(own_name, name)), None)
        if owner is None and len(own) != 1:
            raise UnknownName(
                Message("{option} {text} names no model with a source.", option=option, text=quote(text))
                if own else Message("{option} applies to models of your own, and none is given.", option=option),
                remedy=Message("Write {option} NAME=…, with one of: {names}.", option=option, names=", ".join(own))
                if own else REMEDY,
            )  # fmt: skip
        owner, value = (owner, value) if owner else (own[0], text)
        if owner in values:
            raise UnknownName("{option} is given twice for {name}.", remedy="Pass one.", option=option, name=owner)
        values[owner] = value.strip()
    return values
