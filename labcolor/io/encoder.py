"""Encoding of colored frames by ffmpeg, with the sound and the tags of their source."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from labcolor.base.paths import remove_stale, replacing
from labcolor.base.typing import Array
from labcolor.color.chroma import Chroma
from labcolor.color.yuv import FrameFormat
from labcolor.errors import VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.dpx import stamp
from labcolor.io.formats import Target
from labcolor.io.sequences import ffmpeg_pattern, frame_numbers, replacing_frames
from labcolor.io.times import advanced
from labcolor.io.tracks import track_arguments
from labcolor.pictures.picture import Picture


class FrameWriter:
    """Writer of colored frames to a pipe.

    Parameters
    ----------
    pipe : binary file
        Destination of the frames.
    frames : FrameFormat
        Format of the result, or for RGB the format of its luma.
    rgb : FrameFormat or None
        Format of a result in RGB, or None for Y, U and V.
    size : (width, height)
        Size of a written frame.
    side_by_side : bool
        Whether the grey original is placed to the left of each frame.
    head : bytes
        Bytes that precede each frame.

    Attributes
    ----------
    size : (width, height)
        Size of a written frame.
    count : int
        Number of written frames.
    """

    def __init__(
        self,
        pipe: IO[bytes],
        frames: FrameFormat,
        rgb: FrameFormat | None,
        size: tuple[int, int],
        side_by_side: bool = False,
        head: bytes = b"",
    ) -> None:
        self._pipe, self._frames, self._rgb, self._side_by_side, self._head = pipe, frames, rgb, side_by_side, head
        self._table = frames.lightness()
        self.size, self.count = size, 0

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Color a frame by its small chroma, and write it."""
        self.count += 1
        planes = self._planes(picture, chroma)
        if self._side_by_side:
            if self._rgb is None:
                grey = [planes[0], *(np.full_like(plane, 2 ** (self._frames.depth - 1)) for plane in planes[1:])]
            else:
                grey = self._planes(picture, replace(chroma, ab=np.zeros_like(chroma.ab)))
            planes = [np.hstack(pair) for pair in zip(grey, planes, strict=True)]
        self._pipe.write(self._head)
        for plane in planes:
            self._pipe.write(np.ascontiguousarray(plane, plane.dtype.newbyteorder("<")).data)

    def _planes(self, picture: Picture, chroma: Chroma) -> list[Array]:
        """Return the planes of a colored frame; RGB of 8 and 16 bits is one plane."""
        luma = picture.values[..., 0]
        if self._rgb is None:
            return [luma, *self._frames.chroma(luma, self._table, chroma)]
        colored, packed = picture.colored(chroma), self._rgb.depth in (8, 16)
        if self._rgb.density or not packed:
            colored = self._rgb.encoded(colored, luma)
        return [colored] if packed else [colored[..., channel] for channel in (1, 2, 0)]


@contextmanager
def _running(command: Sequence[str], path: Path, name: Path) -> Iterator[IO[bytes]]:
    """Yield the standard input of ffmpeg. Raise a VideoFileError for ``name`` if it fails."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)
        pipe = process.stdin
        assert pipe is not None
        broken: OSError | None = None
        try:
            try:
                yield pipe
                pipe.close()
            except (BrokenPipeError, ConnectionResetError) as error:
                broken = error
                with suppress(OSError):
                    pipe.close()
            if process.wait():
                log.seek(0)
                reason = ffmpeg.error_summary(log.read()).replace(str(path), str(name))
                if process.returncode < 0:
                    reason += f" (ended by signal {-process.returncode})"
                raise VideoFileError(f"{name}: cannot be encoded: {reason}") from broken
            if broken is not None:  # ffmpeg succeeded, so the broken pipe belongs to the caller's code
                raise broken
        finally:
            process.kill()  # does nothing after its end
            process.wait()
            with suppress(OSError):
                pipe.close()


@contextmanager
def encoding(path: Path, target: Target, tracks: bool = True, done: int = 0) -> Iterator[FrameWriter]:
    """Yield a writer of frames, which ffmpeg encodes with the sound of the source.

    Parameters
    ----------
    path : Path
        File to write, or the pattern of an image sequence.
    target : Target
        How the video is stored.
    tracks : bool
        Whether sound, subtitles and tags are copied.
    done : int
        Number of pictures of an image sequence that have been written before.

    Raises
    ------
    VideoFileError
        ffmpeg fails: the destination cannot be written, or the disk is full.
    """
    footage = target.footage
    size = target.written_size
    matrix, primaries, transfer = target.colors
    span = "pc" if target.rgb or target.frames.full else "tv"
    # set for the frames, not for the file: otherwise ffmpeg would convert the frames to the color space of the file
    filters = f"setparams=range={span}:colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    filters += f",setsar={footage.aspect.replace(':', '/')}{target.filters}"
    command = ["-f", "rawvideo", "-pixel_format", target.pixel_format, "-video_size", f"{size[0]}x{size[1]}"]
    command += ["-framerate", str(footage.rate), "-i", "pipe:0"]
    encoder = ["-filter:v:0", filters, *target.arguments, *target.container, *ffmpeg.threads()]
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        if target.sequence:
            number = str(target.first_number + done)
            command += [*encoder, "-start_number", number, "-f", "image2", ffmpeg_pattern(path)]
        else:
            opened: list[str] = []
            carry: list[str] = []
            if tracks:
                opened, carry = track_arguments(footage, target.ending, target.tracks, Path(folder))
            command += [*opened, "-map", "0:v", *encoder, *carry, "-strict", "-1", f"file:{path}"]
        with _running(ffmpeg.command("-y", *command), path, target.destination) as pipe:
            writer = FrameWriter(pipe, target.frames, target.rgb, size, target.side_by_side)
            yield writer
    if target.ending == ".dpx":
        _stamp_headers(path, target, done, writer.count)


def _stamp_headers(path: Path, target: Target, done: int, count: int) -> None:
    """Write the headers of ``count`` DPX pictures, after the first ``done`` ones."""
    footage, start, header = target.footage, target.first_number, target.dpx
    for number in frame_numbers(path):
        if start + done <= number < start + done + count:
            later = footage.first + number - start
            code = advanced(header.timecode, later, footage.rate) if header.timecode else ""
            stamp(path.with_name(path.name % number), replace(header, timecode=code))


def joined(segments: Sequence[Path], path: Path, target: Target) -> None:
    """Join encoded segments losslessly, with the sound of the source. ``path`` is the file to write."""
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        listing = Path(folder) / "segments.txt"
        quoted = (str(segment.absolute()).replace("'", "'\\''") for segment in segments)
        listing.write_text("".join(f"file 'file:{segment}'\n" for segment in quoted), encoding="utf-8")
        opened, carry = track_arguments(target.footage, target.ending, target.tracks, Path(folder))
        command = ["-y", *ffmpeg.LOCAL, "-f", "concat", "-safe", "0", "-i", str(listing), *opened]
        command += ["-map", "0:v", *target.container, "-c:v:0", "copy"]
        command += ["-color_range", "pc" if target.frames.full else "tv", *carry, "-strict", "-1", f"file:{path}"]
        with _running(ffmpeg.command(*command), path, target.destination):
            pass


@contextmanager
def writing(target: Target) -> Iterator[FrameWriter]:
    """Yield a writer of frames to a hidden place, which becomes the destination on success: see :func:`encoding`."""
    if target.sequence:
        place = replacing_frames(target.destination)
    else:
        remove_stale(target.destination.parent)
        place = replacing(target.destination, VideoFileError)
    with place as temporary, encoding(temporary, target) as writer:
        yield writer
