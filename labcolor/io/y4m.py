"""YUV4MPEG2, the format of frames in pipes between video programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import IO

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import shortened
from labcolor.color.yuv import FrameFormat, usual_matrix
from labcolor.errors import VideoFileError

FRAME = b"FRAME\n"  # the head of each frame
_CELLS = {"420": (2, 2), "422": (1, 2), "444": (1, 1), "mono": None}
_NAME = "standard input"


def read_exactly(pipe: IO[bytes], size: int) -> bytearray | None:
    """Return the next ``size`` bytes of a pipe, or None if it ends earlier."""
    content = bytearray(size)
    view = memoryview(content)
    done = 0
    while done < size:
        count = pipe.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            return None
        done += count
    return content


@dataclass(frozen=True)
class Y4mHead:
    """Header of a stream.

    Parameters
    ----------
    size : (width, height)
        Size of a frame.
    frames : FrameFormat
        Format of the frames, 4:2:0 for grey ones.
    grey : bool
        Whether the stream has no chroma.
    fields : tuple of str
        All other fields, such as the rate "F25:1".
    """

    size: tuple[int, int]
    frames: FrameFormat
    grey: bool
    fields: tuple[str, ...]

    @property
    def rate(self) -> Fraction:
        """Frames per second, 25 if the stream does not state them."""
        found = re.search(r"\bF(\d{1,9}):(\d{1,9})\b", " ".join(self.fields))
        return Fraction(int(found[1]), int(found[2])) if found and int(found[1]) and int(found[2]) else Fraction(25)

    def with_color(self, size: tuple[int, int]) -> bytes:
        """Return the head of a stream of another size, with chroma."""
        chroma = {cell: name for name, cell in _CELLS.items() if cell}[self.frames.cell]
        depth = f"p{self.frames.depth}" if self.frames.depth > 8 else "mpeg2" if chroma == "420" else ""
        fields = " ".join([f"W{size[0]}", f"H{size[1]}", *self.fields, f"C{chroma}{depth}"])
        return f"YUV4MPEG2 {fields} XCOLORRANGE={'FULL' if self.frames.full else 'LIMITED'}\n".encode()


def read_head(pipe: IO[bytes]) -> Y4mHead:
    """Read the head of a stream.

    Raises
    ------
    VideoFileError
        The pipe does not begin with a head, or the format of the frames is not supported.
    """
    line = pipe.readline(1000)
    first, *fields = line.decode(errors="replace").split() or [""]
    if first != "YUV4MPEG2" or not line.endswith(b"\n"):
        raise VideoFileError(
            f"{_NAME}: expected YUV4MPEG2, got {shortened(line[:16])}. With ffmpeg: -f yuv4mpegpipe -strict -1 -."
        )
    values = {field[0]: field[1:] for field in fields if field[0] != "X"}
    kind = values.get("C", "420")
    found = re.fullmatch(r"(420|422|444|mono)(?:p?(\d+)|jpeg|mpeg2|paldv)?", kind)
    if found is None or not 8 <= int(found[2] or 8) <= 16:
        raise VideoFileError(f"{_NAME}: expected 4:2:0, 4:2:2, 4:4:4 or grey of 8 to 16 bits, got {shortened(kind)}.")
    if not all(values.get(letter, "").isdecimal() and int(values[letter]) for letter in "WH"):
        raise VideoFileError(f"{_NAME}: expected a width and a height, got {shortened(line)}.")
    cell = _CELLS[found[1]]
    full = "XCOLORRANGE=FULL" in fields
    frames = FrameFormat(int(found[2] or 8), full, cell or (2, 2), usual_matrix(int(values["H"])))
    kept = tuple(field for field in fields if field[0] not in "WHCX")
    return Y4mHead((int(values["W"]), int(values["H"])), frames, cell is None, kept)


def read_luma(pipe: IO[bytes], head: Y4mHead) -> Iterator[Array]:
    """Yield the luma of each frame, (H, W), uint8 or uint16.

    Raises
    ------
    VideoFileError
        The stream ends in the middle of a frame.
    """
    width, height = head.size
    down, across = head.frames.cell
    chroma = 0 if head.grey else 2 * -(-width // across) * -(-height // down)
    dtype = head.frames.dtype.newbyteorder("<")
    while line := pipe.readline(1000):
        content = read_exactly(pipe, (width * height + chroma) * dtype.itemsize) if line.startswith(b"FRAME") else None
        if content is None:
            raise VideoFileError(f"{_NAME}: expected whole frames, but the stream ends within a frame.")
        luma = np.frombuffer(content, dtype, width * height).reshape(height, width)
        yield luma.astype(head.frames.dtype, copy=False)
