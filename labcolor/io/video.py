"""Video through ffmpeg: luma is read, colored frames are written, sound and subtitles are carried along."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from labcolor.base.paths import remove_stale, replacing
from labcolor.base.typing import Array
from labcolor.color.chroma import Chroma
from labcolor.color.yuv import FrameFormat
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.dpx import stamp
from labcolor.io.formats import Target, frame_format
from labcolor.io.probe import VideoInfo
from labcolor.io.sequences import frame_numbers, replacing_frames
from labcolor.io.times import advanced
from labcolor.io.tracks import track_arguments
from labcolor.io.y4m import read_exactly
from labcolor.pictures.picture import Picture

__all__ = ["DEINTERLACING", "Decoder", "FrameWriter", "Range", "encoding", "joined", "writing"]

# Fields: as the frames' own flags say; never; of every frame; and a frame of each field.
DEINTERLACING = ("auto", "never", "always", "double")
_LUMA_OF_RGB = np.array([0.2126, 0.7152, 0.0722], np.float32)


class Range:
    """The part of a video that is colored.

    Parameters
    ----------
    info : VideoInfo
        Properties of the video.
    start : Fraction
        Seconds from the first frame, which are rounded to a frame.
    end : Fraction or None
        Seconds from the first frame, or None for all.

    Attributes
    ----------
    first : int
        Number of the first frame.
    count : int or None
        Number of frames, or None for all that follow.
    seconds : Fraction
        Time of the first frame.
    length : Fraction or None
        Length in seconds, or None for all that follows.

    Raises
    ------
    InputError
        The part begins after the video ends, or is empty.
    """

    def __init__(self, info: VideoInfo, start: Fraction = Fraction(0), end: Fraction | None = None) -> None:
        self.first = round(start * info.rate)
        self.seconds = self.first / info.rate
        self.count = None if end is None else max(0, round(end * info.rate) - self.first)
        self.length = None if self.count is None else self.count / info.rate
        self._duration = info.duration
        if self.count == 0:
            raise InputError(f"end: expected a time after start ({float(start):g} s), got {float(end or 0):g} s.")
        if info.duration is not None and self.first and self.seconds >= info.duration:
            raise InputError(f"start: expected a time before the end ({info.duration:g} s), got {float(start):g} s.")

    def total(self, rate: Fraction) -> int | None:
        """Return the number of frames at a rate, if the length of the video is known."""
        if self._duration is None:
            return None if self.length is None else round(self.length * rate)
        rest = Fraction(self._duration) - self.seconds
        return round((rest if self.length is None else min(self.length, rest)) * rate)


class Decoder:
    """Stream of the luma of a video. Iteration yields (H, W) frames, uint8 or uint16, with the values of the source.

    Rotation is applied, and fields are converted to frames. The frames have a constant rate: frames of a variable rate
    are repeated or dropped, so that video and sound stay synchronous. Use the decoder as a context manager.

    Parameters
    ----------
    info : VideoInfo
        Properties of the video, from :func:`labcolor.io.probe.probe`.
    resize : (width, height) or None
        Size to scale to. None keeps the size of the video.
    deinterlace : str
        One of :data:`DEINTERLACING`.
    tone_map : bool
        Whether the tones of an HDR video are mapped to standard range.
    part : Range, optional
        The part to decode. By default all.

    Attributes
    ----------
    width, height : int
        Size of a frame.
    rate : Fraction
        Frames per second, exact.
    aspect : str
        Aspect ratio of a pixel, "1:1" for a square.
    format : FrameFormat
        The numbers of luma.
    """

    def __init__(
        self,
        info: VideoInfo,
        resize: tuple[int, int] | None = None,
        deinterlace: str = "auto",
        tone_map: bool = False,
        part: Range | None = None,
    ) -> None:
        self._path = info.path
        self._rgb = info.pixels.kind == "rgb" and not (tone_map and info.hdr)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self.width, self.height = resize or info.size
        self.rate = info.rate * (2 if deinterlace == "double" else 1)
        self.aspect = "1:1" if resize else info.aspect
        self.format = frame_format(info, tone_map)
        part = part or Range(info)
        planar, plain = self._pixels(info, tone_map)
        filters = ["setpts=PTS-STARTPTS", *_tone_mapping(info, tone_map)]
        filters += [*planar, *_deinterlacing(info, deinterlace), *plain]
        if resize:
            filters.append(f"scale={self.width}:{self.height}")
        command = [ffmpeg.executable(), "-hide_banner", "-nostdin", "-loglevel", "error", *ffmpeg.threads()]
        if part.first:  # between two frames, so that rounded times cannot select the one before
            command += ["-ss", _decimal(info.delay + part.seconds - Fraction(1, 2) / info.rate)]
        command += [*info.arguments, "-map", "0:V:0", "-vf", ",".join(filters)]
        command += ["-fps_mode", "cfr", "-r", str(self.rate)]
        if part.count is not None:
            command += ["-frames:v", str(part.count * (2 if deinterlace == "double" else 1))]
        command += ["-f", "rawvideo", "-"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        assert self._process.stdout is not None
        self._pipe: IO[bytes] = self._process.stdout

    def _pixels(self, info: VideoInfo, tone_map: bool) -> tuple[list[str], list[str]]:
        """Return the filters before and after the one for fields, which leave luma, or RGB, with unchanged values."""
        depth = self.format.depth
        plain = "gray" if depth == 8 else f"gray{depth}le"
        if self._rgb:
            return [], ["format=rgb24" if depth == 8 else "format=rgb48le"]
        if info.pixels.kind == "grey":
            return [f"format={plain}"], []
        chroma = "420" if tone_map and info.hdr else info.pixels.chroma.replace("440", "444")  # extractplanes lacks it
        letter = "j" if info.format.startswith("yuvj") else ""  # another name would convert the range
        planar = f"yuv{letter}{chroma}p" + ("" if depth == 8 else f"{depth}le")
        return [f"format={planar}"], ["extractplanes=y", f"format={plain}"]

    def __enter__(self) -> Decoder:
        """Return the decoder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End ffmpeg if it is running."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._log.close()

    def complaints(self) -> str:
        """Return a summary of ffmpeg's latest error messages, empty if there are none."""
        size = self._log.seek(0, io.SEEK_END)
        self._log.seek(max(0, size - 2000))
        log = self._log.read()
        if size > 2000:  # the first line of this part is cut
            log = log.partition(b"\n")[2]
        return ffmpeg.error_summary(log) if log.strip() else ""

    def __iter__(self) -> Iterator[Array]:
        """Yield the frames."""
        dtype = self.format.dtype.newbyteorder("<")
        shape = (self.height, self.width, 3) if self._rgb else (self.height, self.width)
        size = int(np.prod(shape)) * dtype.itemsize
        while (content := read_exactly(self._pipe, size)) is not None:
            frame = np.frombuffer(content, dtype).reshape(shape).astype(self.format.dtype, copy=False)
            yield _luma(frame) if self._rgb else frame
        # a damaged video gives error messages; without one, or after a signal, the decoding was cut short
        code = self._process.wait()
        if code < 0 or (code > 0 and not self.complaints()):
            raise VideoFileError(
                f"{self._path}: ffmpeg ended in the middle of decoding (exit status {code}). Try again."
            )


