"""Type aliases that many modules share."""

from __future__ import annotations

import os
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt
from PIL import Image


class BinaryFile(Protocol):
    """A file that is open for reading bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """Return the next bytes, by default all bytes."""
        ...


Array: TypeAlias = npt.NDArray[Any]
PathLike: TypeAlias = str | os.PathLike[str]
PictureSource: TypeAlias = PathLike | bytes | bytearray | memoryview | BinaryFile | Image.Image
PictureInput: TypeAlias = Array | PictureSource
