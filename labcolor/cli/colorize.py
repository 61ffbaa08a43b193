"""``labcolor colorize``: color picture files."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labcolor.cli.common import DONE, FAILED, add_model_options, model_of, progress_bar, say, whole_number
from labcolor.errors import InputError, LabcolorError, PictureFileError

if TYPE_CHECKING:
    from labcolor._typing import Array

__all__ = ["add_to", "run"]

_WORKERS = 2  # pictures that are read, colored and written at the same time
_RADIUS = 4  # pixels of a hint


class _Hint(NamedTuple):
    """A color that is known at a place of the picture."""

    x: int
    y: int
    rgb: tuple[int, int, int]
    radius: int


def add_to(commands: Any) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser(
        "colorize",
        help="color picture files",
        description="Color picture files. Each keeps its name, size, depth, format, EXIF, XMP and resolution; one of a "
        "format that cannot be written becomes a .png, and alpha that .jpg and .bmp do not hold is laid over white. A "
        "file that cannot be read is reported and does not stop the rest. Each name gets its colors, so a file with "
        "two names is colored under both. No picture that is to be colored is overwritten.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help="a picture file, or a folder, which is searched with its subfolders; hidden files, links to folders and "
        "what lies in the output folder are left out",
    )
    command.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="where the colors go; made where it does not exist"
    )
    command.add_argument("--triptych", action="store_true", help="write L, colored and original side by side")
    command.add_argument("--resume", action="store_true", help="leave out what is in the output folder already")
    command.add_argument(
        "--quality",
        type=whole_number(1, 100),
        metavar="NUMBER",
        help="quality of .jpg, .webp and .avif, from 1 to 100: more is finer and larger (default: 95)",
    )
    command.add_argument(
        "--compression",
        type=whole_number(0, 9),
        metavar="NUMBER",
        help="compression without loss of .png, from 0 (large) to 9 (small, slow) (default: 6); from 1 on .tif is "
        "compressed, too (default: it is not)",
    )
    command.add_argument(
        "--hint",
        type=_hint,
        action="append",
        metavar="X,Y,#RRGGBB[,RADIUS]",
        help="a color that is known, for one picture: pixels from its left and from its top, hue and strength as those "
        f"of the color, within a radius in pixels (default: {_RADIUS}), as in '120,80,#e07020'; may be repeated",
    )
    add_model_options(command)


def _hint(text: str) -> _Hint:
    """Turn X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS into a hint."""
    parts = re.fullmatch(r"([0-9]{1,9}),([0-9]{1,9}),#([0-9a-fA-F]{6})(?:,([0-9]{1,9}))?", text)
    if parts is None:
        raise argparse.ArgumentTypeError(
            f"expected X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS, as in '120,80,#e07020', got {text[:40]!r}"
        )
    x, y, color, radius = parts.groups()
    red, green, blue = bytes.fromhex(color)
    return _Hint(int(x), int(y), (red, green, blue), _RADIUS if radius is None else int(radius))


def _map_of(hints: Sequence[_Hint], shape: tuple[int, int]) -> Array:
    """Turn hints into what ``Colorizer.predict`` takes: (H, W, 2) float32; where two meet, the later one counts."""
    import numpy as np

    from labcolor.color.lab import rgb_to_lab

    height, width = shape
    known = np.full((height, width, 2), np.nan, np.float32)
    rows, columns = np.ogrid[:height, :width]
    for hint in hints:
        if hint.x >= width or hint.y >= height:
            raise InputError(
                f"--hint {hint.x},{hint.y}: expected a place in the picture, from 0,0 to {width - 1},{height - 1}."
            )
        disk = (columns - hint.x) ** 2 + (rows - hint.y) ** 2 <= hint.radius**2
        known[disk] = rgb_to_lab(np.array(hint.rgb, np.uint8))[1:]
    return known


def _options(arguments: argparse.Namespace, ending: str) -> dict[str, Any]:
    """Return what ``write_picture`` takes of ``--quality`` and ``--compression`` for the format of an ending."""
    from labcolor.io.encoders import LOSSY

    if ending in LOSSY:
        return {"quality": arguments.quality}
    if ending == ".png":
        return {"compression": arguments.compression}
    if ending in (".tif", ".tiff"):
        return {"compression": "deflate" if arguments.compression else None}
    return {}


def _found(sources: Sequence[str], folder: Path) -> tuple[list[tuple[Path, Path]], list[PictureFileError]]:
    """Find the pictures and where the colors of each go, into ``folder`` under the same name; and what is wrong."""
    from labcolor._paths import as_path
    from labcolor.io.encoders import WRITABLE
    from labcolor.io.pictures import picture_paths

    real_folder = folder.resolve()
    pairs: list[tuple[Path, Path]] = []
    problems: list[PictureFileError] = []
    for source in (as_path("PICTURE", source) for source in sources):
        is_folder = os.path.isdir(source)
        paths = picture_paths([source], problems) if is_folder else [source]
        if is_folder and source.resolve() in real_folder.parents:
            earlier = source / real_folder.relative_to(source.resolve())
            paths = [path for path in paths if earlier not in path.parents]
        for path in paths:
            place = folder / (path.relative_to(source) if is_folder else path.name)
            if place.suffix.lower() not in WRITABLE:
                place = place.with_name(place.name + ".png")
            pairs.append((path, place))
    return pairs, problems


def _apart(pairs: Sequence[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Check that no output is an input and no two outputs are one file; the same file to the same place counts once."""
    from labcolor._paths import identity

    files = [identity(path) for path, _ in pairs]
    inputs = {file: path for file, (path, _) in zip(files, pairs, strict=True) if os.path.exists(path)}
    outputs: dict[Hashable, tuple[Hashable, Path, Path]] = {}
    for file, (path, place) in zip(files, pairs, strict=True):
        output = identity(place)
        if output in inputs:
            colors = "its own colors" if output == file else f"the colors of {path}"
            raise InputError(f"{inputs[output]}: would be replaced by {colors}. Name another folder with -o.")
        first, other, _ = outputs.setdefault(output, (file, path, place))
        if first != file:
            raise InputError(f"{path} and {other} would both be written to {place}. Color them apart.")
    return [(path, place) for _, path, place in outputs.values()]


