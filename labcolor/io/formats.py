"""How a colored video is stored: containers, codecs and pixel formats."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from labcolor.base.paths import check_destination
from labcolor.base.validation import integer, one_of, optional, require
from labcolor.color.yuv import MATRICES, FrameFormat, usual_matrix
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.probe import VideoInfo, pixels_of
from labcolor.io.sequences import WRITABLE_SEQUENCES, is_pattern
from labcolor.io.tracks import track_arguments

__all__ = ["CODECS", "CONTAINERS", "Codec", "Target", "frame_format", "resolve_destination", "target_of"]

_X_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_PALETTE = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # frame by frame: constant memory


def _yuv(chroma: Sequence[str], depths: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"yuv{form}p{'' if depth == 8 else depth}" for depth in depths for form in chroma)


@dataclass(frozen=True)
class Codec:
    """A codec of video.

    Parameters
    ----------
    encoder : str
        Its encoder in ffmpeg.
    endings : tuple of str
        The containers that can hold it.
    pixel_formats : tuple of str
        What it can hold.
    arguments : tuple of str
        Further arguments of ffmpeg.
    quality : (best, worst, usual) or None
        Range of the number that sets the quality, and its usual value.
    presets : tuple of str
        Names that set the effort, fastest first.
    preset : str
        The usual one.
    full : tuple of str
        The containers in which it can say that luma uses all values.
    fields : bool
        Whether it can say that frames consist of fields.
    """

    encoder: str
    endings: tuple[str, ...]
    pixel_formats: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    quality: tuple[int, int, int] | None = None
    presets: tuple[str, ...] = ()
    preset: str = ""
    full: tuple[str, ...] = ()
    fields: bool = False


# x264's "faster" is as accurate as "medium" at the same size: docs/speed.md.
CODECS = {
    "h264": Codec(
        "libx264",
        (".mp4", ".mov", ".mkv"),
        _yuv(("420", "422", "444"), (8, 10)),
        quality=(0, 51, 20),
        presets=_X_PRESETS,
        preset="faster",
        full=(".mp4", ".mov", ".mkv"),
        fields=True,
    ),
    "hevc": Codec(
        "libx265",
        (".mp4", ".mov", ".mkv"),
        _yuv(("420", "422", "444"), (10, 8, 12)),
        ("-x265-params", "log-level=error"),
        quality=(0, 51, 20),
        presets=_X_PRESETS,
        preset="fast",
        full=(".mp4", ".mov", ".mkv"),
    ),
    "vp9": Codec(
        "libvpx-vp9",
        (".webm", ".mkv"),
        _yuv(("420", "422", "444"), (8, 10, 12)),
        ("-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1"),
        quality=(0, 63, 32),
        full=(".webm", ".mkv"),
    ),
    "prores": Codec("prores_ks", (".mov", ".mkv"), ("yuv422p10", "yuv444p10"), ("-vendor", "apl0"), fields=True),
    "dnxhr": Codec("dnxhd", (".mov", ".mkv"), ("yuv422p10", "yuv422p", "yuv444p10")),
    "ffv1": Codec(
        "ffv1",
        (".mkv", ".mov"),
        _yuv(("444", "422", "420"), (8, 10, 12, 16)),
        ("-level", "3", "-g", "1", "-slicecrc", "1", "-slices", "4"),
        full=(".mkv",),
        fields=True,
    ),
}
# The usual codec of each container.
CONTAINERS = {".mp4": "h264", ".mov": "h264", ".mkv": "h264", ".webm": "vp9", ".gif": "gif"}
# Profiles by pixel format. ProRes 422 HQ and 4444; DNxHR HQX, HQ and 444.
_PROFILES = {
    ("prores", "yuv422p10"): "hq",
    ("prores", "yuv444p10"): "4444",
    ("dnxhr", "yuv422p10"): "dnxhr_hqx",
    ("dnxhr", "yuv422p"): "dnxhr_hq",
    ("dnxhr", "yuv444p10"): "dnxhr_444",
}

# Tags of colors that stay: what is close enough to sRGB, in whose primaries chroma is computed.
_PRIMARIES = ("bt709", "smpte170m", "bt470bg", "bt470m", "smpte240m", "film")
_TRANSFERS = ("bt709", "smpte170m", "bt470bg", "bt470m", "smpte240m", "iec61966-2-1", "bt2020-10", "bt2020-12")


@dataclass(frozen=True)
class Target:
    """How a colored video is stored.

    Parameters
    ----------
    ending : str
        Ending of the file, or of the pictures of a sequence.
    sequence : bool
        Whether it is an image sequence.
    rgb : bool
        Whether the encoder gets RGB instead of YUV.
    pixel_format : str
        ffmpeg's name of what the encoder gets.
    frames : FrameFormat
        The numbers of luma and chroma; of RGB, the numbers of the luma that it is made from.
    colors : (matrix, primaries, transfer)
        Tags of the result.
    filters : str
        ffmpeg's filters of the frames, with a leading comma, or empty.
    arguments : tuple of str
        ffmpeg's arguments that encode the frames.
    container : tuple of str
        ffmpeg's arguments that write the container; they are among ``arguments``, too.
    lost : tuple of str
        What of the source's pixels and tracks is converted or dropped.
    """

    ending: str
    sequence: bool
    rgb: bool
    pixel_format: str
    frames: FrameFormat
    colors: tuple[str, str, str]
    filters: str
    arguments: tuple[str, ...]
    container: tuple[str, ...]
    lost: tuple[str, ...]


@lru_cache(maxsize=32)
def _has_encoder(program: str, encoder: str) -> bool:
    command = [program, "-hide_banner", "-h", f"encoder={encoder}"]
    return b"Encoder " + encoder.encode() in subprocess.run(command, capture_output=True, check=False).stdout


def frame_format(info: VideoInfo, tone_map: bool) -> FrameFormat:
    """Return the numbers of the luma that is decoded of a video. RGB is decoded to full range."""
    if tone_map and info.hdr:
        return FrameFormat(10, False)
    pixels = info.pixels
    depth = pixels.depth if pixels.kind != "rgb" or pixels.depth == 8 else 16
    return FrameFormat(depth, info.full or pixels.kind == "rgb")


def resolve_destination(destination: Path, info: VideoInfo) -> Path:
    """Return the file or the pattern to write: a folder gets a sequence with the names of its source.

    Raises
    ------
    InputError, VideoFileError
        Nothing can be written there.
    """
    if info.first is not None and not destination.suffix:
        destination = destination / info.path.name
    folder = destination.parent
    # the folder of a sequence is made if need be
    check_destination(folder if is_pattern(destination) and not os.path.isdir(folder) else destination, VideoFileError)
    return destination


def target_of(
    destination: Path,
    info: VideoInfo,
    *,
    codec: str | None,
    quality: int | None,
    preset: str | None,
    pixel_format: str | None,
    tone_map: bool,
    deinterlace: str,
    size: tuple[int, int],
) -> Target:
    """Return how a video is stored at a destination.

    Parameters
    ----------
    destination : Path
        The file or the pattern to write, from :func:`resolve_destination`.
    info : VideoInfo
        Properties of the source.
    codec, quality, preset, pixel_format, tone_map, deinterlace
        As for :func:`labcolor.colorize_video`.
    size : (width, height)
        Size of a decoded frame.

    Raises
    ------
    InputError
        A parameter is not one that the container and the codec know.
    VideoFileError
        The source is HDR and is not to be tone-mapped, or this ffmpeg lacks the encoder.
    """
    ending = destination.suffix.lower()
    sequence = is_pattern(destination)
    if sequence:
        if ending not in WRITABLE_SEQUENCES:
            raise InputError(
                f"{destination}: expected a sequence that ends in {', '.join(WRITABLE_SEQUENCES)}. Rename it."
            )
    elif ending not in CONTAINERS:
        raise InputError(
            f"{destination}: expected a name that ends in {', '.join(CONTAINERS)}, or a sequence like "
            f"frames/%06d.png. Rename it."
        )
    if info.hdr and not tone_map:
        raise VideoFileError(
            f"{info.path}: expected a video of standard range, got HDR ({info.hdr}). Pass tone_map=True (--tone-map) "
            f"to map its tones to standard range."
        )
    source = frame_format(info, tone_map)
    lost = ["a variable rate became constant"] if info.variable else []
    if deinterlace in ("always", "double") or (deinterlace == "auto" and info.interlaced):
        lost.append("fields became frames")
    if sequence or ending == ".gif":
        if info.interlaced and deinterlace == "never":
            lost.append("fields are no longer marked as such")
        target = _rgb_target(ending, sequence, info, source, codec, quality, preset, pixel_format)
        return replace(target, lost=(*lost, *target.lost))
    name = CONTAINERS[ending] if codec is None else codec
    require("codec", name, one_of(*CODECS))
    known = CODECS[name]
    if ending not in known.endings:
        raise InputError(f"codec: {name} fits {', '.join(known.endings)}, got {ending}. Choose another codec or name.")
    pixels = _pixel_format(name, info, source, pixel_format)
    arguments = ["-c:v", known.encoder, *known.arguments, "-pix_fmt", _little(pixels)]
    arguments += _effort(name, known, quality, preset)
    if (name, pixels) in _PROFILES:
        arguments += ["-profile:v", _PROFILES[name, pixels]]
    container = ["-movflags", "+faststart"] if ending in (".mp4", ".mov") else []
    if name == "hevc" and ending != ".mkv":  # the tag that QuickTime knows
        container += ["-tag:v:0", "hvc1"]
    arguments += container
    if name == "dnxhr" and (size[0] < 256 or size[1] < 120):
        raise InputError(
            f"codec: dnxhr needs a picture of at least 256x120 pixels, got {size[0]}x{size[1]}. Resize it."
        )
    if not _has_encoder(ffmpeg.executable(), known.encoder):
        raise VideoFileError(
            f"codec: this ffmpeg has no encoder {known.encoder} for {name}. Choose another codec, or set "
            f"IMAGEIO_FFMPEG_EXE to an ffmpeg that has it."
        )
    new = pixels_of(pixels)
    cells = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}
    wide_gamut = info.matrix.startswith("bt2020") or info.primaries == "bt2020"
    usual = usual_matrix(size[1])
    matrix = info.matrix if info.matrix in MATRICES else "bt709" if wide_gamut or info.hdr else usual
    tagged = info.pixels.kind == "yuv" and not wide_gamut and not info.hdr
    primaries = info.primaries if tagged and info.primaries in _PRIMARIES else matrix
    transfer = info.transfer if tagged and info.transfer in _TRANSFERS else matrix.replace("bt470bg", "smpte170m")
    full = source.full and ending in known.full and info.pixels.kind != "rgb"
    arguments += ["-color_range", "pc" if full else "tv"]  # otherwise ffmpeg may convert to what the encoder likes
    frames = FrameFormat(new.depth, full, cells[new.chroma], matrix)
    filters = ""
    if info.interlaced and deinterlace == "never":
        if known.fields:
            filters = f",setfield={info.fields}"
            arguments += ["-flags:v:0", "+ilme+ildct"]
        else:
            lost.append("fields are no longer marked as such")
    if any(side % step for side, step in zip(reversed(size), frames.cell, strict=True)):
        lost.append("an odd side is one pixel longer")
    lost += _pixels_lost(info, source, frames, new.chroma, tone_map)
    if wide_gamut and not info.hdr:
        lost.append("colors tagged BT.2020 became BT.709")
    lost += track_arguments(info, ending)[1]
    return Target(
        ending,
        False,
        False,
        _little(pixels),
        frames,
        (matrix, primaries, transfer),
        filters,
        tuple(arguments),
        tuple(container),
        tuple(lost),
    )


def _little(name: str) -> str:
    """Return ffmpeg's name of a pixel format with the lower byte first."""
    return name + "le" if pixels_of(name).depth > 8 else name


