"""`python -m transxnet out-of-distribution`: what images a bundled model learned from, in its own features.

The page warns with it where an image is unlike them: explain/out_of_distribution.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import check_output
from .common import count, load_model, written

if TYPE_CHECKING:
    import numpy as np

    from ..training.samples import Sample
    from ..weights.load import LoadedModel

BATCH = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="pico", metavar="NAME", help="a bundled variant (pico)")
    parser.add_argument("--source", help="its weights: a file, or an hf-hub: id")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help="folders or zips it was trained on")
    parser.add_argument("--held-out", nargs="+", required=True, metavar="PATH", help="and those it was not trained on")
    parser.add_argument("--images", type=count, default=5000, metavar="N", help="drawn of each, by --seed (5000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, metavar="FILE", help="beside the bundled weights without")
    parser.set_defaults(run=run_out_of_distribution)


def run_out_of_distribution(args: argparse.Namespace) -> int:
    """Learn it from N images of each kind, and write it."""
    import numpy as np

    from ..explain.sanity.out_of_distribution import SUFFIX, learn
    from ..labels import label_set
    from ..results.out_of_distribution import LIMIT
    from ..training.samples import known_samples
    from ..weights.sources import BUNDLED

    check_output(args.out or BUNDLED / "familiar.npz", file=True)
    loaded = load_model(args.model, args, args.source)
    wnids = label_set(loaded.spec.label_set).wnids
    training, held_out = (
        _features(loaded, _some(known_samples(paths, wnids)[0], args)) for paths in (args.data, args.held_out)
    )
    known = learn(training[0], *held_out, loaded.provenance.sha256)
    path = args.out or BUNDLED / f"{loaded.spec.name}{SUFFIX}"
    with written():
        np.savez_compressed(path, **known.arrays)
    middle, far = np.quantile(known.distances, (0.5, LIMIT))
    print(
        f"{path.name}: {len(training[0])} training images, {len(known.distances)} held out; "
        f"their distances: median {middle:.1f}, {100 * LIMIT:.0f} % within {far:.1f}"
    )
    return 0


def _some(samples: Sequence[Sample], args: argparse.Namespace) -> list[Sample]:
    """N of them, the same for the same seed."""
    import numpy as np

    chosen = np.random.default_rng(args.seed).permutation(len(samples))[: args.images]
    return [samples[i] for i in sorted(chosen)]


def _features(loaded: LoadedModel, samples: Sequence[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """(N, F) features, (N,) shares of the best answers."""
    import numpy as np
    import torch

    from ..explain.observe import observe
    from ..explain.sanity.out_of_distribution import features
    from ..images import prepare_for

    found, best = [], []
    for start in range(0, len(samples), BATCH):
        views = [prepare_for(one.decode(one.read()), loaded.spec) for one in samples[start : start + BATCH]]
        batch = replace(views[0], tensor=torch.cat([view.tensor for view in views]))  # (B, 3, H, W)
        seen = observe(loaded.model, batch, ("stage",))
        found.append(features(seen))
        best.append(seen.logits.softmax(dim=1).amax(dim=1).cpu().numpy())
    return np.concatenate(found), np.concatenate(best)