def _luma(rgb: Array) -> Array:
    """Return luma of RGB, (H, W), of the same dtype; where the channels are equal, their value."""
    green = rgb[..., 1]
    if np.array_equal(rgb[..., 0], green) and np.array_equal(rgb[..., 2], green):
        return np.ascontiguousarray(green)
    return (rgb @ _LUMA_OF_RGB + np.float32(0.5)).astype(rgb.dtype)


def _decimal(time: Fraction) -> str:
    return f"{float(time):.6f}"


def _deinterlacing(info: VideoInfo, deinterlace: str) -> list[str]:
    """Return the filters that make frames of fields."""
    # ffmpeg's filter would convert grey of 9 to 14 bits to other values
    unknown = info.pixels.kind == "grey" and info.pixels.depth not in (8, 16)
    if deinterlace == "never" or unknown or (deinterlace == "auto" and info.first is not None):
        return []
    mode = "send_field" if deinterlace == "double" else "send_frame"
    return [f"bwdif=mode={mode}:deint={'interlaced' if deinterlace == 'auto' else 'all'}"]


def _tone_mapping(info: VideoInfo, tone_map: bool) -> list[str]:
    """Return the filters that map the tones of an HDR video to 10 bits of standard range."""
    if not (tone_map and info.hdr):
        return []
    tags = {"colorspace": (info.matrix, "bt2020nc"), "color_primaries": (info.primaries, "bt2020")}
    tags["color_trc"] = (info.transfer, "smpte2084")
    missing = [f"{name}={usual}" for name, (found, usual) in tags.items() if found == "unknown"]
    return [
        *([f"setparams={':'.join(missing)}"] if missing else []),
        "zscale=transfer=linear:npl=100",
        "format=gbrpf32le",
        "zscale=primaries=bt709",
        "tonemap=tonemap=hable:desat=0",
        "zscale=transfer=bt709:matrix=bt709:range=limited",
    ]


