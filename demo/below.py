"""The table below What if, every change one at a time: drawn only when a visitor asks, since it takes tens of seconds.

`Session.every` remembers what was asked and what stands there: "" nothing, ASKED the button was pressed, "ask QUESTION"
it is being computed, "has STAGE QUESTION" it stands. A question is an image, the variants, an answer and the second
image: when another one is looked at the table goes. The same one's heads are drawn for another stage at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .session import EVERY_ASKED, OWN, Session


@dataclass(frozen=True)
class Below:
    """session: with what is remembered. draw: whether the table is to be made; clear: whether it has to go."""

    session: Session
    draw: bool = False
    clear: bool = False


def below(session: Session, stage: int) -> Below:
    """What is to happen to the table now."""
    question, every = _question(session), session.every
    if every in (EVERY_ASKED, f"ask {question}"):
        return Below(replace(session, every=f"ask {question}"), draw=True)
    if every == _stands(question, stage):
        return Below(session)
    if every.startswith("has ") and every.split(" ", 2)[2] == question:
        return Below(session, draw=True)
    return Below(replace(session, every=""), clear=bool(every))


def standing(session: Session, stage: int) -> Session:
    """After the table was drawn."""
    return replace(session, every=_stands(_question(session), stage))


def _question(session: Session) -> str:
    second = "+".join(session.uploads) if session.other == OWN else str(session.other)
    return "|".join((session.image, *session.variants, session.target or "", second))


def _stands(question: str, stage: int) -> str:
    return f"has {stage} {question}"
