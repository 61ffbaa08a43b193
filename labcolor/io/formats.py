"""Storage of a colored video: container, pixels, color tags, and losses compared with the source."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from labcolor.base.paths import check_absent, check_destination
from labcolor.base.validation import one_of, optional, require
from labcolor.color.yuv import MATRICES, FrameFormat, usual_matrix
from labcolor.errors import InputError, VideoFileError
from labcolor.io.codecs import CODECS, CONTAINERS, Encoding, codec_for, encoder_options, reject_options
from labcolor.io.decoder import Footage
from labcolor.io.dpx import DpxHeader
from labcolor.io.probe import VideoInfo, pixels_of
from labcolor.io.sequences import WRITABLE_SEQUENCES, frame_numbers, is_pattern
from labcolor.io.tracks import TrackPlan, plan_tracks

_PALETTE = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # frame by frame: constant memory
_CELLS = {"420": (2, 2), "422": (1, 2), "444": (1, 1)}
# Color tags that are kept, because they are close to the primaries of sRGB, for which chroma is computed.
_PRIMARIES = ("bt709", "smpte170m", "bt470bg", "bt470m", "smpte240m", "film")
_DPX_TRANSFERS = {"bt709": 6, "bt470bg": 7, "smpte170m": 8}
_TRANSFERS = ("bt709", "smpte170m", "bt470bg", "bt470m", "smpte240m", "iec61966-2-1", "bt2020-10", "bt2020-12")


@dataclass(frozen=True)
class Target:
    """How a colored video is stored.

    Parameters
    ----------
    destination : Path
        The file or the pattern to write.
    footage : Footage
        The source.
    rgb : FrameFormat or None
        The numbers of RGB, if the encoder gets it instead of YUV.
    pixel_format : str
        ffmpeg's name of the pixel format that the encoder gets.
    frames : FrameFormat
        The numbers of luma and chroma; of RGB, the numbers of the luma that it is made from.
    colors : (matrix, primaries, transfer)
        Tags of the result.
    filters : str
        ffmpeg's filters of the frames, with a leading comma, or empty.
    options : dict of str to str
        ffmpeg's options that encode the frames.
    side_by_side : bool
        Whether the grey original stands to the left of each frame.
    """

    destination: Path
    footage: Footage
    rgb: FrameFormat | None
    pixel_format: str
    frames: FrameFormat
    colors: tuple[str, str, str]
    filters: str
    options: dict[str, str]
    side_by_side: bool

    @property
    def ending(self) -> str:
        """Ending of the file, or of the pictures of a sequence."""
        return self.destination.suffix.lower()

    @cached_property
    def sequence(self) -> bool:
        """Whether it is an image sequence."""
        return is_pattern(self.destination)

    @cached_property
    def tracks(self) -> TrackPlan:
        """Plan for the tracks of the source."""
        return plan_tracks(self.footage.info, self.ending)

    @property
    def arguments(self) -> list[str]:
        """Arguments of ffmpeg that encode the frames; :attr:`container` has further ones."""
        # for the video alone; otherwise they would reach the stream of a cover
        return [part for name, value in self.options.items() for part in (f"-{name}:v:0", value)]

    @property
    def container(self) -> list[str]:
        """Arguments of ffmpeg that write the container."""
        arguments = ["-movflags", "+faststart"] if self.ending in (".mp4", ".mov") else []
        if self.options.get("c") == "libx265" and self.ending != ".mkv":  # the tag that QuickTime knows
            arguments += ["-tag:v:0", "hvc1"]
        return arguments

    @property
    def frame_size(self) -> tuple[int, int]:
        """Width and height of a colored frame, with the even sides that its chroma needs."""
        (width, height), (rows, columns) = self.footage.size, self.frames.cell
        return -(-width // columns) * columns, -(-height // rows) * rows

    @property
    def written_size(self) -> tuple[int, int]:
        """Width and height of a frame as it is written."""
        width, height = self.frame_size
        return 2 * width if self.side_by_side else width, height

    @property
    def first_number(self) -> int:
        """Number of the first picture of a sequence."""
        return (self.footage.info.first or 0) + self.footage.first

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The dtype in which frames are colored for RGB, or None for YUV."""
        if self.rgb is None:
            return None
        return np.dtype(np.uint16 if self.rgb.depth > 8 or self.rgb.density else np.uint8)

    @property
    def dpx(self) -> DpxHeader:
        """Headers of DPX pictures: those of the source, or one with the transfer of its tags."""
        info = self.footage.info
        found = info.dpx or DpxHeader((_DPX_TRANSFERS.get(info.transfer, 4), 6), info.timecode)
        density = self.rgb is not None and self.rgb.density
        return DpxHeader((4, 6), found.timecode) if found.density and not density else found

    @property
    def lost(self) -> tuple[str, ...]:
        """Descriptions of the pixels and tracks of the source that are converted or dropped."""
        info, source, deinterlace = self.footage.info, self.footage.format, self.footage.decoding.deinterlace
        pixels, yuv, new = info.pixels, self.rgb is None, self.rgb or self.frames
        old, chroma = pixels.chroma, pixels_of(self.pixel_format).chroma
        fewer = old in ("422", "444", "440") and chroma < old and (old, chroma) != ("440", "422")
        tags = {info.matrix, info.primaries, info.transfer} & {*MATRICES, *_PRIMARIES, *_TRANSFERS}
        losses = {
            f"a rotation by {info.rotation} degrees was applied": info.rotation,
            "a variable rate became constant": info.variable,
            "fields became frames": deinterlace == "always" or (deinterlace == "auto" and info.fields),
            "fields are no longer marked as such": _keeps_fields(self.footage) and "flags" not in self.options,
            "an odd side is one pixel longer": self.frame_size != self.footage.size,
            "tags of colors are dropped": self.ending == ".avi" and tags,
            "printing density became video, without values above code 685": source.density and not new.density,
            f"HDR ({info.hdr}) became standard range": info.hdr,
            f"{pixels.depth} bits became {new.depth}": new.depth < pixels.depth if yuv else new.depth != source.depth,
            f"RGB became YUV {':'.join(chroma)}": yuv and pixels.kind == "rgb",
            f"{':'.join(old)} became {':'.join(chroma)}": yuv and pixels.kind != "rgb" and fewer,
            "full range became video range": source.full and not new.full,
            "transparency is dropped": pixels.alpha,
            "colors tagged BT.2020 became BT.709": yuv and _wide_gamut(info) and not info.hdr,
            f"the pixel aspect {info.aspect} is dropped": self.sequence and info.aspect != "1:1",
        }
        return (*(loss for loss, applies in losses.items() if applies), *self.tracks.lost)


