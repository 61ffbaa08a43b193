"""The codecs of video, their containers, and the caller's choice of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from labcolor.base.choices import CodecName, PresetName
from labcolor.base.validation import instance_of, integer, one_of, optional, require
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg


def _yuv(chroma: Sequence[str], depths: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"yuv{form}p{'' if depth == 8 else depth}" for depth in depths for form in chroma)


@dataclass(frozen=True)
class Codec:
    """A codec of video.

    Parameters
    ----------
    encoder : str
        Name of its encoder in ffmpeg.
    endings : tuple of str
        Containers that support it.
    pixel_formats : tuple of str
        Supported pixel formats, the default first.
    options : tuple of (str, str)
        Further options of ffmpeg.
    quality : (best, worst, default) or None
        Range and default of the number that sets the quality.
    preset : str
        Default preset, or empty if it has no presets.
    full : tuple of str
        Containers in which it can declare full-range luma.
    fields : bool
        Whether it can declare that frames consist of fields.
    """

    encoder: str
    endings: tuple[str, ...]
    pixel_formats: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    quality: tuple[int, int, int] | None = None
    preset: str = ""
    full: tuple[str, ...] = ()
    fields: bool = False


_X_CONTAINERS = (".mp4", ".mov", ".mkv")
# x264's "faster" is as accurate as "medium" at the same size: docs/speed.md.
CODECS = {
    "h264": Codec(
        "libx264",
        _X_CONTAINERS,
        _yuv(("420", "422", "444"), (8, 10)),
        quality=(0, 51, 20),
        preset="faster",
        full=_X_CONTAINERS,
        fields=True,
    ),
    "hevc": Codec(
        "libx265",
        _X_CONTAINERS,
        _yuv(("420", "422", "444"), (10, 8, 12)),
        (("x265-params", "log-level=error"),),
        quality=(0, 51, 20),
        preset="fast",
        full=_X_CONTAINERS,
    ),
    "vp9": Codec(
        "libvpx-vp9",
        (".webm", ".mkv"),
        _yuv(("420", "422", "444"), (8, 10, 12)),
        (("b", "0"), ("deadline", "good"), ("cpu-used", "4"), ("row-mt", "1")),
        quality=(0, 63, 32),
        full=(".webm", ".mkv"),
    ),
    "prores": Codec("prores_ks", (".mov", ".mkv"), ("yuv422p10", "yuv444p10"), (("vendor", "apl0"),), fields=True),
    "dnxhr": Codec("dnxhd", (".mov", ".mkv"), ("yuv422p10", "yuv422p", "yuv444p10")),
    "ffv1": Codec(
        "ffv1",
        (".mkv", ".mov", ".avi"),
        _yuv(("444", "422", "420"), (8, 10, 12, 16)),
        (("level", "3"), ("g", "1"), ("slicecrc", "1"), ("slices", "4")),
        full=(".mkv",),
        fields=True,
    ),
}
# The usual codec of each container.
CONTAINERS = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9", ".avi": "ffv1", ".gif": "gif"}
# Profiles by pixel format. ProRes 422 HQ and 4444; DNxHR HQX, HQ and 444.
_PROFILES = {
    ("prores", "yuv422p10"): "hq",
    ("prores", "yuv444p10"): "4444",
    ("dnxhr", "yuv422p10"): "dnxhr_hqx",
    ("dnxhr", "yuv422p"): "dnxhr_hq",
    ("dnxhr", "yuv444p10"): "dnxhr_444",
}


@dataclass(frozen=True)
class Encoding:
    """Options for the encoding of a colored video.

    Parameters
    ----------
    codec : {"h264", "hevc", "vp9", "prores", "dnxhr", "ffv1"}, optional
        Codec of the result, if the container supports it. By default that of the container.
    quality : int, optional
        Quality of "h264", "hevc" and "vp9": the number that ffmpeg calls crf. Lower is better. By default 20, or 32 for
        "vp9".
    preset : str, optional
        Effort of "h264" and "hevc", from "ultrafast" to "veryslow". By default "faster" and "fast".
    pixel_format : str, optional
        Pixel format of the result, such as "yuv422p10", or "rgb24" or "rgb48" for an image sequence. The default
        depends on the codec: "yuv420p" for "h264" and "vp9", "yuv420p10" for "hevc", "yuv422p10" for "prores". "dnxhr"
        and image sequences keep the depth of the source, and "ffv1" keeps depth and chroma.
    side_by_side : bool, default False
        Whether to put the grey original to the left of the colored video.

    Raises
    ------
    InputError, InputTypeError
        The codec is unknown, or has no such quality or preset.

    Examples
    --------
    >>> from labcolor import Encoding
    >>> Encoding("hevc", quality=18).preset is None
    True
    """

    codec: CodecName | None = None
    quality: int | None = None
    preset: PresetName | None = None
    pixel_format: str | None = None
    side_by_side: bool = False

    def __post_init__(self) -> None:
        """Check the options that do not depend on the container."""
        if self.codec is not None:
            require("codec", self.codec, one_of(*CODECS))
        require("quality", self.quality, optional(integer(0, most=63)))
        for name in ("preset", "pixel_format"):
            require(name, getattr(self, name), optional(instance_of(str)))
        require("side_by_side", self.side_by_side, instance_of(bool))


def codec_for(encoding: Encoding, ending: str) -> str:
    """Return the name of the codec for a container.

    Raises
    ------
    InputError
        The container does not support the codec, or the codec has no such quality or preset.
    VideoFileError
        This ffmpeg lacks the encoder.
    """
    name = CONTAINERS[ending] if encoding.codec is None else encoding.codec
    codec = CODECS[name]
    if ending not in codec.endings:
        raise InputError(f"codec: {name} fits {', '.join(codec.endings)}, got {ending}. Choose another codec or name.")
    if codec.quality is None:
        reject_options(encoding, name, "quality")
    else:
        best, worst, _ = codec.quality
        require("quality", encoding.quality, optional(integer(best, most=worst)))
    if codec.preset:
        require("preset", encoding.preset, optional(one_of(*get_args(PresetName))))
    else:
        reject_options(encoding, name, "preset")
    if not ffmpeg.run(["-h", f"encoder={codec.encoder}"]).startswith(b"Encoder "):
        raise VideoFileError(
            f"codec: this ffmpeg has no encoder {codec.encoder} for {name}. Choose another codec, or set "
            f"IMAGEIO_FFMPEG_EXE to an ffmpeg that has it."
        )
    return name


def reject_options(encoding: Encoding, name: str, *options: str) -> None:
    """Raise an InputError if options are given that a codec or a container does not have."""
    for option in options:
        if getattr(encoding, option) is not None:
            raise InputError(f"{option}: {name} has no {option}. Leave it out.")


def encoder_options(encoding: Encoding, name: str, pixel_format: str) -> dict[str, str]:
    """Return ffmpeg's options that encode pixels with a codec."""
    codec = CODECS[name]
    options = {"c": codec.encoder, **dict(codec.options)}
    if codec.quality is not None:
        options["crf"] = str(codec.quality[2] if encoding.quality is None else encoding.quality)
    if codec.preset:
        options["preset"] = codec.preset if encoding.preset is None else encoding.preset
    if (name, pixel_format) in _PROFILES:
        options["profile"] = _PROFILES[name, pixel_format]
    return options