def _effort(name: str, codec: Codec, quality: int | None, preset: str | None) -> list[str]:
    """Return ffmpeg's arguments for quality and preset."""
    arguments = []
    if codec.quality is None:
        if quality is not None:
            _reject_option("quality", name)
    else:
        best, worst, usual = codec.quality
        require("quality", quality, optional(integer(best, most=worst)))
        arguments += ["-crf", str(usual if quality is None else quality)]
    if not codec.presets:
        if preset is not None:
            _reject_option("preset", name)
    else:
        require("preset", preset, optional(one_of(*codec.presets)))
        arguments += ["-preset", codec.preset if preset is None else preset]
    return arguments


def _reject_option(parameter: str, name: str) -> None:
    raise InputError(f"{parameter}: {name} has none. Leave it out.")


def _pixel_format(name: str, info: VideoInfo, source: FrameFormat, chosen: str | None) -> str:
    """Return the pixel format of a codec: the one that was chosen, or the usual one for a source."""
    choices = CODECS[name].pixel_formats
    require("pixel_format", chosen, optional(one_of(*choices)))
    if chosen is not None:
        return chosen
    if name == "ffv1":  # lossless: nothing of the source is given up
        depth = min(known for known in (8, 10, 12, 16) if known >= source.depth)
        chroma = {"420": "420", "422": "422", "411": "422", "410": "420", "440": "444"}.get(info.pixels.chroma, "444")
        return _yuv((chroma,), (depth,))[0]
    if name == "dnxhr":
        return "yuv422p" if source.depth == 8 else "yuv422p10"
    return choices[0]


