"""The first screen's comparison of two images."""

from __future__ import annotations

STRINGS = {
    "hero.title": "Same layer, same weights: two images, two sets of kernels",
    "hero.title_learned": "Same layer, same weights: two images, one set of kernels",
    "hero.layer": "{title}, IDConv, stage {stage}, block {block}: the {shown} of {count} channels that change most.",
    "hero.generated": "Median relative distance {distance}. An ordinary convolution has one set for both.",
    "hero.learned": "Difference 0: this model learned one set of kernels for all images.",
    "hero.same_image": "Difference 0: both images are the same.",
    "hero.none": "None of the selected models generates kernels. Select a TransXNet to compare two images.",
    "hero.first": "Kernels for A",
    "hero.difference": "Difference B − A",
    "hero.second": "Kernels for B",
    "hero.first_alt": "Kernels for image A, three by three",
    "hero.difference_alt": "Kernels for image B minus kernels for image A, three by three",
    "hero.second_alt": "Kernels for image B, three by three",
    "hero.emphasize": "Emphasize this image and its kernels",
    "hero.menu": "Image B",
    "hero.menu_hint": "or drop an image on B",
    "hero.swap": "Swap",
    "hero.swap_hint": "Look at image B, and compare it with A",
    "hero.pause": "Pause",
    "hero.play": "Alternate",
}
