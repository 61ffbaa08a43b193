"""Properties of a video that are read before it is decoded: streams, size, rate, pixels, colors and time code."""

from __future__ import annotations

import math
import os
import re
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.dpx import DpxHeader, read_header
from labcolor.io.sequences import ffmpeg_pattern, find_sequence, is_pattern

_USUAL_RATE = 60  # largest frames per second of a video with a variable rate, unless its mean rate is higher
_HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
_FLAGS = {"default", "dub", "original", "comment", "lyrics", "karaoke", "forced", "captions", "descriptions"}
_FLAGS |= {"dependent", "hearing_impaired", "visual_impaired", "clean_effects"}
# Pixel formats with packed samples, by their chroma format. Their last digits are a depth above 8 bits.
_PACKED = {
    "420": ["nv12", "nv21", "p010", "p012", "p016"],
    "422": ["nv16", "uyvy422", "yuyv422", "yvyu422", "p210", "p212", "p216", "y210", "y212", "y216"],
    "444": ["nv24", "nv42", "vuya", "vuyx", "ayuv", "p410", "p412", "p416", "xv30", "xv36"],
    "411": ["uyyvyy411"],
}
_DEPTHS = {"10": 10, "12": 12, "16": 16, "30": 10, "36": 12}


@dataclass(frozen=True)
class Pixels:
    """How the pixels of a video are stored.

    Parameters
    ----------
    kind : str
        "yuv", "grey" or "rgb".
    depth : int
        Bits of a sample.
    chroma : str
        Chroma format, like "420"; "400" of grey and "444" of RGB.
    alpha : bool
        Whether there is transparency.
    """

    kind: str
    depth: int
    chroma: str
    alpha: bool


def pixels_of(name: str) -> Pixels:
    """Parse ffmpeg's name of a pixel format. Formats other than YUV and grey count as RGB."""
    plain = re.sub("(le|be)$", "", name)
    for chroma, names in _PACKED.items():
        if plain in names:
            depth = 8 if plain.startswith("nv") else _DEPTHS.get(plain[-2:], 8)
            return Pixels("yuv", depth, chroma, plain in ("vuya", "ayuv"))
    if found := re.fullmatch(r"yuv(a?)j?(4\d\d)p(\d*)", plain):
        return Pixels("yuv", int(found[3] or 8), found[2], bool(found[1]))
    if found := re.fullmatch(r"(gray|ya)(\d*)", plain):
        return Pixels("grey", int(found[2] or 8), "400", found[1] == "ya")
    depths = {"rgb48": 16, "bgr48": 16, "rgba64": 16, "bgra64": 16, "x2rgb10": 10, "x2bgr10": 10, "xyz12": 12}
    planar = re.fullmatch(r"gbra?p(\d+)", plain)
    depth = int(planar[1]) if planar else depths.get(plain, 16 if "f32" in plain or "f16" in plain else 8)
    return Pixels("rgb", depth, "444", plain in ("rgba", "bgra", "argb", "abgr", "rgba64", "bgra64") or "bra" in plain)


