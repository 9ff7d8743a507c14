"""The guided tour: the paper's story in steps, as data. No gradio here.

A step is a state of the page and the words that say what to do there. It leaves the visitor's image alone. A script
and a link ask for its number and nothing else, {"tour": 3} and ?tour=3; `expanded` says what Page.go is asked for then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .columns import variant_title
from .i18n.tabs import TABS
from .i18n.translate import tr, tr_lines

Json = dict[str, Any]
FALLBACK = ("pico",)  # bundled, so always there
MIDDLE = (0.5, 0.5)


@dataclass(frozen=True)
class Step:
    """point: as shares of the image's width and height; None leaves the crosshair where it is.

    alone: the sentences for when some variant has no source, and pico stands in.
    """

    title: str
    sentences: str
    source: str
    view: str
    variants: tuple[str, ...] = FALLBACK
    stage: int = 3
    block: int = 0  # the stage's last
    position: tuple[float, float] | None = None
    alone: str = ""


STEPS = (
    Step(
        "tour.static_title", "tour.static", "tour.static_source", "kernels", ("pico_matched", "pico_static"),
        alone="tour.static_without_second",
    ),
    Step("tour.idconv_title", "tour.idconv", "tour.idconv_source", "kernels"),
    Step("tour.osra_title", "tour.osra", "tour.osra_source", "attention", position=MIDDLE),
    Step("tour.mixer_title", "tour.mixer", "tour.mixer_source", "ablation"),
    Step("tour.erf_title", "tour.erf", "tour.erf_source", "erf", position=MIDDLE),
    Step("tour.checks_title", "tour.checks", "tour.checks_source", "sanity_checks"),
)  # fmt: skip
FINISH: Json = {"tour": 0, "view": "tour"}
SETS = {"view", "variants", "stage", "block", "x", "y", "fx", "fy"}  # keys of what a step says


def state(number: int, names: Collection[str]) -> Json:
    """What the page is asked for by step `number`, from 1; {"tour": 0}, which leaves the tour, where there is none.

    names: the variants that some source has (Studio.names).
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


def expanded(asked: Mapping[str, Any], names: Collection[str]) -> Json:
    """What is asked of the page, with a step's state where its number is asked for and nothing that the step sets.

    A link made in the middle of a step holds what the visitor has moved: that is left as it is.
    """
    number = str(asked.get("tour") or "")
    if SETS & set(asked) or not (number.isascii() and number.isdigit()):
        return dict(asked)
    return {**asked, **state(int(number[:3]), names)}


def bar(number: int, names: Collection[str]) -> Json:
    """The bar above the views while a step is active; {} when none is."""
    if not 1 <= number <= len(STEPS):
        return {}
    step, count = STEPS[number - 1], len(STEPS)
    found = _variants(step, names)
    sentences = step.alone if found != step.variants else step.sentences
    titles = {key: variant_title(name) for key, name in zip(("first", "second"), found, strict=False)}
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
    """The list of steps on the tour's own page, and the button that starts. number: the step that is active."""
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
