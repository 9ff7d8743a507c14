"""The words of the downloads: the buttons, what a file says of itself, and why there is none."""

from __future__ import annotations

TITLE = "Download"
HINT = "what is shown, with a manifest inside"
KINDS = {  # format -> its button, and what it holds
    "png": ("PNG", "The maps at full size, with captions and bars"),
    "svg": ("SVG", "The same, its words and bars as vectors, for a paper"),
    "npz": ("NPZ", "The raw arrays, for numpy.load"),
    "html": ("Report", "One HTML file with figures, numbers and provenance; it needs no network"),
}
MAKING = "Making the file \u2026"
DONE = "{name}, {size}"
FAILED = "The file could not be made: something unexpected went wrong here. Try again, or another format."
NO_MAPS = "The tour has no maps of its own."
NO_MAPS_REMEDY = "Open one of the other views, then download."
NOT_READY = "{names}: not there yet, so there is nothing to put into a file."
NOT_READY_REMEDY = "Download again when the maps are shown."
NO_VIEW = "There is no view called {name}."
SO_MANY = "{count} variants were asked for."
SO_MANY_REMEDY = "Name one, two or three, with commas between."
NO_FORMAT = "There is no format called {name}."
LEFT_OUT = "Left out: {names}."
OWN_SECOND = "The second image is the visitor's own: the page's address opens an example in its place."
EDITED = "Changed inside the model: {changes}."
PAINTED = "Painted out: {share} of what the model sees, filled with {fill}."
GIVEN, GIVEN_CAPTION = "What the model was given", "Its own pixels, the painted region and all."
ANSWERS = "{title}: answers before and after"
ANSWERS_HEAD = ("Class", "Share before", "Share after", "Logit before", "Logit after")
PAIRS = "How far the maps agree"
PAIRS_HEAD = ("Pair", "Rank correlation", "Highest {share} in common", "Mean absolute difference")
FOOT = (
    "TransXNet Lens, {made} UTC, code {source}. SourceImage SHA-256 {images}; {where}. {link}Numbers and provenance "
    "travel inside this file."
)
LINK = "Page address: {link}. "
WHERE = "point ({x:.0f}, {y:.0f}), explained class {label}"
UPLOAD, EXAMPLE = "a visitor's image", "example \u201c{label}\u201d"
SUBTITLE = "{image}, {width} x {height} pixels"
EVEN = "none: an even map ranks nothing"
NOTES = {  # view -> what stands under a file's maps, where the page's own foot speaks of the page
    "overview": "Attention says what was mixed in, not why the answer was given. Kernels are shared by all places of "
    "the image, and work on features, not on pixels. Grad-CAM says what raised and lowered the score, at the "
    "resolution of its layer. A receptive field says what a small change would reach, not what the model looks at.",
    "attention": "Weights of one block and one half of the channels: the other half goes through IDConv, and a "
    "residual path goes round both. A map over keys that have already seen their neighborhood is not a map of "
    "causes. Weights are those after the softmax; keys are a map smaller than the image.",
}
STAYS_ENGLISH = (  # names of what stands in files, as the library's captions beside it do, or is said to programs only
    "NO_VIEW", "SO_MANY", "SO_MANY_REMEDY", "NO_FORMAT", "LEFT_OUT", "OWN_SECOND", "EDITED", "PAINTED", "GIVEN",
    "GIVEN_CAPTION", "ANSWERS", "ANSWERS_HEAD", "PAIRS", "PAIRS_HEAD", "FOOT", "LINK", "WHERE", "UPLOAD",
    "EXAMPLE", "SUBTITLE", "EVEN", "NOTES",
)  # fmt: skip
