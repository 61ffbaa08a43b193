"""Files to color, alone or in folders, their destinations, and the coloring of one picture file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from labcolor.base.paths import as_path, files_in, identity, make_folder
from labcolor.base.typing import Array, PathLike, PictureSource
from labcolor.errors import InputError, PictureFileError, VideoFileError
from labcolor.io.codecs import CODECS, CONTAINERS
from labcolor.io.decoders import decode
from labcolor.io.encoders import JPEG, OPAQUE, WRITABLE
from labcolor.io.inputs import one_picture
from labcolor.io.metadata import read_metadata
from labcolor.io.pictures import pictures_in, write_picture
from labcolor.io.sources import Source, as_source
from labcolor.pictures.picture import over_white

Pairs = list[tuple[Path, Path]]  # each file with its destination
# From a picture, and whether the result is for a file with chroma of half the size, to the colored picture.
ColorArray: TypeAlias = Callable[[Array, bool], Array]
VIDEO_ENDINGS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob", ".mxf"),
    *(".dv", ".wmv", ".flv", ".ogv", ".3gp"),
)


def picture_places(
    sources: Sequence[PathLike], folder: Path, name: str, ending: str | None = None
) -> tuple[Pairs, list[PictureFileError]]:
    """Find pictures, and their destinations in a folder.

    Parameters
    ----------
    sources : sequence of path
        Files and folders. Files in ``folder`` are left out.
    folder : Path
        The folder for the results. A picture keeps its path in its source. If its format cannot be written, .png is
        added to its name.
    name : str
        Name of ``sources`` in errors.
    ending : str, optional
        Ending of all results.

    Returns
    -------
    pairs : list of (Path, Path)
    problems : list of PictureFileError
        One error for each folder that cannot be read or contains no picture.
    """
    real_folder = folder.resolve()
    pairs: Pairs = []
    problems: list[PictureFileError] = []
    for source in (as_path(name, source) for source in sources):
        paths, parent = [source], source.parent
        if os.path.isdir(source):
            paths, unreadable = pictures_in(source)
            problems += unreadable
            parent = source
            if source.resolve() in real_folder.parents:
                earlier = source / real_folder.relative_to(source.resolve())
                paths = [path for path in paths if earlier not in path.parents]
        for path in paths:
            place = folder / path.relative_to(parent)
            if ending is not None:
                place = place.with_suffix(ending)
            elif place.suffix.lower() not in WRITABLE:
                place = place.with_name(place.name + ".png")
            pairs.append((path, place))
    return pairs, problems


def video_places(source: Path, folder: Path, codec: str | None) -> tuple[Pairs, list[VideoFileError]]:
    """Find the videos of a folder, and their destinations in another folder.

    Parameters
    ----------
    source : Path
        A folder. Files in ``folder`` are left out.
    folder : Path
        The folder for the results. A video keeps its path in ``source``. If its format cannot be written or does not
        support the codec, the ending of a format that does is added to its name.
    codec : str or None
        As for :func:`labcolor.colorize_video`.

    Returns
    -------
    pairs : list of (Path, Path)
    problems : list of VideoFileError
        One error for each folder that cannot be read.
    """
    # a collection of small .avi files must not become FFV1, which is large
    endings = CODECS[codec].endings if codec else tuple(set(CONTAINERS) - {".avi"})
    paths, problems = files_in(source, VIDEO_ENDINGS, VideoFileError)
    pairs: Pairs = []
    for path in paths:
        if folder.resolve() in path.resolve().parents:
            continue  # a result of an earlier call
        place = folder / path.relative_to(source)
        if place.suffix.lower() not in endings:
            place = place.with_name(place.name + (".mp4" if ".mp4" in endings else endings[0]))
        pairs.append((path, place))
    return pairs, problems


def distinct(pairs: Pairs, name: str) -> Pairs:
    """Return the distinct pairs of a file and its destination.

    ``name`` is the name of the destination in errors.

    Raises
    ------
    InputError
        An output is an input, or two outputs are the same file.
    """
    files = [identity(path) for path, _ in pairs]
    inputs = {file: path for file, (path, _) in zip(files, pairs, strict=True) if os.path.exists(path)}
    outputs: dict[Hashable, tuple[Hashable, Path, Path]] = {}
    for file, (path, place) in zip(files, pairs, strict=True):
        output = identity(place)
        if output in inputs:
            colors = "its own colors" if output == file else f"the colors of {path}"
            raise InputError(f"{inputs[output]}: would be replaced by {colors}. Change {name}.")
        first, other, _ = outputs.setdefault(output, (file, path, place))
        if first != file:
            raise InputError(f"{path} and {other} would both be written to {place}. Color them separately.")
    return [(path, place) for _, path, place in outputs.values()]


def color_file(source: PictureSource | Source, place: Path, color: ColorArray, options: Mapping[str, Any]) -> None:
    """Color one picture file, and keep its metadata. Write the result completely or not at all.

    Parameters
    ----------
    source : path, bytes, open binary file or Source
        The picture file.
    place : Path
        Destination of the colored picture. Missing folders are created.
    color : callable
        Function of the picture, and of whether the result is for a file with chroma of half the size.
    options : mapping
        Options of :func:`labcolor.write_picture`.

    Raises
    ------
    PictureFileError, InputError, OutOfMemoryError
        The picture cannot be read or written, or is too large.
    """
    file = as_source("source", source)
    ending = place.suffix.lower()
    colored = color(decode(file, neutral=ending in JPEG), ending in JPEG)
    make_folder(place.parent, PictureFileError)
    if ending in OPAQUE and colored.shape[2] == 4:
        colored = over_white(one_picture(colored, "colored"))
    write_picture(place, colored, metadata=read_metadata(file), **options)


def color_file_to_bytes(
    source: PictureSource | Source, ending: str, color: ColorArray, options: Mapping[str, Any]
) -> bytes:
    """Color one picture file as :func:`color_file` does, and return the colored file, in the format of an ending."""
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        place = Path(folder, f"colored{ending}")
        color_file(source, place, color, options)
        return place.read_bytes()
