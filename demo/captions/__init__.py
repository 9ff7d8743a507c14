"""The page's words: what each view shows, and what it does not. One place, so that they can be read as a text."""

from __future__ import annotations

TITLE = "TransXNet Lens"
TAGLINE = "See what a dynamic backbone looks at, and the kernels it makes for your image."

VIEWS = {  # key -> the tab's name
    "overview": "Overview",
    "attention": "Attention",
    "kernels": "Kernels",
    "grad_cam": "Grad-CAM",
    "erf": "Receptive field",
    "compare": "Compare",
    "ablation": "What if",
    "sanity_checks": "Trust",
    "tour": "Tour",
}

INTRO = {
    "overview": "Four views of one forward pass. Move the crosshair on the image: attention and receptive field "
    "follow it. Pick another answer: Grad-CAM follows that.",
    "compare": "Two or three variants on one photo: what each answers, where their maps differ and by how much, "
    "and what each costs. Or two photos on one model: what it generates anew for each.",
    "attention": "Move over the image or over a map: at once every variant shows which places its attention, OSRA, "
    "mixes into that place. Click to stay there.",
    "kernels": "The 7 x 7 depthwise kernels that IDConv composed for this very image: {shown} channels of each "
    "variant, chosen to show their variety.",
    "grad_cam": "Which places of a stage's output raised the chosen answer's score, and which lowered it.",
    "erf": "The pixels on which the unit under the crosshair depends: the gradient of its features with respect to "
    "this image.",
    "ablation": "Switch parts of the model off, or paint a region of the image out, and see what becomes of the "
    "answer.",
    "sanity_checks": "Whether to believe the maps: what happens to the answer when their highest pixels go, what "
    "happens to a "
    "map when the model forgets what it learned, and how far the maps agree.",
    "tour": "Each block of TransXNet looks at an image in two ways at once: through kernels made for this very "
    "image, and through attention over all of it. Press a box to open the view that shows it, or take the tour.",
}

FOOT = {
    "overview": "Attention weights say what was mixed in, not why the answer was given. Grad-CAM says what raised this "
    "answer's score, at the resolution of its layer. All maps are drawn where their units really sit, over the "
    "image at its own sharpness; More > as the model saw it shows the {sizes} pixels it was given. A column "
    "has one color scale, so equal colors are equal values.",
    "compare": "A share is the softmax over the model's own classes: a model that knows none of what is in the image "
    "still spreads 100 % over what it knows. Maps that agree may be wrong together, and maps that differ need not be "
    "worse: two models may find different evidence for one answer.",
    "attention": "Weights of one block and one half of the channels: the other half goes through IDConv, and a "
    "residual path goes round both. A map over keys that have already seen their neighborhood is not a map of "
    "causes. Weights are those after the softmax, to 0.2 % of the largest one a head gives at that place; keys are a "
    "map smaller than the image.",
    "kernels": "The released model's kernels differ by image, channel and tap, and are the same at every position of "
    "an image: texts that call them spatially varying mean the taps. The static kernel is what uniform gates would "
    "give: the mean of the learned kernels.",
    "grad_cam": "A first-order estimate at the resolution of its stage. The raw map is kept: red raised the score, "
    "blue lowered it; nothing is scaled for each image. Early stages see edges and colors, not objects.",
    "erf": "IDConv's gates and the norms' statistics let every pixel touch every unit, so this mixes what is seen with "
    "what modulates. Drawn is each pixel's gradient as a multiple of the image's average; the highest 0.5 % of "
    "pixels share one color. The squares under a map are measured on its raw values.",
    "ablation": "The model was never trained with a part changed. A large change says that the part is used for this "
    "image, not that a model trained without it would be worse by as much; a small one may mean that another part "
    "does the same.",
    "sanity_checks": "Passing a test is no proof that a map explains; failing one is a reason not to show it to "
    "anybody.",
    "tour": "",
}

TITLES = {  # of chips, where a variant's own name is not enough
    "t": "T", "s": "S", "b": "B", "b_384": "B at 384", "pico_matched": "pico, matched",
    "pico_static": "pico, static", "pico_noosra": "pico, no OSRA", "pico_noste": "pico, no STE",
}  # fmt: skip

BACKBONE_TITLE = "{name} (timm)"
COMPUTED = "{part} took {seconds:.0f} s on this machine."
STEPS = {  # part -> what is being done while it takes long
    "sanity_checks": "testing the maps", "ablation_table": "changing one part after the other",
    "erf_pathways": "taking the field apart",
}  # fmt: skip
COUNT = "{done} of {total}"
COLUMNS_DONE = "{title}: {done} of {total}"
DRAWING = "drawing the figures"
NOT_DRAWN = "The figures could not be drawn: something unexpected went wrong here. The server's log has the details."
BESIDE_TITLE = "Receptive fields beside other backbones"
BESIDE_CAPTION = (
    "One map a model, the same unit of this image: absolute gradient over its own mean, colors over six "
    "powers of ten on one scale. The paper's Figure 1 averages many images; this is one."
)
BESIDE_UNTRAINED = (
    "Random weights, as no trained ones are on this machine's disk: {names}. Add one by its name without @untrained to "
    "download them."
)
BESIDE_ALT = "Receptive field maps of {names}, side by side."
BESIDE_LIMITS = "Models see different crops and sizes of the image. A wide field is not a merit of its own."
ANY_CLASS = "the answer chosen above"
FAILED = "{title} could not explain this image: something unexpected went wrong here."
FAILED_REMEDY = "Try again, or choose another variant; the server's log has the details."
SOURCES = {  # what transxnet.weights.load calls them -> what a person does
    "folder": "Weights folder", "hub": "Hugging Face Hub", "bundled": "Bundled here", "release": "The author's release",
}  # fmt: skip
NO_WEIGHTS = "The other variants go on working. Untrained ones show an architecture with random weights."
HELD_IN = "the smallest square about the unit that holds {shares} of the gradient covers {areas} of the image"
UNTRAINED = "random weights, not trained"
WORKING, LOOKING, READING = "working", "looking for weights", "reading the weights"
DOWNLOADING = "downloading {what}"
STALLED = "Nothing has arrived for {seconds} s. Still trying; the other columns go on, and so can you without this one."
NO_ANSWER = "No answer for {seconds} s. Still trying; the other columns go on, and so can you without this one."
STATIC_KERNELS = "learned, the same for every image"
NOT_GENERATED = (
    "Nothing is generated here: every image gets these learned kernels. So there is no difference, and no gates."
)
PART_REMEDY = "Choose another variant, or another view."
NOT_UPLOADED = (
    "Only uploaded images can be used: paths and addresses are not opened. Upload the image, then send it again."
)
NOT_SERVED = "This file is not available here, or no longer. Create it again, then download it."
NO_ROOM = "There is no room for this file: the server's temporary storage is full."
NO_ROOM_REMEDY = "Try again in a few minutes."
IMAGE_GONE = "This image is no longer held here. Drop it again, or pick an example."