def _rgb_target(
    ending: str,
    sequence: bool,
    info: VideoInfo,
    source: FrameFormat,
    codec: str | None,
    quality: int | None,
    preset: str | None,
    pixel_format: str | None,
) -> Target:
    """Return how a GIF or an image sequence is stored: as RGB."""
    for name, value in (("codec", codec), ("quality", quality), ("preset", preset)):
        if value is not None:
            _reject_option(name, ending)
    choices = ("rgb24", "rgb48") if sequence else ("rgb24",)
    require("pixel_format", pixel_format, optional(one_of(*choices)))
    if pixel_format is None:
        pixel_format = "rgb48" if sequence and source.depth > 8 else "rgb24"
    depth = pixels_of(pixel_format).depth
    frames = FrameFormat(source.depth, source.full, (1, 1))
    lost = [f"{info.pixels.depth} bits became 8"] if depth < source.depth else []
    if info.hdr:
        lost.append(f"HDR ({info.hdr}) became standard range")
    if info.pixels.alpha:
        lost.append("transparency is dropped")
    if sequence:
        arguments = {".png": (), ".dpx": ()}.get(ending, ("-compression_algo", "deflate"))
    else:
        arguments = ("-fpsmax", "50")  # players show each frame of a GIF for at least 20 ms
    if sequence and info.aspect != "1:1":
        lost.append(f"the pixel aspect {info.aspect} is dropped")
    lost += track_arguments(info, ending)[1]
    colors = ("gbr", "bt709", "iec61966-2-1")
    filters = "" if sequence else f",{_PALETTE}"
    return Target(ending, sequence, True, _little(pixel_format), frames, colors, filters, arguments, (), tuple(lost))


def _pixels_lost(info: VideoInfo, source: FrameFormat, new: FrameFormat, chroma: str, tone_map: bool) -> list[str]:
    """Return what of a source's pixels is converted or dropped."""
    lost = []
    if info.hdr and tone_map:
        lost.append(f"HDR ({info.hdr}) became standard range")
    if new.depth < info.pixels.depth:
        lost.append(f"{info.pixels.depth} bits became {new.depth}")
    old = info.pixels.chroma
    if info.pixels.kind == "rgb":
        lost.append(f"RGB became YUV {':'.join(chroma)}")
    elif old in ("422", "444", "440") and chroma < old and (old, chroma) != ("440", "422"):
        lost.append(f"{':'.join(old)} became {':'.join(chroma)}")
    if source.full and not new.full:
        lost.append("full range became video range")
    if info.pixels.alpha:
        lost.append("transparency is dropped")
    return lost
