"""Corrections of the colors of one shot, of hues or of a range of lightness, that may change over time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import as_saturation, integer, number, optional, require, shortened
from labcolor.errors import InputError
from labcolor.video.look import HUES, as_hues, share_of_hues

_EDGE = 10.0  # width of L, beyond a range, over which a correction fades
_ENTRY = re.compile(
    r"(?:@(?P<frame>\d{1,9})\s*)?(?:(?P<hues>[a-z+]+)\s*)?(?:l(?P<low>\d{1,3}(?:\.\d{1,9})?)-(?P<high>\d{1,3}(?:\.\d{1,9})?)\s*)?:"
    r"(?:\s*(?P<grey>grey))?(?:\s*saturation\s+(?P<saturation>\d(?:\.\d{1,9})?))?"
    r"(?:\s*hue\s+(?P<hue>[+-]?\d{1,3}(?:\.\d{1,9})?))?\s*"
)


@dataclass(frozen=True)
class Grade:
    """A correction of the colors of a shot.

    It acts on the finished colors, including those of references. It fades within 15 degrees beyond its hues, and
    within 10 L beyond its range of lightness. Grades of one shot are applied in their order. Grades that have a frame
    and the same hues and lightness are keyframes: between two keyframes, saturation and hue change linearly.

    Parameters
    ----------
    hues : tuple of str, optional
        The hues that it corrects, such as "red" and "pink": see :class:`Look`. By default all.
    lightness : (low, high), default (0, 100)
        The range of L that it corrects.
    saturation : float, default 1
        Factor of chroma, from 0 (grey) to 4.
    hue : float, default 0
        Degrees by which hues turn, from -180 to 180; positive from red to yellow.
    frame : int, optional
        Number of the frame to which it applies exactly, if it is a keyframe.

    Raises
    ------
    InputError, InputTypeError
        A value is not as described above.

    Examples
    --------
    >>> from labcolor import Grade, Shot
    >>> Shot(0, 120, grades=(Grade(("red", "pink"), saturation=0.5), Grade(lightness=(0, 20), saturation=0))).grades[0]
    Grade(hues=('red', 'pink'), lightness=(0, 100), saturation=0.5, hue=0.0, frame=None)
    """

    hues: Sequence[str] = ()
    lightness: tuple[float, float] = (0, 100)
    saturation: float = 1.0
    hue: float = 0.0
    frame: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "hues", as_hues("hues", self.hues))
        if not isinstance(self.lightness, tuple | list) or len(self.lightness) != 2:
            raise InputError(f"lightness: expected (low, high), got {shortened(self.lightness)}.")
        for value in self.lightness:
            require("lightness", value, number(0, 100))
        if self.lightness[0] >= self.lightness[1]:
            raise InputError(f"lightness: expected the lower value first, got {shortened(self.lightness)}.")
        object.__setattr__(self, "lightness", tuple(self.lightness))
        object.__setattr__(self, "saturation", as_saturation(self.saturation))
        require("hue", self.hue, number(-180, 180))
        object.__setattr__(self, "hue", float(self.hue))
        require("frame", self.frame, optional(integer(0)))


def _at(grades: Sequence[Grade], frame: int) -> list[Grade]:
    """Return the grades of a frame; keyframes of one range are interpolated."""
    tracks: dict[Any, list[Grade]] = {}
    for place, grade in enumerate(grades):
        key = place if grade.frame is None else (grade.hues, grade.lightness)
        tracks.setdefault(key, []).append(grade)
    found = []
    for track in tracks.values():
        keys = sorted(track, key=lambda grade: grade.frame or 0)
        times = [key.frame or 0 for key in keys]
        saturation, hue = (
            np.interp(frame, times, [getattr(key, name) for key in keys]) for name in ("saturation", "hue")
        )
        found.append(replace(keys[0], saturation=float(saturation), hue=float(hue)))
    return found


def graded(ab: Array, lightness: Array, frame: int, grades: Sequence[Grade]) -> Array:
    """Return the chroma of a frame, (h, w, 2) float32, corrected, for its L, (h, w)."""
    for grade in _at(grades, frame):
        low, high = grade.lightness
        beyond = np.maximum(low - lightness, lightness - high)
        weight = np.clip(1 - beyond / _EDGE, 0, 1) * share_of_hues(ab, grade.hues or tuple(HUES))
        angle = np.radians(grade.hue) * weight
        scale = 1 + (grade.saturation - 1) * weight
        a, b = ab[..., 0], ab[..., 1]
        turned = np.cos(angle) * a - np.sin(angle) * b, np.sin(angle) * a + np.cos(angle) * b
        ab = np.asarray(np.stack(turned, axis=-1) * scale[..., None], np.float32)
    return ab


def as_text(grades: Sequence[Grade]) -> str:
    """Return grades as a text for a list of shots, like "red+pink: saturation 0.5 | @120 L0-20: hue -10"."""
    texts = []
    for grade in grades:
        low, high = grade.lightness
        marks = ["" if grade.frame is None else f"@{grade.frame}", "+".join(grade.hues)]
        marks.append("" if (low, high) == (0, 100) else f"L{decimal(low)}-{decimal(high)}")
        saturation = "" if grade.saturation == 1 else f"saturation {decimal(grade.saturation)}"
        values = [
            "grey" if grade.saturation == 0 else saturation,
            f"hue {decimal(grade.hue, sign=True)}" if grade.hue else "",
        ]
        where, what = (" ".join(filter(None, parts)) for parts in (marks, values))
        texts.append(f"{where}: {what}".strip())
    return " | ".join(texts)


def decimal(value: float, sign: bool = False) -> str:
    """Return a number as text with nine decimals at most, and never as "1e-05"; with a plus sign on demand."""
    return np.format_float_positional(float(value), precision=9, trim="-", sign=sign)


def grades_from(name: str, text: str) -> tuple[Grade, ...]:
    """Return the grades of a text as :func:`as_text` writes it, which errors call ``name``.

    Raises
    ------
    InputError
        The text is not a list of grades.
    """
    grades = []
    for entry in text.lower().split("|"):
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            raise InputError(
                f'{name}: expected grades like "red+pink: saturation 0.5" or "@120 L0-20: grey", separated by |, '
                f"got {shortened(entry.strip())}."
            )
        hues = tuple(found["hues"].split("+")) if found["hues"] else ()
        saturation = 0.0 if found["grey"] else float(found["saturation"] or 1)
        lightness = (float(found["low"]), float(found["high"])) if found["low"] else (0, 100)
        frame = int(found["frame"]) if found["frame"] else None
        try:
            grades.append(Grade(hues, lightness, saturation, float(found["hue"] or 0), frame))
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    return tuple(grades)