class FrameWriter:
    """Writer of colored frames to a pipe.

    Parameters
    ----------
    pipe : binary file
        Where the frames go.
    source : FrameFormat
        The numbers of the luma that is decoded.
    frames : FrameFormat
        The numbers of the result; of RGB, those of the luma that it is made from.
    rgb : dtype or None
        The dtype of a result in RGB; None for Y, U and V.
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
    """

    def __init__(
        self,
        pipe: IO[bytes],
        source: FrameFormat,
        frames: FrameFormat,
        rgb: np.dtype[Any] | None,
        size: tuple[int, int],
        side_by_side: bool = False,
        head: bytes = b"",
    ) -> None:
        self._pipe, self._frames, self._rgb, self._side_by_side, self._head = pipe, frames, rgb, side_by_side, head
        self._conversion = source.conversion(frames)
        self._table = frames.lightness()
        self.size = size

    def picture(self, luma: Array) -> Picture:
        """Return a frame of decoded luma as a picture, in the numbers and with the even sides of the result."""
        if self._conversion is not None:
            luma = self._conversion[luma]
        luma = self._frames.even(luma)
        return Picture(luma[..., None], None, luma.dtype if self._rgb is None else self._rgb, self._table)

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame, colored by its small chroma."""
        if self._rgb is not None:
            planes = [picture.colored(chroma)]
            if self._side_by_side:
                planes = [np.hstack([picture.colored(replace(chroma, ab=np.zeros_like(chroma.ab))), planes[0]])]
        else:
            luma = picture.values[..., 0]
            planes = [luma, *self._frames.chroma(luma, self._table, chroma)]
            if self._side_by_side:
                zero = 2 ** (self._frames.depth - 1)
                grey = [luma, *(np.full_like(plane, zero) for plane in planes[1:])]
                planes = [np.hstack(pair) for pair in zip(grey, planes, strict=True)]
        self._pipe.write(self._head)
        for plane in planes:
            self._pipe.write(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())


def _tags(info: VideoInfo, part: Range, factor: int) -> list[str]:
    """Return ffmpeg's arguments that set the tags of the file and of its video."""
    arguments = ["-map_metadata", "1"]
    for key, value in info.tags:
        arguments += ["-metadata:s:v:0", f"{key}={value}"]
    return arguments + _timecode(info, part, factor)


def _timecode(info: VideoInfo, part: Range, factor: int) -> list[str]:
    """Return ffmpeg's arguments that set the time code."""
    if not info.timecode:
        return []
    return ["-metadata", f"timecode={advanced(info.timecode, part.first, info.rate, factor)}"]


def _covers(info: VideoInfo, ending: str, folder: Path) -> list[str]:
    """Return ffmpeg's arguments that attach covers to .mkv, which are copied to a folder first."""
    arguments: list[str] = []
    if ending != ".mkv":
        return arguments
    for place, (number, codec) in enumerate(info.covers):
        kind = {"mjpeg": "jpg"}.get(codec, codec)
        name = folder / f"cover{place or ''}.{kind}"
        copy = ["-map", f"0:v:{number}", "-c", "copy", "-frames:v", "1", "-f", "image2", "-update", "1"]
        with suppress(ffmpeg.FfmpegError):
            ffmpeg.run(["-y", "-nostdin", *info.arguments, *copy, str(name)])
            media = {"jpg": "image/jpeg"}.get(kind, f"image/{kind}")
            there = info.attachments + place
            arguments += ["-attach", str(name), f"-metadata:s:t:{there}", f"mimetype={media}"]
            arguments += [f"-metadata:s:t:{there}", f"filename={name.name}"]
    return arguments


def _source_input(info: VideoInfo, part: Range) -> list[str]:
    """Return ffmpeg's arguments that open the source a second time, for its sound, at the same time as the picture."""
    arguments: list[str] = []
    if part.first:
        arguments += ["-ss", _decimal(info.delay + part.seconds)]
    elif info.delay:
        arguments += ["-itsoffset", _decimal(-info.delay)]
    if part.length is not None:
        arguments += ["-t", _decimal(part.length + (0 if part.first else info.delay))]
    return [*arguments, *info.arguments]


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


def _tracks(info: VideoInfo, target: Target, decoder: Decoder, part: Range, folder: Path) -> tuple[list[str], ...]:
    """Return ffmpeg's arguments that open the source as input 1, and those that carry its tracks and tags along."""
    factor = round(decoder.rate / info.rate)
    if target.ending == ".gif":
        return [], []
    if info.first is not None:
        return [], _timecode(info, part, factor)
    carry = [
        *track_arguments(info, target.ending)[0],
        *_tags(info, part, factor),
        *_covers(info, target.ending, folder),
    ]
    if part.first:  # otherwise copied sound begins at the key frame before
        carry += ["-copypriorss", "0"]
    elif info.delay and target.ending in (".mp4", ".mov"):  # otherwise sound before the picture is not played
        carry += ["-avoid_negative_ts", "make_zero"]
    return _source_input(info, part), [*carry, "-max_interleave_delta", "0"]


