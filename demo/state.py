"""The view state: everything a visitor chooses on the page, declared and validated in one place.

The browser owns it (web/js/core/store.js) and sends all of it with every request; the server keeps none of it. A URL
holds the fields in URL_FIELDS, so that a link opens the same view; the browser's history holds the whole state.

    state, notes = from_query({"image": "lion", "tab": "attention", "stage": "2"})
    to_query(state)  # {"image": "lion", "tab": "attention", "stage": "2"}

Every option's name, type, bounds, default and description are those of ViewState's fields; the endpoints' parameters
(demo/parameters.py) and the browser's settings derive from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from transxnet.backbones.spec import displayed_name, is_backbone, spec_of
from transxnet.draw.colormaps import COLORMAPS, SEQUENTIAL
from transxnet.draw.scale import MODES
from transxnet.errors import InvalidValue, LensError, UnknownName
from transxnet.errors import quote as quote_value
from transxnet.explain.ablation.catalog import parse_ablations
from transxnet.explain.ablation.masking import FILLS, parse_mask
from transxnet.export.map_options import MapFileOptions
from transxnet.sequence import TRANSITIONS
from transxnet.variants import VARIANTS

from .examples import examples
from .i18n.translate import LANGUAGES, message, tr, tr_error, tr_group

Model = TypeVar("Model", bound=BaseModel)

MAX_MODELS = 3
MAX_NAME = 120  # characters of a model's or a class's name
MAX_MASK = 20_000  # characters of an occluded region
MAX_SEQUENCE = 60  # frames
MAX_COORDINATE = 999_999  # pixels
MAX_QUERY_VALUE = 400  # characters of a value in a URL that are read
MAX_QUOTE = 40  # characters of a refused value that a note repeats
PREVIOUS = "previous"  # ViewState.reference: the visitor's previous upload
KEY_PATTERN = r"^([0-9a-f]{32})?$"  # of an uploaded image: 128 random bits, or ""
SIZES = tuple(range(96, 1025, 32))  # pixels of the model input's side
TABS = (
    "overview", "attention", "kernels", "grad_cam", "erf", "compare", "sequence", "live", "ablation",
    "sanity_checks", "tour",
)  # fmt: skip
_SEQUENTIAL = ("", *(c.name for c in COLORMAPS.values() if c.kind == SEQUENTIAL))
_DIVERGING = ("", *(c.name for c in COLORMAPS.values() if c.kind != SEQUENTIAL))


def _example(name: str) -> str:
    if name and name not in (example.name for example in examples()):
        raise ValueError(name)
    return name


def _image_size(side: int) -> int:
    if side and side not in SIZES:
        raise ValueError(side)
    return side


def _reference(name: str) -> str:
    return name if name == PREVIOUS else _example(name)


def canonical_name(name: str) -> str:
    """The name of a model as the page writes it.

    Raises:
        UnknownName: There is no such model; names the nearest ones.
    """
    return displayed_name(name)


def _ablations(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(switch) for switch in parse_ablations(names))


def _mask(text: str) -> str:
    if text:
        parse_mask(text)
    return text


def _checked(function: Callable[[Any], Any]) -> AfterValidator:
    """A validator of pydantic, which collects no other errors than ValueErrors; `_cause` finds the LensError again."""

    def check(value: Any) -> Any:
        try:
            return function(value)
        except LensError as error:
            raise ValueError(error) from error

    return AfterValidator(check)


def _cause(detail: Mapping[str, Any]) -> LensError | None:
    """The LensError behind one of a ValidationError's details."""
    error = detail.get("ctx", {}).get("error")
    return next((cause for cause in (error, *getattr(error, "args", ())) if isinstance(cause, LensError)), None)


ModelName = Annotated[str, Field(max_length=MAX_NAME), _checked(canonical_name)]
Coordinate = Annotated[int, Field(ge=0, le=MAX_COORDINATE)]
Stage = Annotated[int, Field(ge=1, le=4)]


