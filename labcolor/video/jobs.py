"""Jobs: a video is written in one go, or in segments, so that an interrupted job can resume."""

from __future__ import annotations

import hashlib
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from labcolor._version import __version__
from labcolor.base.paths import claimed, make_folder, replacing, write_text
from labcolor.base.validation import instance_of, integer, require, shortened
from labcolor.color.chroma import Chroma
from labcolor.errors import InputError, VideoFileError
from labcolor.io.encoder import FrameWriter, encoding, joined, writing
from labcolor.io.formats import Target
from labcolor.io.probe import VideoInfo
from labcolor.io.sequences import frame_numbers, replacing_frames
from labcolor.pictures.picture import Picture
from labcolor.video.saved import COUNT, Forms, Stateful, decode_state, encode_state
from labcolor.video.shots import Shot
from labcolor.video.stream import ChromaStream

SEGMENT = 512  # frames of a segment, a multiple of the frames that are colored together
_JOB, _STATE = "job.json", "state.json"  # the job of a folder, and its finished segments
_LARGEST = 1 << 30  # bytes of a saved state


class Job:
    """Job that writes a video in one go.

    Parameters
    ----------
    writer : FrameWriter
        The encoder.

    Attributes
    ----------
    done : int
        Number of written frames.
    """

    done = 0

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame, colored by its small chroma."""
        self._writer.write(picture, chroma)
        self.done += 1

    def parts(self) -> list[tuple[int, int | None]]:
        """Return the parts to color: the first frame and the end of each, counted from 0. None is the video's end."""
        return [(0, None)]

    def checkpoint(self, stream: ChromaStream) -> None:
        """Save the state of a stream, if the job can resume."""

    def begin(self, start: int, stop: int | None, stream: ChromaStream, shape: tuple[int, int]) -> None:
        """Begin a part, and restore the state of a stream before it, for frames of a shape."""


