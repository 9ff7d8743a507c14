"""What the active view asks of a study: its parts (wanted.py), from where, about which answer. No gradio here."""

from __future__ import annotations

from dataclasses import replace

from transxnet.study import StudyOptions

from .session import Controls, Session
from .wanted import ALIKE_EVERYWHERE, ALWAYS, EVERY_POINT, SLOWER, WANTED


def options_of(session: Session, controls: Controls, block: int) -> StudyOptions:
    """Of the view's maps. block: that all chosen variants have; 0 is the stage's last."""
    only = (*WANTED[session.active].maps, ALWAYS)
    if session.active == "ablation":  # no point changes it
        return StudyOptions(
            stage=controls.stage, block=block, target=session.target, analyses=only, ablations=session.edits,
            mask=session.mask, fill=session.fill,
        )  # fmt: skip
    if session.active == "grad_cam" and controls.slower:
        only += SLOWER
    return StudyOptions(
        stage=controls.stage, block=block, position=None if session.active in EVERY_POINT else session.position,
        target=session.target, cam_layer=controls.cam_layer, analyses=only,
    )  # fmt: skip


def options_below(session: Session, options: StudyOptions) -> StudyOptions:
    """Of the figures below the view, where they are studies of their own. options: of its maps."""
    parts = WANTED[session.active].figures
    if session.active in ALIKE_EVERYWHERE:  # so that what was computed is found again
        return StudyOptions(target=session.target, analyses=parts)
    return replace(options, analyses=parts, position=session.position)
