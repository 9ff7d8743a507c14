"""Read a TransXNet of the user's own: what its architecture, classes, input size and preprocessing are.

Everything is read from the source, in this order of precedence:

    classes        --class-names; config.json; the file's metadata; class_names.txt, classes.txt, labels.txt (or .json,
                   .csv) or STEM.txt next to it; the label set of a variant that the name stands for; else "class 17"
    input size     config.json; the file's metadata or its own arguments (args.img_size, input_size); its bias tables,
                   if they are for another size than the architecture's; the architecture's
    preprocessing  config.json; the file's metadata or its own arguments; the architecture's
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ..class_names import SUFFIXES, class_names, read_class_names
from ..errors import InvalidValue, LensError, UnknownName, WeightsMismatch, check_name
from ..labels import LABEL_SETS, NUMBERED, LabelSet, label_set, own_labels
from ..messages import Message
from ..model import TransXNet
from ..variants import ACTIVATIONS, SIGMOID, SOFTMAX, UNTRAINED, VARIANTS, VariantSpec, find_variant
from .architecture import infer_architecture, known_variant, same_architecture
from .checkpoint import Checkpoint, model_from
from .description import Description, describe
from .layouts import transxnet_state
from .sources import Provenance, WeightsFile

WITHOUT_CLASSIFIER = Message("A model without a classifier: its outputs are features.")

FILES = ("class_names", "classes", "labels")  # stems of files of class names
_FROM_ARCHITECTURE = Message("its architecture")
_UNINFORMATIVE_SIZE = 224  # of bias tables: what every architecture is defined for


@dataclass(frozen=True)
class OwnName:
    """A name of the user's own, under which a folder may hold a file."""

    name: str
    official_file: str = ""

    @property
    def short(self) -> str:
        """The name as users type it."""
        return self.name


@dataclass(frozen=True)
class OwnModel:
    """A checkpoint that has been read.

    Attributes:
        spec: Its architecture, classes and preprocessing.
        state: Name -> tensor, as model.py names them.
        provenance: Where it comes from, with what was read from where.
        path: The file.
        averaged: Whether the tensors are a moving average (EMA) of the weights.
        model: Built from them, in training mode.
    """

    spec: VariantSpec
    state: dict[str, Tensor]
    provenance: Provenance
    path: Path
    averaged: bool
    model: TransXNet


def builtin_variant(name: str) -> VariantSpec | None:
    """The variant of this name; None if it is a name of the user's own. Raises UnknownName for NAME@untrained."""
    base, _, suffix = name.strip().partition("@")
    if suffix.strip().lower() == UNTRAINED:
        raise UnknownName(
            Message("{name} takes no source: its weights are random.", name=name.strip()),
            remedy=Message("Name {name} alone.", name=base.strip()),
        )
    try:
        return find_variant(name)
    except UnknownName:
        return None


def own_model(
    name: str,
    file: WeightsFile,
    checkpoint: Checkpoint,
    names: str | Path | Sequence[str] | None = None,
    activation: str = "",
) -> OwnModel:
    """Describe a checkpoint.

    Args:
        name: Of the model. That of a variant means that the checkpoint must have its architecture.
        file: The file and its config.json.
        checkpoint: Its tensors and what lies next to them.
        names: Class names, a file of them, or the name of a label set.
        activation: "softmax" or "sigmoid"; '' for what the source says: sigmoid for one logit, else softmax.

    Raises:
        WeightsMismatch: The tensors are not those of a TransXNet, or not of the named variant.
        InvalidValue: Unusable class names or preprocessing, or another number of names than of classes.
        UnknownName: There is no such activation.
    """
    base, file_name = builtin_variant(name), file.path.name
    state = transxnet_state(checkpoint.state, file_name)
    architecture = infer_architecture(state, file_name)
    in_file = describe(checkpoint.extras, Message("the checkpoint itself"))
    descriptions = [describe(file.config, "config.json", strict=True), in_file]
    hint = next((d.architecture for d in descriptions if d.architecture), "")
    if base is not None and not same_architecture(base, architecture):
        raise WeightsMismatch(
            "{file} does not have the architecture of {name}: {architecture}.",
            remedy="Choose another name for it: NAME=SOURCE.", file=file_name, name=base.name,
            architecture=_architecture_text(architecture),
        )  # fmt: skip
    known = base or known_variant(architecture, hint)
    spec = known or VariantSpec(name, **architecture, about="a TransXNet of another size")
    _check_channels(state, file_name)
    image_size, size_origin = _image_size(spec, architecture["bias_size"], descriptions)
    labels, labels_note = _labels(state, file, descriptions, base, names, name)
    preprocessing = merge_preprocessing(descriptions)
    own = replace(
        spec, num_classes=_num_classes(state), image_size=image_size, **preprocessing, **labels,
        activation=choose_activation(activation, descriptions, _num_classes(state)),
    )  # fmt: skip
    if own.num_classes != spec.num_classes:
        own = replace(own, paper=None)  # its accuracy is that of other classes
    if base is None:
        own = replace(
            own, name=name, bias_size=architecture["bias_size"], official_file="", paper=None,
            architecture=known.name if known else "", about="your own model",
        )  # fmt: skip
    notes = (
        checkpoint.note,
        "" if base else _architecture_note(known, architecture),
        labels_note,
        _size_note(image_size, size_origin, base),
        _preprocessing_note(own, spec),
        Message("Each class has its own probability (sigmoid).") if own.activation == SIGMOID else "",
    )
    provenance = file.provenance
    for note in notes:
        provenance = provenance.with_note(note)
    model = model_from(own, state, file_name)
    return OwnModel(own, state, provenance, file.path, checkpoint.averaged, model)


