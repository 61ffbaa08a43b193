"""Jobs: a video that is written in one go, or in segments, so that an interrupted job goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from labcolor._version import __version__
from labcolor.base.paths import locked, replacing, write_text
from labcolor.base.validation import integer, require, require_names, shortened
from labcolor.color.chroma import Chroma
from labcolor.errors import InputError, VideoFileError
from labcolor.io.encoder import FrameWriter, encoding, joined, writing
from labcolor.io.formats import Target
from labcolor.io.probe import VideoInfo
from labcolor.io.sequences import frame_numbers, replacing_frames
from labcolor.pictures.picture import Picture
from labcolor.video.saved import decode_state, encode_state
from labcolor.video.stream import ChromaStream

__all__ = ["SEGMENT", "Job", "in_one_go", "resuming"]

SEGMENT = 512  # frames of a segment, a multiple of the frames that are colored together
_LARGEST = 1 << 30  # bytes of a saved state


class Job:
    """A video that is written in one go.

    Parameters
    ----------
    writer : FrameWriter
        What encodes the frames.

    Attributes
    ----------
    done : int
        Number of frames that are written already.
    resumed : bool
        Whether an earlier call has left a state.
    """

    done = 0
    resumed = False

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame written."""
        return self._writer.size

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame, colored by its small chroma."""
        self._writer.write(picture, chroma)

    def checkpoint(self, stream: ChromaStream) -> None:
        """Save what is needed to go on from here, if the job is one that can go on."""

    def restore(self, stream: ChromaStream, shape: tuple[int, int]) -> None:
        """Give a stream the state that an earlier call has left, for frames of a shape."""


class _SegmentedJob(Job):
    """A video that is written in segments, whose encoded frames and state stay when the process dies.

    Parameters
    ----------
    folder : Path
        Where the segments are.
    ending : str
        Ending of a segment.
    opened : callable
        Takes a path, and the number of frames before; returns the context of a writer that encodes to the path.
    """

    def __init__(
        self, folder: Path, ending: str, opened: Callable[[Path, int], AbstractContextManager[FrameWriter]]
    ) -> None:
        self._folder, self._ending, self._opened = folder, ending, opened
        self._path, self._part = folder / "state.json", folder / f"part{ending}"
        self._count, self._state = 0, None
        self.resumed = self._path.exists()
        if self.resumed:
            with self._reading():
                self._read()
        self._written = self.done
        self._stack = ExitStack()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise a VideoFileError with the remedy where the saved state is not one."""
        try:
            yield
        except (InputError, OSError, UnicodeDecodeError) as error:
            raise VideoFileError(
                f"{self._path}: expected the saved state of a job, got something else: {error} Remove {self._folder} "
                f"to begin anew."
            ) from error

    def _read(self) -> None:
        require("size", self._path.stat().st_size, integer(0, most=_LARGEST))
        saved = decode_state(self._path.read_text(encoding="utf-8"))
        require_names("state", saved, ("segments", "frames", "stream"))
        for name in ("segments", "frames"):
            require(name, saved[name], integer(1))
        self._count, self.done, self._state = saved["segments"], saved["frames"], saved["stream"]

    def __enter__(self) -> _SegmentedJob:
        """Begin a segment."""
        self._begin()
        return self

    def __exit__(self, *exception: Any) -> None:
        """End the segment, and ffmpeg."""
        self._stack.__exit__(*exception)
        if exception[0] is None and self._written > self.done:
            self._keep()

    def _begin(self) -> None:
        self._writer = self._stack.enter_context(self._opened(self._part, self._written))

    def _keep(self) -> None:
        if self._part.exists():  # the pictures of a sequence have their names already
            self._part.replace(self._folder / f"{self._count:06d}{self._ending}")
        self._count, self.done = self._count + 1, self._written

    def segments(self) -> list[Path]:
        """Return the whole segments."""
        return [self._folder / f"{number:06d}{self._ending}" for number in range(self._count)]

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame, colored by its small chroma."""
        super().write(picture, chroma)
        self._written += 1

    def checkpoint(self, stream: ChromaStream) -> None:
        """End the segment if it is long enough, and save what is needed to go on after it."""
        if self._written < self.done + SEGMENT:
            return
        self._stack.close()
        self._keep()
        saved = {"segments": self._count, "frames": self.done, "stream": stream.state()}
        write_text(self._path, encode_state(saved), VideoFileError)
        self._begin()

    def restore(self, stream: ChromaStream, shape: tuple[int, int]) -> None:
        """Give a stream the state that an earlier call has left, for frames of a shape.

        Raises
        ------
        VideoFileError
            The state is not one of such a stream.
        """
        if not self.resumed:
            return
        with self._reading():
            stream.restore(self._state, shape)


def _claimed(folder: Path, destination: Path, identity: str) -> None:
    """Make the folder of a job, or check that it belongs to the same job.

    Raises
    ------
    VideoFileError
        The folder belongs to another job, or cannot be made.
    """
    about = {"version": __version__, "job": identity}
    path = folder / "job.json"
    try:
        folder.mkdir(exist_ok=True)
        if not path.exists():
            write_text(path, json.dumps(about), VideoFileError)
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VideoFileError(f"{folder}: cannot be written: {error.strerror}.") from error
    except (ValueError, RecursionError):
        found = None
    if found != about:
        old = isinstance(found, dict) and found.get("version") not in (None, __version__)
        other = f"labcolor {shortened(found['version'])}" if old else "another source, model or options"
        raise VideoFileError(
            f"{destination}: expected to go on with the same job, but its unfinished one is of {other}. Remove "
            f"{folder} to begin anew."
        )


def _digest(info: VideoInfo, options: object) -> str:
    """Return what tells a job from others: its source, and how it is colored and stored."""
    paths = [info.path] if info.first is None else sorted(info.path.parent.iterdir())
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(repr((files, info.path.name, options)).encode()).hexdigest()


@contextmanager
def in_one_go(target: Target) -> Iterator[Job]:
    """Yield a job that writes all frames to a hidden place, which becomes the destination on success."""
    with writing(target) as writer:
        yield Job(writer)


@contextmanager
def resuming(target: Target, options: object) -> Iterator[Job]:
    """Yield a job, which goes on where an earlier call stopped. On success its segments become the destination.

    Parameters
    ----------
    target : Target
        How the video is stored.
    options : object
        All that decides on the result beside the source. Its ``repr`` tells one job from another.

    Raises
    ------
    InputError
        The destination is a GIF.
    VideoFileError
        The unfinished job is another one, or another process works on it.
    """
    if target.ending == ".gif":
        raise InputError("resume: expected another format than .gif. Color it without, or choose .mp4.")
    destination = target.destination
    folder = destination.with_name(f".labcolor-job-{destination.name.replace('%', '')}")
    if target.sequence:
        folder = destination.parent.with_name(f".labcolor-job-{destination.parent.name}")
    _claimed(folder, destination, _digest(target.footage.info, (destination.name, options)))
    ending = target.ending if target.sequence else ".mp4" if "libvpx-vp9" in target.arguments else ".mov"

    def opened(path: Path, done: int) -> AbstractContextManager[FrameWriter]:
        return encoding(folder / destination.name if target.sequence else path, target, tracks=False, done=done)

    with locked(folder / "job.json", destination, VideoFileError):
        with _SegmentedJob(folder, ending, opened) as job:
            yield job
        if target.sequence:
            with replacing_frames(destination) as temporary:
                for number in frame_numbers(folder / destination.name):
                    (folder / (destination.name % number)).replace(temporary.with_name(destination.name % number))
        else:
            with replacing(destination, VideoFileError) as temporary:
                joined(job.segments(), temporary, target)
        shutil.rmtree(folder, ignore_errors=True)
