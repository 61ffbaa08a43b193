"""The command line, thin on the same core as the library: ``colorize``, ``video``, ``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcolor import __version__
from labcolor.errors import InputError, LabcolorError, ModelFileError, PictureFileError

if TYPE_CHECKING:
    from labcolor.colorizer import Colorizer

__all__ = ["main"]

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
_LEAST = 7  # pixels of a side that SSIM needs
_WORKERS = 2  # pictures that are read, colored and written at the same time


def _bar(items: Iterable[Any], total: int, unit: str) -> Any:
    """A progress bar on standard error, where that is a terminal and there are several items."""
    from tqdm import tqdm

    return tqdm(items, total=total, unit=unit, disable=total < 2 or not sys.stderr.isatty())


def _say(text: str) -> None:
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def _colorizer(arguments: argparse.Namespace) -> Colorizer:
    """A packaged model by its name, or one from a file, with the command's parameters, checked."""
    from labcolor import _validation
    from labcolor.colorizer import Colorizer
    from labcolor.networks.pretrained import PACKAGED_MODELS

    model = arguments.model
    colorizer = Colorizer.from_pretrained(model) if model in PACKAGED_MODELS else Colorizer.load(model)
    if arguments.working_size is not None:
        colorizer.set_params(working_size=arguments.working_size)
    colorizer.check_params()
    _validation.saturation(arguments.saturation)
    return colorizer


def _destinations(sources: Sequence[str], folder: Path) -> tuple[dict[Path, Path], list[PictureFileError]]:
    """Where the colors of each picture go, into ``folder`` under the same name; and folders without pictures."""
    from labcolor._paths import as_path
    from labcolor.io.pictures import WRITABLE, picture_paths

    if folder.suffix.lower() in WRITABLE and not os.path.isdir(folder):
        raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
    resolved = folder.resolve()
    destinations: dict[Path, Path] = {}
    taken: dict[Path, Path] = {}
    empty: list[PictureFileError] = []
    for source in (as_path("PICTURE", source) for source in sources):
        is_folder = os.path.isdir(source)
        try:
            paths = picture_paths([source]) if is_folder else [source]
        except PictureFileError as error:
            empty.append(error)
            continue
        output_inside = is_folder and source.resolve() in resolved.parents
        for path in paths:
            if output_inside and resolved in path.resolve().parents:
                continue  # colors of an earlier run
            place = folder / (path.relative_to(source) if is_folder else path.name)
            if place.suffix.lower() not in WRITABLE:
                place = place.with_name(place.name + ".png")
            if place in taken and taken[place] != path:
                raise InputError(f"{path} and {taken[place]} would both be written to {place}. Color them apart.")
            if os.path.exists(place) and os.path.exists(path) and place.samefile(path):
                raise InputError(f"{path}: would be replaced by its own colors. Name another folder with -o.")
            taken[place], destinations[path] = path, place
    return destinations, empty


def colorize(arguments: argparse.Namespace) -> int:
    """Color picture files; one that fails does not stop the rest."""
    from labcolor._paths import as_path
    from labcolor._triptych import triptych
    from labcolor.io.pictures import read_picture, write_picture

    destinations, empty = _destinations(arguments.pictures, as_path("-o", arguments.output))
    if arguments.resume:
        destinations = {path: place for path, place in destinations.items() if not os.path.exists(place)}
    colorizer = _colorizer(arguments)

    def work(path: Path, place: Path) -> None:
        picture = read_picture(path)
        colored = colorizer.predict(picture, saturation=arguments.saturation)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PictureFileError(f"{place.parent}: this folder cannot be made: {error.strerror}.") from error
        if arguments.triptych:
            colored = triptych(picture, colored)
        write_picture(place, colored)

    failed = len(empty)
    for problem in empty:
        _say(f"labcolor: {problem}")
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="labcolor-files")
    try:
        running = [pool.submit(work, path, place) for path, place in destinations.items()]
        for future in _bar(as_completed(running), len(running), "picture"):
            error = future.exception()
            if isinstance(error, LabcolorError):
                failed += 1
                _say(f"labcolor: {error}")
            elif error is not None:
                raise error
    finally:
        pool.shutdown(cancel_futures=True)
    _say(f"labcolor: {len(running) + len(empty) - failed} colored, {failed} failed.")
    return FAILED if failed else DONE


def video(arguments: argparse.Namespace) -> int:
    """Color a film, with its sound."""
    colorizer = _colorizer(arguments)
    from labcolor.video.colorize import colorize_video

    report = colorize_video(
        arguments.source,
        arguments.destination,
        colorizer,
        smoothing=arguments.smoothing,
        saturation=arguments.saturation,
        resize=arguments.resize,
        side_by_side=arguments.side_by_side,
        progress=sys.stderr.isatty(),
    )
    rate = report.frames / report.seconds
    _say(f"labcolor: {report.frames} frames in {report.seconds:.1f} s ({rate:.1f} a second), {len(report.cuts)} cuts.")
    if report.complaints:
        _say(f"labcolor: {arguments.source}: damaged; what could be decoded is colored: {report.complaints}")
    return DONE


def _size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, as in 640x480."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text!r}")
    return int(width), int(height)


def _positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _hold_out(folder: str, every: int | None) -> tuple[list[Path], list[Path]]:
    """Split the pictures of a folder, as ``--holdout`` says."""
    from labcolor.io.pictures import picture_paths
    from labcolor.training.data import hold_out

    try:
        return hold_out(picture_paths([folder]), every)
    except InputError as error:
        raise InputError(f"--holdout {every}: {error}") from error


