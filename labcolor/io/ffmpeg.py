"""The ffmpeg program that imageio-ffmpeg carries: one call, with its last words when it fails."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence

from labcolor.errors import FileError

__all__ = ["LOCAL", "FfmpegError", "executable", "last_words", "run"]

# Before an input: a playlist from a stranger must not make ffmpeg open network connections.
LOCAL = ("-protocol_whitelist", "file,pipe")


_BOILERPLATE = re.compile(
    "Terminating thread|Task finished|Nothing was written|Conversion failed|Last message repeated"
)


class FfmpegError(Exception):
    """ffmpeg failed; the text is its last words. Callers turn it into an error of the library."""


def executable() -> str:
    """Return the path of ffmpeg.

    Raises
    ------
    FileError
        There is none that can be started.
    """
    import imageio_ffmpeg

    try:
        path = str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise FileError(f"ffmpeg: cannot be found: {error}. Reinstall imageio-ffmpeg.") from error
    if shutil.which(path) is None:
        raise FileError(f"ffmpeg: {path} cannot be started. Reinstall imageio-ffmpeg, or mend IMAGEIO_FFMPEG_EXE.")
    return path


def last_words(log: bytes) -> str:
    """Return on one line what ffmpeg said when it failed: its first and last lines, without what it always says."""
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if not _BOILERPLATE.search(line)] or lines
    if len(telling) > 3:
        telling = [*telling[:2], telling[-1]]
    return "; ".join(dict.fromkeys(telling)) or "ffmpeg said nothing"


def run(arguments: Sequence[str], data: bytes = b"") -> bytes:
    """Call ffmpeg with ``data`` on its standard input and return its standard output.

    Raises
    ------
    FfmpegError
        It failed.
    """
    command = [executable(), "-hide_banner", "-loglevel", "error", *arguments]
    result = subprocess.run(command, input=data, capture_output=True, check=False)
    if result.returncode:
        raise FfmpegError(last_words(result.stderr))
    return result.stdout
