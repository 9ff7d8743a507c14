"""The guided tour: the method of the paper in steps, as data. No gradio here.

A step sets some fields of the view state and says what to do there; it leaves the image as it is. A link names its
number only, as in ?tour=3.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .columns import model_title
from .i18n.translate import tr, tr_group, tr_lines

Json = dict[str, Any]
FALLBACK = ("pico",)  # bundled, so always available


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        title: Key of its title.
        sentences: Key of its text, one sentence a line; {first} and {second} are titles of the variants.
        source: Key of its citation.
        view: Tab that it opens.
        centers: Whether the query position moves to the center of the image.
        sentences_for_one: Key of the text if the weights of some variant are unavailable and pico replaces them.
    """

    title: str
    sentences: str
    source: str
    view: str
    variants: tuple[str, ...] = FALLBACK
    stage: int = 3
    block: int = 0  # the stage's last
    centers: bool = False
    sentences_for_one: str = ""


STEPS = (
    Step(
        "tour.static_title", "tour.static", "tour.static_source", "kernels", ("pico_matched", "pico_static"),
        sentences_for_one="tour.static_without_second",
    ),
    Step("tour.idconv_title", "tour.idconv", "tour.idconv_source", "kernels"),
    Step("tour.osra_title", "tour.osra", "tour.osra_source", "attention", centers=True),
    Step("tour.mixer_title", "tour.mixer", "tour.mixer_source", "ablation"),
    Step("tour.erf_title", "tour.erf", "tour.erf_source", "erf", centers=True),
    Step("tour.checks_title", "tour.checks", "tour.checks_source", "sanity_checks"),
)  # fmt: skip
FINISH: Json = {"tour": 0, "tab": "tour"}


def step_changes(number: int, names: Collection[str]) -> Json:
    """Fields of the view state that a step sets; {"tour": 0}, which leaves the tour, where there is no such step.

    Args:
        number: Of the step, from 1.
        names: The models that some source has (StudyService.names).
    """
    if not 1 <= number <= len(STEPS):
        return {"tour": 0}
    step = STEPS[number - 1]
    changes: Json = {
        "tour": number, "tab": step.view, "models": list(_variants(step, names)), "stage": step.stage,
        "block": step.block,
    }  # fmt: skip
    return changes | ({"position": None} if step.centers else {})  # null is the center


def bar(number: int, names: Collection[str]) -> Json:
    """The bar above the tabs while a step is active; otherwise {}."""
    if not 1 <= number <= len(STEPS):
        return {}
    step, count, last = STEPS[number - 1], len(STEPS), number == len(STEPS)
    models = _variants(step, names)
    sentences = step.sentences_for_one if models != step.variants else step.sentences
    titles = {key: model_title(name) for key, name in zip(("first", "second"), models, strict=False)}
    return {
        "step": number, "of": count, "name": tr("tour.bar"),
        "count": tr("tour.count", step=number, count=count), "title": tr(step.title),
        "sentences": tr_lines(sentences, **titles),
        "source": tr("tour.source", source=tr(step.source)), "more": tr("tour.more"),
        "back": _button("tour.back", step_changes(number - 1, names)) if number > 1 else None,
        "next": _button("tour.finish", FINISH) if last else _button("tour.next", step_changes(number + 1, names)),
        "again": _button("tour.again", step_changes(number, names)),
        "leave": _button("tour.leave", {"tour": 0}),
    }  # fmt: skip


def listed(number: int, names: Collection[str]) -> Json:
    """The list of steps on the tour's own page, and the button that starts. number: the step that is active."""
    tabs = tr_group("tabs.")
    return {
        "start": _button("tour.resume" if number else "tour.start", step_changes(number or 1, names)),
        "how": tr("tour.how", count=len(STEPS)),
        "title": tr("tour.steps"),
        "steps": [
            {"title": tr(step.title), "view": tabs[step.view], "href": f"?tour={i}", "go": step_changes(i, names)}
            for i, step in enumerate(STEPS, 1)
        ],
    }


def _button(text: str, go: Json) -> Json:
    return {"text": tr(text), "go": go}


def _variants(step: Step, names: Collection[str]) -> tuple[str, ...]:
    return step.variants if set(step.variants) <= set(names) else FALLBACK
