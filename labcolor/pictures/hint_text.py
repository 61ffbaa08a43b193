"""Hints as text, as a command line or a web address has them: a place, a color and a radius."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isqrt
from typing import NamedTuple

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import shortened
from labcolor.color.lab import rgb_to_lab
from labcolor.errors import InputError

__all__ = ["RADIUS", "Hint", "hint_map", "parse_hint"]

RADIUS = 4  # of a hint that names none, in pixels
_WORDS = {"keep": np.inf, "fence": -np.inf}  # instead of a color, and what they are in a map
_MAX_COVERAGE = 16  # area of all disks, in pictures
_SMALL = 1 << 20  # a picture of fewer pixels counts as one of this size
_FORM = re.compile(rf"([0-9]{{1,9}}),([0-9]{{1,9}}),(?:#?([0-9a-fA-F]{{6}})|({'|'.join(_WORDS)}))(?:,([0-9]{{1,9}}))?")


class Hint(NamedTuple):
    """Known color at a place of the picture.

    Parameters
    ----------
    x, y : int
        The place, in pixels from the left and from the top.
    rgb : (int, int, int) or str
        Its color, of which the lightness does not count; "keep": the predicted color stays; "fence": no hint reaches
        here.
    radius : int
        In pixels; 0 is one pixel.
    """

    x: int
    y: int
    rgb: tuple[int, int, int] | str
    radius: int


def parse_hint(text: str) -> Hint:
    """Read a hint from text.

    Parameters
    ----------
    text : str
        X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS; the # may be left out; instead of a color, "keep" keeps the predicted
        one, and "fence" lets no hint reach there.

    Returns
    -------
    Hint

    Raises
    ------
    InputError
        It is something else.

    Examples
    --------
    >>> from labcolor.pictures.hint_text import parse_hint
    >>> parse_hint("120,80,#e07020")
    Hint(x=120, y=80, rgb=(224, 112, 32), radius=4)
    """
    parts = _FORM.fullmatch(text)
    if parts is None:
        raise InputError(f"expected X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS, as in '120,80,#e07020', got {shortened(text)}.")
    x, y, color, word, radius = parts.groups()
    red, green, blue = bytes.fromhex(color or "000000")
    return Hint(int(x), int(y), word or (red, green, blue), RADIUS if radius is None else int(radius))


def hint_map(hints: Sequence[Hint], shape: tuple[int, int], name: str = "hint") -> Array:
    """Draw hints as disks, for ``Colorizer.predict``. The later of two that overlap counts.

    Parameters
    ----------
    hints : sequence of Hint
        The hints.
    shape : (H, W)
        The picture's size.
    name : str
        What to call a hint in errors.

    Returns
    -------
    ndarray, shape (H, W, 2), float32
        ab, inf where the prediction stays, -inf where no hint reaches, and nan elsewhere.

    Raises
    ------
    InputError
        A place lies outside the picture, or the disks overlap too much to be drawn in a short time.
    """
    height, width = shape
    known = np.full((height, width, 2), np.nan, np.float32)
    drawn = 0
    for hint in hints:
        if hint.x >= width or hint.y >= height:
            raise InputError(
                f"{name} {hint.x},{hint.y}: expected a place in the picture, from 0,0 to {width - 1},{height - 1}."
            )
        ab = _WORDS[hint.rgb] if isinstance(hint.rgb, str) else rgb_to_lab(np.array(hint.rgb, np.uint8))[1:]
        for y in range(max(0, hint.y - hint.radius), min(height, hint.y + hint.radius + 1)):
            reach = isqrt(hint.radius**2 - (y - hint.y) ** 2)
            row = known[y, max(0, hint.x - reach) : hint.x + reach + 1]
            row[:] = ab
            drawn += len(row)
        if drawn > _MAX_COVERAGE * max(height * width, _SMALL):
            raise InputError(
                f"{name}: expected disks that cover the picture at most {_MAX_COVERAGE} times, got {len(hints)} that "
                f"cover more. Choose smaller radii."
            )
    return known
