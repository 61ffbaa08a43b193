"""Coloring of frames that pass through a pipe, as YUV4MPEG2 or as raw RGB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import IO

import numpy as np

from labcolor.color.chroma import Chroma
from labcolor.errors import VideoFileError
from labcolor.io.decoder import luma_pictures
from labcolor.io.encoder import FrameWriter
from labcolor.io.y4m import FRAME, read_exactly, read_head, read_luma
from labcolor.pictures.picture import Picture, as_picture
from labcolor.video.stream import ChromaStream


def color_y4m(source: IO[bytes], sink: IO[bytes], opened: Callable[[Fraction], ChromaStream]) -> int:
    """Color a stream of YUV4MPEG2. Luma, depth, chroma format, rate and pixel aspect stay.

    Parameters
    ----------
    source, sink : binary file
        Input and output.
    opened : callable
        Function from the rate of the frames to the stream of their chroma.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    VideoFileError
        The source is not YUV4MPEG2, or ends in the middle of a frame.
    InputError
        A reference has another size.
    """
    head = read_head(source)
    stream = opened(head.rate)
    stream.references.check_size(head.size[::-1])
    down, across = head.frames.cell
    size = -(-head.size[0] // across) * across, -(-head.size[1] // down) * down
    writer = FrameWriter(sink, head.frames, None, size, head=FRAME)
    sink.write(head.with_color(size))
    pictures = luma_pictures(read_luma(source, head), head.frames, head.frames)
    return _pipe(pictures, stream, sink, writer.write)


def color_raw(source: IO[bytes], sink: IO[bytes], size: tuple[int, int], stream: ChromaStream) -> int:
    """Color frames of raw RGB, 8 bits a channel, one after the other.

    Parameters
    ----------
    size : (width, height)
        Size of a frame.
    source, sink
        As for :func:`color_y4m`.
    stream : ChromaStream
        The stream of the chroma.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    VideoFileError
        The source ends in the middle of a frame.
    InputError
        A reference has another size.
    """

    def pictures() -> Iterator[Picture]:
        while first := source.read(1):
            rest = read_exactly(source, 3 * size[0] * size[1] - 1)
            if rest is None:
                raise VideoFileError("standard input: expected whole frames, but the stream ends within a frame.")
            yield as_picture(np.frombuffer(first + rest, np.uint8).reshape(size[1], size[0], 3), "frame")

    stream.references.check_size(size[::-1])
    return _pipe(pictures(), stream, sink, lambda picture, chroma: sink.write(picture.colored(chroma).tobytes()))


def _pipe(
    pictures: Iterable[Picture], stream: ChromaStream, sink: IO[bytes], write: Callable[[Picture, Chroma], object]
) -> int:
    """Color frames, write each at once by a function, and return their number."""
    count = 0
    for group in stream.in_groups(pictures):
        for frame in group:
            write(*frame)
            sink.flush()
        count += len(group)
    return count
