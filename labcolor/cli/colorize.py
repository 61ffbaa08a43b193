"""``labcolor colorize``: color picture files."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from labcolor.base.memory import keep_freed_memory
from labcolor.cli.common import (
    DONE,
    FAILED,
    OVERWRITE,
    add_flags,
    add_like,
    add_model_options,
    add_values,
    model_of,
    print_message,
    progress_bar,
    whole_number,
)
from labcolor.errors import InputError, LabcolorError

if TYPE_CHECKING:
    from labcolor.base.typing import Array
    from labcolor.errors import PictureFileError
    from labcolor.pictures.hints import Hint
    from labcolor.pictures.picture import Picture

_Job: TypeAlias = tuple[Path | None, Path | None]  # source and destination; None: standard input or output
_STANDARD = "-"
_WORKERS = 2  # pictures that are processed at the same time
_RADIUS = 4  # default radius of a hint; repeated here so that --help does not load numpy
FORMATS = ("png", "jpg", "tif", "webp", "bmp", "avif")  # repeated here for the same reason
_EXAMPLES = """
examples:
  labcolor colorize old.jpg colored.png
  labcolor colorize album/ scan.tif -o colored/
  labcolor colorize album/ -o colored/ --like postcard.jpg
  labcolor colorize suit.jpg brown.jpg --hint '120,400,#704020'
  labcolor colorize - - --format jpg < old.jpg > colored.jpg
"""


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "colorize",
        help="color picture files",
        usage="%(prog)s [options] IN OUT\n       %(prog)s [options] PICTURE... -o FOLDER",
        description="Color picture files. Each keeps its name, size, depth, format, EXIF, XMP and resolution. A "
        "picture in a format that cannot be written becomes a .png. In .jpg and .bmp, which have no alpha, transparent "
        "parts become white. A file that cannot be read is reported, and the others are colored. An input file is "
        "never overwritten.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    command.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a picture file, or a folder, which is searched with its subfolders; hidden files, links to folders and "
        "files in the output folder are left out. Without -o: the picture, and the file to write; - is standard input "
        "or output, ./- a file of that name",
    )
    group = command.add_argument_group("output")
    output = "folder for the colored pictures; created if it does not exist"
    group.add_argument("-o", "--output", metavar="FOLDER", help=output)
    form = "format in the output folder or on standard output (default: that of each picture; png on standard output)"
    add_values(group, ("--format", FORMATS, None, None, form))
    add_flags(
        group.add_mutually_exclusive_group(), ("--resume", "skip pictures whose result exists already"), OVERWRITE
    )
    add_flags(group, ("--triptych", "write lightness, colored and original side by side"))
    add_values(
        group,
        ("--quality", whole_number(1, 100), "NUMBER", None, "quality of .jpg, .webp and .avif, 1 to 100 (default: 95)"),
        ("--compression", whole_number(0, 9), "NUMBER", None, "of .png (default: 6) and .tif (default: 0), 0 to 9"),
    )
    add_flags(group, ("--no-label", "leave out the label in XMP that says that the colors are inferred"))
    add_model_options(command)
    group = command.add_argument_group("known colors")
    add_like(group)
    add_flags(group, ("--consistent", "make colors of one place or person agree in all pictures, which are read twice"))
    group.add_argument(
        "--hint",
        type=_hint,
        action="append",
        metavar="X,Y,#RRGGBB[,RADIUS]",
        help="a known color in a single picture: its position in pixels from the left and from the top, the color, "
        f"and a radius in pixels (default: {_RADIUS}), as in '120,80,#e07020'; more points make a line, as in "
        "'120,80,160,95,#e07020'; the lightness of the color is ignored; 'keep' instead of a color: this spot and "
        "similar regions keep the predicted color; 'fence': no hint reaches this spot; may be repeated",
    )


def _hint(text: str) -> Hint:
    """Convert the text of ``--hint``."""
    from labcolor.pictures.hints import parse_hint

    try:
        return parse_hint(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Color picture files. An error in one file does not stop the others."""
    keep_freed_memory()
    jobs, problems = _jobs(arguments)
    _check_options(arguments, jobs)
    found = len(jobs)
    album = [path for path, _ in jobs if path is not None]
    jobs = _without_results(arguments, jobs)
    work = _worker(arguments, album)
    for problem in problems:
        print_message(str(problem))
    failed = len(problems)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="labcolor-files")
    running = {pool.submit(work, *job): job for job in jobs}
    try:
        for future in progress_bar(as_completed(running), len(running)):
            error = future.exception()
            if isinstance(error, LabcolorError):
                failed += 1
                name = str(running[future][0] or "standard input")
                print_message(str(error) if name in str(error) else f"{name}: {error}")
            elif error is not None:
                raise error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after a signal a file may still wait for its reader
    if arguments.pictures[-1] != _STANDARD:
        skipped = f", {found - len(jobs)} skipped" if len(jobs) < found else ""
        print_message(f"{len(jobs) + len(problems) - failed} colored, {failed} failed{skipped}.")
    return FAILED if failed else DONE


