"""Hues that are left out: colors between two angles become grey, with soft edges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import shortened
from labcolor.errors import InputError, InputTypeError

__all__ = ["HUES", "as_hues", "without_hues"]

# angles of a and b in degrees, from the axis of a (pink) to that of b (yellow)
HUES = {
    "red": (15, 50),
    "orange": (50, 80),
    "yellow": (80, 110),
    "green": (110, 170),
    "cyan": (170, 235),
    "blue": (235, 300),
    "purple": (300, 335),
    "pink": (335, 15),
}
_EDGE = 15.0  # degrees beyond a range in which colors fade
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")


def as_hues(name: str, hues: Any) -> tuple[str, ...]:
    """Check hues that are left out.

    Parameters
    ----------
    name : str
        What to call them in errors.
    hues : sequence of str
        Names of :data:`HUES`, or ranges of degrees like "20-60"; "340-20" goes through 0.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError, InputTypeError
        They are something else.
    """
    if isinstance(hues, str) or not isinstance(hues, Sequence) or not all(isinstance(hue, str) for hue in hues):
        raise InputTypeError(f'{name}: expected a sequence of hues, as ("red", "200-240"), got {shortened(hues)}.')
    for hue in hues:
        _angles(name, hue)
    return tuple(hues)


def _angles(name: str, hue: str) -> tuple[int, int]:
    if hue in HUES:
        return HUES[hue]
    match = _RANGE.fullmatch(hue)
    if not match or max(int(angle) for angle in match.groups()) > 360:
        raise InputError(
            f"{name}: expected {', '.join(HUES)}, or degrees from 0 to 360 as in 200-240, got {shortened(hue)}."
        )
    return int(match[1]), int(match[2])


def without_hues(ab: Array, hues: Sequence[str]) -> Array:
    """Return chroma without some hues.

    Parameters
    ----------
    ab : ndarray, shape (h, w, 2), float32
        Chroma.
    hues : sequence of str
        As :func:`as_hues` returns them.

    Returns
    -------
    ndarray, shape (h, w, 2), float32
    """
    if not hues:  # most videos keep all of theirs
        return ab
    angle = np.degrees(np.arctan2(ab[..., 1], ab[..., 0]))
    for hue in hues:
        first, last = _angles("exclude_hues", hue)
        width = (last - first) % 360
        beyond = np.abs((angle - first - width / 2 + 180) % 360 - 180) - width / 2
        ab = ab * np.clip(beyond / _EDGE, 0, 1)[..., None]
    return np.asarray(ab, np.float32)
