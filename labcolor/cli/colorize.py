"""``labcolor colorize``: color picture files."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcolor.cli.common import (
    DONE,
    FAILED,
    add_like,
    add_model_options,
    model_of,
    print_message,
    progress_bar,
    whole_number,
)
from labcolor.errors import InputError, LabcolorError

if TYPE_CHECKING:
    from labcolor.base.typing import Array
    from labcolor.errors import PictureFileError
    from labcolor.io.folders import Pairs
    from labcolor.pictures.hints import Hint

__all__ = ["FORMATS", "add_to", "run"]

_WORKERS = 2  # pictures that are processed at the same time
_RADIUS = 4  # of a hint that names none; here, too, so that --help does not load numpy
FORMATS = ("png", "jpg", "tif", "webp", "bmp", "avif")  # here, too, for the same reason
_STANDARD = "-"  # standard input or output
_LARGEST = 1 << 30  # bytes of standard input


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
        "picture in a format that cannot be written becomes a .png. In .jpg and .bmp, which hold no alpha, transparent "
        "parts become white. A file that cannot be read is reported, and the others are colored. A file with two names "
        "is colored under both. An input file is never overwritten.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    command.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a picture file, or a folder, which is searched with its subfolders; hidden files, links to folders and "
        "files in the output folder are left out. Without -o: the picture, and the file to write, which must not "
        "exist; - is standard input or output",
    )
    group = command.add_argument_group("output")
    group.add_argument(
        "-o", "--output", metavar="FOLDER", help="folder for the colored pictures; created if it does not exist"
    )
    group.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the picture on standard output (default: png)",
    )
    group.add_argument("--triptych", action="store_true", help="write L, colored and original side by side")
    group.add_argument("--resume", action="store_true", help="skip pictures that are in the output folder already")
    group.add_argument(
        "--quality",
        type=whole_number(1, 100),
        metavar="NUMBER",
        help="quality of .jpg, .webp and .avif, from 1 (small file) to 100 (best) (default: 95)",
    )
    group.add_argument(
        "--compression",
        type=whole_number(0, 9),
        metavar="NUMBER",
        help="lossless compression of .png, from 0 (large file) to 9 (small, slow) (default: 6); .tif is compressed "
        "if it is at least 1 (default: not compressed)",
    )
    group.add_argument(
        "--no-label", action="store_true", help="leave out the label in XMP that says that the colors are inferred"
    )
    add_model_options(command)
    group = command.add_argument_group("known colors")
    add_like(group)
    group.add_argument(
        "--hint",
        type=_hint,
        action="append",
        metavar="X,Y,#RRGGBB[,RADIUS]",
        help="a known color in a single picture: its place in pixels from the left and from the top, the color, and a "
        f"radius in pixels (default: {_RADIUS}), as in '120,80,#e07020'; more places make a line, as in "
        "'120,80,160,95,#e07020'; the lightness of the color is ignored; 'keep' instead of a color: this place and "
        "what looks like it keep the predicted color; 'fence': no hint reaches this place; may be repeated",
    )


def _hint(text: str) -> Hint:
    """Convert the text of ``--hint``."""
    from labcolor.pictures.hints import parse_hint

    try:
        return parse_hint(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _options(arguments: argparse.Namespace, ending: str) -> dict[str, Any]:
    """Return the options of ``write_picture`` from ``--quality`` and ``--compression``, for the format of an ending."""
    from labcolor.io.encoders import LOSSY

    if ending in LOSSY:
        return {"quality": arguments.quality}
    if ending == ".png":
        return {"compression": arguments.compression}
    if ending in (".tif", ".tiff"):
        return {"compression": "deflate" if arguments.compression else None}
    return {}


def _pairs(arguments: argparse.Namespace) -> tuple[Pairs, list[PictureFileError]]:
    """Return the pictures with their destinations, and the errors of folders that cannot be read."""
    from labcolor.base.paths import as_path
    from labcolor.io.encoders import WRITABLE
    from labcolor.io.folders import VIDEO_ENDINGS, distinct, picture_places

    for name in arguments.pictures:
        if Path(name).suffix.lower() in VIDEO_ENDINGS:
            raise InputError(f"{name}: expected a picture, got a video. Use: labcolor video {shlex.quote(name)} OUT")
    if arguments.output is not None:
        folder = as_path("-o", arguments.output)
        if folder.suffix.lower() in WRITABLE and not os.path.isdir(folder):
            raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
        found, problems = picture_places(arguments.pictures, folder, "PICTURE")
        return distinct(found, "-o"), problems
    if len(arguments.pictures) != 2:
        raise InputError("expected a picture and the file to write, or -o FOLDER for the colored pictures.")
    source, place = (as_path("PICTURE", name) for name in arguments.pictures)
    if os.path.isdir(source) or place.suffix.lower() not in WRITABLE:
        raise InputError(
            f"expected a picture and a file to write that ends in {', '.join(WRITABLE)}, got {source} and {place}. "
            f"Name a folder for the colored pictures with -o."
        )
    if os.path.exists(place) and not arguments.resume:
        raise InputError(f"{place}: exists already. Remove it, or color both pictures with -o FOLDER.")
    return [(source, place)], []


def run(arguments: argparse.Namespace) -> int:
    """Color picture files. An error in one file does not stop the others."""
    if _STANDARD in arguments.pictures:
        return _run_piped(arguments)
    if arguments.format is not None:
        raise InputError("--format: expected - as the file to write. Otherwise its name decides the format.")
    pairs, problems = _pairs(arguments)
    _check_options(arguments, pairs)
    if arguments.resume:
        pairs = [(path, place) for path, place in pairs if not os.path.exists(place)]
    work = _worker(arguments)
    for problem in problems:
        print_message(str(problem))
    failed = len(problems)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="labcolor-files")
    running = {pool.submit(work, path, place): path for path, place in pairs}
    try:
        for future in progress_bar(as_completed(running), len(running), "picture"):
            error = future.exception()
            if isinstance(error, LabcolorError):
                failed += 1
                path = running[future]
                print_message(str(error) if str(path) in str(error) else f"{path}: {error}")
            elif error is not None:
                raise error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after a signal a file may still wait for its reader
    print_message(f"{len(running) + len(problems) - failed} colored, {failed} failed.")
    return FAILED if failed else DONE


def _run_piped(arguments: argparse.Namespace) -> int:
    """Color one picture from standard input, or to standard output."""
    from labcolor.base.paths import as_path

    if arguments.output is not None or len(arguments.pictures) != 2 or arguments.resume:
        raise InputError("-: expected a picture and the file to write, without -o and --resume.")
    source, sink = arguments.pictures
    if sink == _STANDARD and sys.stdout.isatty():
        raise InputError("-: expected another program or a file after it, got a terminal.")
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        place = Path(folder, f"colored.{arguments.format or 'png'}")
        if sink != _STANDARD:
            found = argparse.Namespace(**{**vars(arguments), "pictures": ["standard input", sink]})
            ((_, place),), _ = _pairs(found)
        path = as_path("PICTURE", source)
        _check_options(arguments, [(path, place)])
        work = _worker(arguments)
        if source == _STANDARD:
            content = sys.stdin.buffer.read(_LARGEST + 1)
            if len(content) > _LARGEST:
                raise InputError(f"-: expected a picture of at most {_LARGEST:,} bytes, got more.")
            work(content, place)
        else:
            work(path, place)
        if sink == _STANDARD:
            sys.stdout.buffer.write(place.read_bytes())
            sys.stdout.buffer.flush()
    return DONE


def _check_options(arguments: argparse.Namespace, pairs: Pairs) -> None:
    """Raise an InputError for options that do not suit the pictures."""
    if arguments.hint and len(pairs) != 1:
        raise InputError(f"--hint: expected one picture, got {len(pairs)}. Color the others apart.")
    taken = {name for _, place in pairs for name in _options(arguments, place.suffix.lower())}
    for name in ("quality", "compression"):
        if getattr(arguments, name) is not None and pairs and name not in taken:
            raise InputError(f"--{name}: expected pictures in a format that has one, got none. Leave it out.")


def _worker(arguments: argparse.Namespace) -> Callable[[Path | bytes, Path], None]:
    """Load the model, and return the function that colors one picture file."""
    from labcolor.display.triptych import triptych
    from labcolor.io.folders import color_file

    colorizer = model_of(arguments)
    if arguments.like:
        colorizer.exemplars(arguments.like)  # before any picture is colored, since an error concerns all of them

    def color(picture: Array) -> Array:
        colored = colorizer.predict(picture, saturation=arguments.saturation, hints=arguments.hint, like=arguments.like)
        return triptych(picture, colored) if arguments.triptych else colored

    label = {"label": not arguments.no_label}
    return lambda source, place: color_file(source, place, color, label | _options(arguments, place.suffix.lower()))
