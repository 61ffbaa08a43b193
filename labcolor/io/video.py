"""Video through ffmpeg: luma is read, luma and chroma are written, sound and subtitles are carried along."""

from __future__ import annotations

import io
import math
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np

from labcolor._typing import Array
from labcolor.color.yuv import color_matrix
from labcolor.errors import VideoFileError
from labcolor.io import ffmpeg

__all__ = ["ENCODERS", "Decoder", "VideoInfo", "encoding", "probe"]


# How each container's frames are encoded. x264's "faster" is as accurate as "medium" at the same size: docs/speed.md.
_H264 = ("-c:v", "libx264", "-preset", "faster", "-crf", "20", "-pix_fmt", "yuv420p")
_PALETTE = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # frame by frame: constant memory
ENCODERS: dict[str, tuple[str, ...]] = {
    ".mp4": (*_H264, "-movflags", "+faststart"),
    ".mov": (*_H264, "-movflags", "+faststart"),
    ".mkv": _H264,
    ".webm": ("-c:v", "libvpx-vp9", "-crf", "32", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1"),
    ".gif": ("-fpsmax", "50"),  # players show each frame of a GIF for at least 20 ms
}
# Codecs of sound that each container can hold, and the codec to which other sound is converted.
_MP4_SOUND = {"aac", "mp3", "ac3", "eac3", "alac"}
_MKV_SOUND = {
    "flac",
    "opus",
    "vorbis",
    "dts",
    "truehd",
    "mp2",
    "pcm_u8",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_f32le",
}
_SOUND: dict[str, tuple[set[str], str]] = {
    ".mp4": (_MP4_SOUND, "aac"),
    ".mov": (_MP4_SOUND | {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"}, "aac"),
    ".mkv": (_MP4_SOUND | _MKV_SOUND, "flac"),
    ".webm": ({"opus", "vorbis"}, "libopus"),
}
_USUAL_RATE = 60  # largest frames per second of a video with a variable rate, unless its mean rate is higher
# Layouts that AAC and Opus support; ffmpeg chooses the nearest.
_LAYOUTS = "aformat=channel_layouts=7.1|5.1|stereo|mono"
# Codecs of text subtitles, codecs of subtitles that are pictures (.mkv only), and each container's text codec.
_TEXT = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
_DRAWN = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
_SUBTITLES = {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt", ".mkv": "srt"}


@dataclass(frozen=True)
class VideoInfo:
    """Properties of a video file, known before it is decoded.

    Parameters
    ----------
    duration : float or None
        Length in seconds, if known.
    sound, subtitles : tuple of str
        Codec of each track. "none" if ffmpeg cannot decode it.
    mean_rate : float or None
        Mean frames per second, if known.
    interlaced : bool
        Whether the file declares that each frame consists of two fields.
    """

    duration: float | None
    sound: tuple[str, ...]
    subtitles: tuple[str, ...]
    mean_rate: float | None
    interlaced: bool


def probe(path: Path) -> VideoInfo:
    """Read the properties of a video file, without decoding it.

    Raises
    ------
    VideoFileError
        The file is missing or contains no video.
    """
    if not os.path.isfile(path):
        kind = "got a folder" if os.path.isdir(path) else "but there is none"
        raise VideoFileError(f"{path}: expected a video file, {kind}. Check the path.")
    command = [ffmpeg.executable(), "-hide_banner", "-nostdin", *ffmpeg.LOCAL, "-i", f"file:{path}"]
    log = subprocess.run(command, capture_output=True, check=False).stderr
    text = log.decode(errors="replace")
    streams = re.findall(r"^ +Stream #0:\d+[^\n]*?: (Video|Audio|Subtitle): (\w+)([^\n]*)", text, re.MULTILINE)
    videos = [details for kind, _, details in streams if kind == "Video" and "(attached pic)" not in details]
    if not videos:
        what = "only sound" if any(kind == "Audio" for kind, _, _ in streams) else "none"
        raise VideoFileError(f"{path}: expected a video, found {what}: {ffmpeg.error_summary(log)}")
    found = re.search(r"^ +Duration: (\d+):(\d+):([\d.]+)", text, re.MULTILINE)
    duration = None
    if found:
        hours, minutes, seconds = map(float, found.groups())
        duration = 3600 * hours + 60 * minutes + seconds
    rate = re.search(r", ([\d.]+)(k?) fps", videos[0])
    return VideoInfo(
        duration,
        tuple(codec for kind, codec, _ in streams if kind == "Audio"),
        tuple(codec for kind, codec, _ in streams if kind == "Subtitle"),
        float(rate[1]) * (1000 if rate[2] else 1) if rate else None,
        re.search(r"(top|bottom) (coded )?first", videos[0]) is not None,
    )


def _read_exactly(pipe: IO[bytes], size: int) -> bytearray | None:
    """Return the next ``size`` bytes of a pipe, or None if it ends before."""
    content = bytearray(size)
    view = memoryview(content)
    done = 0
    while done < size:
        count = pipe.readinto(view[done:])  # type: ignore[attr-defined]
        if not count:
            return None
        done += count
    return content


def _exact(rate: Fraction) -> Fraction:
    """Return the nominal rate. Containers that round times to milliseconds turn 60000/1001 into 19001/317."""
    for nominal in (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if abs(nominal - rate) < rate / 1_000_000:
            return nominal
    return rate


class Decoder:
    """Stream of the luma of a video. Iteration yields (H, W) uint8 frames in video range, 16 to 235.

    Rotation is applied, and fields are converted to frames. The frames have a constant rate: frames of a variable rate
    are repeated or dropped, so that video and sound stay synchronous. Use the decoder as a context manager.

    Parameters
    ----------
    path : Path
        The video file.
    info : VideoInfo
        Its properties, from :func:`probe`.
    resize : (width, height) or None
        Size to scale to. None keeps the size of the video.

    Attributes
    ----------
    width, height : int
        Size of a frame.
    rate : Fraction
        Frames per second, exact.
    aspect : str
        Aspect ratio of a pixel, "1:1" for a square.

    Raises
    ------
    VideoFileError
        No frame can be decoded.
    """

    def __init__(self, path: Path, info: VideoInfo, resize: tuple[int, int] | None) -> None:
        self._path = path
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        scale = f"scale={resize[0]}:{resize[1]}:out_range=tv,setsar=1" if resize else "scale=out_range=tv"
        fields = "bwdif=mode=send_frame:deint=interlaced," if info.interlaced else ""
        filters = f"{fields}{scale},format=yuv420p,extractplanes=y"
        # screen recorders declare 1,000 frames per second; a video with a lower mean rate does not need that
        fastest = math.inf if info.mean_rate is None else max(_USUAL_RATE, math.ceil(info.mean_rate))
        command = [ffmpeg.executable(), "-hide_banner", "-nostdin", "-loglevel", "error"]
        command += [*ffmpeg.LOCAL, "-i", f"file:{path}"]
        command += ["-map", "0:V:0", "-vf", filters, "-fps_mode", "cfr"]
        command += ["-fpsmax", str(fastest)] if fastest < math.inf else []
        command += ["-f", "yuv4mpegpipe", "-strict", "-1", "-"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        assert self._process.stdout is not None
        self._pipe: IO[bytes] = self._process.stdout
        head = self._pipe.readline(1000).split()
        if head[:1] != [b"YUV4MPEG2"]:
            reason = self.__close()
            raise VideoFileError(f"{path}: no frame can be decoded: {reason}")
        header = {field[:1].decode(): field[1:].decode() for field in head[1:]}
        self.width, self.height = int(header["W"]), int(header["H"])
        self.rate = _exact(Fraction(*map(int, header["F"].split(":"))))
        self.aspect = header["A"] if header.get("A", "0:0") != "0:0" else "1:1"

    def __enter__(self) -> Decoder:
        """Return the decoder."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End ffmpeg."""
        self.__close()

    def __close(self) -> str:
        """End ffmpeg if it is running, and return a summary of its messages."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._pipe.close()
        if self._log.closed:
            return ""
        complaints = self.complaints()
        self._log.close()
        return complaints or "ffmpeg gave no reason"

    def complaints(self) -> str:
        """Return a summary of ffmpeg's latest error messages, empty if there are none."""
        self._log.seek(0, io.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 2000))
        log = self._log.read()
        return ffmpeg.error_summary(log) if log.strip() else ""

    def __iter__(self) -> Iterator[Array]:
        """Yield the frames."""
        size = self.width * self.height
        while self._pipe.readline(100).startswith(b"FRAME"):
            frame = _read_exactly(self._pipe, size)
            if frame is None:
                break
            yield np.frombuffer(frame, np.uint8).reshape(self.height, self.width)
        # a damaged video gives error messages; without one, or after a signal, the decoding was cut short
        code = self._process.wait()
        if code < 0 or (code > 0 and not self.complaints()):
            raise VideoFileError(
                f"{self._path}: ffmpeg ended in the middle of decoding (exit status {code}). Try again."
            )


def _tracks(info: VideoInfo, ending: str) -> list[str]:
    """Return ffmpeg's arguments that carry sound and subtitles from input 1."""
    arguments: list[str] = []
    if ending in _SOUND and info.sound:
        supported, substitute = _SOUND[ending]
        decodable = [(index, codec) for index, codec in enumerate(info.sound) if codec != "none"]
        for place, (index, codec) in enumerate(decodable):
            arguments += ["-map", f"1:a:{index}", f"-c:a:{place}", "copy" if codec in supported else substitute]
            if codec not in supported and substitute != "flac":
                arguments += [f"-filter:a:{place}", _LAYOUTS]
    if ending in _SUBTITLES:
        kept = [
            index
            for index, codec in enumerate(info.subtitles)
            if codec in _TEXT or (ending == ".mkv" and codec in _DRAWN)
        ]
        for place, index in enumerate(kept):
            unchanged = ending == ".mkv" and info.subtitles[index] != "mov_text"
            arguments += ["-map", f"1:s:{index}", f"-c:s:{place}", "copy" if unchanged else _SUBTITLES[ending]]
    return arguments


@contextmanager
def encoding(
    path: Path,
    name: Path,
    source: Path,
    info: VideoInfo,
    size: tuple[int, int],
    rate: Fraction,
    aspect: str,
    encoder: Sequence[str],
) -> Iterator[IO[bytes]]:
    """Yield a pipe that encodes the frames written to it: each a line "FRAME", then Y, U and V of 4:2:0.

    Parameters
    ----------
    path : Path
        File to write. Its ending selects the container.
    name : Path
        Name of the file in error messages.
    source, info : Path, VideoInfo
        Source of sound, subtitles and metadata, and its properties.
    size : (width, height)
        Size of a frame. Both sides are even.
    rate, aspect : Fraction, str
        As the attributes of :class:`Decoder`.
    encoder : sequence of str
        Arguments of ffmpeg for the encoding of frames, from :data:`ENCODERS`.

    Raises
    ------
    VideoFileError
        ffmpeg fails: the destination cannot be written, the disk is full, or an encoder is missing.
    """
    ending = path.suffix.lower()
    colors, _, _ = color_matrix(size[1])
    # set for the frames, not for the file: otherwise ffmpeg would convert the frames to the color space of the file
    filters = f"setparams=range=tv:colorspace={colors}:color_primaries={colors}:color_trc={colors}"
    command = [ffmpeg.executable(), "-hide_banner", "-loglevel", "error", "-y", "-f", "yuv4mpegpipe", "-i", "pipe:0"]
    if ending == ".gif":
        command += ["-vf", f"{filters},{_PALETTE}", *encoder, f"file:{path}"]
    else:
        command += [*ffmpeg.LOCAL, "-i", f"file:{source}", "-map", "0:v", *_tracks(info, ending), "-map_metadata", "1"]
        command += ["-vf", filters, *encoder, "-max_interleave_delta", "0", "-strict", "-1", f"file:{path}"]
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
            head = f"YUV4MPEG2 W{size[0]} H{size[1]} F{rate.numerator}:{rate.denominator} Ip A{aspect} C420mpeg2"
            try:
                pipe.write(f"{head} XCOLORRANGE=LIMITED\n".encode())
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
