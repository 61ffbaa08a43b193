"""Reduced training pictures on disk."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import numpy as np

from labcolor.base.paths import make_folder
from labcolor.base.typing import Array
from labcolor.errors import FileError

__all__ = ["PictureFolder"]

_log = logging.getLogger(__name__)


class PictureFolder:
    """Folder of reduced pictures, which processes can share.

    Each picture is a file of its own, written beside its place and renamed. A file that is damaged counts as missing.
    If the disk is full, a warning is logged and nothing more is written.

    Parameters
    ----------
    folder : Path
        The folder. It is made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full = False
        make_folder(folder, FileError)

    def _path(self, key: str) -> Path:
        """Return the path of a picture."""
        return self._folder / key[:2] / f"{key}.npy"

    def get(self, key: str) -> Array | None:
        """Return a picture, or None if it is not there."""
        try:
            with self._path(key).open("rb") as file:
                picture = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 else None

    def put(self, key: str, picture: Array) -> bool:
        """Keep a picture. Return whether that succeeded."""
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