def _option(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default, description=description, **bounds)


class ViewState(BaseModel):
    """What one visitor looks at. All fields have defaults: the state of the page as it opens.

    Raises:
        pydantic.ValidationError: A value of another type or out of bounds; `validate` turns it into InvalidValue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Annotated[str, AfterValidator(_example)] = _option("", "example by its name; empty for the first")
    upload: str = _option("", "key of an uploaded image, which replaces the example", pattern=KEY_PATTERN)
    reference: Annotated[str, AfterValidator(_reference)] = _option(
        "", f"reference image: an example, {PREVIOUS!r} for the visitor's previous upload, empty for the previous image"
    )
    previous_image: Annotated[str, AfterValidator(_reference)] = _option(
        "", f"the image looked at before: an example, {PREVIOUS!r} for an upload, empty for the next example"
    )
    previous_upload: str = _option("", "key of the visitor's previous upload", pattern=KEY_PATTERN)
    models: Annotated[tuple[ModelName, ...], Field(max_length=MAX_MODELS)] = _option(
        (), "up to three models; empty for the default"
    )
    tab: Literal[TABS] = _option("overview", "tab of the page")  # type: ignore[valid-type]
    stage: Stage = _option(3, "stage, from 1")
    block: int = _option(0, "block of the stage, from 1; 0 is the last", ge=0, le=99)
    cam_layer: Stage = _option(4, "stage of Grad-CAM, from 1")
    position: tuple[Coordinate, Coordinate] | None = _option(
        None, "query position, column and row in pixels of the upright image; null is the center"
    )
    image_size: Annotated[int, AfterValidator(_image_size)] = _option(
        0, "side of the model input in pixels, 96 to 1024 in steps of 32; 0 for the model's own", ge=0, le=SIZES[-1]
    )
    target: str = _option(
        "", "WNID of the target class, or its name where it has none; empty for the model's own prediction",
        max_length=MAX_NAME,
    )  # fmt: skip
    compared: str = _option("attention", "map that Compare shows", pattern="^[a-z][a-z0-9_]{0,39}$")
    two_images: bool = _option(False, "whether Compare shows two images on each model")
    ablations: Annotated[tuple[str, ...], Field(max_length=64), _checked(_ablations)] = _option(
        (), "parts of the model that are switched off, as NAME or NAME@STAGE.BLOCK"
    )
    mask: Annotated[str, _checked(_mask)] = _option("", "occluded region, as ROWSxCOLS:BASE64", max_length=MAX_MASK)
    fill: Literal[tuple(FILLS)] = _option("gray", "fill of the occluded region")  # type: ignore[valid-type]
    transition: Literal[TRANSITIONS] = _option("crossfade", "how Sequence changes the image")  # type: ignore[valid-type]
    frames: int = _option(24, "frames of a sequence", ge=2, le=MAX_SEQUENCE)
    slow_methods: bool = _option(False, "whether Grad-CAM's tab shows the methods of many passes")
    other_backbones: bool = _option(False, "whether the receptive fields of other backbones are shown")
    tour: int = _option(0, "step of the guided tour, from 1; 0 for none", ge=0, le=99)
    locale: Literal["", *LANGUAGES] = _option("", "language of the page; empty for the browser's")  # type: ignore[valid-type]
    colormap: Literal[_SEQUENTIAL] = _option("", "color map of magnitudes; empty for each map's own")  # type: ignore[valid-type]
    diverging: Literal[_DIVERGING] = _option("", "color map of signed maps; empty for each map's own")  # type: ignore[valid-type]
    opacity: float = _option(0.85, "opacity of the map", ge=0, le=1)
    gamma: float = _option(1.0, "exponent of the color scale", ge=0.3, le=3)
    threshold: float = _option(0.0, "fraction of the scale's maximum below which nothing is drawn", ge=0, le=0.95)
    scale: Literal[tuple(MODES)] = _option("raw", "how values become colors")  # type: ignore[valid-type]
    model_resolution: bool = _option(False, "whether the image is shown at the model's input resolution")
    head: str = _option("mean", "attention head: mean, max or a number from 1", pattern="^(mean|max|[1-9][0-9]?)$")
    direction: Literal["from", "to"] = _option("from", "attention from or to the query position")

    def changed(self, **values: Any) -> ViewState:
        """The state with these fields replaced. The values are not validated again."""
        return self.model_copy(update=values)


DISPLAY_FIELDS = (
    "colormap", "diverging", "opacity", "gamma", "threshold", "scale", "model_resolution", "head", "direction",
)  # fmt: skip
"""Fields that the browser draws by itself: a change of them sends no request."""

URL_FIELDS = (
    "image", "models", "tab", "stage", "block", "cam_layer", "image_size", "position", "target", "compared",
    "reference", "previous_image", "two_images", "transition", "frames", "ablations", "tour", "locale",
    *DISPLAY_FIELDS,
)  # fmt: skip
"""Fields that a URL holds, in the order in which they are written."""

URL_KEYS: Mapping[str, str] = MappingProxyType({"target": "class", "locale": "lang"})  # where they are not the name
OLD_KEYS = frozenset({"view", "variants", "off", "with", "photos", "photographs", "picture", "cam", "colours", "show"})
GRADIO_VIEWS = ("api", "settings", "api-recorder")  # values of `view` that are Gradio's own pages


def validate(model: type[Model], values: Any) -> Model:
    """Check values of JSON against a pydantic model.

    Raises:
        InvalidValue: It is no object, or a field is unknown, of another type or out of bounds.
        LensError: A model or an ablation that does not exist.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        if cause := _cause(first):
            raise cause from None
        names = [part for part in first["loc"] if isinstance(part, str)]  # outermost first, without places in lists
        name, value = quote_value(names[-1] if names else "body"), quote_value(first["input"])
        raise InvalidValue(message("parameters.invalid_field", name=name, value=value)) from None


