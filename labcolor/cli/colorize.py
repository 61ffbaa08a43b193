"""``labcolor colorize``: color picture files."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcolor.cli.common import (
    DONE,
    FAILED,
    add_model_options,
    model_of,
    print_message,
    progress_bar,
    whole_number,
)
from labcolor.errors import InputError, LabcolorError

if TYPE_CHECKING:
    from labcolor.base.typing import Array
    from labcolor.pictures.hint_text import Hint

__all__ = ["add_to", "run"]

_WORKERS = 2  # pictures that are processed at the same time
_RADIUS = 4  # of a hint that names none; here, too, so that --help does not load numpy


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "colorize",
        help="color picture files",
        description="Color picture files. Each keeps its name, size, depth, format, EXIF, XMP and resolution. A "
        "picture in a format that cannot be written becomes a .png. In .jpg and .bmp, which hold no alpha, transparent "
        "parts become white. A file that cannot be read is reported, and the others are colored. A file with two names "
        "is colored under both. An input file is never overwritten.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a picture file, or a folder, which is searched with its subfolders; hidden files, links to folders and "
        "files in the output folder are left out",
    )
    command.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FOLDER",
        help="folder for the colored pictures; created if it does not exist",
    )
    command.add_argument("--triptych", action="store_true", help="write L, colored and original side by side")
    command.add_argument("--resume", action="store_true", help="skip pictures that are in the output folder already")
    command.add_argument(
        "--quality",
        type=whole_number(1, 100),
        metavar="NUMBER",
        help="quality of .jpg, .webp and .avif, from 1 (small file) to 100 (best) (default: 95)",
    )
    command.add_argument(
        "--compression",
        type=whole_number(0, 9),
        metavar="NUMBER",
        help="lossless compression of .png, from 0 (large file) to 9 (small, slow) (default: 6); .tif is compressed "
        "if it is at least 1 (default: not compressed)",
    )
    command.add_argument(
        "--hint",
        type=_hint,
        action="append",
        metavar="X,Y,#RRGGBB[,RADIUS]",
        help="a known color in a single picture: its place in pixels from the left and from the top, the color, and a "
        f"radius in pixels (default: {_RADIUS}), as in '120,80,#e07020'; the lightness of the color is ignored; 'keep' "
        "instead of a color: this and what looks like it keeps its predicted color; 'fence': no hint reaches here; may "
        "be repeated",
    )
    add_model_options(command)


def _hint(text: str) -> Hint:
    """Convert the text of ``--hint``."""
    from labcolor.pictures.hint_text import parse_hint

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


def run(arguments: argparse.Namespace) -> int:
    """Color picture files. An error in one file does not stop the others."""
    from labcolor.base.paths import as_path
    from labcolor.display.triptych import triptych
    from labcolor.io.encoders import WRITABLE
    from labcolor.io.folders import color_file, distinct, picture_places
    from labcolor.pictures.hint_text import hint_map

    folder = as_path("-o", arguments.output)
    if folder.suffix.lower() in WRITABLE and not os.path.isdir(folder):
        raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
    found, problems = picture_places(arguments.pictures, folder, "PICTURE")
    pairs = distinct(found, "-o")
    if arguments.hint and len(pairs) != 1:
        raise InputError(f"--hint: expected one picture, got {len(pairs)}. Color the others apart.")
    taken = {name for _, place in pairs for name in _options(arguments, place.suffix.lower())}
    for name in ("quality", "compression"):
        if getattr(arguments, name) is not None and pairs and name not in taken:
            raise InputError(f"--{name}: expected pictures in a format that has one, got none. Leave it out.")
    if arguments.resume:
        pairs = [(path, place) for path, place in pairs if not os.path.exists(place)]
    colorizer = model_of(arguments)

    def color(picture: Array) -> Array:
        hints = hint_map(arguments.hint, picture.shape[:2], "--hint") if arguments.hint else None
        colored = colorizer.predict(picture, saturation=arguments.saturation, hints=hints)
        return triptych(picture, colored) if arguments.triptych else colored

    def work(path: Path, place: Path) -> None:
        color_file(path, place, color, _options(arguments, place.suffix.lower()))

    for problem in problems:
        print_message(str(problem))
    failed = len(problems)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="labcolor-files")
    try:
        running = {pool.submit(work, path, place): path for path, place in pairs}
        for future in progress_bar(as_completed(running), len(running), "picture"):
            error = future.exception()
            if isinstance(error, LabcolorError):
                failed += 1
                path = running[future]
                print_message(str(error) if str(path) in str(error) else f"{path}: {error}")
            elif error is not None:
                raise error
    finally:
        pool.shutdown(cancel_futures=True)
    print_message(f"{len(running) + len(problems) - failed} colored, {failed} failed.")
    return FAILED if failed else DONE
