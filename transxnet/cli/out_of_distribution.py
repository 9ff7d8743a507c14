"""`python -m transxnet out-of-distribution`: feature statistics of the images that a bundled model was trained on.

The page uses them to warn about images unlike those: explain/sanity/out_of_distribution.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import check_output
from .common import (
    AddOption,
    add_model_options,
    explained_write_errors,
    image_limits,
    load_model,
    model_names,
    positive_int,
)

if TYPE_CHECKING:
    import numpy as np

    from ..images import Limits
    from ..training.samples import Sample
    from ..weights.load import LoadedModel

BATCH_SIZE = 50


def add_options(add: AddOption) -> None:
    """Define the options of `out-of-distribution`."""
    add_model_options(add, several=False)
    add("--data", "folders or zips of its training images", nargs="+", required=True, metavar="PATH")
    add("--held-out", "images that were held out from its training, likewise", nargs="+", required=True, metavar="PATH")
    add("--num-images", "images sampled from each of the two", type=positive_int, default=5000, metavar="N")
    add("--seed", "seed of that sampling", type=int, default=0, metavar="N")
    add("--out", "output file", type=Path, metavar="FILE", default_text="next to the bundled weights")


def run(args: argparse.Namespace) -> int:
    """Compute the statistics and write them."""
    import numpy as np

    from ..explain.sanity.out_of_distribution import SUFFIX, fit_statistics
    from ..results.out_of_distribution import OOD_THRESHOLD
    from ..training.samples import list_images
    from ..weights.sources import BUNDLED

    check_output(args.out or BUNDLED / "familiar.npz", file=True)
    (name,) = model_names(args, [args.model])
    loaded = load_model(name, args)
    labels = loaded.spec.labels
    training, held_out = (
        _features(loaded, _random_subset(list_images(paths, labels).of_classes(labels.wnids), args), image_limits(args))
        for paths in (args.data, args.held_out)
    )
    statistics = fit_statistics(training[0], *held_out, loaded.provenance.sha256)
    path = args.out or BUNDLED / f"{loaded.spec.name}{SUFFIX}"
    with explained_write_errors():
        np.savez_compressed(path, **statistics.arrays)
    median, limit = np.quantile(statistics.distances, (0.5, OOD_THRESHOLD))
    print(
        f"{path.name}: {len(training[0])} training images, {len(statistics.distances)} held-out images; "
        f"distances of the held-out images: median {median:.1f}, {OOD_THRESHOLD:.0%} quantile {limit:.1f}"
    )
    return 0


def _random_subset(samples: Sequence[Sample], args: argparse.Namespace) -> list[Sample]:
    """--num-images of the samples, chosen by --seed, in their order."""
    import numpy as np

    chosen = np.random.default_rng(args.seed).permutation(len(samples))[: args.num_images]
    return [samples[i] for i in sorted(chosen)]


def _features(loaded: LoadedModel, samples: Sequence[Sample], limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """(features (N, F), probabilities of the top predictions (N,))."""
    import numpy as np
    import torch

    from ..explain.observe import observe
    from ..explain.predict import activate
    from ..explain.sanity.out_of_distribution import features
    from ..images import prepare_for

    batch_features, top_probabilities = [], []
    for start in range(0, len(samples), BATCH_SIZE):
        batch = samples[start : start + BATCH_SIZE]
        inputs = [prepare_for(sample.decode(sample.read(), limits), loaded.spec) for sample in batch]
        model_input = replace(inputs[0], tensor=torch.cat([one_input.tensor for one_input in inputs]))  # (B, 3, H, W)
        observation = observe(loaded.model, model_input, ("stage",))
        batch_features.append(features(observation))
        top_probabilities.append(activate(observation.logits, loaded.spec.activation).amax(dim=1).cpu().numpy())
    return np.concatenate(batch_features), np.concatenate(top_probabilities)
