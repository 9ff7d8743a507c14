"""What is being computed or downloaded."""

from __future__ import annotations

STRINGS = {
    "progress.step_sanity_checks": "testing the maps",
    "progress.step_ablation_table": "changing one part after the other",
    "progress.step_erf_pathways": "taking the field apart",
    "progress.steps": "{done} of {total}",
    "progress.models": "{title}: {done} of {total}",
    "progress.drawing": "drawing the figures",
    "progress.not_drawn": (
        "The figures could not be drawn: something unexpected went wrong here. The server's log has the details."
    ),
    "progress.working": "working",
    "progress.looking_for_weights": "looking for weights",
    "progress.reading_weights": "reading the weights",
    "progress.downloading": "downloading {what}",
    "progress.stalled": (
        "Nothing has arrived for {seconds} s. Still trying; the other columns go on, and so can you without this one."
    ),
    "progress.no_answer": (
        "No answer for {seconds} s. Still trying; the other columns go on, and so can you without this one."
    ),
    "progress.some_mb": "{done} of {total} MB",
    "progress.mb": "{done} MB",
    "progress.downloading_what": "Downloading {title}",
    "progress.stop": "Stop",
    "progress.stopped": "Stopped, as you asked: nothing of this is computed any more.",
    "progress.start_again": "Start again",
}
