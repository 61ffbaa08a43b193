"""Training pictures by number: reduced on first use, kept in memory, then on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from labcolor.base.typing import Array
from labcolor.errors import FileError, InputError, LabcolorError
from labcolor.io.inputs import one_picture
from labcolor.pictures.crops import reduce_picture
from labcolor.pictures.picture import Picture
from labcolor.training.cache import PictureFolder
from labcolor.training.sources import PictureFile

__all__ = ["PictureStore"]

_GREY, _DAMAGED, _SMALL = "grey", "damaged", "too small"  # why a picture is left out
_SPREAD = 8  # largest difference of R, G and B, in a pixel that counts as grey
_COLORED = 0.005  # share of pixels from which on a picture counts as colored
_MESSAGES = 5  # pictures that are logged one by one as warnings, for each reason
_log = logging.getLogger(__name__)


class PictureStore:
    """Pictures by number; unusable ones are counted by reason.

    Parameters
    ----------
    short_side : int
        Short side of the reduced pictures.
    least : int
        Length of the shortest side that is not too small.
    memory : int
        Largest number of bytes to keep in memory.
    folder : PictureFolder or None
        Where reduced pictures are kept, too.
    """

    def __init__(self, short_side: int, least: int, memory: int, folder: PictureFolder | None) -> None:
        self.groups: list[list[int]] = []
        self._short_side, self._least = short_side, least
        self._room = memory
        self._folder = folder
        self._kept: dict[int, Array] = {}
        self._left_out: dict[int, str] = {}
        self._lock = threading.Lock()
        self._files: list[PictureFile] = []
        self._hashes: list[str] = []  # of pictures that do not come from files

    def add_files(self, groups: Iterable[Sequence[PictureFile]]) -> None:
        """Add files, which are read on first use."""
        for group in groups:
            self.groups.append(list(range(len(self._files), len(self._files) + len(group))))
            self._files += group

    def add_pictures(self, pictures: Iterable[Picture], name: str) -> None:
        """Add pictures. They are reduced at once, so that those of a stream are in memory one by one."""
        for index, picture in enumerate(pictures):
            reduced = self._checked(index, f"{name}[{index}]", picture)
            self._hashes.append("" if reduced is None else hashlib.sha256(reduced.tobytes()).hexdigest())
            if reduced is None or self._keep(index, reduced):
                continue
            if self._folder is None:
                spill = tempfile.mkdtemp(prefix="labcolor-")
                weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
                self._folder = PictureFolder(Path(spill))
            if not self._folder.put(self._key(index), reduced):
                raise FileError(f"{name}: expected room on the disk for pictures that do not fit in memory, got none.")
        self.groups.append(list(range(len(self._hashes))))

    def get(self, index: int) -> Array | None:
        """Return a picture, or None if it cannot be used."""
        kept = self._kept.get(index)
        if kept is not None or index in self._left_out:
            return kept
        found = None if self._folder is None else self._folder.get(self._key(index))
        if found is not None or not self._files:
            if found is not None:
                self._keep(index, found)
            return found
        file = self._files[index]
        reduced = self._checked(index, str(file), lambda: one_picture(file.read(), str(file)))
        if reduced is not None:
            if self._folder is not None:
                self._folder.put(self._key(index), reduced)
            self._keep(index, reduced)
        return reduced

    def name(self, index: int) -> str:
        """Return the name of a file, or the position of another picture."""
        return self._files[index].name if self._files else str(index)

    def left_out(self, indices: Iterable[int]) -> dict[str, int]:
        """Return how many of some pictures were left out, by reason."""
        return dict(Counter(self._left_out[index] for index in indices if index in self._left_out))

    def digest(self, indices: Iterable[int]) -> str:
        """Return a hash of the names and sizes of some files, or of the content of other pictures."""
        what = ((self._files[i].name, self._files[i].size) if self._files else self._hashes[i] for i in indices)
        return hashlib.sha256(repr(list(what)).encode()).hexdigest()

    def _key(self, index: int) -> str:
        """Return the key of a picture in the folder, which differs for another file and for a changed one."""
        about: tuple[object, ...] = (self._short_side, self._least)
        if self._files:
            file = self._files[index]
            about += os.path.realpath(file.path), file.size, file.start, file.path.stat().st_mtime_ns
        else:
            about += (self._hashes[index],)
        return hashlib.sha256(repr(about).encode()).hexdigest()

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
        """Return a picture, reduced, or count and log why it cannot be used."""
        reason = _DAMAGED
        try:
            picture = source() if callable(source) else source
            reason = _GREY
            if min(picture.shape) < self._least:
                reason = _SMALL
                height, width = picture.shape
                raise InputError(
                    f"{name}: expected at least {self._least} pixels on each side, got {width} x {height}."
                )
            reduced = reduce_picture(picture, self._short_side, name)
            if not _is_grey(reduced):
                return reduced
            raise InputError(f"{name}: expected a color picture, got a grey one.")
        except LabcolorError as error:
            with self._lock:
                new = index not in self._left_out
                self._left_out[index] = reason
                count = sum(other == reason for other in self._left_out.values()) if new else 0
            if new:
                level = logging.WARNING if count <= _MESSAGES else logging.INFO
                _log.log(level, "left out of the training: %s", error)
        return None


def _is_grey(picture: Array) -> bool:
    """Return whether a picture, (H, W, 3) uint8, has no color worth learning from."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    return bool(np.count_nonzero(spread > _SPREAD) < _COLORED * spread.size)
