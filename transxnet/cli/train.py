"""`python -m transxnet train`: train or fine-tune a model by a recipe, in one process or several (torchrun)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutOfRange, WeightsError, WeightsMismatch
from ..output import check_output, replace_atomically
from ..training.recipes import OWN_RECIPES, RECIPES, Recipe, find_recipe
from .common import LABELED_IMAGES, AddOption, image_limits, report_skipped
from .finetune import add_finetune_options, check_finetune_options, model_for_own_classes, write_finetuned_model

if TYPE_CHECKING:
    from ..distributed import Worker
    from ..model import TransXNet
    from ..training.data import ImageSet
    from ..training.loop import Run
    from ..training.teacher import Teacher


EPILOG = """fine-tuning: the classes are those of the training images
  %(prog)s --recipe finetune --data my/train --val my/val --from t --out runs/birds
  python app.py --model birds=runs/birds"""


def add_options(add: AddOption) -> None:
    """Define the options of `train`."""
    names = ",".join([*RECIPES, *OWN_RECIPES])
    add("--recipe", f"training settings {{{names}}}", required=True, metavar="NAME")
    text = f"training images: {LABELED_IMAGES}"
    add("--data", text, nargs="+", required=True, metavar="PATH", type=Path)
    text = "output folder: checkpoint.pt, log.csv, and the final weights with their description"
    add("--out", text, type=Path, required=True, metavar="DIR")
    add_finetune_options(add)
    text = "weights to start from, for recipes that continue others"
    add("--initial-checkpoint", text, type=Path, metavar="FILE", default_text="random weights")
    text = (
        "continue from the EMA weights of an unfinished run, a .safetensors file with the .json that training wrote "
        "next to it, where --out holds no checkpoint"
    )
    add("--continue-from", text, type=Path, metavar="FILE")
    add("--teacher", "weights of the recipe's teacher", type=Path, metavar="FILE")
    text = (
        "labeled images that are never trained on: accuracies of the log and of the teacher are measured on the first "
        "half of each class, those of a fine-tuned model on all"
    )
    add("--val", text, nargs="+", metavar="PATH", type=Path, default_text="images held out by the recipe")
    add("--save-every", "interval of checkpoints", unit="steps", type=int, default=50, metavar="N")
    add("--resume", "continue from the checkpoint in --out, if it has one", action="store_true")
    text = "processes that load images ahead, for recipes with RandAugment"
    add("--num-workers", text, type=int, metavar="N", default_text="on CUDA the other CPU cores, else 0")


def run(args: argparse.Namespace) -> int:
    """Train by a recipe; the main process prints one JSON object at the end."""
    from tqdm import tqdm

    from ..distributed import process_group

    recipe = find_recipe(args.recipe)
    check_finetune_options(args, recipe)
    if args.save_every < 1:
        raise OutOfRange(f"--save-every is {args.save_every}.", remedy="Use a positive number of steps.")
    check_output(args.out, resume=args.resume)
    with process_group(args.device) as worker:
        run = _create_run(args, recipe, worker)
        if worker.is_main:
            _report_teacher(run)
        disable = None if worker.is_main else True  # None: only on a terminal
        with tqdm(total=run.steps, initial=run.step, unit="step", disable=disable) as bar:

            def show_progress(step: int, steps: int, loss: float) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update(step - bar.n)

            run.train(show_progress, save_every=args.save_every)
        if worker.is_main:
            _write_result(args, run)
    return 0


def _create_run(args: argparse.Namespace, recipe: Recipe, worker: Worker) -> Run:
    """The run, at the step of its checkpoint or snapshot where the options say so."""
    from ..training.loop import CHECKPOINT, Run
    from ..training.snapshot import restart_from_snapshot

    if (args.out / CHECKPOINT).exists():
        _check_resume(args)
    elif args.continue_from is None and not recipe.own_classes:
        _check_start(args, recipe)
    worker.barrier()  # all processes check the folder before the main one writes to it
    create = model_for_own_classes if recipe.own_classes else _model_of_recipe
    recipe, model, data, validation = create(args, recipe, worker.is_main)
    teacher = _load_teacher(recipe, args.teacher, model.num_classes, worker)
    if worker.is_main:
        report_skipped([*data.skipped, *(validation.skipped if validation else ())])
    run = Run(
        recipe, model, data, args.out, worker.device, teacher=teacher, validation=validation, rank=worker.rank,
        world_size=worker.world_size, num_workers=_num_workers(args.num_workers, worker),
    )  # fmt: skip
    resumed = args.resume and run.resume()
    if args.continue_from is not None and not resumed:
        restart_from_snapshot(run, args.continue_from)
    steps = worker.all_gather(run.step)
    if len(set(steps)) > 1:
        raise WeightsMismatch(
            f"The processes are at different steps: {', '.join(map(str, steps))}.",
            remedy="Give all machines the same --out folder, on a disk that they share.",
        )
    return run


def _model_of_recipe(
    args: argparse.Namespace, recipe: Recipe, is_main: bool
) -> tuple[Recipe, TransXNet, ImageSet, ImageSet | None]:
    """The recipe, its model, the training images and the validation images."""
    from ..training.data import load_images
    from ..training.samples import list_images

    model, limits = _initial_model(recipe, args.initial_checkpoint), image_limits(args)

    def load(paths: list[Path]) -> ImageSet:
        return load_images(list_images(paths, model.spec.labels), model.spec.labels, limits=limits)

    return recipe, model, load(args.data), load(args.val) if args.val and is_main else None


def _write_result(args: argparse.Namespace, run: Run) -> None:
    """Write the final EMA weights and print the result."""
    result = {"recipe": run.recipe.as_json(), "data": run.data.digest, "steps": run.step, "loss": run.loss}
    result["held_out_top1"] = run.accuracy()
    if run.recipe.own_classes:
        result |= write_finetuned_model(args, run)
    else:
        _write_weights(args, run)
    print(json.dumps(result))


def _write_weights(args: argparse.Namespace, run: Run) -> None:
    from safetensors.torch import save_file

    weights = {key: value.contiguous() for key, value in run.ema.state_dict().items()}
    with replace_atomically(args.out / f"{run.recipe.variant}.safetensors") as temporary:
        save_file(weights, temporary, metadata={"format": "pt"})


def _check_resume(args: argparse.Namespace) -> None:
    """Raises WeightsError where an earlier run would be overwritten."""
    if not args.resume:
        raise WeightsError(
            f"The folder {args.out.name} already holds a training run.",
            remedy="Add --resume to continue it, or use an empty folder for --out.",
            detail=str(args.out),
        )


def _check_start(args: argparse.Namespace, recipe: Recipe) -> None:
    """Raises WeightsError unless the run starts where the recipe, and later the model card, says that it does."""
    if recipe.start and args.initial_checkpoint is None:
        raise WeightsError(
            f"{recipe.name} {recipe.about}.", remedy="Pass the weights it continues with --initial-checkpoint."
        )
    if args.initial_checkpoint is not None and not recipe.start:
        raise WeightsError(
            f"{recipe.name} starts from random weights.",
            remedy="Leave out --initial-checkpoint, or write a recipe that says what it continues.",
        )


def _initial_model(recipe: Recipe, checkpoint: Path | None) -> TransXNet:
    """A model with random weights by the recipe's seed, or with those of a file."""
    import torch

    from ..model import TransXNet
    from ..variants import find_variant
    from ..weights.checkpoint import check_fit, open_checkpoint

    torch.manual_seed(recipe.seed)
    model = TransXNet(find_variant(recipe.variant), drop_path_rate=recipe.drop_path)
    if checkpoint is not None:
        state = open_checkpoint(checkpoint).state
        check_fit(model, state, checkpoint.name)
        model.load_state_dict(state, strict=True)
    return model


