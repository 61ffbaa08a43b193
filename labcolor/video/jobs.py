"""Long jobs: a video in segments beside its destination, so that an interrupted job goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from labcolor._version import __version__
from labcolor.base.paths import locked, replacing
from labcolor.base.typing import Array
from labcolor.base.validation import shortened
from labcolor.color.chroma import Chroma
from labcolor.errors import InputError, VideoFileError
from labcolor.io.formats import Target
from labcolor.io.probe import VideoInfo
from labcolor.io.sequences import frame_numbers, replacing_frames
from labcolor.io.video import Decoder, FrameWriter, Range, encoding, joined
from labcolor.pictures.picture import Picture

__all__ = ["SEGMENT", "Job", "resuming"]

SEGMENT = 512  # frames of a segment, a multiple of the frames that are colored together
_SAFE = {("collections", "deque"), ("fractions", "Fraction")} | {
    ("builtins", name) for name in ("slice", "set", "frozenset", "range", "complex")
}

_UNREADABLE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
)


class _Unpickler(pickle.Unpickler):
    """Reader of a saved state, which creates arrays and objects of this library, and nothing else."""

    def __init__(self, content: bytes, shared: Mapping[str, object]) -> None:
        super().__init__(io.BytesIO(content))
        self._shared = shared

    def persistent_load(self, name: str) -> object:
        return self._shared[name]

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if self._known(module, name) else None
        if found is None or (module.startswith("labcolor.") and not isinstance(found, type)):
            raise pickle.UnpicklingError(f"{module}.{name} does not belong in a saved state")
        return found

    @staticmethod
    def _known(module: str, name: str) -> bool:
        arrays = module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "numpy._core.numeric")
        wanted = name in ("ndarray", "dtype", "_reconstruct", "scalar", "_frombuffer")
        return module.startswith("labcolor.") or (arrays and wanted) or (module, name) in _SAFE


class _Pickler(pickle.Pickler):
    """Writer of a state, which leaves out what is made anew: the shared objects."""

    def __init__(self, file: io.BytesIO, shared: Mapping[str, object]) -> None:
        super().__init__(file, protocol=4)
        self._names = {id(value): name for name, value in shared.items()}

    def persistent_id(self, value: object) -> str | None:
        return self._names.get(id(value))


class Job:
    """A video that is written in segments, whose encoded frames and state stay when the process dies.

    Parameters
    ----------
    folder : Path
        Where the segments are.
    ending : str
        Ending of a segment.
    shared : dict of str to object
        Objects that a state refers to and that are not saved with it.
    opened : callable
        Takes a path, and the number of frames before; returns the context of a writer that encodes to the path.

    Attributes
    ----------
    done : int
        Number of frames in whole segments.
    state : object or None
        What :meth:`checkpoint` was given last by an earlier call, or None for a new job.
    """

    def __init__(
        self,
        folder: Path,
        ending: str,
        shared: Mapping[str, object],
        opened: Callable[[Path, int], AbstractContextManager[FrameWriter]],
    ) -> None:
        self._folder, self._ending, self._shared, self._opened = folder, ending, shared, opened
        self._count, self.done, self.state = self._read()
        self._written = self.done
        self._stack = ExitStack()

    def _read(self) -> tuple[int, int, Any]:
        """Return the number of segments and of frames, and the state, that an earlier call has saved."""
        path = self._folder / "state"
        if not path.exists():
            return 0, 0, None
        try:
            count, done, state = _Unpickler(path.read_bytes(), self._shared).load()
        except _UNREADABLE as error:
            raise VideoFileError(
                f"{path}: expected the saved state of a job, got something else. Remove {self._folder} to begin anew."
            ) from error
        return count, done, state

    def __enter__(self) -> Job:
        """Begin a segment."""
        self._begin()
        return self

    def __exit__(self, *exception: Any) -> None:
        """End the segment, and ffmpeg."""
        self._stack.__exit__(*exception)
        if exception[0] is None and self._written > self.done:
            self._keep()

    def _begin(self) -> None:
        self._writer = self._stack.enter_context(self._opened(self._folder / f"part{self._ending}", self._written))

    def _keep(self) -> None:
        part = self._folder / f"part{self._ending}"
        if part.exists():  # the pictures of a sequence have their names already
            part.replace(self._folder / f"{self._count:06d}{self._ending}")
        self._count, self.done = self._count + 1, self._written

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame written."""
        return self._writer.size

    def segments(self) -> list[Path]:
        """Return the whole segments."""
        return [self._folder / f"{number:06d}{self._ending}" for number in range(self._count)]

    def picture(self, luma: Array) -> Picture:
        """Return a frame as a picture: see :class:`FrameWriter`."""
        return self._writer.picture(luma)

    def write(self, picture: Picture, chroma: Chroma) -> None:
        """Write a frame: see :class:`FrameWriter`."""
        self._writer.write(picture, chroma)
        self._written += 1

    def checkpoint(self, state: object) -> None:
        """End the segment if it is long enough, and save what is needed to go on after it."""
        if self._written < self.done + SEGMENT:
            return
        self._stack.close()
        self._keep()
        content = io.BytesIO()
        _Pickler(content, self._shared).dump((self._count, self.done, state))
        with replacing(self._folder / "state", VideoFileError) as temporary:
            temporary.write_bytes(content.getvalue())
        self._begin()


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
            with replacing(path, VideoFileError) as temporary:
                temporary.write_text(json.dumps(about), encoding="utf-8")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VideoFileError(f"{folder}: cannot be written: {error.strerror}.") from error
    except ValueError:
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
def resuming(
    destination: Path,
    info: VideoInfo,
    target: Target,
    decoder: Decoder,
    part: Range,
    side_by_side: bool,
    shared: Mapping[str, object],
    options: object,
) -> Iterator[Job]:
    """Yield a job, which goes on where an earlier call stopped. On success its segments become the destination.

    Parameters
    ----------
    destination, info, target, decoder, part, side_by_side
        As for :func:`labcolor.io.video.encoding`.
    shared : dict of str to object
        Objects that the state refers to and that are not saved with it.
    options : object
        All else that decides on the result. Its ``repr`` tells one job from another.

    Raises
    ------
    InputError
        The destination is a GIF.
    VideoFileError
        The unfinished job is another one, or another process works on it.
    """
    if target.ending == ".gif":
        raise InputError("resume: expected another format than .gif. Color it without, or choose .mp4.")
    folder = destination.with_name(f".labcolor-job-{destination.name.replace('%', '')}")
    if target.sequence:
        folder = destination.parent.with_name(f".labcolor-job-{destination.parent.name}")
    _claimed(folder, destination, _digest(info, (target, side_by_side, part.first, part.count, options)))
    ending = target.ending if target.sequence else ".mp4" if "libvpx-vp9" in target.arguments else ".mov"

    def opened(path: Path, done: int) -> AbstractContextManager[FrameWriter]:
        path = folder / destination.name if target.sequence else path
        return encoding(path, destination, info, target, decoder, part, side_by_side, tracks=False, done=done)

    with locked(folder / "job.json", destination, VideoFileError):
        with Job(folder, ending, shared, opened) as job:
            yield job
        if target.sequence:
            with replacing_frames(destination) as temporary:
                for number in frame_numbers(folder / destination.name):
                    (folder / (destination.name % number)).replace(temporary.with_name(destination.name % number))
        else:
            with replacing(destination, VideoFileError) as temporary:
                joined(job.segments(), temporary, destination, info, target, decoder, part)
        shutil.rmtree(folder, ignore_errors=True)
