"""The open tab of a view state as a file, drawn with the visitor's display settings (exports.py makes the file)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from transxnet.errors import LensError
from transxnet.export.rows import LARGEST, Shot
from transxnet.study import StudyOptions

from .columns import comparable_options, model_title, with_costs
from .export_request import ChosenMap, Display, ExportRequest, display_of
from .exports import File, export, export_map
from .i18n.translate import message, tr, use_locale
from .reference_image import COMPARED_ANALYSES, ReferenceImage, corresponding_position
from .service import StudyService
from .state import DISPLAY_FIELDS, ViewState, center, to_query
from .views import figure_options, tab_options

if TYPE_CHECKING:
    from .renderer import Renderer

HEADS = {"mean": 0, "max": LARGEST}
RECORDED_OPTIONS = ("stage", "cam_layer", "position", "target", "ablations", "mask", "fill")  # in the manifest


def export_view(renderer: Renderer, state: ViewState, kind: str, chosen: ChosenMap | None = None) -> File:
    """What a tab shows, as a file. Its text is English, as the library's captions in it.

    Args:
        renderer: Of the page.
        state: As the browser has it.
        kind: png, svg, npz or html.
        chosen: One map, which replaces the tab.

    Raises:
        LensError: There is nothing to draw, or no model is ready.
    """
    with use_locale("en"):
        state, image_key, _ = renderer.resolve(state)
        request = _export_request(renderer, state, image_key)
        return export_map(chosen, request) if chosen else export(kind, request)


def _export_request(renderer: Renderer, state: ViewState, image_key: str) -> ExportRequest:
    service = renderer.service
    image = service.image(image_key)
    position = state.position or center(image.size)
    options = tab_options(state)
    if state.tab == "attention":  # the page's tables are quantized; a file has the weights as they are
        options = replace(options, analyses=("attention", "position_attention"), position=position)
    if state.tab == "sanity_checks":  # its figures are all it has
        options = figure_options(state, options)
    compares_images = state.tab == "compare" and state.two_images
    borrowed = renderer.reference_key(state, options.analyses)
    shots, left_out = ready_shots(service, image_key, state.models, options, borrowed)
    references = [renderer.reference(state)] if borrowed or compares_images else []
    images = [ReferenceImage(image_key, "" if state.upload else state.image), *references]
    reference_shots: list[Shot] = []
    if compares_images:
        key = references[0].key
        moved = corresponding_position(position, image.size, service.image(key).size)
        moved_options = replace(options, position=moved, analyses=COMPARED_ANALYSES)
        reference_shots, _ = ready_shots(service, key, state.models, moved_options)
    names = [name for name in state.models if name not in left_out]
    return ExportRequest(
        state.tab, shots, [service.image(image.key) for image in images], [image.example for image in images],
        _recorded(options, state, position), _display(state), state.compared, reference_shots,
        with_costs(service, names, [shot.study for shot in shots]), service.timer.cached(names) or {}, left_out,
        _address(state, renderer), [tr("files.uploaded_reference") for one in references if not one.example],
    )  # fmt: skip


def ready_shots(
    service: StudyService, image_key: str, names: Sequence[str], options: StudyOptions, reference_key: str = ""
) -> tuple[list[Shot], dict[str, str]]:
    """The models' studies of an image as the page explains it, and why models are left out.

    Raises:
        LensError: No model is ready.
    """
    shots: list[Shot] = []
    left_out: dict[str, str] = {}
    for name in names:
        entry = service.peek(name)
        if entry is not None and entry.loaded is None:
            left_out[name] = str(entry.error) if entry.error is not None else tr("exports.loading")
            continue
        try:
            own_options = comparable_options(options, shots[0].study if shots else None)
            study = service.study(image_key, name, own_options, reference_key)
            shots.append(Shot(model_title(name), study, service.image(image_key).rgb))
        except LensError as error:
            left_out[name] = str(error)
    if not shots and left_out:
        reasons = list(left_out.values())
        what = reasons[0] if len(reasons) == 1 else message("exports.not_ready", names=", ".join(left_out))
        raise LensError(what, remedy=message("exports.not_ready_remedy"))
    return shots, left_out


def _display(state: ViewState) -> Display:
    values = {name: getattr(state, name) for name in DISPLAY_FIELDS}
    return display_of(**values | {"head": HEADS[state.head] if state.head in HEADS else int(state.head)})


def _recorded(options: StudyOptions, state: ViewState, position: tuple[int, int]) -> dict[str, Any]:
    """What was computed, for the manifest."""
    recorded = {key: value for key, value in asdict(options).items() if key in RECORDED_OPTIONS}
    return recorded | {"block": state.block or "last", "position": recorded["position"] or position}


def _address(state: ViewState, renderer: Renderer) -> str:
    """The page's query, empty for the page as it opens."""
    defaults = {"models": renderer.default_model, "image": renderer.examples[0].name}
    query = {key: text for key, text in to_query(state).items() if defaults.get(key) != text}
    return f"?{urlencode(query, quote_via=quote, safe=',:@')}" if query else ""
