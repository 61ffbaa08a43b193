"""``labcolor evaluate``: measure a model on a folder of color pictures."""

from __future__ import annotations

import argparse
from typing import Any

from labcolor.cli.common import (
    DONE,
    FAILED,
    add_model_options,
    add_values,
    model_of,
    print_message,
    progress_bar,
    whole_number,
)
from labcolor.errors import InputError, LabcolorError

_LEAST = 7  # smallest side for SSIM, in pixels


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "evaluate",
        help="measure a model on a folder of color pictures",
        usage="%(prog)s [options] FOLDER",
        description="Measure a model on a folder of color pictures, and print a table of means: PSNR in dB, and at a "
        "colorfulness of 36, that of photographs; SSIM; CIEDE2000, the color error; colorfulness; AuC, the area under "
        "the curve of ab errors; the share of neutral pixels that are tinted and of colorful pixels that stay grey.",
    )
    command.set_defaults(run=run)
    command.add_argument("folder", metavar="FOLDER", help="color pictures, in subfolders too")
    size = "side of the squares to measure on, from 7 (default: %(default)s)"
    add_values(command, ("--size", whole_number(_LEAST), "PIXELS", 256, size))
    add_model_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Measure a model on a folder of color pictures."""
    from labcolor import evaluation
    from labcolor.io.inputs import one_picture
    from labcolor.io.pictures import picture_paths

    colorizer = model_of(arguments)
    pictures, failed = [], 0
    for path in picture_paths([arguments.folder]):
        try:
            picture = evaluation.center_square(path, arguments.size)
            if len(picture) < _LEAST:
                raise InputError(f"{path}: expected at least {_LEAST} x {_LEAST} pixels. Left out.")
            pictures.append(picture)
        except LabcolorError as error:
            failed += 1
            print_message(str(error))
    if not pictures:
        raise InputError(f"{arguments.folder}: expected color pictures, but none can be used.")
    methods = {
        "grey": lambda picture: one_picture(picture, "picture").grey(),
        arguments.model: lambda picture: colorizer.predict(picture, saturation=arguments.saturation),
    }
    rows = evaluation.evaluate(pictures, methods, progress_bar)
    matched = evaluation.at_colorfulness(pictures, lambda p, s: colorizer.predict(p, saturation=s), progress_bar)
    rows[arguments.model].update(matched)
    print(f"{len(pictures)} pictures\n{evaluation.table(rows)}", flush=True)
    return FAILED if failed else DONE