class _SegmentedJob(Job, Stateful):
    """Job that writes a video in segments. The encoded frames and the states survive the end of the process.

    Parameters
    ----------
    folder : Path
        Folder of the segments.
    ending : str
        Ending of a segment.
    opened : callable
        Function from a path, and the number of earlier frames, to the context of a writer that encodes to the path.
    shot : callable or None
        Function from the number of a frame, counted from 0, to the settings of its shot as text, and the end of the
        shot. If the settings differ from those of an earlier call, the segment is colored again. None if cuts are
        detected.
    """

    def __init__(
        self,
        folder: Path,
        ending: str,
        opened: Callable[[Path, int], AbstractContextManager[FrameWriter]],
        shot: Callable[[int], tuple[str, int]] | None,
    ) -> None:
        self._folder, self._ending, self._opened, self._shot = folder, ending, opened, shot
        self._part = folder / f"part{ending}"
        self._complete = folder / "complete"
        self._segments: list[tuple[int, str]] = []  # first frame, settings of its shot or "" if it is missing
        self._resumable = 0  # the last frame before which the state of the stream is saved
        self._stop: int | None = None  # end of the current part
        if (folder / _STATE).exists():
            with self._reading() as state:
                self.restore(state)
                edges = [*(first for first, _ in self._segments), self.done]
                if edges != sorted(set(edges)):
                    raise InputError("expected segments in the order of their frames.")
        self._first = self._written = self.done  # of the current segment
        self._stack = ExitStack()

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        return {"_segments": [(COUNT, instance_of(str))], "done": integer(1), "_resumable": COUNT}

    @contextmanager
    def _reading(self, name: str = _STATE) -> Iterator[Any]:
        """Yield a saved state. Convert errors to a VideoFileError with the remedy."""
        path = self._folder / name
        try:
            require("size", path.stat().st_size, integer(0, most=_LARGEST))
            yield decode_state(path.read_text(encoding="utf-8"))
        except (InputError, OSError, UnicodeDecodeError) as error:
            raise VideoFileError(
                f"{path}: expected the saved state of a job, got something else: {error} Remove {self._folder} to "
                f"begin anew."
            ) from error

    def _save(self, name: str, state: Stateful) -> None:
        """Write a state to a file of the folder."""
        write_text(self._folder / name, encode_state(state), VideoFileError)

    def __enter__(self) -> _SegmentedJob:
        """Return the job."""
        return self

    def __exit__(self, *exception: Any) -> None:
        """Close the encoder, and keep the last segment."""
        self._stack.__exit__(*exception)
        if exception[0] is None:
            if self._written > self._first and self._stop is None:
                self._keep()
                self._save(_STATE, self)
            if self._shot is not None:
                self._complete.touch()

    def _ends(self) -> list[int]:
        """Return the frame after the last of each segment."""
        return [*(first for first, _ in self._segments[1:]), self.done]

    def parts(self) -> list[tuple[int, int | None]]:
        """Return the parts to color: missing segments, segments with other settings, and the rest of the video."""
        found: list[tuple[int, int | None]] = []
        for (first, shot), end in zip(self._segments, self._ends(), strict=False):
            if shot == self._key(first):
                continue
            if found and found[-1][1] == first:
                found[-1] = found[-1][0], end
            else:
                found.append((first, end))
        return found if self._complete.exists() else [*found, (self.done, None)]

    def _key(self, first: int) -> str:
        """Return the settings of the shot of a frame."""
        return "detected" if self._shot is None else self._shot(first)[0]

    def begin(self, start: int, stop: int | None, stream: ChromaStream, shape: tuple[int, int]) -> None:
        """Begin a part, and restore the state of a stream before it, for frames of a shape.

        Raises
        ------
        VideoFileError
            The state belongs to another stream, or is damaged.
        """
        if frame := self._resumable if stop is None else start:
            with self._reading(_name(frame, ".json")) as state:
                stream.resume(state, shape)
        self._stop, self._written = stop, start
        self._open()

    def _open(self) -> None:
        """Open the encoder of the next segment."""
        self._first = self._written
        self._writer = self._stack.enter_context(self._opened(self._part, self._written))

    def _keep(self) -> None:
        """Add the written segment to the list. It replaces segments of the same frames."""
        if self._part.exists():  # the pictures of a sequence have their names already
            self._part.replace(self._folder / _name(self._first, self._ending))
        known = dict(self._segments)
        edges = {*known, self._first, *([self._written] if self._written < self.done else [])}
        inside = {edge for edge in edges if self._first < edge < self._written}
        known[self._first] = self._key(self._first)
        self._segments = [(edge, known.get(edge, "")) for edge in sorted(edges - inside)]
        self.done = max(self.done, self._written)

    def segments(self) -> list[Path]:
        """Return the files of the segments."""
        return [self._folder / _name(first, self._ending) for first, _ in self._segments]

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame, colored by its small chroma."""
        self._writer.write(picture, chroma)
        self._written += 1

    def checkpoint(self, stream: ChromaStream) -> None:
        """End the segment if it is long enough or its shot ends, and save the state of the stream after it."""
        end = None if self._shot is None else self._shot(self._first)[1]
        if self._written < self._first + SEGMENT and self._written not in (end, self._stop):
            return
        self._stack.close()
        self._keep()
        previous, last = self._resumable, self._written == self.done
        self._save(_name(self._written, ".json"), stream)
        self._resumable = self._written if last else previous
        self._save(_STATE, self)
        if previous and self._shot is None:
            (self._folder / _name(previous, ".json")).unlink(missing_ok=True)
        if self._written != self._stop:
            self._open()


def _name(frame: int, ending: str) -> str:
    """Return the name of the segment that begins at a frame, or of the state before this frame."""
    return f"{frame:09d}{ending}"


def _emptied(folder: Path, destination: Path, found: Any) -> None:
    """Empty the folder of a new job, or of a complete job that another one replaces.

    Raises
    ------
    VideoFileError
        The folder contains another job, described by ``found``, which is not complete.
    """
    if found is None or (folder / "complete").exists():
        for other in folder.iterdir():
            if other != folder / _JOB:
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        return
    old = isinstance(found, dict) and found.get("version") not in (None, __version__)
    other_job = f"labcolor {shortened(found['version'])}" if old else "another source, model or options"
    raise VideoFileError(
        f"{destination}: expected an unfinished video of the same job, got one of {other_job}. Remove "
        f"{folder} to begin anew."
    )


def _digest(info: VideoInfo, options: object) -> str:
    """Return a hash of the source of a job and of its options."""
    paths = [info.path] if info.first is None else sorted(info.path.parent.iterdir())
    files = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(repr((files, info.path.name, options)).encode()).hexdigest()


@contextmanager
def in_one_go(target: Target) -> Iterator[Job]:
    """Yield a job that writes all frames to a hidden file, which is renamed to the destination on success."""
    with writing(target) as writer:
        yield Job(writer)


@contextmanager
def resuming(target: Target, options: object, shots: Sequence[Shot] | None = None) -> Iterator[Job]:
    """Yield a job that resumes an earlier call. On success its segments are joined to the destination.

    With a list of shots the segments are kept, so that a later call colors only shots whose settings have changed.

    Parameters
    ----------
    target : Target
        The form of the result.
    options : object
        All other options that determine the result. Jobs differ if its ``repr`` differs.
    shots : sequence of Shot or None
        The shots, if they are listed.

    Raises
    ------
    InputError
        The destination is a GIF.
    VideoFileError
        The folder contains another unfinished job, or another process works on the job.
    """
    if target.ending == ".gif":
        raise InputError("resume: expected a format other than .gif. Leave resume out, or choose .mp4.")
    destination = target.destination
    folder = destination.with_name(f".labcolor-job-{destination.name.replace('%', '')}")
    if target.sequence:
        folder = destination.parent.with_name(f".labcolor-job-{destination.parent.name}")
    ending = target.ending if target.sequence else ".mp4" if "libvpx-vp9" in target.arguments else ".mov"
    pictures = folder / destination.name

    def opened(path: Path, done: int) -> AbstractContextManager[FrameWriter]:
        return encoding(pictures if target.sequence else path, target, tracks=False, done=done)

    first = target.footage.first

    def shot(number: int) -> tuple[str, int]:
        assert shots is not None
        its = shots[max(0, bisect_right([one.first for one in shots], first + number) - 1)]
        return repr(replace(its, kind=None, confidence=None)), its.end - first

    make_folder(folder, VideoFileError)
    about = {"version": __version__, "job": _digest(target.footage.info, (destination.name, options))}
    with claimed(folder / _JOB, destination, about, VideoFileError, partial(_emptied, folder, destination)):
        with _SegmentedJob(folder, ending, opened, None if shots is None else shot) as job:
            yield job
        if target.sequence:
            with replacing_frames(destination) as temporary:
                for number in frame_numbers(pictures):
                    name = destination.name % number
                    move = Path.replace if shots is None else shutil.copy2
                    move(folder / name, temporary.with_name(name))
        else:
            with replacing(destination, VideoFileError) as temporary:
                joined(job.segments(), temporary, target)
        if shots is None:
            shutil.rmtree(folder, ignore_errors=True)
