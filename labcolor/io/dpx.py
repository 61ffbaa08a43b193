"""The headers of DPX pictures (SMPTE ST 268): the meaning of values and time code, which ffmpeg does not write."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

_MARKS = 801  # offset of transfer and colorimetric specification, one byte each
_DENSITY = 1, 3  # transfers: printing density; some scanners write 3, logarithmic, instead
# Offsets of the film header, of the television header, and of their end, where the picture may begin.
_FILM, _TELEVISION, _END = 1664, 1920, 2048
_NO_FILM = bytes(48) + b"\xff" * 20 + bytes(_TELEVISION - _FILM - 68)  # no text, no numbers
_CODE = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(\d\d)")


def _order(head: bytes) -> tuple[str, int]:
    """Return the byte order, as in :mod:`struct`, and the offset of the picture, or 0 if the file is not DPX."""
    order = {b"SDPX": ">", b"XPDS": "<"}.get(head[:4])
    return (order, struct.unpack(f"{order}I", head[4:8])[0]) if order and len(head) > _FILM else (">", 0)


@dataclass(frozen=True)
class DpxHeader:
    """Marks and time code in the header of a DPX picture.

    Parameters
    ----------
    marks : (int, int)
        Numbers of the transfer and of the colorimetric specification; 4 is video that is not specified, 6 is BT.709.
    timecode : str
        Time code, "HH:MM:SS:FF", or empty. Zeros count as empty, because programs without time code write them.
    """

    marks: tuple[int, int] = (4, 6)
    timecode: str = ""

    @property
    def density(self) -> bool:
        """Whether values are codes of printing density."""
        return self.marks[0] in _DENSITY


def read_header(path: Path) -> DpxHeader:
    """Read the header of a DPX picture.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_END)
    order, begin = _order(head)
    if not begin:
        return DpxHeader()
    number = struct.unpack_from(f"{order}I", head, _TELEVISION)[0] if begin >= _END == len(head) else 0
    found = _CODE.fullmatch(f"{number:08x}")
    return DpxHeader((head[_MARKS], head[_MARKS + 1]), ":".join(found.groups()) if found and number else "")


def stamp(path: Path, header: DpxHeader) -> None:
    """Write a header into a picture from ffmpeg. For a time code, add the headers of film and television.

    The format cannot express dropped numbers or rates of 100 frames per second and more. Such videos get no time code.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with path.open("r+b") as file:
        file.seek(_MARKS)
        file.write(bytes(header.marks))
    digits = re.sub(r"\D", "", header.timecode)
    if not digits:
        return
    content = bytearray(path.read_bytes())
    order, begin = _order(bytes(content[:_END]))
    if begin not in (_FILM, _END) or not _CODE.fullmatch(digits):
        return
    if begin == _FILM:
        content[_FILM:_FILM] = _NO_FILM + b"\xff" * (_END - _TELEVISION)
        numbers = {4: _END, 16: len(content), 24: _FILM, 28: _END - _FILM, 808: _END}
        # offset of the picture, size, sizes of the headers, offset of its only part
        for place, number in numbers.items():
            struct.pack_into(f"{order}I", content, place, number)
    struct.pack_into(f"{order}I", content, _TELEVISION, int(digits, 16))
    path.write_bytes(content)
