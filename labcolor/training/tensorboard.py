"""Event files for TensorBoard, with numbers and pictures, written without TensorFlow."""

from __future__ import annotations

import io
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from PIL import Image

from labcolor.base.typing import Array
from labcolor.errors import FileError

__all__ = ["EventFile"]

_VERSION = b"brain.Event:2"
_CRC32C = 0x82F63B78  # polynomial of Castagnoli, reflected


class EventFile:
    """A file that TensorBoard reads while it grows.

    An event is a protocol buffer; a file is a sequence of records: length, its checksum, event, its checksum.

    Parameters
    ----------
    folder : Path
        Where it is written; the folder that ``tensorboard --logdir`` gets. It is made if it does not exist.

    Raises
    ------
    FileError
        It cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from labcolor.training.tensorboard import EventFile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     EventFile(Path(folder)).add(1, {"loss": 0.5}, {})
    ...     len(list(Path(folder).glob("events.out.tfevents.*")))
    1
    """

    def __init__(self, folder: Path) -> None:
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{id(self):x}"
        self._path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: expected a folder for TensorBoard: {error.strerror}.") from error
        self._append(_field(3, _VERSION))

    def add(self, step: int, numbers: Mapping[str, float], pictures: Mapping[str, Array]) -> None:
        """Add an event.

        Parameters
        ----------
        step : int
            Its place on the horizontal axis.
        numbers : mapping of str to float
            Values of curves by their names.
        pictures : mapping of str to ndarray, (H, W, 3) uint8
            Pictures by their names.
        """
        values = [_field(1, name.encode()) + struct.pack("<Bf", 2 << 3 | 5, value) for name, value in numbers.items()]
        for name, picture in pictures.items():
            content = io.BytesIO()
            Image.fromarray(picture).save(content, "png")
            height, width = picture.shape[:2]
            image = _number(1, height) + _number(2, width) + _number(3, 3) + _field(4, content.getvalue())
            values.append(_field(1, name.encode()) + _field(4, image))
        self._append(_number(2, step) + _field(5, b"".join(_field(1, value) for value in values)))

    def _append(self, content: bytes) -> None:
        event = struct.pack("<Bd", 1 << 3 | 1, time.time()) + content
        length = struct.pack("<Q", len(event))
        record = length + _checksum(length) + event + _checksum(event)
        try:
            with self._path.open("ab") as file:
                file.write(record)
        except OSError as error:
            raise FileError(f"{self._path}: cannot be written: {error.strerror}.") from error


def _varint(value: int) -> bytes:
    """Return a whole number in the variable length of protocol buffers."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


@cache
def _table() -> list[int]:
    """Return the checksum of each byte."""

    def rounds(value: int) -> Iterator[int]:
        for _ in range(8):
            value = value >> 1 ^ _CRC32C if value & 1 else value >> 1
            yield value

    return [list(rounds(byte))[-1] for byte in range(256)]


def _checksum(content: bytes) -> bytes:
    """Return the masked CRC-32C."""
    table, value = _table(), 0xFFFFFFFF
    for byte in content:
        value = table[(value ^ byte) & 255] ^ value >> 8
    value ^= 0xFFFFFFFF
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)
