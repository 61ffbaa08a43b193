"""Calls of the ffmpeg program of imageio-ffmpeg, and a summary of its errors."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction

from labcolor.base.threads import chosen_threads
from labcolor.errors import FileError

# Arguments before an input: a playlist from an untrusted source must not open network connections.
LOCAL = ("-protocol_whitelist", "file,pipe")
_BOILERPLATE = re.compile(
    "Terminating thread|Task finished|Nothing was written|Conversion failed|Last message repeated"
)


class FfmpegError(Exception):
    """Failure of ffmpeg, with a summary of its messages. Callers convert it to an error of the library."""


def executable() -> str:
    """Return the path of ffmpeg.

    Raises
    ------
    FileError
        ffmpeg is missing or cannot be started.
    """
    import imageio_ffmpeg

    try:
        path = str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FileError(f"ffmpeg: cannot be found: {error}. Reinstall imageio-ffmpeg.") from error
    if shutil.which(path) is None:
        raise FileError(f"ffmpeg: {path} cannot be started. Reinstall imageio-ffmpeg, or correct IMAGEIO_FFMPEG_EXE.")
    return path


def command(*arguments: str) -> list[str]:
    """Return a command of ffmpeg that prints only its errors."""
    return [executable(), "-hide_banner", "-loglevel", "error", *arguments]


def threads() -> list[str]:
    """Return the arguments, before a file, that set ffmpeg's threads, or none if the user chose no number."""
    count = chosen_threads()
    return [] if count is None else ["-threads", str(count)]


def decimal(seconds: Fraction) -> str:
    """Format a time for ffmpeg's arguments."""
    return f"{float(seconds):.6f}"


def error_summary(log: bytes) -> str:
    """Return ffmpeg's first two and last informative messages on one line."""
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    relevant = [line for line in lines if not _BOILERPLATE.search(line)] or lines
    if len(relevant) > 3:
        relevant = [*relevant[:2], relevant[-1]]
    return "; ".join(dict.fromkeys(relevant)) or "ffmpeg gave no reason"


def run(arguments: Sequence[str], data: bytes = b"") -> bytes:
    """Call ffmpeg with ``data`` on its standard input and return its standard output.

    Raises
    ------
    FfmpegError
        ffmpeg ended with an error.
    """
    result = subprocess.run(command(*arguments), input=data, capture_output=True, check=False)
    if result.returncode:
        raise FfmpegError(error_summary(result.stderr))
    return result.stdout
