"""The guided tour: the method of the paper in steps, as data. No gradio here.

A step is a state of the page and the text that says what to do there; it keeps the visitor's image. Links and scripts
request a step by its number only, {"tour": 3} and ?tour=3; `expanded` adds the state of that step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .columns import variant_title
from .i18n.tabs import TABS
from .i18n.translate import tr, tr_lines

Json = dict[str, Any]
FALLBACK = ("pico",)  # bundled, so always available
MIDDLE = (0.5, 0.5)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        title: Key of its title.
        sentences: Key of its text, one sentence a line; {first} and {second} are titles of the variants.
        source: Key of its citation.
        view: Tab that it opens.
        position: Query position as fractions of the image's width and height; None keeps the visitor's.
        sentences_for_one: Key of the text if the weights of some variant are unavailable and pico replaces them.
    """

    title: str
    sentences: str
    source: str
    view: str
    variants: tuple[str, ...] = FALLBACK
    stage: int = 3
    block: int = 0  # the stage's last
    position: tuple[float, float] | None = None
    sentences_for_one: str = ""


STEPS = (
    Step(
        "tour.static_title", "tour.static", "tour.static_source", "kernels", ("pico_matched", "pico_static"),
        sentences_for_one="tour.static_without_second",
    ),
    Step("tour.idconv_title", "tour.idconv", "tour.idconv_source", "kernels"),
    Step("tour.osra_title", "tour.osra", "tour.osra_source", "attention", position=MIDDLE),
    Step("tour.mixer_title", "tour.mixer", "tour.mixer_source", "ablation"),
    Step("tour.erf_title", "tour.erf", "tour.erf_source", "erf", position=MIDDLE),
    Step("tour.checks_title", "tour.checks", "tour.checks_source", "sanity_checks"),
)  # fmt: skip
FINISH: Json = {"tour": 0, "view": "tour"}
SETS = {"view", "variants", "stage", "block", "x", "y", "fx", "fy"}  # keys that a step sets


def state(number: int, names: Collection[str]) -> Json:
    """State of the page at step `number`, from 1; {"tour": 0}, which leaves the tour, if there is no such step.

    names: variants whose weights are available (Studio.names).
    """
    if not 1 <= number <= len(STEPS):
        return {"tour": 0}
    step = STEPS[number - 1]
    position = {} if step.position is None else dict(zip(("fx", "fy"), step.position, strict=True))
    variants = list(_variants(step, names))
    return {
        "tour": number,
        "view": step.view,
        "variants": variants,
        "stage": step.stage,
        "block": step.block,
        **position,
    }


def expanded(request: Mapping[str, Any], names: Collection[str]) -> Json:
    """A request with the state of its tour step added, unless the request itself sets any part of that state.

    A link copied in the middle of a step contains the visitor's own state, which is kept.
    """
    number = str(request.get("tour") or "")
    if SETS & set(request) or not (number.isascii() and number.isdigit()):
        return dict(request)
    return {**request, **state(int(number[:3]), names)}


def bar(number: int, names: Collection[str]) -> Json:
    """The bar above the tabs while a step is active; otherwise {}."""
    if not 1 <= number <= len(STEPS):
        return {}
    step, count = STEPS[number - 1], len(STEPS)
    variants = _variants(step, names)
    sentences = step.sentences_for_one if variants != step.variants else step.sentences
    titles = {key: variant_title(name) for key, name in zip(("first", "second"), variants, strict=False)}
    return {
        "step": number, "of": count, "name": tr("tour.bar"),
        "count": tr("tour.count", step=number, count=count), "title": tr(step.title),
        "words": tr_lines(sentences, **titles),
        "source": tr("tour.source", source=tr(step.source)), "more": tr("tour.more"),
        "back": _button("tour.back", number - 1) if number > 1 else None,
        "next": _button("tour.next", number + 1) if number < count else _button("tour.finish", 0, FINISH),
        "again": _button("tour.again", number),
        "leave": _button("tour.leave", 0),
    }  # fmt: skip


def listed(number: int = 0) -> Json:
    """The list of steps in tab Tour, and the start button. number: the active step, 0 for none."""
    return {
        "start": _button("tour.resume" if number else "tour.start", number or 1),
        "how": tr("tour.how", count=len(STEPS)),
        "title": tr("tour.steps"),
        "steps": [
            {"title": tr(step.title), "view": tr(TABS[step.view]), "href": f"?tour={i}", "go": {"tour": i}}
            for i, step in enumerate(STEPS, 1)
        ],
    }


def _button(text: str, number: int, go: Json | None = None) -> Json:
    return {"text": tr(text), "go": go or {"tour": number}}


def _variants(step: Step, names: Collection[str]) -> tuple[str, ...]:
    return step.variants if set(step.variants) <= set(names) else FALLBACK
