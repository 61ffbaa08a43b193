"""``Look``: the steadiness of a video's colors, excluded hues, and exemplars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labcolor.base.choices import HueName
from labcolor.base.typing import Array
from labcolor.base.validation import as_smoothing, instance_of, require, shortened
from labcolor.errors import InputError, InputTypeError

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
_EDGE = 15.0  # degrees beyond a range over which colors fade


@dataclass(frozen=True)
class Look:
    """Options for the colors of a video.

    Parameters
    ----------
    smoothing : float, default 0.96
        Weight of past frames in the colors of static regions, from 0 (no smoothing) to 0.99, at 24 or 25 frames per
        second. At other rates the weight is adapted, so that colors are equally steady in time. Colors are not carried
        across cuts.
    consistency : bool, default True
        Whether an object keeps its color in all shots of a scene. With ``smoothing=0`` and without consistency each
        frame gets the same colors as a still picture.
    exclude_hues : sequence of str
        Hues of predicted colors that become grey, with soft edges: "red", "orange", "yellow", "green", "cyan", "blue",
        "purple" or "pink". Colors of references and of ``like`` stay.
    like : picture or sequence of picture, optional
        Colored photographs of any size, as for :meth:`Colorizer.predict`: regions that are similar to a part of a
        photograph take its color. References take precedence.

    Raises
    ------
    InputError, InputTypeError
        A value is not as described above.

    Examples
    --------
    >>> from labcolor import Look
    >>> Look(exclude_hues=["red"])
    Look(smoothing=0.96, consistency=True, exclude_hues=('red',), like=None)
    """

    smoothing: float = 0.96
    consistency: bool = True
    exclude_hues: Sequence[HueName] = ()
    like: Any = field(default=None, hash=False)  # arrays and lists have no hash

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "smoothing", as_smoothing(self.smoothing))
        require("consistency", self.consistency, instance_of(bool))
        object.__setattr__(self, "exclude_hues", as_hues("exclude_hues", self.exclude_hues))

    def __eq__(self, other: object) -> bool:
        """Return whether both are equal; pictures in memory are compared pixel by pixel."""
        if not isinstance(other, Look):
            return NotImplemented
        ours, theirs = ((one.smoothing, one.consistency, one.exclude_hues) for one in (self, other))
        return ours == theirs and _equal(self.like, other.like)


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values of the parameter ``like`` are equal."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if hasattr(one, "__array__") and hasattr(other, "__array__"):
        return np.array_equal(one, other)
    return one is other or (type(one) is type(other) and bool(one == other))


def as_hues(name: str, hues: Any) -> tuple[str, ...]:
    """Check excluded hues, which errors call ``name``. Return them as a tuple.

    Raises
    ------
    InputError, InputTypeError
        They are not names of :data:`HUES`.
    """
    if isinstance(hues, str) or not isinstance(hues, Sequence) or not all(isinstance(hue, str) for hue in hues):
        raise InputTypeError(f'{name}: expected a sequence of hues, as ("red", "pink"), got {shortened(hues)}.')
    for hue in hues:
        if hue not in HUES:
            raise InputError(f"{name}: expected {', '.join(HUES)}, got {shortened(hue)}.")
    return tuple(hues)


def without_hues(ab: Array, hues: Sequence[str]) -> Array:
    """Return chroma, (h, w, 2) float32, without some hues."""
    if not hues:  # most videos exclude no hues
        return ab
    for hue in hues:
        ab = ab * (1 - share_of_hues(ab, (hue,)))[..., None]
    return np.asarray(ab, np.float32)


def share_of_hues(ab: Array, hues: Sequence[str]) -> Array:
    """Return the degree, (h, w), to which chroma, (h, w, 2), belongs to hues: 1 inside, less at edges, 0 outside."""
    angle = np.degrees(np.arctan2(ab[..., 1], ab[..., 0]))
    share = np.zeros(angle.shape)
    for first, last in (HUES[hue] for hue in hues):
        width = (last - first) % 360
        beyond = np.abs((angle - first - width / 2 + 180) % 360 - 180) - width / 2
        share = np.maximum(share, 1 - np.clip(beyond / _EDGE, 0, 1))
    return np.asarray(share)