@contextmanager
def encoding(
    path: Path,
    name: Path,
    info: VideoInfo,
    target: Target,
    decoder: Decoder,
    part: Range,
    side_by_side: bool = False,
    tracks: bool = True,
    done: int = 0,
) -> Iterator[FrameWriter]:
    """Yield a writer of frames, which ffmpeg encodes beside the sound of the source.

    Parameters
    ----------
    path : Path
        File to write, or the pattern of an image sequence.
    name : Path
        Name of the file in error messages.
    info : VideoInfo
        Properties of the source, from which sound, subtitles and tags come.
    target : Target
        How the video is stored.
    decoder : Decoder
        The decoder of the frames: their size, rate and aspect.
    part : Range
        The part that is colored.
    side_by_side : bool
        Whether the grey original stands to the left.
    tracks : bool
        Whether sound, subtitles and tags come along.
    done : int
        Number of pictures of an image sequence that are written already.

    Raises
    ------
    VideoFileError
        ffmpeg fails: the destination cannot be written, or the disk is full.
    """
    rows, columns = target.frames.cell
    height, width = -(-decoder.height // rows) * rows, -(-decoder.width // columns) * columns
    size = 2 * width if side_by_side else width, height
    matrix, primaries, transfer = target.colors
    span = "pc" if target.rgb or target.frames.full else "tv"
    # set for the frames, not for the file: otherwise ffmpeg would convert the frames to the color space of the file
    filters = f"setparams=range={span}:colorspace={matrix}:color_primaries={primaries}:color_trc={transfer}"
    filters += f",setsar={decoder.aspect.replace(':', '/')}{target.filters}"
    command = ["-f", "rawvideo", "-pixel_format", target.pixel_format, "-video_size", f"{size[0]}x{size[1]}"]
    command += ["-framerate", str(decoder.rate), "-i", "pipe:0"]
    encoder = ["-filter:v:0", filters, *target.arguments, *ffmpeg.threads()]
    start = (info.first or 0) + part.first
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        if target.sequence:
            place = f"{str(path.parent).replace('%', '%%')}/{path.name}"
            command += [*encoder, "-start_number", str(start + done), "-f", "image2", place]
        else:
            opened, carry = _tracks(info, target, decoder, part, Path(folder)) if tracks else ([], [])
            command += [*opened, "-map", "0:v", *encoder, *carry, "-strict", "-1", f"file:{path}"]
        program = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-y"]
        with _running([*program, *command], path, name) as pipe:
            rgb = np.dtype(np.uint16 if "48" in target.pixel_format else np.uint8) if target.rgb else None
            yield FrameWriter(pipe, decoder.format, target.frames, rgb, size, side_by_side)
        if target.ending == ".dpx" and info.timecode:
            code = advanced(info.timecode, part.first, info.rate, round(decoder.rate / info.rate))
            for number in frame_numbers(path):
                if number >= start + done:
                    stamp(path.with_name(path.name % number), advanced(code, number - start, decoder.rate))


def joined(
    segments: Sequence[Path], path: Path, name: Path, info: VideoInfo, target: Target, decoder: Decoder, part: Range
) -> None:
    """Join encoded segments without a loss, beside the sound of the source. The parameters are those of `encoding`."""
    with tempfile.TemporaryDirectory(prefix="labcolor-") as folder:
        listing = Path(folder) / "segments.txt"
        quoted = (str(segment.absolute()).replace("'", "'\\''") for segment in segments)
        listing.write_text("".join(f"file 'file:{segment}'\n" for segment in quoted), encoding="utf-8")
        opened, carry = _tracks(info, target, decoder, part, Path(folder))
        command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-y", *ffmpeg.LOCAL]
        command += ["-f", "concat", "-safe", "0", "-i", str(listing), *opened, "-map", "0:v"]
        command += [
            *target.container,
            "-c:v:0",
            "copy",
            "-color_range",
            "pc" if target.frames.full else "tv",
            *carry,
            "-strict",
            "-1",
            f"file:{path}",
        ]
        with _running(command, path, name):
            pass


@contextmanager
def writing(
    destination: Path, info: VideoInfo, target: Target, decoder: Decoder, part: Range, side_by_side: bool
) -> Iterator[FrameWriter]:
    """Yield a writer of frames to a hidden place, which becomes the destination on success: see :func:`encoding`."""
    if target.sequence:
        place = replacing_frames(destination)
    else:
        remove_stale(destination.parent)
        place = replacing(destination, VideoFileError)
    with (
        place as temporary,
        encoding(temporary, destination, info, target, decoder, part, side_by_side) as writer,
    ):
        yield writer
