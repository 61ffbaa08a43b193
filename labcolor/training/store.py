"""Training pictures by number, reduced on first use and kept in memory and on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from labcolor.base.paths import make_folder
from labcolor.base.typing import Array
from labcolor.errors import FileError, InputError, LabcolorError
from labcolor.io.inputs import one_picture
from labcolor.pictures.crops import reduce_picture
from labcolor.pictures.picture import Picture
from labcolor.training.sources import PictureFile

_GREY, _DAMAGED, _SMALL = "grey", "damaged", "too small"  # reasons to leave a picture out
_SPREAD = 8  # largest difference of R, G and B in a grey pixel
_COLORED = 0.005  # smallest share of colored pixels in a color picture
_MESSAGES = 5  # pictures that are logged one by one as warnings, for each reason
_log = logging.getLogger(__name__)


class PictureFolder:
    """Folder of reduced pictures, which processes can share.

    Each picture is a file, written beside its destination and renamed. A damaged file counts as missing. If the disk is
    full, a warning is logged and no more pictures are written.

    Parameters
    ----------
    folder : Path
        The folder. It is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full = False
        make_folder(folder, FileError)

    def _path(self, key: str) -> Path:
        """Return the path of a picture."""
        return self._folder / key[:2] / f"{key}.npy"

    def get(self, key: str) -> Array | None:
        """Return a picture, or None if it is missing."""
        try:
            with self._path(key).open("rb") as file:
                picture = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 else None

    def put(self, key: str, picture: Array) -> bool:
        """Write a picture. Return whether that succeeded."""
        if self._full:
            return False
        path = self._path(key)
        temporary = path.with_name(f".{secrets.token_hex(6)}.npy")
        try:
            path.parent.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                np.save(file, picture, allow_pickle=False)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._full = True
            _log.warning("%s: no more pictures are kept there: %s.", self._folder, error.strerror or error)
            return False
        return True


class PictureStore:
    """Pictures by number.

    Parameters
    ----------
    short_side : int
        Short side of the reduced pictures.
    least : int
        Smallest accepted length of a side.
    memory : int
        Largest number of bytes to keep in memory.
    folder : PictureFolder or None
        Folder that keeps the reduced pictures, too.

    Attributes
    ----------
    groups : list of range
        Numbers of the pictures of each folder or archive, and of all others.
    names : list of str
        Name of each file, or position of another picture.
    identities : list
        Name and size of each file, or hash of another picture.
    left_out : dict of int to str
        Reasons why pictures cannot be used. It is complete when all have been read.
    """

    def __init__(self, short_side: int, least: int, memory: int, folder: PictureFolder | None) -> None:
        self.groups: list[range] = []
        self.names: list[str] = []
        self.identities: list[object] = []
        self.left_out: dict[int, str] = {}
        self._short_side, self._least, self._room, self._folder = short_side, least, memory, folder
        self._kept: dict[int, Array] = {}
        self._lock = threading.Lock()
        self._files: list[PictureFile] = []

    def add_files(self, groups: Iterable[Sequence[PictureFile]]) -> None:
        """Add files, which are read on first use."""
        for group in groups:
            self.groups.append(range(len(self._files), len(self._files) + len(group)))
            self._files += group
        self.names = [file.name for file in self._files]
        self.identities = [(file.name, file.size) for file in self._files]

    def add_pictures(self, pictures: Iterable[Picture], name: str) -> None:
        """Add pictures, and reduce them at once, so that only one picture of a stream is in memory."""
        for index, picture in enumerate(pictures):
            reduced = self._checked(index, f"{name}[{index}]", picture)
            self.names.append(str(index))
            self.identities.append("" if reduced is None else hashlib.sha256(reduced.tobytes()).hexdigest())
            if reduced is None or self._keep(index, reduced):
                continue
            if self._folder is None:
                spill = tempfile.mkdtemp(prefix="labcolor-")
                weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
                self._folder = PictureFolder(Path(spill))
            if not self._folder.put(self._key(index), reduced):
                raise FileError(f"{name}: expected room on the disk for pictures that do not fit in memory, got none.")
        self.groups.append(range(len(self.names)))

    def get(self, index: int) -> Array | None:
        """Return a picture, or None if it cannot be used."""
        if index in self._kept or index in self.left_out:
            return self._kept.get(index)
        picture = None if self._folder is None else self._folder.get(self._key(index))
        if picture is None and self._files:
            file = self._files[index]
            picture = self._checked(index, str(file), lambda: one_picture(file.read(), str(file)))
            if picture is not None and self._folder is not None:
                self._folder.put(self._key(index), picture)
        if picture is not None:
            self._keep(index, picture)
        return picture

    def _key(self, index: int) -> str:
        """Return the key of a picture in the folder. A changed file has another key."""
        about: tuple[object, ...] = (self.identities[index],)
        if self._files:
            file = self._files[index]
            about = os.path.realpath(file.path), file.size, file.start, file.path.stat().st_mtime_ns
        return hashlib.sha256(repr((self._short_side, self._least, *about)).encode()).hexdigest()

    def _keep(self, index: int, picture: Array) -> bool:
        """Keep a picture in memory. Return whether there was room."""
        with self._lock:
            if index not in self._kept:
                if picture.nbytes > self._room:
                    return False
                self._room -= picture.nbytes
                self._kept[index] = picture
        return True

    def _checked(self, index: int, name: str, source: Picture | Callable[[], Picture]) -> Array | None:
        """Return a picture, reduced, or log the reason why it cannot be used."""
        reason = _DAMAGED
        try:
            picture = source() if callable(source) else source
            height, width = picture.shape
            if min(height, width) < self._least:
                reason = _SMALL
                raise InputError(
                    f"{name}: expected at least {self._least} pixels on each side, got {width} x {height}."
                )
            reason = _GREY
            reduced = reduce_picture(picture, self._short_side, name)
            if not _is_grey(reduced):
                return reduced
            raise InputError(f"{name}: expected a color picture, got a grey one.")
        except LabcolorError as error:
            with self._lock:
                new = index not in self.left_out
                self.left_out[index] = reason
                count = sum(other == reason for other in self.left_out.values()) if new else 0
            if new:
                level = logging.WARNING if count <= _MESSAGES else logging.INFO
                _log.log(level, "left out of the training: %s", error)
        return None


def _is_grey(picture: Array) -> bool:
    """Return whether a picture, (H, W, 3) uint8, is grey or almost grey."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    return bool(np.count_nonzero(spread > _SPREAD) < _COLORED * spread.size)