def train(arguments: argparse.Namespace) -> int:
    """Train a network on a folder of color pictures."""
    from labcolor._paths import as_path, check_destination

    output = as_path("-o", arguments.output)
    check_destination(output, ModelFileError)
    from labcolor.colorizer import Colorizer

    names = ("working_size", "crop_size", "epochs", "batch_size", "learning_rate", "aged", "precision")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    colorizer = Colorizer() if arguments.start is None else Colorizer.load(arguments.start)
    if arguments.network is not None:
        given["network"] = arguments.network
    colorizer.set_params(
        **given,
        warm_start=arguments.start is not None,
        random_state=arguments.seed,
        verbose=1 if sys.stderr.isatty() else 2,
    )
    training, _ = _hold_out(arguments.folder, arguments.holdout)
    colorizer.fit(training).save(output, half=arguments.half)
    return DONE


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure a model on a folder of color pictures."""
    from labcolor import evaluation
    from labcolor.pictures.picture import one_picture

    colorizer = _colorizer(arguments)
    training, held_out = _hold_out(arguments.folder, arguments.holdout)
    pictures, failed = [], 0
    for path in training if arguments.holdout is None else held_out:
        try:
            picture = evaluation.center_square(path, arguments.size)
            if len(picture) < _LEAST:
                raise InputError(f"{path}: expected at least {_LEAST} x {_LEAST} pixels. Left out.")
            pictures.append(picture)
        except LabcolorError as error:
            failed += 1
            _say(f"labcolor: {error}")
    if not pictures:
        raise InputError(f"{arguments.folder}: expected color pictures, found none that can be used.")
    methods = {
        "grey": lambda picture: one_picture(picture, "picture").grey(),
        arguments.model: lambda picture: colorizer.predict(picture, saturation=arguments.saturation),
    }
    print(f"{len(pictures)} pictures")
    print(evaluation.table(evaluation.evaluate(pictures, methods, lambda p: _bar(p, len(p), "picture"))))
    return FAILED if failed else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labcolor",
        description="Color black-and-white pictures and films.",
        epilog="Exit codes: 0 done; 1 something failed; 2 the command line is wrong; 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"labcolor {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def common(command: argparse.ArgumentParser) -> None:
        command.add_argument("--model", default="classifier", help="a packaged model's name, or a model file")
        command.add_argument("--working-size", type=int, help="short side of the picture that the network sees")
        command.add_argument("--saturation", type=float, default=1.0, help="0 grey, 1 as predicted, more: vivid")

    command = commands.add_parser("colorize", help="color picture files", description=colorize.__doc__)
    command.set_defaults(run=colorize)
    command.add_argument("pictures", nargs="+", metavar="PICTURE", help="a picture file, or a folder of them")
    command.add_argument("-o", "--output", required=True, metavar="FOLDER", help="where the colors go")
    command.add_argument("--triptych", action="store_true", help="write L, colored and original side by side")
    command.add_argument("--resume", action="store_true", help="leave out what is in the output folder already")
    common(command)

    command = commands.add_parser("video", help="color a film", description=video.__doc__)
    command.set_defaults(run=video)
    command.add_argument("source", metavar="IN", help="the film, in any format that ffmpeg reads")
    command.add_argument("destination", metavar="OUT", help="ends in .mp4, .mov, .mkv, .webm or .gif")
    command.add_argument("--smoothing", type=float, default=0.96, help="from 0 (none) to 0.99")
    command.add_argument("--resize", type=_size, metavar="WxH", help="size of the result")
    command.add_argument("--side-by-side", action="store_true", help="original left, colored right")
    common(command)

    command = commands.add_parser("train", help="train on a folder", description=train.__doc__)
    command.set_defaults(run=train)
    command.add_argument("folder", metavar="FOLDER", help="color pictures, in subfolders too")
    command.add_argument("-o", "--output", required=True, metavar="MODEL", help="the model file to write")
    command.add_argument("--network", help='"reference" or "classifier"')
    command.add_argument("--start", metavar="MODEL", help="a model file to go on from")
    command.add_argument("--holdout", type=_positive, metavar="N", help="leave out every Nth picture by name")
    command.add_argument("--working-size", type=int, help="short side of the picture that the network is to see")
    command.add_argument("--epochs", type=int, help="passes over the pictures")
    command.add_argument("--crop-size", type=int, help="side of the crops to train on")
    command.add_argument("--batch-size", type=int, help="crops in a step")
    command.add_argument("--learning-rate", type=float, help="peak of the learning rate")
    command.add_argument("--aged", type=float, help="share of crops made to look like old film, 0 to 1")
    command.add_argument("--precision", help='"float32" or "mixed_bfloat16"')
    command.add_argument("--seed", type=int, help="makes the training repeatable")
    command.add_argument("--half", action="store_true", help="write the weights in float16")

    command = commands.add_parser("evaluate", help="measure a model", description=evaluate.__doc__)
    command.set_defaults(run=evaluate)
    command.add_argument("folder", metavar="FOLDER", help="color pictures, in subfolders too")
    command.add_argument("--holdout", type=_positive, metavar="N", help="take only every Nth picture by name")
    command.add_argument("--size", type=_positive, default=256, help="reduce short sides to this, and crop to a square")
    common(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - it was closed, and is somewhere to write to
    with suppress(ValueError):  # which a thread gets that is not the main one
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # to end as on SIGINT, leaving nothing behind
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except LabcolorError as error:
        if arguments.debug:
            raise
        print(f"labcolor: {error}", file=sys.stderr)
        return MISUSED if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        print("labcolor: interrupted.", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