def _load_teacher(recipe: Recipe, file: Path | None, num_classes: int, worker: Worker) -> Teacher | None:
    """The recipe's teacher; None for a recipe without distillation."""
    from ..training.teacher import load_teacher

    if not recipe.teacher:
        if file is not None:
            raise WeightsError(f"{recipe.name} has no teacher.", remedy="Leave out --teacher.")
        return None
    return load_teacher(recipe.teacher, file, num_classes, worker.device)


def _report_teacher(run: Run) -> None:
    """Print the accuracy of teacher and student; warn where the teacher's is lower."""
    accuracy = run.teacher_accuracy()
    if accuracy is None:
        return
    print(
        f"accuracy on {accuracy.images} images at {accuracy.image_size} px: teacher {run.recipe.teacher} "
        f"{accuracy.teacher:.1%}, student {accuracy.student:.1%}",
        file=sys.stderr,
    )
    if accuracy.teacher < accuracy.student:
        print(
            "warning: the teacher is less accurate than the student. Check its weights, the order of its classes and "
            "its mean and standard deviation.",
            file=sys.stderr,
        )


def _num_workers(num_workers: int | None, worker: Worker) -> int:
    """Data loading processes: on CUDA one for each other core, on a CPU none, as training uses all cores."""
    if num_workers is not None:
        return num_workers
    return max(0, (os.cpu_count() or 1) // worker.world_size - 1) if worker.device.type == "cuda" else 0
