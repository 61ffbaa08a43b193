"""Checks of paths; atomic writing of files, which are renamed when they are complete."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from labcolor.errors import FileError, InputError, InputTypeError, LabcolorError, OutOfMemoryError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]

_HIDDEN = ".labcolor-"  # start of the names of incomplete files
_unfinished: set[Path] = set()  # incomplete files and folders of this process
_YOUNG = 60  # seconds after which an incomplete file without a lock is abandoned, because it is locked once it exists
_Error = TypeVar("_Error", bound=FileError)


def as_path(name: str, value: object) -> Path:
    """Convert a user's value to a path, or raise an error."""
    if not isinstance(value, str | os.PathLike):
        raise InputTypeError(f"{name}: expected a path, got {type(value).__name__}.")
    if not os.fspath(value):
        raise InputError(f"{name}: expected a path, got an empty text.")
    if re.match(r"[a-z][a-z0-9+.-]+://", os.fspath(value), re.IGNORECASE):
        raise InputError(
            f"{name}: expected a path, got the address {os.fspath(value)[:60]!r}. labcolor downloads nothing "
            f"and uploads nothing: give the path of a file on this machine."
        )
    path = Path(value)
    if "\0" in str(path):
        raise InputError(f"{name}: expected a path without null characters, got {str(path)!r}.")
    return path


def identity(path: Path) -> Hashable:
    """Return a value that is equal for all names of one file.

    It is the device and inode number of the file, which links share. For a new file it is the resolved path, in lower
    case on Windows and macOS, whose file systems ignore case.
    """
    try:
        about = path.stat()
    except OSError:
        real = os.path.realpath(path)
        return real.casefold() if sys.platform.startswith(("win", "darwin")) else real
    return about.st_dev, about.st_ino


def files_in(folder: Path, endings: Sequence[str], kind: type[_Error]) -> tuple[list[Path], list[_Error]]:
    """Find the files of a folder and its subfolders by their endings.

    Hidden files and folders are left out. Links to files count as files, even if they are broken. Links to folders are
    not followed, so that loops end.

    Parameters
    ----------
    folder : Path
        The folder to search.
    endings : sequence of str
        The endings to search for, in lower case, with their dots.
    kind : type
        Class of the errors.

    Returns
    -------
    files : list of Path
        The files, sorted by their path in the folder.
    problems : list of FileError
        One error of ``kind`` for each folder that cannot be read.
    """
    found: list[Path] = []
    unreadable: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(place, name)
            wanted = not name.startswith(".") and os.path.splitext(name)[1].lower() in endings
            if wanted and (os.path.isfile(path) or not os.path.exists(path)):
                found.append(Path(path))
    problems = [kind(f"{error.filename}: this folder cannot be read: {error.strerror}.") for error in unreadable]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix()), problems


def open_regular(path: Path, kind: type[FileError]) -> BinaryIO:
    """Open a regular file for reading.

    Opening a pipe or a device may block, reading may never end, and a second reader gets only the rest.

    Raises
    ------
    FileError
        Of ``kind``: the path is a folder, a pipe, a socket or a device.
    OSError
        The file cannot be opened.
    """
    file: BinaryIO = open(  # noqa: SIM115 - the caller closes it
        path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    )
    if came := _special(os.fstat(file.fileno())):
        file.close()
        raise kind(f"{path}: expected a regular file, got {came}. Copy its contents to a file first.")
    return file


def _special(about: os.stat_result) -> str:
    """Return a name for the kind of a special file, or an empty text for a regular file."""
    if stat.S_ISREG(about.st_mode):
        return ""
    return "a folder" if stat.S_ISDIR(about.st_mode) else "a pipe, a socket or a device"