def _resolved(destination: Path, info: VideoInfo, overwrite: bool) -> Path:
    """Return the file or the pattern to write: a folder gets a sequence with the names of its source.

    Raises
    ------
    InputError, VideoFileError
        Nothing can be written there, or something is there that must not be overwritten.
    """
    if info.first is not None and not destination.suffix:
        destination = destination / info.path.name
    sequence, ending, folder = is_pattern(destination), destination.suffix.lower(), destination.parent
    if sequence and ending not in WRITABLE_SEQUENCES:
        raise InputError(f"{destination}: expected a sequence that ends in {', '.join(WRITABLE_SEQUENCES)}. Rename it.")
    # the folder of a sequence is made if need be
    check_destination(folder if sequence and not os.path.isdir(folder) else destination, VideoFileError)
    if not sequence and ending not in CONTAINERS:
        raise InputError(
            f"{destination}: expected a name that ends in {', '.join(CONTAINERS)}, or a sequence like "
            f"frames/%06d.png. Rename it."
        )
    if os.path.exists(destination) and os.path.exists(info.path) and destination.samefile(info.path):
        raise InputError(f"{destination}: would replace its own source. Choose another name.")
    numbers = frame_numbers(destination) if sequence and os.path.isdir(folder) else []
    if numbers and info.first is not None and info.path.parent.samefile(folder):
        raise InputError(f"{destination}: would replace its own source. Choose another folder.")
    if not overwrite:
        check_absent([folder / (destination.name % number) for number in numbers] if sequence else [destination])
    return destination


def target_of(destination: Path, footage: Footage, encoding: Encoding, overwrite: bool = True) -> Target:
    """Return how a video is stored at a destination.

    Parameters
    ----------
    destination : Path
        The file or the pattern to write, or a folder for the pictures of a sequence.
    footage : Footage
        The source.
    encoding : Encoding
        The caller's options.
    overwrite : bool
        Whether an existing destination may be replaced.

    Raises
    ------
    InputError
        The destination exists already, or a parameter is not one that the container and the codec know.
    VideoFileError
        Nothing can be written there, or this ffmpeg lacks the encoder.
    """
    destination = _resolved(destination, footage.info, overwrite)
    if is_pattern(destination) or destination.suffix.lower() == ".gif":
        return _rgb_target(destination, footage, encoding)
    return _yuv_target(destination, footage, encoding)


def _keeps_fields(footage: Footage) -> bool:
    """Return whether decoded frames consist of two fields."""
    return bool(footage.info.fields) and footage.decoding.deinterlace == "never"


