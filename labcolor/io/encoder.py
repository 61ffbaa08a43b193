"""Colored frames written to ffmpeg, which encodes them beside the sound and the tags of their source."""

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
from labcolor.io.sequences import frame_numbers, replacing_frames
from labcolor.io.times import advanced
from labcolor.io.tracks import track_arguments
from labcolor.pictures.picture import Picture

__all__ = ["FrameWriter", "encoding", "joined", "writing"]


class FrameWriter:
    """Writer of colored frames to a pipe.

    Parameters
    ----------
    pipe : binary file
        Where the frames go.
    frames : FrameFormat
        The numbers of the result; of RGB, those of the luma that it is made from.
    rgb : FrameFormat or None
        The numbers of a result in RGB; None for Y, U and V.
    size : (width, height)
        Size of a frame written.
    side_by_side : bool
        Whether the grey original stands to the left of each frame.
    head : bytes
        What stands before each frame.

    Attributes
    ----------
    size : (width, height)
        Size of a frame written.
    count : int
        Number of frames written.
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
        """Write a frame, colored by its small chroma."""
        self.count += 1
        if self._rgb is not None:
            colored = self._rgb_of(picture, chroma)
            if self._side_by_side:
                colored = np.hstack([self._rgb_of(picture, replace(chroma, ab=np.zeros_like(chroma.ab))), colored])
            planes = [colored] if self._rgb.depth in (8, 16) else [colored[..., channel] for channel in (1, 2, 0)]
        else:
            luma = picture.values[..., 0]
            planes = [luma, *self._frames.chroma(luma, self._table, chroma)]
            if self._side_by_side:
                zero = 2 ** (self._frames.depth - 1)
                grey = [luma, *(np.full_like(plane, zero) for plane in planes[1:])]
                planes = [np.hstack(pair) for pair in zip(grey, planes, strict=True)]
        self._pipe.write(self._head)
        for plane in planes:
            self._pipe.write(np.ascontiguousarray(plane, plane.dtype.newbyteorder("<")).data)

    def _rgb_of(self, picture: Picture, chroma: Chroma) -> Array:
        """Return a colored frame in the numbers of the result."""
        assert self._rgb is not None
        colored = picture.colored(chroma)
        if self._rgb.depth in (8, 16) and not self._rgb.density:
            return colored
        return self._rgb.encoded(colored, picture.values[..., 0])


@contextmanager
def _running(command: Sequence[str], path: Path, name: Path) -> Iterator[IO[bytes]]:
    """Yield the standard input of ffmpeg. Raise a VideoFileError for ``name`` if it fails."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log)
        pipe = process.stdin
        assert pipe is not None

        def failed(cause: BaseException | None) -> VideoFileError:
            log.seek(0)
            reason = ffmpeg.error_summary(log.read()).replace(str(path), str(name))
            if process.returncode < 0:
                reason += f" (ended by signal {-process.returncode})"
            error = VideoFileError(f"{name}: cannot be encoded: {reason}")
            error.__cause__ = cause
            return error

        try:
            try:
                yield pipe
                pipe.close()
            except (BrokenPipeError, ConnectionResetError) as error:
                with suppress(OSError):
                    pipe.close()
                if process.wait():
                    raise failed(error) from error
                raise  # ffmpeg succeeded, so the broken pipe belongs to the caller's code
            if process.wait():
                raise failed(None)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with suppress(OSError):
                pipe.close()


def _ffmpeg() -> list[str]:
    return [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-y"]


@contextmanager
def encoding(path: Path, target: Target, tracks: bool = True, done: int = 0) -> Iterator[FrameWriter]:
    """Yield a writer of frames, which ffmpeg encodes beside the sound of the source.

    Parameters
    ----------
    path : Path
        File to write, or the pattern of an image sequence.
    target : Target
        How the video is stored.
    tracks : bool
        Whether sound, subtitles and tags come along.
    done : int
        Number of pictures of an image sequence that are written already.

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
    encoder = ["-filter:v:0", filters, *target.arguments, *ffmpeg.threads()]
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        if target.sequence:
            place = f"{str(path.parent).replace('%', '%%')}/{path.name}"
            command += [*encoder, "-start_number", str(target.first_number + done), "-f", "image2", place]
        else:
            opened: list[str] = []
            carry: list[str] = []
            if tracks:
                opened, carry = track_arguments(footage, target.ending, target.tracks, Path(folder))
            command += [*opened, "-map", "0:v", *encoder, *carry, "-strict", "-1", f"file:{path}"]
        with _running([*_ffmpeg(), *command], path, target.destination) as pipe:
            writer = FrameWriter(pipe, target.frames, target.rgb, size, target.side_by_side)
            yield writer
    if target.ending == ".dpx":
        _stamp_headers(path, target, done, writer.count)


def _stamp_headers(path: Path, target: Target, done: int, count: int) -> None:
    """Write the headers of a number of pictures of DPX, those after the ones that were done before."""
    footage, start, header = target.footage, target.first_number, target.dpx
    for number in frame_numbers(path):
        if start + done <= number < start + done + count:
            later = footage.first + number - start
            code = advanced(header.timecode, later, footage.rate) if header.timecode else ""
            stamp(path.with_name(path.name % number), replace(header, timecode=code))


def joined(segments: Sequence[Path], path: Path, target: Target) -> None:
    """Join encoded segments without a loss, beside the sound of the source. ``path`` is the file to write."""
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        listing = Path(folder) / "segments.txt"
        quoted = (str(segment.absolute()).replace("'", "'\\''") for segment in segments)
        listing.write_text("".join(f"file 'file:{segment}'\n" for segment in quoted), encoding="utf-8")
        opened, carry = track_arguments(target.footage, target.ending, target.tracks, Path(folder))
        command = [*_ffmpeg(), *ffmpeg.LOCAL, "-f", "concat", "-safe", "0", "-i", str(listing), *opened]
        command += ["-map", "0:v", *target.container, "-c:v:0", "copy"]
        command += ["-color_range", "pc" if target.frames.full else "tv", *carry, "-strict", "-1", f"file:{path}"]
        with _running(command, path, target.destination):
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
