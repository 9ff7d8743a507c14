"""What is being computed or downloaded."""

from __future__ import annotations

STRINGS = {
    "progress.step_sanity_checks": "running sanity checks",
    "progress.step_ablation_table": "running ablations",
    "progress.step_erf_pathways": "decomposing the receptive field",
    "progress.steps": "{done} of {total}",
    "progress.left": "{amount}, about {seconds} s left",
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
    "progress.start_ablation": "Run full ablation",
    "progress.start_ablation_hint": "Every ablation in every block, one at a time: tens of seconds a model or longer.",
    "progress.start_sanity_checks": "Run sanity checks",
    "progress.start_sanity_checks_hint": (
        "Every map is tested by masking, by moved copies and by random weights: about a minute a model or longer."
    ),
    "progress.stop": "Stop",
    "progress.stopped": "Stopped. Nothing more is computed.",
    "progress.start_again": "Restart",
}
