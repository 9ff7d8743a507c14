"""Words of the warning that a picture is unlike those a bundled model knows."""

from __future__ import annotations

UNLIKE = (
    "{title} has not learned from pictures like this one: it is further from its training pictures, in the model's own "
    "features, than {nearer} of {pictures} pictures held out from training. Read its answer and its maps with care."
)
UNSURE = "{title} is unsure: {more} of {pictures} pictures held out from training got a surer answer."