def make_folder(folder: Path, kind: type[FileError]) -> None:
    """Create a folder and its parents, or raise an error of ``kind``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise kind(f"{folder}: this folder cannot be created: {error.strerror}.") from error


@contextmanager
def writing_errors(path: Path, kind: type[FileError]) -> Iterator[None]:
    """Convert an OSError to an error of ``kind``, and a MemoryError to an OutOfMemoryError."""
    try:
        yield
    except (LabcolorError, TimeoutError):
        raise
    except MemoryError as error:
        raise OutOfMemoryError(f"{path}: did not fit in memory. Write less at once.") from error
    except OSError as error:
        remedy = " Free disk space, and start again." if error.errno == errno.ENOSPC else ""
        raise kind(f"{path}: cannot be written: {error.strerror or error}.{remedy}") from error


def check_destination(path: Path, kind: type[FileError]) -> None:
    """Raise an error of ``kind``, before the work begins, if no file can be written to a path."""
    if os.path.isdir(path):
        raise InputError(f"{path}: expected the name of a file to write, got a folder. Add a name to it.")
    if not os.path.isdir(path.parent):
        raise kind(f"{path}: there is no folder {path.parent}. Create it first.")
    with writing_errors(path, kind):
        _refuse_special(path, kind)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_absent(
    places: Iterable[Path], remedy: str = "Choose another name, or pass overwrite=True (--overwrite)."
) -> None:
    """Raise an InputError, before the work begins, if a result exists already."""
    for place in places:
        if os.path.lexists(place):
            raise InputError(f"{place}: exists already. {remedy}")


def _refuse_special(destination: Path, kind: type[FileError]) -> None:
    """Raise an error of ``kind`` rather than replace a device, a pipe or a socket."""
    with suppress(FileNotFoundError):
        if came := _special(destination.stat()):
            raise kind(f"{destination}: expected a regular file or a new name, got {came}. Choose another name.")


@contextmanager
def _incomplete(path: Path) -> Iterator[None]:
    """Mark a file or folder as incomplete, and lock it until the process ends: see :func:`remove_stale`."""
    _unfinished.add(path)
    handle = None if fcntl is None else os.open(path, os.O_RDONLY)
    try:
        if handle is not None:
            with suppress(OSError):  # the file system has no locks
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        _unfinished.discard(path)
        if handle is not None:
            os.close(handle)


@contextmanager
def replacing(destination: Path, kind: type[FileError]) -> Iterator[Path]:
    """Yield a temporary path in the folder of a destination. Rename it on success, and remove it otherwise.

    The temporary name starts with a dot and keeps the ending, by which writers select the format. A symbolic link is
    replaced by the new file, and its target stays. Only regular files are replaced. Errors of the file itself are
    raised as ``kind``.
    """
    temporary = destination.with_name(f"{_HIDDEN}{secrets.token_hex(6)}{destination.suffix}")
    with writing_errors(destination, kind):
        _refuse_special(destination, kind)
        temporary.touch(exist_ok=False)  # so that the umask applies, and a read-only folder raises an error at once
    try:
        with _incomplete(temporary):
            yield temporary
            with writing_errors(destination, kind):
                with temporary.open("rb") as written:
                    os.fsync(written.fileno())
                with suppress(FileNotFoundError):
                    temporary.chmod(destination.stat().st_mode & 0o777)
                temporary.replace(destination)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_file(destination: Path, write: Callable[[Path], object], kind: type[FileError]) -> None:
    """Write a file completely or not at all, by a function of a temporary path.

    Raises
    ------
    FileError
        Of ``kind``: the file cannot be written.
    OutOfMemoryError
        There is not enough memory.
    """
    with writing_errors(destination, kind), replacing(destination, kind) as temporary:
        write(temporary)


def write_text(destination: Path, text: str, kind: type[FileError]) -> None:
    """Write a text as :func:`write_file` does."""
    write_file(destination, lambda temporary: temporary.write_text(text, encoding="utf-8", newline=""), kind)


@contextmanager
def claimed(
    path: Path, name: Path, about: Mapping[str, Any], kind: type[FileError], check_other: Callable[[Any], None]
) -> Iterator[None]:
    """Lock the file that identifies the job of a folder, and write it for a new job.

    Parameters
    ----------
    path : Path
        The file.
    name : Path
        Name of the job in errors.
    about : mapping
        Values that identify the job, in the types of JSON.
    kind : type
        Class of the errors.
    check_other : callable
        Function that gets the contents of the file if they differ from ``about``, or None if the file is new. It raises
        an error unless the job may begin in this folder.

    Raises
    ------
    FileError
        Of ``kind``: the file cannot be read or written, or another process has locked it.
    """
    with ExitStack() as stack:
        with writing_errors(path.parent, kind):
            file = stack.enter_context(path.open("a+", encoding="utf-8"))
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise kind(f"{name}: another process is working on it. Wait for it, or end it.") from error
            except OSError:
                pass  # the file system has no locks
            file.seek(0)
            try:
                found = json.loads(file.read() or "null")
            except (ValueError, RecursionError):
                found = ()
            if found != about:
                check_other(found)
                file.truncate(0)  # in place, since it is locked
                file.write(json.dumps(about) + "\n")
                file.flush()
        yield


@contextmanager
def hidden_folder(parent: Path) -> Iterator[Path]:
    """Yield a hidden folder in another one, and remove it with its contents."""
    folder = parent / f"{_HIDDEN}{secrets.token_hex(6)}.frames"
    folder.mkdir()
    try:
        with _incomplete(folder):
            yield folder
    finally:
        _remove(folder)


def _remove(path: Path) -> None:
    """Remove a file or folder if that is possible."""
    with suppress(OSError):
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def remove_unfinished() -> None:
    """Remove the incomplete files and folders of this process, before it ends abruptly."""
    for path in tuple(_unfinished):
        _remove(path)


def remove_stale(folder: Path) -> None:
    """Remove incomplete files and folders that killed processes have left in a folder.

    They are locked while their process lives. Nothing is removed if the system has no locks.
    """
    if fcntl is None:
        return
    for path in folder.glob(f"{_HIDDEN}????????????.*"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(handle).st_mtime > _YOUNG:
                    _remove(path)
            finally:
                os.close(handle)
