"""Image sequences: numbered pictures of one size and depth in one folder, as a film."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from labcolor.base.paths import hidden_folder, remove_stale, writing_errors
from labcolor.errors import VideoFileError
from labcolor.io.limits import FORMATS

WRITABLE_SEQUENCES = (".png", ".tif", ".tiff", ".dpx")
_READABLE = (*WRITABLE_SEQUENCES, ".jpg", ".jpeg", ".bmp")
_NUMBER = re.compile(r"%(0\d)?d")


def ffmpeg_pattern(pattern: Path) -> str:
    """Return the pattern of a sequence for ffmpeg, in which a percent sign of the folder is doubled."""
    return f"{str(pattern.parent).replace('%', '%%')}{os.sep}{pattern.name}"


def is_pattern(path: Path) -> bool:
    """Return whether a path names a sequence, like "frames/%06d.png"."""
    return path.name.count("%") == 1 and bool(_NUMBER.search(path.name)) and path.suffix.lower() in _READABLE


def frame_numbers(pattern: Path) -> list[int]:
    """Return the numbers of the pictures that fit a pattern, sorted."""
    found = _NUMBER.search(pattern.name)
    assert found is not None
    before, after = pattern.name[: found.start()], pattern.name[found.end() :]
    fitting = re.compile(rf"{re.escape(before)}(\d{{1,9}}){re.escape(after)}")
    numbers = (int(match[1]) for path in pattern.parent.iterdir() if (match := fitting.fullmatch(path.name)))
    return sorted({number for number in numbers if os.path.exists(pattern.with_name(pattern.name % number))})


def find_sequence(path: Path) -> tuple[Path, int]:
    """Return the pattern of a sequence and its first number, for a pattern or for a folder of numbered pictures.

    Raises
    ------
    VideoFileError
        There are no such pictures, numbers are missing, or sizes or depths differ.
    """
    pattern = path if is_pattern(path) else _pattern_of(path)
    if not os.path.isdir(pattern.parent):
        raise VideoFileError(f"{pattern}: there is no folder {pattern.parent}. Check the path.")
    numbers = frame_numbers(pattern)
    if not numbers:
        raise VideoFileError(f"{pattern}: expected pictures with such names, found none. Check the path.")
    if len(numbers) != numbers[-1] - numbers[0] + 1:
        missing = next(number for number, other in enumerate(numbers, numbers[0]) if number != other)
        raise VideoFileError(
            f"{pattern}: expected numbers without a gap, from {numbers[0]} to {numbers[-1]}, but {missing} is missing. "
            f"Renumber the pictures, or color the parts separately."
        )
    kinds: dict[tuple[int, int, int], int] = {}
    for number in numbers:
        kinds.setdefault(_size_and_depth(Path(f"{pattern.parent}{os.sep}{pattern.name % number}")), number)
    if len(kinds) > 1:
        (one, first), (other, second) = list(kinds.items())[:2]
        raise VideoFileError(
            f"{pattern}: expected pictures of one size and depth, but {first} has {_shown(one)} and {second} "
            f"{_shown(other)}. Convert them, or color the parts separately."
        )
    return pattern, numbers[0]


def _shown(kind: tuple[int, int, int]) -> str:
    return f"{kind[0]}x{kind[1]} pixels of {kind[2]} bits"


def _pattern_of(folder: Path) -> Path:
    """Return the pattern of the numbered pictures of a folder, which must all fit it."""
    digits: dict[tuple[str, str], int] = {}
    for path in folder.iterdir():
        found = re.fullmatch(r"(.*?)(\d{1,9})", path.stem)
        if not path.name.startswith(".") and path.suffix.lower() in _READABLE and found:
            key = found[1], path.suffix
            digits[key] = min(len(found[2]), digits.get(key, len(found[2])))
    patterns = [f"{before}%0{count}d{ending}" for (before, ending), count in sorted(digits.items())]
    if not patterns:
        raise VideoFileError(f"{folder}: expected numbered pictures, found none. Check the path.")
    if len(patterns) > 1:
        some = " and ".join(patterns[:2])
        raise VideoFileError(f"{folder}: expected one sequence, found {some}. Name one of them: {folder}/PATTERN.")
    return folder / patterns[0]


def _size_and_depth(path: Path) -> tuple[int, int, int]:
    """Return width, height and bits of a channel, from a picture's header.

    Raises
    ------
    VideoFileError
        The header cannot be read.
    """
    try:
        ending = path.suffix.lower()
        if ending in (".tif", ".tiff"):
            with tifffile.TiffFile(path) as file:
                page = file.pages[0]
                return page.shape[1], page.shape[0], 8 * np.dtype(page.dtype).itemsize
        with path.open("rb") as file:
            head = file.read(804)
        if ending == ".png":
            width, height, depth = struct.unpack(">IIB", head[16:25])
            return width, height, depth
        if ending == ".dpx":
            width, height = struct.unpack(">II" if head[:4] == b"SDPX" else "<II", head[772:780])
            return width, height, head[803]
        with Image.open(path, formats=FORMATS) as picture:
            return *picture.size, 8
    except (OSError, ValueError, struct.error, IndexError, UnidentifiedImageError, tifffile.TiffFileError) as error:
        raise VideoFileError(f"{path}: this picture of the sequence cannot be read: {error}.") from error


@contextmanager
def replacing_frames(pattern: Path) -> Iterator[Path]:
    """Yield a pattern in a hidden folder. On success, its pictures take the place of those that fit ``pattern``.

    Raises
    ------
    VideoFileError
        The folder cannot be written.
    """
    folder = pattern.parent
    parent = folder if os.path.isdir(folder) else folder.parent
    with writing_errors(folder, VideoFileError):
        remove_stale(parent)
        with hidden_folder(parent) as place:
            temporary = place / pattern.name
            yield temporary
            folder.mkdir(exist_ok=True)
            (place / "old").mkdir()
            moves = [(pattern, place / "old" / pattern.name), (temporary, pattern)]
            _move([(a.with_name(a.name % n), b.with_name(b.name % n)) for a, b in moves for n in frame_numbers(a)])


def _move(moves: Sequence[tuple[Path, Path]]) -> None:
    """Rename files, all of them or none: an interruption takes all renames back."""
    begun: list[tuple[Path, Path]] = []
    try:
        for old, new in moves:
            begun.append((old, new))
            old.replace(new)
    except BaseException:
        for old, new in reversed(begun):
            if not os.path.exists(old):
                new.replace(old)
        raise