class Track(NamedTuple):
    """A track of sound or subtitles: its codec, "none" if ffmpeg cannot decode it, and its dispositions."""

    codec: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video, known before it is decoded.

    Parameters
    ----------
    path : Path
        The file, or the pattern of an image sequence.
    arguments : tuple of str
        ffmpeg's arguments that open it.
    size : (width, height)
        Size of a frame, upright.
    rate : Fraction
        Exact frames per second. A video with a variable rate may have fewer or more.
    variable : bool
        Whether the mean rate differs from ``rate``, so that frames are repeated or dropped.
    rotation : int
        Degrees, from 0 to 359, by which frames are rotated counterclockwise to be upright.
    aspect : str
        Aspect ratio of a pixel, "1:1" for a square pixel.
    duration : float or None
        Length in seconds, if known.
    delay : Fraction
        Seconds from the start of the file to the first frame.
    format : str
        ffmpeg's name of the pixel format.
    full : bool
        Whether luma uses all values.
    matrix, primaries, transfer : str
        ffmpeg's names of the color properties, or "unknown".
    hdr : str
        "PQ", "HLG" or "Dolby Vision", or empty for other videos.
    fields : str
        Order of the fields, "tff" or "bff", if the first frame or the file declares interlacing, or empty.
    sound, subtitles : tuple of Track
        The tracks, with dispositions such as "default" and "comment".
    covers : tuple of (int, str)
        Number among the video streams, and codec, of each attached picture.
    attachments, others, videos, chapters : int
        Number of attached files, of data streams other than time code, of videos, and of chapters.
    timecode : str
        Time code of the first frame, or empty.
    tags : tuple of (str, str)
        Title and language of the video.
    first : int or None
        Number of the first picture of an image sequence.
    dpx : DpxHeader or None
        Header of the first picture of a sequence of DPX.
    """

    path: Path
    arguments: tuple[str, ...]
    size: tuple[int, int]
    rate: Fraction
    variable: bool
    rotation: int
    aspect: str
    duration: float | None
    delay: Fraction
    format: str
    full: bool
    matrix: str
    primaries: str
    transfer: str
    hdr: str
    fields: str
    sound: tuple[Track, ...]
    subtitles: tuple[Track, ...]
    covers: tuple[tuple[int, str], ...]
    attachments: int
    others: int
    videos: int
    chapters: int
    timecode: str
    tags: tuple[tuple[str, str], ...]
    first: int | None
    dpx: DpxHeader | None

    @property
    def pixels(self) -> Pixels:
        """The storage of its pixels."""
        return pixels_of(self.format)


def _exact_rate(rate: Fraction) -> Fraction:
    """Return the nominal rate of a rounded one. Times in milliseconds turn 60000/1001 into 19001/317."""
    for nominal in (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if abs(nominal - rate) < rate / 1_000_000:
            return nominal
    return rate


def _opened(path: Path, rate: Fraction | None) -> tuple[Path, tuple[str, ...], int | None]:
    """Return the file or pattern of a source, ffmpeg's arguments that open it, and the first number of a sequence."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(path)) and not os.path.exists(path):
        raise InputError(f"{path}: expected a file on this computer, got an address. Download the video first.")
    if is_pattern(path) or os.path.isdir(path):
        pattern, first = find_sequence(path)
        speed = ("-framerate", str(24 if rate is None else rate), "-start_number", str(first))
        return pattern, ("-f", "image2", *speed, "-i", ffmpeg_pattern(pattern)), first
    if rate is not None:
        raise InputError("rate: expected an image sequence, got a video file, which has a rate. Leave it out.")
    if not os.path.isfile(path):
        raise VideoFileError(f"{path}: expected a video file, but it does not exist. Check the path.")
    return path, (*ffmpeg.LOCAL, "-i", f"file:{path}"), None


def _track(codec: str, details: str) -> Track:
    """Return a track of a stream that ffmpeg describes."""
    words = re.findall(r"\(([a-z ]+)\)", details)
    return Track(codec, tuple(flag for word in words if (flag := word.replace(" ", "_")) in _FLAGS))


