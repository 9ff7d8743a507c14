"""Tab Sequence."""

from __future__ import annotations

STRINGS = {
    "sequence.transition": "Transition",
    "sequence.kind_crossfade": "Crossfade to the reference image",
    "sequence.kind_pan": "Pan",
    "sequence.kind_zoom": "Zoom in",
    "sequence.kind_rotate": "Rotate",
    "sequence.count": "Frames",
    "sequence.compute": "Compute {count} frames",
    "sequence.stop": "Stop",
    "sequence.progress": "Frame {finished} of {total}, {seconds} s left",
    "sequence.stopped": "Stopped.",
    "sequence.ready": "{count} frames are ready.",
    "sequence.failed": "The connection to the server was lost. Compute the frames again.",
    "sequence.model_input": "Model input",
    "sequence.kernels": "{count} kernels, {layer}",
    "sequence.gates": "Mixing weights (first learned kernel)",
    "sequence.frame": "Frame",
    "sequence.position": "Frame {frame} of {count}",
    "sequence.spoken": "Frame {frame} of {count}: {label}, {share}",
    "sequence.play": "Play",
    "sequence.pause": "Pause",
    "sequence.distance": "Relative distance to the kernels of the first frame: {distance} (median over channels)",
    "sequence.save": "Download",
    "sequence.creating": "Creating the file…",
    "sequence.saved": "Saved {name}.",
    "sequence.one_model": "A sequence shows one model: {title}.",
}
