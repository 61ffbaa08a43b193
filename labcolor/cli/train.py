"""``labcolor train``: train a network on a folder of color pictures."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from labcolor.cli.common import DONE, MODELS, held_out, load, whole_number
from labcolor.errors import InputError, ModelFileError

__all__ = ["NETWORKS", "add_to", "run"]

# The architectures of the package, listed here so that --help does not load TensorFlow.
NETWORKS = ("reference", "classifier", "efficientnet")
_PARAMETERS = ("crop_size", "epochs", "batch_size", "learning_rate", "aged", "precision")  # of Colorizer


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "train",
        help="train on a folder of color pictures",
        description="Train a network on color pictures.",
    )
    command.set_defaults(run=run)
    command.add_argument("folder", metavar="FOLDER", help="color pictures; subfolders are searched too")
    command.add_argument("-o", "--output", required=True, metavar="MODEL", help="the model file to write")
    command.add_argument(
        "--network", choices=NETWORKS, help="the architecture to train (default: reference, or that of --start)"
    )
    command.add_argument(
        "--start",
        metavar="MODEL",
        help=f"the model to continue from: a packaged model ({', '.join(MODELS)}), or the path of a model file "
        "(default: new weights)",
    )
    command.add_argument(
        "--holdout",
        type=whole_number(1),
        metavar="N",
        help="leave out every Nth picture by name, for labcolor evaluate --holdout N (default: leave out none)",
    )
    command.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="short side of the picture that the network will see in predictions, from 8 (default: 136, or that of "
        "--start)",
    )
    command.add_argument(
        "--epochs", type=int, default=20, help="number of passes over the pictures, from 1 (default: %(default)s)"
    )
    command.add_argument(
        "--crop-size",
        type=int,
        default=128,
        metavar="PIXELS",
        help="side of the square crops to train on, a multiple of 32 (default: %(default)s)",
    )
    command.add_argument(
        "--batch-size", type=int, default=32, metavar="CROPS", help="crops per step, from 1 (default: %(default)s)"
    )
    command.add_argument(
        "--learning-rate",
        type=float,
        default=1e-3,
        metavar="RATE",
        help="peak of the learning rate, from 1e-9 to 10 (default: %(default)g)",
    )
    command.add_argument(
        "--aged",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of crops that are changed to look like old film, from 0 to 1 (default: %(default)g)",
    )
    command.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="arithmetic of the training; mixed_bfloat16 is faster if the processor supports it (default: %(default)s)",
    )
    command.add_argument(
        "--seed",
        type=int,
        metavar="NUMBER",
        help="seed that makes the training repeatable, from 0 to 4294967295 (default: a random seed)",
    )
    command.add_argument(
        "--half", action="store_true", help="write the weights in float16: half the size, without visible differences"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train a network on a folder of color pictures."""
    from labcolor._paths import as_path, check_destination, identity

    output = as_path("-o", arguments.output)
    check_destination(output, ModelFileError)
    from labcolor.colorizer import Colorizer

    training, others = held_out(arguments.folder, arguments.holdout)
    if os.path.exists(output) and identity(output) in map(identity, (*training, *others)):
        raise InputError(f"{output}: is one of the pictures to train on. Choose another name for the model.")
    colorizer = Colorizer() if arguments.start is None else load(arguments.start)
    for name in ("network", "working_size"):
        if getattr(arguments, name) is not None:
            colorizer.set_params(**{name: getattr(arguments, name)})
    colorizer.set_params(
        **{name: getattr(arguments, name) for name in _PARAMETERS},
        warm_start=arguments.start is not None,
        random_state=arguments.seed,
        verbose=1 if sys.stderr.isatty() else 2,
    )
    colorizer.fit(training).save(output, half=arguments.half)
    return DONE