def _yuv_target(destination: Path, footage: Footage, encoding: Encoding) -> Target:
    """Return how a video is stored in a codec of YUV."""
    info, size, ending = footage.info, footage.size, destination.suffix.lower()
    name = codec_for(encoding, ending)
    if name == "dnxhr" and (size[0] < 256 or size[1] < 120):
        raise InputError(f"codec: dnxhr needs at least 256x120 pixels, got {size[0]}x{size[1]}. Resize the video.")
    codec, pixels, colors = CODECS[name], _pixel_format(name, footage, encoding.pixel_format), _color_tags(info, size)
    if ending == ".avi":  # AVI has no color tags, so players derive the matrix from the height
        colors = (usual_matrix(size[1]), *colors[1:])
    new = pixels_of(pixels)
    full = footage.format.full and ending in codec.full and info.pixels.kind != "rgb"
    frames = FrameFormat(new.depth, full, _CELLS[new.chroma], colors[0])
    options = {**encoder_options(encoding, name, pixels), "pix_fmt": _little(pixels)}
    options["color_range"] = (
        "pc" if full else "tv"
    )  # otherwise ffmpeg may convert to the range that the encoder prefers
    filters = ""
    if _keeps_fields(footage) and codec.fields:
        filters, options["flags"] = f",setfield={info.fields}", "+ilme+ildct"
    return Target(destination, footage, None, _little(pixels), frames, colors, filters, options, encoding.side_by_side)


def _wide_gamut(info: VideoInfo) -> bool:
    return info.matrix.startswith("bt2020") or info.primaries == "bt2020"


def _color_tags(info: VideoInfo, size: tuple[int, int]) -> tuple[str, str, str]:
    """Return matrix, primaries and transfer of a result: those of the source if they are close to sRGB."""
    converted = _wide_gamut(info) or bool(info.hdr)
    matrix = info.matrix if info.matrix in MATRICES else "bt709" if converted else usual_matrix(size[1])
    tagged = info.pixels.kind == "yuv" and not converted
    primaries = info.primaries if tagged and info.primaries in _PRIMARIES else matrix
    transfer = info.transfer if tagged and info.transfer in _TRANSFERS else matrix.replace("bt470bg", "smpte170m")
    return matrix, primaries, transfer


def _little(name: str) -> str:
    """Return ffmpeg's name of a pixel format with the lower byte first."""
    return name + "le" if pixels_of(name).depth > 8 else name


def _pixel_format(name: str, footage: Footage, chosen: str | None) -> str:
    """Return the pixel format of a codec: the one that was chosen, or the usual one for a source."""
    choices = CODECS[name].pixel_formats
    require("pixel_format", chosen, optional(one_of(*choices)))
    if chosen is not None:
        return chosen
    depth = footage.format.depth
    if name == "ffv1":  # lossless: nothing of the source is given up
        least = 16 if depth > 8 and footage.info.pixels.kind == "rgb" else depth  # video range has fewer values
        depth = min(known for known in (8, 10, 12, 16) if known >= least)
        old = footage.info.pixels.chroma
        chroma = {"420": "420", "422": "422", "411": "422", "410": "420", "440": "444"}.get(old, "444")
        return f"yuv{chroma}p{'' if depth == 8 else depth}"
    if name == "dnxhr":
        return "yuv422p" if depth == 8 else "yuv422p10"
    return choices[0]


def _rgb_target(destination: Path, footage: Footage, encoding: Encoding) -> Target:
    """Return how a GIF or an image sequence is stored: as RGB."""
    source, ending = footage.format, destination.suffix.lower()
    sequence = is_pattern(destination)
    reject_options(encoding, ending, "codec", "quality", "preset")
    choices = {"rgb24": 8, "rgb48": 16} if sequence else {"rgb24": 8}
    if ending == ".dpx":
        choices |= {"gbrp10": 10, "gbrp12": 12}
    require("pixel_format", encoding.pixel_format, optional(one_of(*choices)))
    depth = min((depth for depth in choices.values() if depth >= source.depth), default=8)
    pixels = encoding.pixel_format or next(name for name, its in choices.items() if its == depth)
    rgb = FrameFormat(choices[pixels], True, (1, 1), density=source.density and ending == ".dpx")
    frames = rgb if rgb.density else replace(source, cell=(1, 1))
    # players show each frame of a GIF for at least 20 ms
    options = {".gif": {"fpsmax": "50"}, ".png": {}, ".dpx": {}}.get(ending, {"compression_algo": "deflate"})
    filters, colors = "" if sequence else f",{_PALETTE}", ("gbr", "bt709", "iec61966-2-1")
    return Target(destination, footage, rgb, _little(pixels), frames, colors, filters, options, encoding.side_by_side)