def run(arguments: argparse.Namespace) -> int:
    """Color picture files; one that fails does not stop the rest."""
    from labcolor._paths import as_path
    from labcolor._triptych import triptych
    from labcolor.io.encoders import OPAQUE, WRITABLE
    from labcolor.io.inputs import one_picture
    from labcolor.io.metadata import read_metadata
    from labcolor.io.pictures import read_picture, write_picture
    from labcolor.pictures.picture import over_white

    folder = as_path("-o", arguments.output)
    if folder.suffix.lower() in WRITABLE and not os.path.isdir(folder):
        raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
    found, problems = _found(arguments.pictures, folder)
    pairs = _apart(found)
    if arguments.hint and len(pairs) != 1:
        raise InputError(f"--hint: expected one picture, got {len(pairs)}. Color the others apart.")
    taken = {name for _, place in pairs for name in _options(arguments, place.suffix.lower())}
    for name in ("quality", "compression"):
        if getattr(arguments, name) is not None and pairs and name not in taken:
            raise InputError(f"--{name}: expected pictures in a format that has one, got none. Leave it out.")
    if arguments.resume:
        pairs = [(path, place) for path, place in pairs if not os.path.exists(place)]
    colorizer = model_of(arguments)

    def work(path: Path, place: Path) -> None:
        picture = read_picture(path)
        hints = _map_of(arguments.hint, picture.shape[:2]) if arguments.hint else None
        colored = colorizer.predict(picture, saturation=arguments.saturation, hints=hints)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PictureFileError(f"{place.parent}: this folder cannot be made: {error.strerror}.") from error
        if arguments.triptych:
            colored = triptych(picture, colored)
        elif place.suffix.lower() in OPAQUE:
            colored = over_white(one_picture(colored, "colored"))
        options = _options(arguments, place.suffix.lower())
        write_picture(place, colored, metadata=read_metadata(path), **options)

    for problem in problems:
        say(str(problem))
    failed = len(problems)
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="labcolor-files")
    try:
        running = {pool.submit(work, path, place): path for path, place in pairs}
        for future in progress_bar(as_completed(running), len(running), "picture"):
            error = future.exception()
            if isinstance(error, LabcolorError):
                failed += 1
                path = running[future]
                say(str(error) if str(path) in str(error) else f"{path}: {error}")
            elif error is not None:
                raise error
    finally:
        pool.shutdown(cancel_futures=True)
    say(f"{len(running) + len(problems) - failed} colored, {failed} failed.")
    return FAILED if failed else DONE