def probe(path: Path, rate: Fraction | None = None) -> VideoInfo:
    """Read the properties of a video, and decode its first frame.

    Parameters
    ----------
    path : Path
        A video file, a pattern of numbered pictures like "frames/%06d.png", or a folder of numbered pictures.
    rate : Fraction, optional
        Frames per second of an image sequence, by default 24.

    Raises
    ------
    InputError, VideoFileError
        The file is missing or contains no video, or no frame can be decoded.
    """
    path, arguments, first = _opened(path, rate)
    command = [ffmpeg.executable(), "-hide_banner", "-nostdin", "-nostats", "-v", "info", "-copyts", *arguments]
    command += ["-map", "0:V:0", "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, check=False).stderr
    text = log.decode(errors="replace")
    head = text.partition("\nStream mapping:")[0].partition("\nOutput #0")[0]
    streams = re.findall(
        r"^ +Stream #0:(\d+)[^\n:]*: (Video|Audio|Subtitle|Data|Attachment): (\w+)([^\n]*)", head, re.MULTILINE
    )
    pictures = [(codec, details) for _, kind, codec, details in streams if kind == "Video"]
    videos = [details for _, details in pictures if "(attached pic)" not in details]
    if not videos:
        what = "only sound" if any(kind == "Audio" for _, kind, _, _ in streams) else "no video stream"
        raise VideoFileError(f"{path}: expected a video, found {what}: {ffmpeg.error_summary(log)}")
    if first is None and re.search(r"^Input #0, (image2|\w+_pipe),", head, re.MULTILINE):
        raise InputError(
            f"{path}: expected a video, got a single picture. Color it with labcolor colorize, or name a sequence like "
            f"frames/%06d{path.suffix}."
        )
    # Whole lines are matched because the log contains texts of the file, and without backtracking, in linear time.
    frame = re.search(
        r"^\[Parsed_showinfo(?>.*?pts_time:)(\S++)(?>.*?fmt:)(\w++)(?>.*? sar:)(\d++)/(\d++) s:(\d++)x(\d++) i:(.)",
        text,
        re.MULTILINE,
    )
    if frame is None:
        raise VideoFileError(f"{path}: no frame can be decoded: {ffmpeg.error_summary(_complaints(text))}")
    time, name, wide, high, width, height, fields = frame.groups()
    tags = re.search(
        r"^\[Parsed_showinfo(?>.*?color_range:)(\S++) color_space:(\S++) color_primaries:(\S++) color_trc:(\S++)",
        text,
        re.MULTILINE,
    )
    span, matrix, primaries, transfer = tags.groups() if tags else ("unknown",) * 4
    start = _group(re.search(r"^ +Duration: [^\n]*start: ([-\d.]+)", head, re.MULTILINE))
    delay = Fraction(time) - Fraction(start) if start and time != "NOPTS" else Fraction(0)
    clock = re.search(r"^ +Duration: (\d+):(\d+):([\d.]+)", head, re.MULTILINE)
    hours, minutes, seconds = map(float, clock.groups()) if clock else (math.nan,) * 3
    pixels, (rate, variable) = pixels_of(name), _rate(text, videos[0])
    is_dpx = first is not None and path.suffix.lower() == ".dpx"
    dpx = read_header(path.with_name(path.name % first)) if is_dpx else None
    about = head[head.index(videos[0]) :].partition("Stream #")[0]
    rotation = _group(re.search(r"[Dd]isplay ?[Mm]atrix: rotation of (-?[\d.]+) degrees", about), "0")
    title = _group(re.search(r"^ +title +: ([^\n]+)", about, re.MULTILINE | re.IGNORECASE))
    language = _group(re.search(r"^ +Stream #0:\d+[^\n:(]*\((\w+)\): Video", head, re.MULTILINE))
    timecode = re.search(r"^ +timecode +: (\d\d:\d\d:\d\d[:;.]\d\d)", head, re.MULTILINE | re.IGNORECASE)
    named = ("title", title), ("language", language)
    return VideoInfo(
        path=path,
        arguments=arguments,
        size=(int(width), int(height)),
        rate=rate,
        variable=variable,
        rotation=round(float(rotation)) % 360,
        aspect=f"{wide}:{high}" if int(wide) and int(high) else "1:1",
        duration=3600 * hours + 60 * minutes + seconds if clock else None,
        delay=max(Fraction(0), delay),
        format=name,
        full=span == "pc" or (span != "tv" and (pixels.kind != "yuv" or name.startswith("yuvj"))),
        matrix=matrix,
        primaries=primaries,
        transfer=transfer,
        hdr=_HDR.get(transfer, "Dolby Vision" if "DOVI configuration record" in head else ""),
        fields=_fields(fields, videos[0]),
        sound=tuple(_track(codec, details) for _, kind, codec, details in streams if kind == "Audio"),
        subtitles=tuple(_track(codec, details) for _, kind, codec, details in streams if kind == "Subtitle"),
        covers=tuple(
            (number, codec) for number, (codec, details) in enumerate(pictures) if "(attached pic)" in details
        ),
        attachments=sum(kind == "Attachment" for _, kind, _, _ in streams),
        # in .mov and .mp4, time code and the names of chapters are data streams
        others=sum(kind == "Data" and not re.search(r"\((tmcd|text) /", about) for _, kind, _, about in streams),
        videos=len(videos),
        chapters=len(re.findall(r"^ +Chapter #\d", head, re.MULTILINE)),
        timecode=dpx.timecode if dpx else _group(timecode),
        tags=tuple((key, value) for key, value in named if value not in ("", "und")),
        first=first,
        dpx=dpx,
    )


def _group(found: re.Match[str] | None, default: str = "") -> str:
    """Return the first group of a match, or the default without a match."""
    return found[1] if found else default


def _complaints(text: str) -> bytes:
    """Return the lines of ffmpeg's log that name a component, as its errors do."""
    return "\n".join(line for line in text.splitlines() if line.startswith("[") or "rror" in line).encode()


def _fields(letter: str, details: str) -> str:
    """Return the order of fields by showinfo's letter of a frame, or else by the container."""
    if letter not in "TB":
        letter = _group(re.search("(top|bottom) (?:coded )?first", details)).upper()[:1]
    return {"T": "tff", "B": "bff"}.get(letter, "")


def _rate(text: str, details: str) -> tuple[Fraction, bool]:
    """Return the exact rate, limited because screen recorders declare 1,000, and whether it is variable."""
    declared = re.search(r"config in time_base: \S+, frame_rate: ([1-9]\d*/[1-9]\d*)", text)
    rate = Fraction(_group(declared, "25"))
    found = re.search(r", ([\d.]+)(k?) fps", details)
    mean = Fraction(found[1]) * (1000 if found[2] else 1) if found else rate
    rate = _exact_rate(min(rate, max(Fraction(_USUAL_RATE), Fraction(math.ceil(mean)))))
    return rate, abs(mean - rate) > rate / 20
