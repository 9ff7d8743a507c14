"""The guided tour: the method of the paper in steps, as data. No gradio here.

A step sets some fields of the view state and says what to do there; it leaves the image as it is. The page scrolls to
the step's target and outlines it (web/js/views/tour.js). A link names a step's number only, as in ?tour=3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .columns import model_title
from .i18n.translate import tr, tr_group, tr_lines

Json = dict[str, Any]
MODEL = "pico"  # of every step: bundled, so always available


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        title: Key of its title.
        sentences: Key of its text, one sentence a line.
        source: Key of its citation.
        view: Tab that it opens.
        target: CSS selector of the element that its text describes.
        centers: Whether the query position moves to the center of the image.
    """

    title: str
    sentences: str
    source: str
    view: str
    target: str
    centers: bool = False


STEPS = (
    Step(
        "tour.images_title", "tour.images", "tour.images_source", "overview", ".lens-hero:has(.lens-hero-row)",
    ),
    Step(
        "tour.idconv_title", "tour.idconv", "tour.idconv_source", "kernels", "#panel-kernels .lens-row:last-of-type",
    ),
    Step(
        "tour.osra_title", "tour.osra", "tour.osra_source", "attention", "#panel-attention .lens-cell.map",
        centers=True,
    ),
    Step(
        "tour.mixer_title", "tour.mixer", "tour.mixer_source", "ablation", "#panel-ablation [data-switch=no_idconv]",
    ),
    Step("tour.erf_title", "tour.erf", "tour.erf_source", "erf", "#panel-erf .lens-cell.map", centers=True),
    Step(
        "tour.checks_title", "tour.checks", "tour.checks_source", "sanity_checks",
        "#figures-sanity_checks .lens-figures > :first-child",  # the start button, then the table
    ),
)  # fmt: skip
FINISH: Json = {"tour": 0, "tab": "tour"}


def step_changes(number: int) -> Json:
    """Fields of the view state that a step sets; {"tour": 0}, which leaves the tour, where there is no such step.

    Args:
        number: Of the step, from 1.
    """
    if not 1 <= number <= len(STEPS):
        return {"tour": 0}
    step = STEPS[number - 1]
    changes: Json = {"tour": number, "tab": step.view, "models": [MODEL], "stage": 3, "block": 0}
    return changes | ({"position": None} if step.centers else {})  # null is the center


def bar(number: int) -> Json:
    """The bar above the tabs while a step is active; otherwise {}."""
    if not 1 <= number <= len(STEPS):
        return {}
    step, count, last = STEPS[number - 1], len(STEPS), number == len(STEPS)
    return {
        "step": number, "of": count, "name": tr("tour.bar"), "target": step.target,
        "count": tr("tour.count", step=number, count=count), "title": tr(step.title),
        "sentences": tr_lines(step.sentences, model=model_title(MODEL)),
        "source": tr("tour.source", source=tr(step.source)), "more": tr("tour.more"),
        "back": _button("tour.back", step_changes(number - 1)) if number > 1 else None,
        "next": _button("tour.finish", FINISH) if last else _button("tour.next", step_changes(number + 1)),
        "again": _button("tour.again", step_changes(number)),
        "leave": _button("tour.leave", {"tour": 0}),
    }  # fmt: skip


def listed(number: int) -> Json:
    """The list of steps on the tour's own page, and the button that starts. number: the step that is active."""
    tabs = tr_group("tabs.")
    return {
        "start": _button("tour.resume" if number else "tour.start", step_changes(number or 1)),
        "how": tr("tour.how", count=len(STEPS)),
        "title": tr("tour.steps"),
        "steps": [
            {"title": tr(step.title), "view": tabs[step.view], "href": f"?tour={i}", "go": step_changes(i)}
            for i, step in enumerate(STEPS, 1)
        ],
    }


def _button(text: str, go: Json) -> Json:
    return {"text": tr(text), "go": go}
