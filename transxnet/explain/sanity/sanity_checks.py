"""All sanity checks of all maps of one image and one class.

Insertion and deletion (faithfulness.py), parameter randomization (randomization.py), agreement between the methods
(agreement.py), and the outcomes of the first two (verdicts.py); sources, formulas and limits are described there.

Limitations: necessary conditions, not proofs. A map that passes all may mislead, and one image's checks hold for that
image only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from ...errors import PartMissing
from ...images import ModelInput
from ...results import Explanation
from ...results.sanity_checks import Faithfulness, SanityChecks
from ...weights.load import LoadedModel
from ..attribution.grad_cam import class_caption
from ..attribution.methods import METHODS, AttributionTarget, Method
from ..observe import check_class_index
from .agreement import agreement
from .faithfulness import STEPS, FaithfulnessTest
from .randomization import COPIES, Progress, cascading_randomization, compute_maps, parameter_groups, random_model_like
from .verdicts import check_maps


def sanity_checks(
    loaded: LoadedModel,
    model_input: ModelInput,
    target: AttributionTarget,
    methods: Mapping[str, Method] = METHODS,
    full_cascade: bool = False,
    progress: Progress | None = None,
    maps: Mapping[str, Explanation] | None = None,
    steps: int = STEPS,
    baseline: str = "gray",
    copies: int = COPIES,
) -> SanityChecks:
    """Run all checks of the maps that `methods` compute for an image. The model is not changed; a copy of it is.

    Args:
        loaded: The model.
        model_input: The prepared image.
        target: What the maps explain.
        methods: Name -> method.
        full_cascade: Whether multi-pass methods take every step of the cascade, not only the last: several times the
            cost.
        progress: Called with (done, total), by pieces of work of unequal length.
        maps: Maps already computed with this very target, by method; the others are computed.
        steps: Of insertion and deletion.
        baseline: Of insertion and deletion, "gray" or "blur".
        copies: Completely random models for the maps of single-pass methods.

    Returns:
        All checks; methods that this model does not support are in `missing`.

    Raises:
        OutOfRange: The model has no such class, stage, block or position.
        PartMissing: The model supports none of the methods.
    """
    model, missing = loaded.model, {}
    total, completed = 1 + len(methods) + len(parameter_groups(model)) + copies, count()

    def advance(*_: int) -> None:
        if progress:
            progress(min(next(completed), total), total)

    check_class_index(model, target.class_index)
    advance()
    test = FaithfulnessTest(model, model_input, target.class_index, steps, baseline)
    if target.contrast_index is None:  # the same for random copies, whose best classes are others
        target = replace(target, contrast_index=test.best_other_class)
    maps = _all_maps(loaded, model_input, target, methods, maps or {}, missing)
    advance()
    faithfulness: dict[str, Faithfulness] = {}
    for name, explanation in maps.items():
        faithfulness[name] = test.run(explanation)
        advance()
    randomization = cascading_randomization(
        model, lambda number: random_model_like(model, number), model_input, target, maps, methods, full_cascade,
        copies, lock=loaded.lock, progress=advance,
    )  # fmt: skip
    checks = check_maps(methods, randomization, faithfulness)
    agreement_of_maps = agreement(maps)
    if progress:
        progress(total, total)
    return SanityChecks(
        loaded.name, target.class_index, class_caption(target.class_index, target.class_name), maps, faithfulness,
        randomization, agreement_of_maps, checks, missing, full_cascade,
    )  # fmt: skip


def _all_maps(
    loaded: LoadedModel,
    model_input: ModelInput,
    target: AttributionTarget,
    methods: Mapping[str, Method],
    computed: Mapping[str, Explanation],
    missing: dict[str, str],
) -> dict[str, Explanation]:
    """The maps that are there and those computed now, in the order of `methods`.

    Raises PartMissing if there is none.
    """
    remaining = {name: method for name, method in methods.items() if name not in computed}
    maps = {**computed, **compute_maps(loaded.model, loaded.lock, model_input, target, remaining, missing)}
    if not any(name in maps for name in methods):
        raise PartMissing("{model} has none of these maps.", remedy="Choose others.", model=loaded.name)
    return {name: maps[name] for name in methods if name in maps}
