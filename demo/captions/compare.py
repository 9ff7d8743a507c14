"""The words of Compare: maps side by side, differences, the wipe, costs, the chart, two photos."""

from __future__ import annotations

CHOOSE = "The map compared"
PHOTOS = "Two photos on one model"
ANSWERS, ANSWERS_HINT = "Answers", "shares of each variant's own classes"
WEIGHTS = "Weights: {where}. {note}"
MAPS_HINT = "one scale for all variants"
UNITS = {  # the map -> what its values are, and what they cannot be read as
    "attention": "Weights as they are, mean over heads. They sum to 1 over each variant's own keys ({keys}), so fewer "
    "keys are larger weights.",
    "grad_cam": "Raw logits, nothing is normalized. Two models' logits have no common unit: compare where, and the "
    "rank correlation.",
    "receptive_field": "The gradient as a multiple of its own mean, colors by the square root: gradients of two "
    "models' features have no common unit.",
}
RAW = "{exactly}: {low} to {high}"
RAW_EVEN = "{exactly}: even, every key gets 1/{keys}"
INSTEAD_OF = "{asked}: fewer than two of these variants have it, so this is {shown}."

ALONE = "Choose a second variant at “Compare up to three”: then maps, differences and numbers stand beside each other."
TOO_FEW = (
    "Fewer than two of these variants have this map, so there is nothing to compare. Choose another map or variant."
)
OTHER_CLASSES = (
    "These maps explain different classes ({answers}), so they are not subtracted. "
    "Choose an answer that all variants know."
)
DIFFERENCES = "Differences"
DIFFERENCES_HINT = "second minus first, on what all of them saw"
DIFFERENCE = "{second} minus {first}"
DIFFERENCE_ALT = "{map}: {second} minus {first}, on the part of the image that all variants saw"
DIFFERENCE_WORDS = "mean absolute difference {mean} {units}, from {low} to {high}"
ONLY_ROUNDING = "No difference beyond rounding:"
TABLE = "How far the maps agree"
TABLE_HEAD = ("Pair", "Rank correlation (Spearman)", "Top {share} in common", "Mean absolute difference")
TABLE_NOTE = (
    "Over the pixels that all variants saw. Top {share} in common: of the pixels that one ranks highest, how many the "
    "other ranks highest as well; two random choices have {share}. Coarse maps agree more easily than fine ones."
)
EVEN = "an even map ranks nothing"
PAIR = "{first} and {second}"

WIPE, WIPE_HINT = "Wipe between two", "drag the line, or use the arrow keys"
WIPE_SLIDER = "How far the map of {first} reaches from the left, the map of {second} from there on"
WIPE_ALT = "{map} over the photo: {first} left of the line, {second} right of it"
WIPE_VALUE = "{share} % {first}, {rest} % {second}"
WIPE_PAIR = "Which two"

COSTS, COSTS_HINT = "What they cost", "one image, without gradients"
COST_ROWS = {
    "parameters": "Parameters",
    "macs": "Multiply-adds",
    "time": "One pass here",
    "weights": "Weights in memory",
    "activations": "Activations at their peak",
    "size": "SourceImage it sees",
    "accuracy": "Top-1 accuracy",
}
MILLIONS, GMACS, MEGABYTES, PIXELS = "{amount} M", "{amount} GMACs", "{amount} MB", "{side} x {side} pixels"
MILLISECONDS, TIMES = "{amount} ms", "{ratio} times {first}"
MEASURING = "measuring"
NOT_MEASURED = "not measured: something long runs here, or measuring failed; open Compare again to try once more"
COSTS_NOTE = (
    "Time: at batch 1, the median of so many passes: {passes}; the variants take turns. Other work on this machine "
    "slows all of them alike: read the ratio, not the milliseconds. Activations are counted, not measured: the most "
    "that the tensors of a pass take at one moment, without what an operator uses inside."
)
COSTS_NOTE_BARE = "Activations are counted: the most that the tensors of a pass take at one moment."
TOP1 = "{top1} %"
ACCURACY_CARD = "on {images} held-out images of Tiny-ImageNet-200 at {side} px, 200 classes. Its model card."
ACCURACY_PAPER = "on ImageNet-1K, 1000 classes. As published, not measured here."
ACCURACY_TIMM = "on ImageNet-1K, 1000 classes. As timm measured."
ACCURACY_RANDOM = "None: random weights answer by chance."
ACCURACY_UNKNOWN = "Not known here."

