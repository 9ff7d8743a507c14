"""Words of the warning that an image is unlike those a bundled model knows."""

from __future__ import annotations

UNLIKE = (
    "{title} has not learned from images like this one: it is further from its training images, in the model's own "
    "features, than {nearer} of {images} images held out from training. Read its answer and its maps with care."
)
UNSURE = "{title} is unsure: {more} of {images} images held out from training got a surer answer."