def from_json(values: Mapping[str, Any]) -> tuple[ViewState, list[str]]:
    """The state that a browser sent, and a sentence for everything in it that cannot be used.

    A name that a visitor typed, or a state from the history of an older version, may be invalid: that part gets its
    default, and all else is kept.
    """
    remaining = {name: value for name, value in values.items() if name in ViewState.model_fields}
    notes = [_unused(name, str(values[name])) for name in values if name not in remaining][:1]
    return _usable(
        remaining, notes, lambda field, value, cause: tr_error(cause) if cause else _unused(field, str(value))
    )


def _usable(
    values: dict[str, Any], notes: list[str], note: Callable[[str, Any, LensError | None], str]
) -> tuple[ViewState, list[str]]:
    """The state of the values that can be used, and the notes with one of each other field, its value and cause."""
    while True:
        try:
            return ViewState.model_validate(values), notes
        except ValidationError as error:
            detail = error.errors()[0]
            field, *index = detail["loc"]
            value = values.pop(field)
            if field == "models" and index and len(value) <= MAX_MODELS:  # the others are kept
                values[field] = [*value[: index[0]], *value[index[0] + 1 :]]
            notes.append(note(field, value, _cause(detail)))


# ---- URL ------------------------------------------------------------------------------------------------------------


def from_query(query: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[ViewState, list[str]]:
    """The state of a URL, and a sentence for everything in it that cannot be used.

    Args:
        query: Texts by key, or pairs of key and text, of which a key may occur more than once.

    Returns:
        The state, in which whatever cannot be used has its default, and the sentences in the current locale.
    """
    texts: dict[str, str] = {}
    repeated: set[str] = set()
    for key, text in query.items() if isinstance(query, Mapping) else query:
        if key in OLD_KEYS and not (key == "view" and text in GRADIO_VIEWS):
            return ViewState(), [tr("links.old")]
        repeated |= {key} & set(texts)
        texts[key] = text[:MAX_QUERY_VALUE]
    for key in repeated:
        del texts[key]
    names = {URL_KEYS.get(name, name): name for name in URL_FIELDS}
    notes = [tr("links.repeated", name=tr_group("links.name_")[name]) for key, name in names.items() if key in repeated]
    values: dict[str, Any] = {name: texts[key] for key, name in names.items() if texts.get(key)}
    values["models"] = _read_models(texts.get("models", ""), notes)
    if "ablations" in values:
        values["ablations"] = values["ablations"].split(",")
    x, y = texts.get("x"), texts.get("y")
    values["position"] = (x, y) if x and y else None
    if bool(x) != bool(y):
        notes.append(tr("links.half_position"))
    texts["position"] = f"{x}, {y}"
    return _usable(values, notes, lambda name, *_: _unused(name, texts[URL_KEYS.get(name, name)]))


def _read_models(text: str, notes: list[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for name in filter(str.strip, text.split(",")):
        try:
            names[canonical_name(name)] = None
        except (LensError, ValueError):
            notes.append(tr("links.unknown_model", name=_shortened(name)))
    if len(names) > MAX_MODELS:
        notes.append(tr("links.too_many_models", most=MAX_MODELS))
    return tuple(names)[:MAX_MODELS]


def to_query(state: ViewState) -> dict[str, str]:
    """The query of a state, key by key; what has its default is left out. `from_query` gives the same state back.

    The browser writes the same (web/js/core/url.js).
    """
    query: dict[str, str] = {}
    for name in URL_FIELDS:
        value = getattr(state, name)
        if value == ViewState.model_fields[name].default or (name in ("image", "previous_image") and state.upload):
            continue
        if name == "previous_image" and value == PREVIOUS:  # an upload, which is in no link
            continue
        if name == "position":
            if not state.upload:  # a position in an image that no link holds means nothing
                query |= {"x": str(value[0]), "y": str(value[1])}
            continue
        query[URL_KEYS.get(name, name)] = _written(value)
    return query


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _unused(field: str, text: str) -> str:
    """The note about a value that cannot be used. field: of ViewState, or an unknown name."""
    name = tr_group("links.name_").get(field) or quote_value(field)
    return tr("links.unused", name=name, value=_shortened(text))


def _shortened(text: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in text[: MAX_QUOTE + 1])
    return text if len(text) <= MAX_QUOTE else text[:MAX_QUOTE] + "…"


# ---- what depends on the models chosen ------------------------------------------------------------------------------


def known_class(wnid: str, models: Sequence[str]) -> str:
    """The WNID, if one of these models, or any of this project's, has that class.

    Raises:
        UnknownName: None has it.
    """
    if not any(wnid in spec.labels.wnids for spec in (*VARIANTS.values(), *(spec_of(name)[0] for name in models))):
        raise UnknownName(
            message("links.unknown_class", name=quote_value(wnid)), remedy=message("links.unknown_class_remedy")
        )
    return wnid


def last_block(stage: int, models: Sequence[str]) -> int:
    """The number of blocks of a stage that all of these models have; 1 where none is a TransXNet."""
    depths = [spec_of(name)[0].depths[stage - 1] for name in models if not is_backbone(name)]
    return min(depths, default=1)


def center(size: tuple[int, int]) -> tuple[int, int]:
    """The center of an image of (width, height) pixels, where the query position is at first."""
    return (size[0] - 1) // 2, (size[1] - 1) // 2


def browser_settings() -> dict[str, Any]:
    """What the browser knows of the state: defaults, the fields of a URL, and those without a request."""
    schema = ViewState.model_json_schema()["properties"]
    return {
        "defaults": ViewState().model_dump(mode="json"),
        "url": [[name, URL_KEYS.get(name, name)] for name in URL_FIELDS],
        "display": list(DISPLAY_FIELDS),
        "bounds": {name: schema[name] for name in DISPLAY_FIELDS},
        "image": examples()[0].name,
        "tabs": list(TABS),
        "map_file": {option.name: {"default": option.default, **option.metadata} for option in fields(MapFileOptions)},
    }