CHART, CHART_HINT = "Accuracy against cost", "as published, each point with its source"
CHART_SETS, CHART_AXES, CHART_SIZES = "Numbers", "Cost", "Images"
CHART_SET = {"authors": "as authors report", "timm": "as timm measured"}
CHART_AXIS = {"gmacs": "GMACs", "params_m": "parameters"}
CHART_AXIS_TITLE = {"gmacs": "GMACs for one image, log scale", "params_m": "million parameters, log scale"}
CHART_SIZE = {"224": "224 px", "all": "every size"}
CHART_Y = "top-1 on ImageNet-1K, %"
CHART_FAMILY = {"cnn": "convolutional", "transformer": "transformer", "hybrid": "hybrid"}
CHART_HERE = "on this page"
CHART_NOTE = (
    "Trained on ImageNet-1K alone, as far as the sources say; recipes differ (epochs, augmentation, distillation), so "
    "a point higher is not an architecture better. What authors report and what timm measured are never mixed. "
    "{absent}"
)
CHART_ABSENT = "Not on this chart: {names}. Its accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images."
CHART_ABSENT_MORE = "Not on this chart: {names}. Their accuracy is of Tiny-ImageNet-200, 200 classes of 64 x 64 images."
CHART_ALT = "{count} models: accuracy against cost. Arrow keys go from point to point, Enter keeps one."
CHART_POINT = "{name}, {family}: {top1} % top-1, {gmacs} GMACs, {params} M parameters, {size} px"
CHART_V2 = "{v2} % on ImageNet-V2"
CHART_SOURCE = "Source:"
CHART_TABLE = "The same numbers as a table"
CHART_TABLE_HEAD = ("Model", "Family", "Pixels", "Parameters (M)", "GMACs", "Top-1 (%)", "ImageNet-V2 (%)", "Sources")
CHART_MISSING = "The published numbers are not here: assets/published.csv is missing or damaged."

FIRST_PHOTO, SECOND_PHOTO, SECOND_MINUS_FIRST = "This photo", "The second: {label}", "Second minus first"
YOURS = "your image"
KERNELS_ROW, KERNELS_ROW_HINT = (
    "{title}: kernels",
    "the same {count} channels of both, one scale; the difference on its own",
)
GATES_ROW, GATES_ROW_HINT = "{title}: gates of the first group", "the share each tap takes from learned kernel 1"
ATTENTION_ROW, ATTENTION_ROW_HINT = "{title}: attention", "of the unit at the same place of both views"
KERNELS_MOVED = (
    "The two photos' kernels are {apart} apart (median channel, in sizes of the static kernel); from the static "
    "kernel they are {first} and {second}. The weights are made anew for each image."
)
KERNELS_FIXED = (
    "Exactly 0: these kernels are learned and not generated, so every image gets the same. Its attention still "
    "differs, as attention is always computed from the image."
)
KERNELS_RANDOM = "With random weights this says how an untrained generator reacts, not what was learned."
GATES_MOVED = "mean absolute difference {gates} over all channels, groups and taps; 0 would be the same mixture"
ATTENTION_MOVED = "rank correlation {correlation} between the two maps, mean absolute difference {mean}"
ATTENTION_EVEN = "mean absolute difference {mean}; an even map ranks nothing, so there is no rank correlation"
SAME_PHOTO = "The second photo is the same as the first: choose another above."
OF_FIRST, OF_SECOND = "{what}, for this photo", "{what}, for the second photo"
PHOTOS_FOOT = (
    "Two photos are two photos: another pair moves the kernels more or less. That kernels differ says that "
    "they depend on the image, not that the answer does; What if measures that, with kernels of another image lent."
)
