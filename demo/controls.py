"""Values and choices of Gradio's own controls for a view state, which the browser sets (web/js/core/controls.js)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from transxnet.backbones.spec import is_backbone, spec_of
from transxnet.images import SourceImage
from transxnet.weights.load import study_memory

from .cells import jpeg, thumbnail
from .columns import model_title
from .i18n.translate import tr
from .reference_image import find_reference, has_previous_upload
from .service import StudyService
from .state import PREVIOUS, SIZES, ViewState, last_block

MODELS_WITHOUT: dict[str, tuple[str, str]] = {  # part of the model -> the models trained with and without it
    "generated_kernels": ("pico_matched", "pico_static"),
    "attention": ("pico_matched", "pico_noosra"),
    "ste": ("pico_matched", "pico_noste"),
}
SIBLINGS = frozenset(name for pair in MODELS_WITHOUT.values() for name in pair)
OFFERED = "t"  # loaded in the background, and offered once it is there


class Controls:
    """Choices of the controls. names: the models that some source has; default: the one that the page opens with."""

    def __init__(self, service: StudyService, names: Sequence[str], default: str):
        self.service, self.names, self.default = service, names, default

    def of(self, state: ViewState, label_set_name: str = "") -> dict[str, Any]:
        """Properties of each control by its elem_id.

        Args:
            state: A resolved state.
            label_set_name: The label set whose classes the browser's menu holds; they are sent where it is another.
        """
        name = spec_of(state.models[0])[0].label_set
        target: dict[str, Any] = {}
        if name != label_set_name:
            target = {"choices": [[tr("page.any_class"), ""], *classes_of(state.models[0])], "label_set": name}
        blocks = range(1, last_block(state.stage, state.models) + 1)
        return {
            **self.loading(state.models),
            "block": {"choices": [*([str(i), i] for i in blocks), [tr("page.last_block"), 0]]},
            "target": target,
        }

    def loading(self, chosen: Collection[str]) -> dict[str, Any]:
        """Those controls that change while weights arrive."""
        return {"models": {"choices": self.model_choices(chosen)}, "offer": self.offer(chosen)}

    def model_choices(self, chosen: Collection[str]) -> list[list[str]]:
        """[title, name] of every model to choose, in a fixed order; an arrow marks those that are downloaded first.

        Siblings have buttons of their own, backbones a field and models with random weights links: they are listed only
        while they are chosen.
        """
        names = [name for name in self.names if name not in SIBLINGS or name in {*chosen, self.default}]
        names += [name for name in chosen if name not in names]
        return [[model_title(name) + ("" if self.service.ready(name) else " \u2193"), name] for name in names]

    def image_sizes(self, models: Sequence[str]) -> dict[str, Any]:
        """Input sizes to choose from: [side, text, disabled], the models' own first.

        A size that needs more memory than a request may use is disabled, and its text says how much it needs.
        """
        own = list(dict.fromkeys(spec_of(name)[0].image_size for name in models))
        sides = ", ".join(map(str, own))
        choices: list[list[Any]] = [[0, tr("image_size.own", sides=sides), False]]
        estimated = [name for name in models if not is_backbone(name)]
        for side in SIZES:
            needed = max((study_memory(name, side) for name in estimated), default=0)
            disabled = needed > self.service.request_bytes
            text = tr("image_size.disabled" if disabled else "image_size.side", side=side, needed=f"{needed / 1e9:.1f}")
            choices.append([side, text, disabled])
        return {"choices": choices}

    def offer(self, chosen: Collection[str]) -> dict[str, Any]:
        """The button that adds T once it is loaded; `waiting` while it is not."""
        if self.default == OFFERED:
            return {"visible": False, "waiting": False}
        entry = self.service.preload(OFFERED)
        loaded = entry.finished.is_set() and entry.loaded is not None
        visible = loaded and OFFERED not in chosen
        return {"visible": visible, "value": tr("page.offer"), "waiting": not entry.finished.is_set()}


def classes_of(model: str) -> list[list[str]]:
    """[name, WNID] of every class of a model, by name."""
    labels = spec_of(model)[0].labels
    return [list(pair) for pair in sorted(zip(labels.names, labels.wnids, strict=True))]


class Thumbnails:
    """The examples as buttons."""

    def __init__(self, service: StudyService, examples: Sequence[Any], images: Sequence[SourceImage]):
        self.service, self.examples = service, examples
        self._sources = [jpeg(thumbnail(image)) for image in images]

    def items(self) -> list[dict[str, str]]:
        """One item an example: its name, image, note and alternative text."""
        return [
            {
                "value": example.name,
                "src": source,
                "label": example.name,
                "note": example.note,
                "alt": tr("page.example", label=example.name),
            }
            for example, source in zip(self.examples, self._sources, strict=True)
        ]

    def menu(self, state: ViewState) -> dict[str, Any]:
        """Reference images by name: [value, name] of each, and which is chosen."""
        items = [[example.name, example.name] for example in self.examples]
        if has_previous_upload(state, self.service):
            items.append([PREVIOUS, tr("page.your_image")])
        return {"items": items, "chosen": find_reference(state, self.service, self.examples).example or PREVIOUS}

    def reference(self, state: ViewState) -> dict[str, Any]:
        """Those to choose a reference image from, with the visitor's previous upload where there is one."""
        items = self.items()
        if has_previous_upload(state, self.service):
            name = tr("page.your_image")
            source = jpeg(thumbnail(self.service.image(state.previous_upload)))
            items.append({"value": PREVIOUS, "src": source, "label": name, "note": "", "alt": name})
        chosen = find_reference(state, self.service, self.examples).example or PREVIOUS
        return {"items": items, "chosen": chosen}
