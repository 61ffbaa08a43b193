"""``labcolor train``: train a model on color pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from labcolor.base.choices import Precision
from labcolor.cli.common import DONE, INTERRUPTED, MODELS, add_flags, add_values, load, print_message
from labcolor.errors import InputError, ModelFileError

if TYPE_CHECKING:
    from labcolor.colorizer import Colorizer

_NONE = "none"  # --start without a start
_EXAMPLES = """
examples:
  labcolor train photographs/ -o mine.labcolor
  labcolor train photographs/ -o mine.labcolor --resume
  labcolor train archive.tar -o mine.labcolor --epochs 50 --patience 5
"""
_FIGURES = {"psnr": "PSNR", "ciede2000": "CIEDE2000", "colorfulness": "colorfulness"}


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "train",
        help="train a model on color pictures",
        usage="%(prog)s [options] PICTURES... -o MODEL",
        description="Train a model on color pictures. The training starts from the packaged model unless you give "
        "another start. Ctrl-C ends it with a usable model.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run, grace=60.0)  # seconds after a signal in which the model is saved
    sources = "color pictures: folders with subfolders, tar archives, files"
    command.add_argument("sources", nargs="+", metavar="PICTURES", help=sources)
    command.add_argument("-o", "--output", required=True, metavar="MODEL", help="the model file to write")
    add_flags(command, ("--resume", "resume an interrupted training from MODEL.checkpoint"))
    cache = "folder that keeps the reduced pictures for other trainings (default: none)"
    add_values(command, ("--cache", str, "FOLDER", None, cache))
    group = command.add_argument_group("model")
    start = (
        f"the model to start from: a packaged model ({', '.join(MODELS)}), the path of a model file, or {_NONE} for "
        f"new weights, which need some ten thousand pictures (default: {MODELS[0]}, or {_NONE} with --network)"
    )
    network = "the architecture of new weights (default: reference, or that of --start)"
    add_values(group, ("--start", str, "MODEL", None, start), ("--network", MODELS, None, None, network))
    group = command.add_argument_group("training")
    precision = "arithmetic; mixed_bfloat16 is faster if the processor supports it (default: %(default)s)"
    add_values(
        group,
        ("--working-size", int, "PIXELS", None, "short side in predictions, from 8 (default: 136, or that of --start)"),
        ("--epochs", int, "COUNT", 20, "passes over the pictures, from 1 (default: %(default)s)"),
        ("--patience", int, "EPOCHS", None, "end after so many epochs without a lower held-out loss (default: never)"),
        ("--validation", float, "SHARE", 0.05, "share of pictures to measure on, 0 to 0.5 (default: %(default)g)"),
        ("--crop-size", int, "PIXELS", 128, "side of the square crops, a multiple of 32 (default: %(default)s)"),
        ("--batch-size", int, "CROPS", 32, "crops in a step, from 1 (default: %(default)s)"),
        ("--learning-rate", float, "RATE", None, "peak, from 1e-9 to 10 (default: 2e-4; new weights: 1e-3)"),
        ("--encoder-rate", float, "FACTOR", None, "for a pretrained encoder, 0 to 1 (default: 0; new weights: 1)"),
        ("--film-aging", float, "SHARE", 0.0, "share of crops that are aged like film, 0 to 1 (default: %(default)g)"),
        ("--seed", int, "NUMBER", None, "repeats a training, from 0 to 4294967295 (default: a random seed)"),
        ("--precision", get_args(Precision), None, "float32", precision),
    )


def run(arguments: argparse.Namespace) -> int:
    """Train a model on color pictures."""
    from labcolor.base.paths import as_path, check_destination, identity

    output = as_path("-o", arguments.output)
    check_destination(output, ModelFileError)
    from labcolor.colorizer import Colorizer
    from labcolor.io.sources import ENDINGS
    from labcolor.training.recipe import Recipe

    if output.suffix.lower() in (*ENDINGS, ".tar"):
        raise InputError(f"-o {output}: expected the name of a model file, such as {output.with_suffix('.labcolor')}.")
    if os.path.exists(output) and identity(output) in {identity(Path(source)) for source in arguments.sources}:
        raise InputError(f"{output}: is one of the pictures to train on. Choose another name for the model.")
    checkpoint = output.with_name(f"{output.name}.checkpoint")
    if os.path.exists(checkpoint) and not arguments.resume:
        raise InputError(f"{checkpoint}: this training was interrupted. Add --resume, or delete this file.")
    start = arguments.start or (MODELS[0] if arguments.network is None else _NONE)
    colorizer = Colorizer() if start == _NONE else load(start, "--start")
    for name in ("network", "working_size"):
        if getattr(arguments, name) is not None:
            colorizer.set_params(**{name: getattr(arguments, name)})
    colorizer.set_params(
        **{one.name: getattr(arguments, one.name) for one in fields(Recipe) if hasattr(arguments, one.name)},
        random_state=arguments.seed,
        verbose=1 if sys.stderr.isatty() else 2,
    )
    colorizer.fit(
        arguments.sources,
        validation=arguments.validation or None,
        checkpoint=checkpoint,
        cache=arguments.cache,
    )
    colorizer.save(output)
    return _report(colorizer, output, checkpoint)


def _report(colorizer: Colorizer, output: Path, checkpoint: Path) -> int:
    """Print the figures, the path of the model, and its use. Return the exit code."""
    training = colorizer.model_.training
    history = colorizer.history_
    best = training.get("best_epoch")
    if best is not None:
        before: Mapping[str, float] = training["before"]
        after = {name: history[f"val_{name}"][best - 1] for name in _FIGURES} if best else before
        print(f"{training['held_out']} pictures held out")
        print("".join(f"{text:>14}" for text in ("", *_FIGURES.values())))
        for label, figures in (("before", before), ("after", after)):
            print(f"{label:>14}" + "".join(f"{figures[name]:14.2f}" for name in _FIGURES))
        epoch = f"epoch {best} of {len(history['loss'])}" if best else "the start: no epoch was better"
        print(f"The model is that of {epoch}.")
    print(f"{output}: trained on {training['pictures']} pictures. Use it:")
    print(f"  labcolor colorize FOLDER -o COLORED --model {output}", flush=True)
    if training["ending"] == "interrupted":
        print_message(f"interrupted after {training['steps']} steps; add --resume to the same command to resume.")
        return INTERRUPTED
    checkpoint.unlink(missing_ok=True)
    return DONE
