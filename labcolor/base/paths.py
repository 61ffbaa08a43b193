"""Paths, folders, and writing of files that are always complete: beside the destination, then renamed."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from labcolor.errors import FileError, InputError, InputTypeError, LabcolorError, OutOfMemoryError

try:
    import fcntl
except ImportError:  # Windows has no locks that other programs may ignore
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "as_path",
    "check_destination",
    "files_in",
    "hidden_folder",
    "identity",
    "locked",
    "make_folder",
    "open_regular",
    "remove_stale",
    "remove_unfinished",
    "replacing",
    "write_file",
    "write_text",
]

_HIDDEN = ".labcolor-"  # how the names of files begin that are not complete yet
_unfinished: set[Path] = set()  # what this process has not completed yet
_YOUNG = 60  # seconds in which a file without a lock may still be one that is about to get it


def as_path(name: str, value: object) -> Path:
    """Return the path that a user passed. Raise an error if it is not a path."""
    if not isinstance(value, str | os.PathLike):
        raise InputTypeError(f"{name}: expected a path, got {type(value).__name__}.")
    if not os.fspath(value):
        raise InputError(f"{name}: expected a path, got an empty one.")
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

    Parameters
    ----------
    path : Path
        A file, which does not need to exist.

    Returns
    -------
    hashable
        The device and the inode number of the file, which links share. If the file does not exist, its resolved path,
        in lower case on Windows and macOS, whose file systems ignore case.
    """
    try:
        about = path.stat()
    except OSError:
        real = os.path.realpath(path)
        return real.casefold() if sys.platform.startswith(("win", "darwin")) else real
    return about.st_dev, about.st_ino


def files_in(folder: Path, endings: Sequence[str]) -> tuple[list[Path], list[OSError]]:
    """Find the files of a folder and its subfolders by their endings.

    Hidden files and folders are left out. Links to files count as files, even if they are broken. Links to folders are
    not followed, so that loops end.

    Parameters
    ----------
    folder : Path
        The folder to search.
    endings : sequence of str
        The endings to search for, in lower case, with their dots.

    Returns
    -------
    files : list of Path
        The files, sorted by their path in the folder.
    problems : list of OSError
        One error for each folder that cannot be read. Its ``filename`` is that folder.
    """
    found: list[str] = []
    problems: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=problems.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(place, name)
            if (
                not name.startswith(".")
                and os.path.splitext(name)[1].lower() in endings
                and (os.path.isfile(path) or not os.path.exists(path))
            ):
                found.append(path)
    paths = [Path(path) for path in found]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix()), problems


def open_regular(path: Path, kind: type[FileError]) -> BinaryIO:
    """Open a file for reading.

    A pipe or a device is refused: opening it can wait forever, reading it may have no end, and a second reader gets
    what the first one left.

    Raises
    ------
    FileError
        Of ``kind``: the path is a folder, a pipe, a socket or a device.
    OSError
        It cannot be opened.
    """
    file: BinaryIO = open(  # noqa: SIM115 - the caller closes it
        path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    )
    if came := _special(os.fstat(file.fileno())):
        file.close()
        raise kind(f"{path}: expected a regular file, got {came}. Copy what it gives to a file first.")
    return file


def _special(about: os.stat_result) -> str:
    """Return what a file that is not a regular one is called; empty for a regular file."""
    if stat.S_ISREG(about.st_mode):
        return ""
    return "a folder" if stat.S_ISDIR(about.st_mode) else "a pipe, a socket or a device"


