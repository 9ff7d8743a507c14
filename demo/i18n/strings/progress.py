"""What is being computed or downloaded."""

from __future__ import annotations

STRINGS = {
    "progress.step_sanity_checks": "running sanity checks",
    "progress.step_ablation_table": "running ablations",
    "progress.step_erf_pathways": "decomposing the receptive field",
    "progress.steps": "{done} of {total}",
    "progress.models": "{title}: {done} of {total}",
    "progress.drawing": "drawing the figures",
    "progress.not_drawn": (
        "The figures could not be drawn because of an unexpected error. Details are in the server's log."
    ),
    "progress.working": "computing",
    "progress.looking_for_weights": "looking for weights",
    "progress.reading_weights": "loading weights",
    "progress.downloading": "downloading {what}",
    "progress.stalled": "No data received for {seconds} s; still trying. The other columns are not affected.",
    "progress.no_answer": "No response for {seconds} s; still trying. The other columns are not affected.",
    "progress.megabytes_of": "{done} of {total} MB",
    "progress.megabytes": "{done} MB",
    "progress.download_of": "Downloading {title}",
    "progress.stop": "Stop",
    "progress.stopped": "Stopped. Nothing more is computed.",
    "progress.start_again": "Restart",
}
