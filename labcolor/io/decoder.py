"""Decoding of videos by ffmpeg: the part and the form that a caller chooses, and the luma of each frame."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import IO, Any, get_args

import numpy as np

from labcolor.base.choices import Deinterlacing
from labcolor.base.typing import Array
from labcolor.base.validation import instance_of, integer, one_of, require
from labcolor.color.yuv import FrameFormat
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.probe import VideoInfo, probe
from labcolor.io.times import as_rate, as_seconds
from labcolor.io.y4m import read_exactly
from labcolor.pictures.picture import Picture

_LUMA_OF_RGB = np.array([0.2126, 0.7152, 0.0722], np.float32)
_PLANAR = 9, 10, 12, 14  # depths of RGB that ffmpeg holds in planes only


@dataclass(frozen=True)
class Decoding:
    """Options for the decoding of a video.

    Parameters
    ----------
    start, end : seconds or text, optional
        The part to color, such as 80.5 or "00:01:20.5". By default the whole video.
    rate : frames per second, optional
        Rate of an image sequence, such as 25 or "24000/1001". By default 24.
    resize : (width, height), optional
        Size to scale the frames to. By default the size of the video. 4:2:0 chroma needs even sides, so an odd side is
        extended by a copy of its last row or column.
    deinterlace : {"auto", "never", "always"}, default "auto"
        Whether fields are converted to frames. "auto" converts frames that declare fields.
    tone_map : bool, default False
        Whether the tones of an HDR video are mapped to standard range. Otherwise such a video raises an error.

    Raises
    ------
    InputError, InputTypeError
        A value is not as described above.

    Examples
    --------
    >>> from labcolor import Decoding
    >>> Decoding(start="00:01:20", end=95.5)
    Decoding(start='00:01:20', end=95.5, rate=None, resize=None, deinterlace='auto', tone_map=False)
    """

    start: float | str | Fraction = 0
    end: float | str | Fraction | None = None
    rate: float | str | Fraction | None = None
    resize: tuple[int, int] | None = None
    deinterlace: Deinterlacing = "auto"
    tone_map: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        as_seconds("start", self.start)
        if self.end is not None:
            as_seconds("end", self.end)
        if self.rate is not None:
            as_rate("rate", self.rate)
        if self.resize is not None:
            if not isinstance(self.resize, tuple | list) or len(self.resize) != 2:
                raise InputError(f"resize: expected (width, height), got {self.resize!r}.")
            for side in self.resize:
                require("resize", side, integer(2))
        require("deinterlace", self.deinterlace, one_of(*get_args(Deinterlacing)))
        require("tone_map", self.tone_map, instance_of(bool))


class Footage:
    """The part of a video that is colored, as it is decoded.

    Parameters
    ----------
    info : VideoInfo
        Properties of the video.
    decoding : Decoding
        Options for its decoding.

    Attributes
    ----------
    info, decoding
        The parameters.
    rate : Fraction
        Frames per second, exact.
    size : (width, height)
        Size of a decoded frame.
    aspect : str
        Aspect ratio of a pixel, "1:1" for a square.
    first : int
        Number of the first frame.
    count : int or None
        Number of frames, or None for all remaining frames.
    seconds : Fraction
        Time of the first frame.
    length : Fraction or None
        Length in seconds, or None for the rest of the video.

    Raises
    ------
    InputError
        The part begins after the video ends, or is empty.
    VideoFileError
        The video is HDR and is not to be tone-mapped.
    """

    def __init__(self, info: VideoInfo, decoding: Decoding = Decoding()) -> None:
        if info.hdr and not decoding.tone_map:
            raise VideoFileError(
                f"{info.path}: expected a video of standard range, got HDR ({info.hdr}). Pass tone_map=True "
                f"(--tone-map) to map its tones to standard range."
            )
        self.info, self.decoding, self.rate = info, decoding, info.rate
        self.size = decoding.resize or info.size
        self.aspect = "1:1" if decoding.resize else info.aspect
        start = as_seconds("start", decoding.start)
        end = None if decoding.end is None else as_seconds("end", decoding.end)
        self.first = round(start * info.rate)
        self.seconds = self.first / info.rate
        self.count = None if end is None else max(0, round(end * info.rate) - self.first)
        self.length = None if self.count is None else self.count / info.rate
        if self.count == 0:
            raise InputError(f"end: expected a time after start ({float(start):g} s), got {float(end or 0):g} s.")
        if info.duration is not None and self.first and self.seconds >= info.duration:
            raise InputError(f"start: expected a time before the end ({info.duration:g} s), got {float(start):g} s.")

    @property
    def total(self) -> int | None:
        """Number of frames, or None if the length of the video is unknown."""
        if self.info.duration is None:
            return self.count
        rest = Fraction(self.info.duration) - self.seconds
        return round((rest if self.length is None else min(self.length, rest)) * self.rate)

    @cached_property
    def format(self) -> FrameFormat:
        """Format of decoded luma. RGB is decoded to full range, and HDR is mapped to 10 bits of standard range."""
        if self.info.hdr:
            return FrameFormat(10, False)
        pixels, density = self.info.pixels, self.info.dpx is not None and self.info.dpx.density
        depth = pixels.depth if pixels.kind != "rgb" or pixels.depth in (8, *_PLANAR) else 16
        return FrameFormat(depth, self.info.full or pixels.kind == "rgb", density=density)


def open_footage(path: Path, decoding: Decoding = Decoding()) -> Footage:
    """Read the properties of a video, and choose the part to decode.

    Raises
    ------
    InputError, VideoFileError
        As for :func:`labcolor.io.probe.probe` and :class:`Footage`.
    """
    return Footage(probe(path, None if decoding.rate is None else as_rate("rate", decoding.rate)), decoding)


class Decoder:
    """Stream of the luma of a video. Iteration yields (H, W) frames, uint8 or uint16, with the values of the source.

    Rotation is applied, and fields are converted to frames. The frames have a constant rate: frames of a variable rate
    are repeated or dropped, so that video and sound stay synchronous. Use the decoder as a context manager.

    Parameters
    ----------
    footage : Footage
        The part to decode.
    """

    def __init__(self, footage: Footage) -> None:
        self._footage, info = footage, footage.info
        self._rgb = info.pixels.kind == "rgb" and not info.hdr
        self._planar = self._rgb and footage.format.depth in _PLANAR
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        planar, plain = self._pixels()
        filters = ["setpts=PTS-STARTPTS", *_tone_mapping(footage), *planar, *_deinterlacing(footage), *plain]
        if footage.decoding.resize:
            filters.append("scale={}:{}".format(*footage.size))
        command = ffmpeg.command("-nostdin", *ffmpeg.threads())
        if footage.first:  # between two frames, so that rounded times cannot select the one before
            command += ["-ss", ffmpeg.decimal(info.delay + footage.seconds - Fraction(1, 2) / info.rate)]
        command += [*info.arguments, "-map", "0:V:0", "-vf", ",".join(filters)]
        command += ["-fps_mode", "cfr", "-r", str(footage.rate)]
        if footage.count is not None:
            command += ["-frames:v", str(footage.count)]
        command += ["-f", "rawvideo", "-"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        assert self._process.stdout is not None
        self._pipe: IO[bytes] = self._process.stdout

    def _pixels(self) -> tuple[list[str], list[str]]:
        """Return the filters before and after the one for fields, which leave luma, or RGB, with unchanged values."""
        info, depth = self._footage.info, self._footage.format.depth
        plain = "gray" if depth == 8 else f"gray{depth}le"
        if self._rgb:
            return [], [f"format=gbrp{depth}le" if self._planar else "format=rgb24" if depth == 8 else "format=rgb48le"]
        if info.pixels.kind == "grey":
            return [f"format={plain}"], []
        # extractplanes lacks 4:4:0
        chroma = "420" if info.hdr else info.pixels.chroma.replace("440", "444")
        letter = "j" if info.format.startswith("yuvj") else ""  # another name would convert the range
        planar = f"yuv{letter}{chroma}p" + ("" if depth == 8 else f"{depth}le")
        return [f"format={planar}"], ["extractplanes=y", f"format={plain}"]

    def __enter__(self) -> Decoder:
        """Return the decoder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End ffmpeg if it is running."""
        self._process.kill()  # does nothing after its end
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
        own = self._footage.format.dtype
        dtype = own.newbyteorder("<")
        width, height = self._footage.size
        shape = (3, height, width) if self._planar else (height, width, 3) if self._rgb else (height, width)
        size = int(np.prod(shape)) * dtype.itemsize
        while (content := read_exactly(self._pipe, size)) is not None:
            frame = np.frombuffer(content, dtype).reshape(shape).astype(own, copy=False)
            yield _luma(frame, self._planar) if self._rgb else frame
        # a damaged video gives error messages; without one, or after a signal, the decoding was cut short
        code = self._process.wait()
        if code < 0 or (code > 0 and not self.complaints()):
            raise VideoFileError(
                f"{self._footage.info.path}: ffmpeg ended in the middle of decoding (exit status {code}). Try again."
            )

    def pictures(self, frames: FrameFormat | None = None, dtype: np.dtype[Any] | None = None) -> Iterator[Picture]:
        """Yield the frames as pictures: see :func:`luma_pictures`."""
        return luma_pictures(self, self._footage.format, frames, dtype)


def luma_pictures(
    lumas: Iterable[Array], source: FrameFormat, frames: FrameFormat | None = None, dtype: np.dtype[Any] | None = None
) -> Iterator[Picture]:
    """Yield frames of luma as pictures.

    Parameters
    ----------
    lumas : iterable of ndarray, each (H, W)
        The frames.
    source : FrameFormat
        Format of the frames.
    frames : FrameFormat, optional
        Format of the pictures. Their sides are extended to the even sides that its chroma needs. By default the format
        of the source, with the size of the frames.
    dtype : dtype, optional
        Dtype of the pictures when they are colored to RGB. By default that of luma.
    """
    numbers = frames or source
    conversion, table = source.conversion(numbers), numbers.lightness()
    for luma in lumas:
        luma = luma if conversion is None else conversion[luma]
        luma = luma if frames is None else frames.even(luma)
        yield Picture(luma[..., None], None, luma.dtype if dtype is None else dtype, table)


def _luma(frame: Array, planar: bool) -> Array:
    """Return luma, (H, W), of RGB (H, W, 3) or of planes of GBR; where the channels are equal, their value."""
    rgb = np.moveaxis(frame[[2, 0, 1]], 0, -1) if planar else frame
    green = rgb[..., 1]
    if np.array_equal(rgb[..., 0], green) and np.array_equal(rgb[..., 2], green):
        return np.ascontiguousarray(green)
    return (rgb @ _LUMA_OF_RGB + np.float32(0.5)).astype(rgb.dtype)


def _deinterlacing(footage: Footage) -> list[str]:
    """Return the filters that make frames of fields."""
    info, deinterlace = footage.info, footage.decoding.deinterlace
    # ffmpeg's filter would convert grey of 9 to 14 bits to other values
    unknown = info.pixels.kind == "grey" and info.pixels.depth not in (8, 16)
    if deinterlace == "never" or unknown or (deinterlace == "auto" and info.first is not None):
        return []
    return [f"bwdif=mode=send_frame:deint={'interlaced' if deinterlace == 'auto' else 'all'}"]


def _tone_mapping(footage: Footage) -> list[str]:
    """Return the filters that map the tones of an HDR video to 10 bits of standard range."""
    info = footage.info
    if not info.hdr:
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