def _num_classes(state: Mapping[str, Tensor]) -> int:
    classifier = state.get("classifier.2.weight")
    return 0 if classifier is None else len(classifier)


def _check_channels(state: Mapping[str, Tensor], file_name: str) -> None:
    channels = state["patch_embed.proj.conv.weight"].shape[1]
    if channels != 3:
        raise WeightsMismatch(
            "{file} takes images of {channels} channels.", remedy="Only models of RGB images can be explained.",
            file=file_name, channels=channels,
        )  # fmt: skip


def _architecture_text(architecture: Mapping[str, object]) -> str:
    def numbers(key: str) -> str:
        return " ".join(map(str, architecture[key]))

    missing = [part for part in ("idconv", "osra", "ste") if not architecture[part]]
    text = f"{numbers('depths')} blocks, {numbers('dims')} channels, {numbers('heads')} heads"
    return f"{text}, no {', no '.join(missing)}" if missing else text


def _architecture_note(known: VariantSpec | None, architecture: Mapping[str, object]) -> str:
    if known is not None:
        return Message("Architecture {name}.", name=known.name)
    return Message("Architecture: {text}.", text=_architecture_text(architecture))


def _image_size(spec: VariantSpec, stored: int, descriptions: Sequence[Description]) -> tuple[int, str]:
    """(input size, where it is from)."""
    for description in descriptions:
        if description.image_size is not None:
            return description.image_size, description.where
    is_custom = spec.name not in VARIANTS
    if stored not in (_UNINFORMATIVE_SIZE, spec.bias_size) or (is_custom and spec.osra):
        return stored, Message("its bias tables")
    return spec.image_size, _FROM_ARCHITECTURE


def _size_note(image_size: int, origin: str, base: VariantSpec | None) -> str:
    """Where the input size is from; '' for a variant's own."""
    if base is not None and image_size == base.image_size:
        return ""
    return Message("Input size {size} px, from {where}.", size=image_size, where=origin)


def merge_preprocessing(descriptions: Sequence[Description]) -> dict[str, object]:
    """The preprocessing that the descriptions mention; the first counts."""
    merged: dict[str, object] = {}
    for description in reversed(descriptions):
        merged |= description.preprocessing
    return merged


def _preprocessing_note(own: VariantSpec, spec: VariantSpec) -> str:
    """The preprocessing, where it differs from the architecture's."""
    keys = ("mean", "std", "crop_pct", "crop_mode", "interpolation")
    changed = [key for key in keys if getattr(own, key) != getattr(spec, key)]
    if not changed:
        return ""
    texts = [f"{key} {_value(getattr(own, key))}" for key in changed]
    return Message("Preprocessing other than the architecture's: {values}.", values=", ".join(texts))


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{number:.4g}" for number in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def choose_activation(requested: str, descriptions: Sequence[Description], num_classes: int) -> str:
    """One logit has no softmax to speak of: it would always be 1."""
    if requested:
        check_name(requested, ACTIVATIONS, "There is no activation called {name}.")
        return requested
    described = next((d.activation for d in descriptions if d.activation), SOFTMAX)
    return SIGMOID if num_classes == 1 else described


