"""Words of links: what a link could not give back, what it does not hold, and what can be done with it."""

from __future__ import annotations

COPY = "Copy link"
COPIED = "Copied"
SELECTED = "Copy it from here"  # where the browser does not let a page write to the clipboard
ADDRESS = "The address of what you see"
UPLOAD = "Your image is not in the link: whoever opens it starts with the first example, {example}."
SECOND = "The second image is yours and not in the link: an example takes its place."
PAINTED = "What you painted out is not in the link."
CLOSE = "Close"

UNUSED = "The link’s {what}, “{value}”, cannot be used here; it was left out."
TWICE = "The link names its {what} more than once; none was used."
NO_VARIANT = "The link asks for the variant “{value}”, which nobody knows here; it was left out."
TOO_MANY = "The link names more than {most} variants; the first {most} are shown."
NO_BLOCK = "The link’s block {block} is not in stage {stage} of what is compared; the last one is shown."
HALF_POINT = "The link’s point lacks a coordinate; the middle is shown."
OUTSIDE = "The link’s point, {x}, {y}, lies outside the image; the middle is shown."
WHAT = {  # query key -> what it is, in a sentence
    "image": "image", "variants": "variants", "view": "view", "stage": "stage", "block": "block",
    "cam": "Grad-CAM stage", "x": "position", "y": "position", "class": "class", "compared": "compared map",
    "with": "second image", "photos": "two photos", "off": "parts switched off",
    "tour": "step of the tour", "lang": "language", "head": "head", "direction": "direction",
    "colors": "color map", "signed": "color map of signed maps", "opacity": "opacity", "gamma": "gamma",
    "threshold": "threshold", "show": "way of showing", "seen": "sharpness",
}  # fmt: skip
