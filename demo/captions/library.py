"""What the library says to a visitor: its sentences as templates, so that they are found in another language.

`languages.retold` finds which of them a finished sentence was made of. English ones stand where they are made; a test
makes those that a visitor meets most, and holds that they are found here.
"""

from __future__ import annotations

from transxnet.draw.views import MAP_STYLES, WORTH_KNOWING
from transxnet.weights.load import Availability

from . import exports, models

IMAGE = (
    "The image",
    "{subject} has more pixels than this page decodes.",
    "{subject} is damaged: it could not be decoded to the end.",
    "There is no image.",
    "Choose or paste one first.",
    "{subject} is empty: the file has no bytes.",
    "Send it again.",
    "{subject} is a file of more than {size} MB.",
    "{subject} looks like {kind}; JPEG, PNG, WebP, GIF, BMP and AVIF are read here.",
    "{subject} is damaged, or not a JPEG, PNG, WebP, GIF, BMP or AVIF image.",
    "{subject} has {width} x {height} pixels, {millions} million; at most {most} million are decoded.",
    "{subject} is too small: {width} x {height} pixels.",
    "Send one with at least {side} pixels on each side.",
    "{subject} is too thin: {width} x {height} pixels, more than {times} times as long as wide.",
    "Cut out the part you mean and send that.",
    "Open it in an image viewer, save it as JPEG or PNG, and send that.",
    "Make it smaller and send it again.",
    "{subject} stores {width} x {height} pixels in {scans} scans, {millions} million pixels in all; at most {most} "
    "million are decoded.",
    "{subject} contains far more metadata than an image needs.",
    "{subject} took longer than {seconds} seconds to decode.",
    "{subject} could not be decoded: the decoder stopped, or ran out of memory.",
    "Too many images are being decoded.",
    "This machine could not start a decoder.",
    "Try again in a few seconds.",
    "turned upright as its EXIF says",
    "scaled from {before} to {after}",
    "first frame of an animation",
    "16-bit gray brought to 8 bits",
    "transparency laid over white",
)
NAMES = (
    "timm has no backbone called {name}.",
    "Near it: {names}.",
    "{name} is no name of a backbone.",
    "{name} is this project's own.",
    "Name {name} alone.",
)
ANALYSES = (
    "{name} has no OSRA, so there is no attention: its IDConv takes all channels.",
    "{name} is no TransXNet: {lacks}.",
    "it generates no kernels",
    "it has no OSRA to attend with",
    "its head has no map of its own",
    "{variant} has no class “{words}”, so its own top answer, {top}, is explained.",
)
WEIGHTS = (
    "Right on {share} % of {images} validation images of Tiny-ImageNet's 200 classes.",
    "Right on {share} % of {images} validation images.",
    "Its publisher recorded no digest to check against.",
    "bundled, sha256 {digest}",
    "untrained, sha256 {digest}",
    "random weights",
    "every source failed.",
    "the source named was tried, and no other.",
    "No weights for {name}: {why}",
    "{name} shows the architecture with random weights.",
    "{name} publishes no weights for {architecture}.",
    "No folder is configured.",
    "Pass --weights-dir or set TRANSXNET_WEIGHTS.",
    "No namespace is configured.",
    "Pass --hub-namespace or set TRANSXNET_HUB_NAMESPACE.",
    "No {name} is bundled.",
    "Bundled are: {names}.",
    "The paper's author released no {name}.",
    "Only T, S, B and B-384 are published.",
)
CAPTIONS = (  # the more exact ones first
    "stage {stage}, block {block}, unit at row {row}, column {column}",
    "stage {stage}, block {block}, query at row {row}, column {column}",
    "stage {stage}, block {block}, {label} (class {index}) against {other} (class {number})",
    "stage {stage}, block {block}, {label} (class {index})",
    "stages {stages}, mean, {label} (class {index})",
    "stage {stage}, block {block}, mean of {count} heads",
    "stage {stage}, block {block}, largest of {count} heads",
    "stage {stage}, block {block}, head {head} of {count}",
    "stage {stage}, block {block}, one head",
    "stage {stage}, block {block}",
    "peak {peak}, entropy {entropy}, {distance} px away on average",
    "{apart} from the static kernel (median channel, relative)",
)
DRAWN = tuple(dict.fromkeys(
    text for look in MAP_STYLES.values() for text in (look.title, look.shows, look.scaling, look.units)
))  # fmt: skip
MODELS = (
    models.TOO_LARGE, models.TOO_LARGE_REMEDY, models.NO_MEMORY, models.DOWNLOAD_TOO_LARGE, models.SMALLER, models.BUSY,
    models.BUSY_REMEDY, models.UNWANTED, models.AGAIN, models.UNEXPECTED, models.ANOTHER,
)  # fmt: skip
EXPORTS = (exports.NOT_READY, exports.NOT_READY_REMEDY, exports.NO_MAPS, exports.NO_MAPS_REMEDY)
SENTENCES = (
    *IMAGE, *NAMES, *ANALYSES, *WEIGHTS, *CAPTIONS, *DRAWN, *MODELS, *EXPORTS, *WORTH_KNOWING.values(),
    *(where.value for where in Availability),
)  # fmt: skip
