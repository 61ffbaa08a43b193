"""Reading and writing films through ffmpeg: luma in, luma and chroma out, sound and subtitles carried along."""

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


# How each container's picture is encoded. x264's "faster" is as true as its "medium" at the same size: docs/speed.md.
_H264 = ("-c:v", "libx264", "-preset", "faster", "-crf", "20", "-pix_fmt", "yuv420p")
_PALETTE = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"  # frame by frame: memory stays flat
ENCODERS: dict[str, tuple[str, ...]] = {
    ".mp4": (*_H264, "-movflags", "+faststart"),
    ".mov": (*_H264, "-movflags", "+faststart"),
    ".mkv": _H264,
    ".webm": ("-c:v", "libvpx-vp9", "-crf", "32", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1"),
    ".gif": ("-fpsmax", "50"),  # the shortest time that players show a frame of a GIF is 20 ms
}
# The sound that each container holds as it is, and what other sound becomes.
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
_USUAL_RATE = 60  # frames a second that a variable rate may make
# Layouts that AAC and Opus take; ffmpeg chooses the nearest.
_LAYOUTS = "aformat=channel_layouts=7.1|5.1|stereo|mono"
# Subtitles that are text, and what each container makes of them; subtitles that are pictures, which .mkv holds.
_TEXT = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
_DRAWN = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
_SUBTITLES = {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt", ".mkv": "srt"}


@dataclass(frozen=True)
class VideoInfo:
    """What ffmpeg says of a file before it is decoded.

    Parameters
    ----------
    duration : float or None
        Seconds, if known.
    sound, subtitles : tuple of str
        Codec of each track; "none" for one that ffmpeg cannot decode.
    mean_rate : float or None
        Frames a second, on the mean, if known.
    interlaced : bool
        Whether its frames are said to be two fields.
    """

    duration: float | None
    sound: tuple[str, ...]
    subtitles: tuple[str, ...]
    mean_rate: float | None
    interlaced: bool


def probe(path: Path) -> VideoInfo:
    """Ask ffmpeg what is in a file.

    Raises
    ------
    VideoFileError
        It is missing, or there is no moving picture in it.
    """
    if not os.path.isfile(path):
        kind = "got a folder" if os.path.isdir(path) else "but there is none"
        raise VideoFileError(f"{path}: expected a video file, {kind}. Check the path.")
    command = [ffmpeg.executable(), "-hide_banner", "-nostdin", *ffmpeg.LOCAL, "-i", f"file:{path}"]
    log = subprocess.run(command, capture_output=True, check=False).stderr
    text = log.decode(errors="replace")
    streams = re.findall(r"^ +Stream #0:\d+[^\n]*?: (Video|Audio|Subtitle): (\w+)([^\n]*)", text, re.MULTILINE)
    pictures = [rest for kind, _, rest in streams if kind == "Video" and "(attached pic)" not in rest]
    if not pictures:
        what = "only sound" if any(kind == "Audio" for kind, _, _ in streams) else "none"
        raise VideoFileError(f"{path}: expected a video, found {what}: {ffmpeg.last_words(log)}")
    found = re.search(r"^ +Duration: (\d+):(\d+):([\d.]+)", text, re.MULTILINE)
    duration = None
    if found:
        hours, minutes, seconds = map(float, found.groups())
        duration = 3600 * hours + 60 * minutes + seconds
    rate = re.search(r", ([\d.]+)(k?) fps", pictures[0])
    return VideoInfo(
        duration,
        tuple(codec for kind, codec, _ in streams if kind == "Audio"),
        tuple(codec for kind, codec, _ in streams if kind == "Subtitle"),
        float(rate[1]) * (1000 if rate[2] else 1) if rate else None,
        re.search(r"(top|bottom) (coded )?first", pictures[0]) is not None,
    )


def _read_exactly(pipe: IO[bytes], size: int) -> bytearray | None:
    """Return the next ``size`` bytes of a pipe, or None where it ends."""
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
    """Return the rate that was meant: containers that round times to milliseconds turn 60000/1001 into 19001/317."""
    for meant in (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if abs(meant - rate) < rate / 1_000_000:
            return meant
    return rate


class Decoder:
    """A film's luma as a stream: iterate over it for (H, W) uint8 frames in video range, 16 to 235.

    Rotation is applied, and fields are made into frames. The frames come at a constant rate: those of a variable rate
    are repeated or dropped so that picture and sound stay together. Use it as a context manager.

    Parameters
    ----------
    path : Path
        The info.
    info : VideoInfo
        What :func:`probe` says of it.
    resize : (width, height) or None
        Scale to this size.

    Attributes
    ----------
    width, height : int
        Size of a frame.
    rate : Fraction
        Frames a second, exact.
    aspect : str
        Shape of a pixel, "1:1" for square.

    Raises
    ------
    VideoFileError
        Nothing can be decoded.
    """

    def __init__(self, path: Path, info: VideoInfo, resize: tuple[int, int] | None) -> None:
        self._path = path
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        scale = f"scale={resize[0]}:{resize[1]}:out_range=tv,setsar=1" if resize else "scale=out_range=tv"
        fields = "bwdif=mode=send_frame:deint=interlaced," if info.interlaced else ""
        filters = f"{fields}{scale},format=yuv420p,extractplanes=y"
        # screen recorders' clocks tick a thousand times a second; what is not on the mean as fast needs no such rate
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
            words = self.__close()
            raise VideoFileError(f"{path}: no frame can be decoded: {words}")
        said = {field[:1].decode(): field[1:].decode() for field in head[1:]}
        self.width, self.height = int(said["W"]), int(said["H"])
        self.rate = _exact(Fraction(*map(int, said["F"].split(":"))))
        self.aspect = said["A"] if said.get("A", "0:0") != "0:0" else "1:1"

    def __enter__(self) -> Decoder:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End ffmpeg."""
        self.__close()

    def __close(self) -> str:
        """End ffmpeg, if it has not ended, and return its last words."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._pipe.close()
        if self._log.closed:
            return ""
        words = self.complaints()
        self._log.close()
        return words or "ffmpeg said nothing"

    def complaints(self) -> str:
        """Return what ffmpeg has complained of so far, its last lines; empty if nothing."""
        self._log.seek(0, io.SEEK_END)
        self._log.seek(max(0, self._log.tell() - 2000))
        log = self._log.read()
        return ffmpeg.last_words(log) if log.strip() else ""

    def __iter__(self) -> Iterator[Array]:
        """Yield the frames."""
        size = self.width * self.height
        while self._pipe.readline(100).startswith(b"FRAME"):
            frame = _read_exactly(self._pipe, size)
            if frame is None:
                break
            yield np.frombuffer(frame, np.uint8).reshape(self.height, self.width)
        # a damaged film makes ffmpeg complain; what ends without a complaint, or by a signal, did not end well
        code = self._process.wait()
        if code < 0 or (code > 0 and not self.complaints()):
            raise VideoFileError(
                f"{self._path}: ffmpeg ended in the middle of decoding (exit status {code}). Try again."
            )


def _tracks(info: VideoInfo, ending: str) -> list[str]:
    """Return ffmpeg's arguments that carry sound and subtitles from input 1."""
    arguments: list[str] = []
    if ending in _SOUND and info.sound:
        fits, otherwise = _SOUND[ending]
        heard = [(index, codec) for index, codec in enumerate(info.sound) if codec != "none"]
        for place, (index, codec) in enumerate(heard):
            arguments += ["-map", f"1:a:{index}", f"-c:a:{place}", "copy" if codec in fits else otherwise]
            if codec not in fits and otherwise != "flac":
                arguments += [f"-filter:a:{place}", _LAYOUTS]
    if ending in _SUBTITLES:
        kept = [
            index
            for index, codec in enumerate(info.subtitles)
            if codec in _TEXT or (ending == ".mkv" and codec in _DRAWN)
        ]
        for place, index in enumerate(kept):
            as_it_is = ending == ".mkv" and info.subtitles[index] != "mov_text"
            arguments += ["-map", f"1:s:{index}", f"-c:s:{place}", "copy" if as_it_is else _SUBTITLES[ending]]
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
    """Encode frames that are written to the pipe that this gives, each as a line "FRAME", then Y, U and V of 4:2:0.

    Parameters
    ----------
    path : Path
        Where to write; its ending chooses the container.
    name : Path
        What to call it in errors.
    source, info : Path, VideoInfo
        Where sound, subtitles and titles come from.
    size : (width, height)
        Even numbers.
    rate, aspect : Fraction, str
        As the decoder gives them.
    encoder : sequence of str
        ffmpeg's arguments for the picture.

    Raises
    ------
    VideoFileError
        ffmpeg fails: the destination cannot be written, the disk is full, an encoder is missing.
    """
    ending = path.suffix.lower()
    colors, _, _ = color_matrix(size[1])
    # said of the frames, not of the file: ffmpeg would convert frames that say nothing to what the file is to be
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
            words = ffmpeg.last_words(log.read()).replace(str(path), str(name))
            if process.returncode < 0:
                words += f" (ended by signal {-process.returncode})"
            error = VideoFileError(f"{name}: cannot be encoded: {words}")
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
                raise  # ffmpeg is content, so that another pipe broke, in the caller's own code
            if process.wait():
                raise failed(None)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with suppress(OSError):
                pipe.close()
