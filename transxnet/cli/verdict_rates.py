"""`python -m transxnet verdict-rates`: how often the sanity checks pass Grad-CAM and maps that know nothing.

Writes assets/verdict_rates.csv (results/verdict_rates.py), which the sanity checks quote.
"""

from __future__ import annotations

import argparse
import csv
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..assets import find_asset
from ..errors import OutOfRange
from ..output import check_output, replace_atomically
from .common import (
    LABELED_IMAGES,
    AddOption,
    add_model_options,
    explained_write_errors,
    image_limits,
    load_model,
    model_names,
    positive_int,
)

if TYPE_CHECKING:
    from ..explain.sanity.verdict_rates import Candidate
    from ..images import ModelInput
    from ..results.sanity_checks import Faithfulness
    from ..results.verdict_rates import VerdictRate
    from ..weights.load import LoadedModel


def add_options(add: AddOption) -> None:
    """Define the options of `verdict-rates`."""
    add_model_options(add, several=False)
    add(
        "--data",
        f"images that the model was not trained on: {LABELED_IMAGES}",
        nargs="+",
        required=True,
        metavar="PATH",
    )
    add("--pairs", "pairs of an image and a map that knows nothing of it", type=positive_int, default=200, metavar="N")
    add(
        "--seed", "seed of the choice of images, of moved copies and of random fields", type=int, default=0, metavar="N"
    )
    add("--out", "output file", type=Path, metavar="FILE", default_text="assets/verdict_rates.csv")


def run(args: argparse.Namespace) -> int:
    """Test the maps of the model, and those of the same model with random weights, and write the table."""
    from ..explain.sanity.verdict_rates import make_candidate, select_candidates
    from ..results.verdict_rates import FILE

    path = args.out or find_asset(FILE)
    check_output(path, file=True)
    (name,) = model_names(args, [args.model])
    loaded, untrained = load_model(name, args), load_model(f"{name}@untrained", args)
    candidates = select_candidates(loaded, _images(loaded, args), args.pairs)
    if len(candidates) < 2:
        raise OutOfRange("The model gets fewer than two of these images right.", remedy="Pass more images with --data.")
    random_candidates = [make_candidate(untrained, candidate.model_input) for candidate in candidates]
    rows = [*_rates(loaded, candidates, args.seed), *_rates(untrained, random_candidates, args.seed)]
    with explained_write_errors():
        _write(path, rows, args)
    print(path)
    return 0


def _images(loaded: LoadedModel, args: argparse.Namespace) -> Iterator[tuple[int, Callable[[], ModelInput]]]:
    """Class index and a function that prepares the image, in the order that --seed draws."""
    import numpy as np

    from ..images import prepare_for
    from ..training.samples import list_images

    labels, limits = loaded.spec.labels, image_limits(args)
    samples = list_images(args.data, labels).of_classes(labels.wnids)
    index = {wnid: i for i, wnid in enumerate(labels.wnids)}
    for i in np.random.default_rng(args.seed).permutation(len(samples)):
        sample = samples[i]
        yield index[sample.label], lambda sample=sample: prepare_for(sample.decode(sample.read(), limits), loaded.spec)


def _rates(loaded: LoadedModel, candidates: Sequence[Candidate], seed: int) -> list[VerdictRate]:
    """The rows of one model. With random weights no class reaches 10%, so that rule is off."""
    from tqdm import tqdm

    from ..explain.attribution.methods import METHODS
    from ..explain.sanity.verdict_rates import run_tests
    from ..explain.sanity.verdicts import LOW_PROBABILITY
    from ..results.verdict_rates import GRAD_CAM, OTHER_IMAGE, RANDOM_FIELD, UNRELATED

    tests = tqdm(run_tests(loaded, candidates, seed), desc=loaded.name, total=len(candidates), disable=None)
    tested = list(tests)
    minimum = 0.0 if loaded.untrained else LOW_PROBABILITY
    able = [maps for maps in tested if maps[GRAD_CAM].initial_probability >= minimum]  # no false verdict on the others
    by_map = {GRAD_CAM: [maps[GRAD_CAM] for maps in tested]}
    by_map |= {kind: [maps[kind] for maps in able] for kind in (OTHER_IMAGE, RANDOM_FIELD)}
    by_map[UNRELATED] = by_map[OTHER_IMAGE] + by_map[RANDOM_FIELD]
    claims = sum(method.about_class for method in METHODS.values())
    return [
        _rate(loaded, kind, results, maps_tested, minimum)
        for kind, results in by_map.items() for maps_tested in (1, claims)
    ]  # fmt: skip


def _rate(
    loaded: LoadedModel, kind: str, results: Sequence[Faithfulness], maps_tested: int, minimum: float
) -> VerdictRate:
    from ..explain.sanity.verdict_rates import count_outcomes
    from ..results.sanity_checks import Outcome
    from ..results.verdict_rates import VerdictRate
    from ..training.scores import wilson

    counts, pairs = count_outcomes(results, maps_tested, minimum), len(results)
    passes = counts[Outcome.PASSES]
    low, high = wilson(passes, pairs)
    return VerdictRate(
        loaded.name, loaded.provenance.sha256[:8], kind, maps_tested, minimum, pairs, passes, counts[Outcome.FAILS],
        counts[Outcome.NO_VERDICT], round(passes / max(pairs, 1), 4), round(low, 4), round(high, 4),
    )  # fmt: skip


def _write(path: Path, rows: Sequence[VerdictRate], args: argparse.Namespace) -> None:
    from ..export.records import versions
    from ..export.report import without_folders
    from ..results.verdict_rates import COLUMNS

    command = shlex.join(["python", "-m", "transxnet", *without_folders(args.argv)])
    about = (
        "How often the faithfulness test of the sanity checks passes maps, on images that the model gets right. "
        "Columns: transxnet/results/verdict_rates.py.",
        f"Made by `{command}`, with {', '.join(f'{name} {version}' for name, version in versions().items())}.",
    )
    with replace_atomically(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in about)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in rows)