def make_folder(folder: Path, kind: type[FileError]) -> None:
    """Make a folder, and those around it, or raise an error of ``kind``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise kind(f"{folder}: this folder cannot be made: {error.strerror}.") from error


def check_destination(path: Path, kind: type[FileError]) -> None:
    """Raise an error of ``kind``, before the work begins, if no file can be written at a path."""
    if os.path.isdir(path):
        raise InputError(f"{path}: expected the name of a file to write, got a folder. Add a name to it.")
    if not os.path.isdir(path.parent):
        raise kind(f"{path}: there is no folder {path.parent}. Make it first.")
    try:
        _refuse_special(path, kind)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise kind(f"{path}: cannot be written: {error.strerror}.") from error


def _refuse_special(destination: Path, kind: type[FileError]) -> None:
    """Raise an error of ``kind`` if a device, a pipe or a socket would be replaced; OSError for an impossible name."""
    with suppress(FileNotFoundError):
        if came := _special(destination.stat()):
            raise kind(f"{destination}: expected a regular file or a new name, got {came}. Choose another name.")


@contextmanager
def replacing(destination: Path, kind: type[FileError]) -> Iterator[Path]:
    """Yield a temporary path beside ``destination``. Rename it to ``destination`` on success, and remove it otherwise.

    The temporary name starts with a dot and keeps the ending, by which writers select the format. Errors of the file
    itself are raised as ``kind``. A symbolic link is replaced by the new file, and the file that it points to stays.
    What is not a regular file is never replaced.
    """
    temporary = destination.with_name(f"{_HIDDEN}{secrets.token_hex(6)}{destination.suffix}")
    try:
        _refuse_special(destination, kind)
        # created here, so that the umask applies, and a folder without permission raises an error at once
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise kind(f"{destination}: cannot be written: {error.strerror}.") from error
    _unfinished.add(temporary)
    if fcntl is None:
        os.close(handle)
    else:  # the system takes the lock away when this process dies: see remove_stale
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield temporary
        try:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            with suppress(FileNotFoundError):
                temporary.chmod(destination.stat().st_mode & 0o777)
            temporary.replace(destination)
        except OSError as error:
            raise kind(f"{destination}: cannot be written: {error.strerror}.") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        _unfinished.discard(temporary)
        if fcntl is not None:
            os.close(handle)


def write_file(destination: Path, write: Callable[[Path], object], kind: type[FileError]) -> None:
    """Write a file by a function of a temporary path, so that the destination is whole, the old or the new one.

    Raises
    ------
    FileError
        Of ``kind``: the file cannot be written.
    OutOfMemoryError
        There is not enough memory.
    """
    try:
        with replacing(destination, kind) as temporary:
            write(temporary)
    except (LabcolorError, TimeoutError):
        raise
    except MemoryError as error:
        raise OutOfMemoryError(f"{destination}: did not fit in memory. Write less at once.") from error
    except OSError as error:
        raise kind(f"{destination}: cannot be written: {error.strerror or error}.") from error


def write_text(destination: Path, text: str, kind: type[FileError]) -> None:
    """Write a text as :func:`write_file` does."""
    write_file(destination, lambda temporary: temporary.write_text(text, encoding="utf-8", newline=""), kind)


@contextmanager
def locked(path: Path, name: Path, kind: type[FileError]) -> Iterator[None]:
    """Lock a file, where there are locks. Raise an error of ``kind`` if another process has locked it."""
    with path.open("rb") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise kind(f"{name}: another process is working on it. Wait for it, or end it.") from error
            except OSError:
                pass  # the file system has no locks
        yield


@contextmanager
def hidden_folder(parent: Path) -> Iterator[Path]:
    """Yield a hidden folder in another one, and remove it with what is still in it."""
    folder = parent / f"{_HIDDEN}{secrets.token_hex(6)}.frames"
    folder.mkdir()
    _unfinished.add(folder)
    handle = None if fcntl is None else os.open(folder, os.O_RDONLY)
    try:
        if handle is not None:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unfinished.discard(folder)
        if handle is not None:
            os.close(handle)


def remove_unfinished() -> None:
    """Remove what :func:`replacing` and :func:`hidden_folder` are writing, because this process ends at once."""
    for path in tuple(_unfinished):
        with suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def remove_stale(folder: Path) -> None:
    """Remove what :func:`replacing` and :func:`hidden_folder` left in a folder when their process was killed.

    It is locked while its process lives. Where there are no locks, nothing is removed.
    """
    if fcntl is None:
        return
    for path in folder.glob(f"{_HIDDEN}????????????.*"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(handle).st_mtime > _YOUNG:
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink()
            finally:
                os.close(handle)
