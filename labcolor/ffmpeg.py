"""The ffmpeg program that imageio-ffmpeg carries: one call, with its last words when it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

__all__ = ["LOCAL", "FfmpegError", "executable", "last_words", "run"]

# Before an input: a playlist from a stranger must not make ffmpeg open network connections.
LOCAL = ("-protocol_whitelist", "file,pipe")


class FfmpegError(Exception):
    """ffmpeg failed; the text is its last words. Callers turn it into an error of the library."""


def executable() -> str:
    """The path of ffmpeg."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def last_words(log: bytes) -> str:
    """The last lines of what ffmpeg said, on one line."""
    lines = [line.strip() for line in log.decode(errors="replace").splitlines() if line.strip()]
    return "; ".join(lines[-3:]) or "ffmpeg said nothing"


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