def _jobs(arguments: argparse.Namespace) -> tuple[list[_Job], list[PictureFileError]]:
    """Return the sources with their destinations, and the errors of folders that cannot be read."""
    from labcolor.base.paths import as_path
    from labcolor.io.encoders import WRITABLE, check_ending
    from labcolor.io.folders import VIDEO_ENDINGS, distinct, picture_places

    names, ending = arguments.pictures, arguments.format and f".{arguments.format}"
    for name in names:
        if Path(name).suffix.lower() in VIDEO_ENDINGS:
            raise InputError(f"{name}: expected a picture, got a video. Use: labcolor video {shlex.quote(name)} OUT")
    if arguments.output is not None:
        folder = as_path("-o", arguments.output)
        if folder.suffix.lower() in WRITABLE and not os.path.isdir(folder):
            raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
        if _STANDARD in names:
            raise InputError("-: expected a picture and the file to write, without -o.")
        found, problems = picture_places(names, folder, "PICTURE", ending)
        return [*distinct(found, "-o")], problems
    if len(names) != 2:
        raise InputError("expected a picture and the file to write, or -o FOLDER for the colored pictures.")
    source, place = (None if name == _STANDARD else as_path("PICTURE", name) for name in names)
    if source is not None and os.path.isdir(source):
        raise InputError(f"{source}: expected a picture, got a folder. Name a folder for its results with -o.")
    if place is not None:
        check_ending(place, "Rename it, or name a folder for the colored pictures with -o.")
    if place is None and sys.stdout.isatty():
        raise InputError("-: expected another program or a file as standard output, got a terminal.")
    if place is not None and ending is not None:
        raise InputError("--format: expected -o or - as the file to write. Otherwise its name decides the format.")
    if source is not None and place is not None:
        distinct([(source, place)], "the file to write")
    return [(source, place)], []


def _without_results(arguments: argparse.Namespace, jobs: list[_Job]) -> list[_Job]:
    """Return the jobs whose result does not exist. An existing result is an error unless an option allows it."""
    from labcolor.base.paths import check_absent

    if arguments.overwrite:
        return jobs
    if arguments.resume:
        return [(path, place) for path, place in jobs if place is None or not os.path.exists(place)]
    places = (place for _, place in jobs if place is not None)
    check_absent(places, "Add --resume to keep results that exist, or --overwrite to replace them.")
    return jobs


def _check_options(arguments: argparse.Namespace, jobs: list[_Job]) -> None:
    """Raise an InputError for options that do not suit the pictures."""
    if arguments.hint and len(jobs) != 1:
        raise InputError(f"--hint: expected one picture, got {len(jobs)}. Color each picture by itself.")
    if arguments.consistent and len(jobs) < 2:
        raise InputError("--consistent: expected several pictures and -o FOLDER, got one picture.")
    known = {name for _, place in jobs for name in _options(arguments, place)[1]}
    for name in ("quality", "compression"):
        if getattr(arguments, name) is not None and jobs and name not in known:
            raise InputError(f"--{name}: expected pictures in a format with this option, got none. Leave it out.")


def _options(arguments: argparse.Namespace, place: Path | None) -> tuple[str, dict[str, Any]]:
    """Return the ending of a result, and the options of ``write_picture`` that its format has."""
    from labcolor.io.encoders import LOSSY

    ending = f".{arguments.format or 'png'}" if place is None else place.suffix.lower()
    if ending in LOSSY:
        return ending, {"quality": arguments.quality}
    if ending == ".png":
        return ending, {"compression": arguments.compression}
    if ending in (".tif", ".tiff"):
        return ending, {"compression": "deflate" if arguments.compression else None}
    return ending, {}


def _readable(paths: list[Path]) -> Iterator[Picture]:
    """Yield the pictures of files; those that cannot be read are reported when they are colored."""
    from labcolor.io.inputs import one_picture

    for path in progress_bar(paths):
        with suppress(LabcolorError):
            yield one_picture(path, "PICTURE")


def _worker(arguments: argparse.Namespace, album: list[Path]) -> Callable[[Path | None, Path | None], None]:
    """Load the model, and return the function that colors one picture file of an album."""
    from labcolor.colorizer import coloring
    from labcolor.display.views import triptych
    from labcolor.io.folders import color_file, color_file_to_bytes
    from labcolor.io.sources import as_source

    pictures = _readable(album) if arguments.consistent else None
    plain = coloring(model_of(arguments), arguments.saturation, arguments.hint, arguments.like, pictures)

    def color(picture: Array, in_cells: bool) -> Array:
        if not arguments.triptych:
            return plain(picture, in_cells)
        return triptych(picture, plain(picture, False))

    def work(path: Path | None, place: Path | None) -> None:
        source = as_source("standard input", sys.stdin.buffer) if path is None else path
        ending, options = _options(arguments, place)
        options["label"] = not arguments.no_label
        if place is not None:
            color_file(source, place, color, options)
        else:
            sys.stdout.buffer.write(color_file_to_bytes(source, ending, color, options))
            sys.stdout.buffer.flush()

    return work