# --- Classes ----------------------------------------------------------------------------------------------------------


def _labels(
    state: Mapping[str, Tensor], file: WeightsFile, descriptions: Sequence[Description], base: VariantSpec | None,
    names: str | Path | Sequence[str] | None, name: str,
) -> tuple[dict[str, object], str]:  # fmt: skip
    """(the fields label_set and own_labels of the spec, a sentence)."""
    count = _num_classes(state)
    if count == 0:
        return _set(f"{NUMBERED}0"), WITHOUT_CLASSIFIER
    if names is not None:
        return _given_labels(names, count, name)
    for description in descriptions:
        if description.names is None:
            continue
        if len(description.names) == count:
            return _named(description.names, description, name, _named_in(
                count, description.where))  # fmt: skip
        if description.where == "config.json":
            raise _wrong_count("config.json", len(description.names), count)
    found, unused = _adjacent_names(file.path, count)
    if found is not None:
        note = _named_in(count, found[0])
        return {"label_set": name, "own_labels": own_labels(name, found[1])}, note
    note = Message("{where} next to the file was not used: it has other classes.", where=unused) if unused else ""
    if base is not None and count == base.num_classes:
        return _set(base.label_set), note
    card_set = _card_label_set(file.path)
    if card_set and len(label_set(card_set)) == count:
        return _set(card_set), note
    without = Message("{classes} without names: pass --class-names.", classes=_count_text(count))
    note = Message("{note} {text}", note=note, text=without) if note else without
    return {"label_set": f"{NUMBERED}{count}", "own_labels": None}, note


def _named_in(count: int, where: str) -> Message:
    return Message("{classes}, named in {where}.", classes=_count_text(count), where=where)


def _count_text(count: int) -> Message:
    return Message("1 class") if count == 1 else Message("{count} classes", count=count)


def _set(name: str) -> dict[str, object]:
    return {"label_set": name, "own_labels": None}


def _given_labels(names: str | Path | Sequence[str], count: int, name: str) -> tuple[dict[str, object], str]:
    """Classes that the user named."""
    if isinstance(names, str) and names in LABEL_SETS:
        if len(label_set(names)) != count:
            raise _wrong_count(names, len(label_set(names)), count)
        return _set(names), ""
    is_file = isinstance(names, (str, Path))
    where = Path(names).name if is_file else Message("the names given")
    listed = read_class_names(Path(names).expanduser()) if is_file else class_names(names, "class_names")
    if count == 1 and len(listed) == 2:
        listed = listed[1:]  # of the classes "no" and "yes", the logit is that of the second
    if len(listed) != count:
        raise _wrong_count(where, len(listed), count)
    note = _named_in(count, where)
    return {"label_set": name, "own_labels": own_labels(name, listed)}, note


def _named(
    names: tuple[str, ...], description: Description, name: str, note: str
) -> tuple[dict[str, object], str]:  # fmt: skip
    for known in (*LABEL_SETS, f"{NUMBERED}{len(names)}"):
        if names == label_set(known).wnids:
            return _set(known), ""
    labels: LabelSet = own_labels(name, names, description.label_descriptions)
    return {"label_set": name, "own_labels": labels}, note


def _wrong_count(where: str, named: int, count: int) -> InvalidValue:
    return InvalidValue(
        "{where} names {named} classes, but the model has {count}.", remedy="Pass the names of all its outputs.",
        where=where, named=named, count=count,
    )  # fmt: skip


def _adjacent_names(path: Path, count: int) -> tuple[tuple[str, tuple[str, ...]] | None, str]:
    """((file, names) next to a checkpoint, the name of a file there that does not fit)."""
    stem = path.name.split(".")[0]
    candidates = [f"{stem}.txt", f"{stem}.csv", *(f"{file}{suffix}" for file in FILES for suffix in SUFFIXES)]
    unused = ""
    for candidate in candidates:
        adjacent = path.with_name(candidate)
        if not adjacent.is_file():
            continue
        try:
            names = read_class_names(adjacent)
        except LensError:
            names = ()
        if len(names) == count:
            return (candidate, names), ""
        unused = unused or candidate
    return None, unused


def _card_label_set(path: Path) -> str:
    """The label set in the JSON card that this project writes next to its weights; '' if there is none."""
    try:
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    name = card.get("label_set") if isinstance(card, dict) else None
    return name if name in LABEL_SETS else ""
