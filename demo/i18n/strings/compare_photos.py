"""Tab Compare: two photos on one model."""

from __future__ import annotations

STRINGS = {
    "compare_photos.first_photo": "This photo",
    "compare_photos.second_photo": "The second: {label}",
    "compare_photos.second_minus_first": "Second minus first",
    "compare_photos.yours": "your image",
    "compare_photos.kernels_row": "{title}: kernels",
    "compare_photos.kernels_row_hint": "the same {count} channels of both, one scale; the difference on its own",
    "compare_photos.gates_row": "{title}: gates of the first group",
    "compare_photos.gates_row_hint": "the share each tap takes from learned kernel 1",
    "compare_photos.attention_row": "{title}: attention",
    "compare_photos.attention_row_hint": "of the unit at the same place of both views",
    "compare_photos.kernels_moved": (
        "The two photos' kernels are {apart} apart (median channel, in sizes of the static kernel); from the static "
        "kernel they are {first} and {second}. The weights are made anew for each image."
    ),
    "compare_photos.kernels_fixed": (
        "Exactly 0: these kernels are learned and not generated, so every image gets the same. Its attention still "
        "differs, as attention is always computed from the image."
    ),
    "compare_photos.kernels_random": (
        "With random weights this says how an untrained generator reacts, not what was learned."
    ),
    "compare_photos.gates_moved": (
        "mean absolute difference {gates} over all channels, groups and taps; 0 would be the same mixture"
    ),
    "compare_photos.attention_moved": (
        "rank correlation {correlation} between the two maps, mean absolute difference {mean}"
    ),
    "compare_photos.attention_even": (
        "mean absolute difference {mean}; an even map ranks nothing, so there is no rank correlation"
    ),
    "compare_photos.same_photo": "The second photo is the same as the first: choose another above.",
    "compare_photos.of_first": "{what}, for this photo",
    "compare_photos.of_second": "{what}, for the second photo",
    "compare_photos.limits": (
        "Two photos are two photos: another pair moves the kernels more or less. That kernels differ says that they "
        "depend on the image, not that the answer does; What if measures that, with kernels of another image lent."
    ),
}
