"""`python -m transxnet train`: follow a recipe, alone or as one of torchrun's workers."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutOfRange, WeightsError, WeightsMismatch
from ..output import check_output
from ..training.recipes import RECIPES, Recipe, find_recipe
from .progress import advance, progress_bar

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..model import TransXNet
    from ..training.loop import Run
    from ..training.teacher import Teacher


def add_arguments(parser: argparse.ArgumentParser, images: str) -> None:
    """The options of `train`. images: what --data takes, in words."""
    parser.add_argument("--recipe", required=True, metavar="NAME", help=f"one of: {', '.join(RECIPES)}")
    parser.add_argument("--data", nargs="+", required=True, metavar="PATH", help=images)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for checkpoint.pt, log.csv and the weights"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FILE", help="the weights that the recipe continues, if it does"
    )
    parser.add_argument(
        "--continue-from",
        type=Path,
        metavar="FILE",
        help="continue from the EMA weights of an unfinished run, a "
        ".safetensors file with the .json that training wrote next to it, where --out holds no checkpoint",
    )
    parser.add_argument("--teacher", type=Path, metavar="FILE", help="weights of the recipe's teacher")
    parser.add_argument(
        "--val",
        nargs="+",
        metavar="PATH",
        help="labeled images that are never trained on: the first half of each "
        "class is what the log's accuracy is measured on, and the teacher before training starts",
    )
    parser.add_argument(
        "--save-every", type=int, default=50, metavar="N", help="steps between checkpoints (default: 50)"
    )
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out, if it has one")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="that prepare images ahead, where the recipe asks for RandAugment"
    )
    parser.set_defaults(run=run_train)


def run_train(args: argparse.Namespace) -> int:
    """Follow a recipe; the first worker prints one JSON object at the end."""
    from ..distributed import workers

    recipe = find_recipe(args.recipe)
    check_output(args.out, resume=args.resume)
    with workers(args.device) as worker, progress_bar("step", shown=worker.chief) as bar:
        run = _begin(args, recipe, worker)
        bar.initial = bar.n = run.step  # what an earlier start did says nothing about the time that is left

        def report(step: int, steps: int, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            advance(bar, step, steps)

        if worker.chief:
            _report_teacher(run)
        run.train(report, save_every=args.save_every)
        if worker.chief:
            _finish(args, run)
    return 0


def _begin(args: argparse.Namespace, recipe: Recipe, worker: Worker) -> Run:
    """The run as asked for, resumed where that is wanted and possible."""
    from ..labels import label_set
    from ..training.data import load_images
    from ..training.loop import CHECKPOINT, Run
    from ..training.snapshot import restart_from_snapshot

    if (args.out / CHECKPOINT).exists():
        _may_continue(args)
    elif args.continue_from is None:
        _may_start(args, recipe)
    if args.save_every < 1:
        raise OutOfRange(f"--save-every is {args.save_every}.", remedy="Give a number of steps from 1.")
    worker.barrier()  # everybody has looked before the first one writes
    model = _model(recipe, args.start)
    teacher = _teacher(recipe, args.teacher, model.num_classes, worker)
    wnids = label_set(model.spec.label_set).wnids
    data = load_images(args.data, wnids)
    validation = load_images(args.val, wnids) if args.val and worker.chief else None
    run = Run(
        recipe, model, data, args.out, worker.device,
        teacher=teacher, validation=validation, rank=worker.rank, size=worker.size,
        processes=_processes(args.processes, worker),
    )  # fmt: skip
    resumed = args.resume and run.resume()
    if args.continue_from is not None and not resumed:
        restart_from_snapshot(run, args.continue_from)
    _together(run, worker)
    return run


def _together(run: Run, worker: Worker) -> None:
    """Raises WeightsMismatch where some workers saw the checkpoint and others did not."""
    steps = worker.everybodys(run.step)
    if len(set(steps)) > 1:
        raise WeightsMismatch(
            f"The processes are at different steps: {', '.join(map(str, steps))}.",
            remedy="Give all machines the same --out folder, on a disk that they share.",
        )


def _finish(args: argparse.Namespace, run: Run) -> None:
    from safetensors.torch import save_file

    weights = {key: value.contiguous() for key, value in run.ema.state_dict().items()}
    final = args.out / f"{run.recipe.variant}.safetensors"
    temporary = final.with_suffix(".tmp")
    try:
        save_file(weights, temporary, metadata={"format": "pt"})
        os.replace(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    result = {"recipe": run.recipe.as_json(), "data": run.data.digest, "steps": run.step, "loss": run.loss}
    print(json.dumps(result | {"held_out_top1": run.accuracy()}))


def _may_continue(args: argparse.Namespace) -> None:
    """Nobody's earlier run is overwritten."""
    if not args.resume:
        raise WeightsError(
            f"The folder {args.out.name} holds a training run already.",
            remedy="Add --resume to continue it, or give an empty folder to --out.",
            detail=str(args.out),
        )


def _may_start(args: argparse.Namespace, recipe: Recipe) -> None:
    """What a recipe says of where it starts goes on the card, so it has to be true."""
    if recipe.start and args.start is None:
        raise WeightsError(f"{recipe.name} {recipe.about}.", remedy="Give the weights it continues by --from.")
    if args.start is not None and not recipe.start:
        raise WeightsError(
            f"{recipe.name} starts at random weights.",
            remedy="Leave out --from, or write a recipe that says what it continues.",
        )


def _model(recipe: Recipe, start: Path | None) -> TransXNet:
    """Where a run begins: random weights by the recipe's seed, or those of a file."""
    import torch

    from ..model import TransXNet
    from ..variants import find_variant
    from ..weights.checkpoint import check_fit, read_checkpoint

    torch.manual_seed(recipe.seed)
    model = TransXNet(find_variant(recipe.variant), drop_path_rate=recipe.drop_path)
    if start is not None:
        state, _ = read_checkpoint(start)
        check_fit(model, state, start.name)
        model.load_state_dict(state, strict=True)
    return model


def _teacher(recipe: Recipe, file: Path | None, classes: int, worker: Worker) -> Teacher | None:
    """The model that the recipe distills from, where it names one."""
    from ..training.teacher import load_teacher

    if not recipe.teacher:
        if file is not None:
            raise WeightsError(f"{recipe.name} has no teacher.", remedy="Leave out --teacher.")
        return None
    return load_teacher(recipe.teacher, file, classes, worker.device)


def _report_teacher(run: Run) -> None:
    """Print how often the teacher is right, and warn where the student is right more often."""
    measured = run.teacher_accuracy()
    if measured is None:
        return
    images, teacher, student = measured
    side = run.batches.side(min(run.step, run.steps - 1))
    text = f"teacher: {run.recipe.teacher} is right on {teacher:.1%} of {images} images at {side} px"
    print(f"{text}, the student on {student:.1%}", file=sys.stderr)
    if teacher < student:
        print(
            "warning: the teacher is less accurate than the student. Check its weights, the order of its classes and "
            "its mean and standard deviation.",
            file=sys.stderr,
        )


def _processes(asked: int | None, worker: Worker) -> int:
    """On a GPU the other cores prepare images; on a CPU they are at work already."""
    if asked is not None:
        return asked
    return max(0, (os.cpu_count() or 1) // worker.size - 1) if worker.device.type == "cuda" else 0
