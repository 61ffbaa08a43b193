"""Hints: known colors at positions in a picture, as the user writes them, as a map, and on small chroma."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.base.validation import as_array, shortened
from labcolor.color.lab import rgb_to_lab
from labcolor.errors import InputError, InputTypeError

Hint: TypeAlias = tuple[int, int, *tuple[int, ...], str] | tuple[int, int, *tuple[int, ...], str, int]
_Hints: TypeAlias = Sequence[Hint] | Array  # of one picture
HintInput: TypeAlias = _Hints | Sequence[_Hints | None] | None

RADIUS = 4  # default radius of a hint, in pixels
_WORDS = ("keep", "fence")  # instead of a color
_COLOR = re.compile("#?[0-9a-fA-F]{6}")
_NUMBER = "[0-9]{1,9}"
_TEXT = re.compile(rf"((?:{_NUMBER},{_NUMBER},)+)({_COLOR.pattern}|{'|'.join(_WORDS)})(?:,({_NUMBER}))?")
_FORM = '(x, y, "#RRGGBB") or (x, y, "#RRGGBB", radius), with "keep" or "fence" for a color and further x, y for a line'
_MAX_COVERAGE = 16  # area of all hints, in pictures
_SMALL = 1 << 20  # smallest number of pixels that is assumed for a picture
_LARGEST = 10**9  # coordinate and radius


@dataclass(frozen=True, eq=False)
class HintMap:
    """The hints of one picture, drawn.

    Parameters
    ----------
    index : ndarray, shape (H, W), unsigned integer
        ``NONE`` where there is no hint; ``KEEP`` where the predicted color is the hint; ``FENCE`` where no hint
        reaches; and ``FIRST`` plus the row of ``ab`` where a color is known.
    ab : ndarray, shape (K, 2), float32
        The colors.
    """

    NONE: ClassVar[int] = 0
    KEEP: ClassVar[int] = 1
    FENCE: ClassVar[int] = 2
    FIRST: ClassVar[int] = 3

    index: Array
    ab: Array

    @classmethod
    def of_ab(cls, ab: Array) -> Self:
        """Return the hints of an array (H, W, 2) of ab, which is nan where there is no hint."""
        ab = np.asarray(ab, np.float32)
        known = ~np.isnan(ab[..., 0])
        colors = ab[known]
        index = np.zeros(known.shape, np.uint32)
        index[known] = np.arange(cls.FIRST, cls.FIRST + len(colors), dtype=np.uint32)
        return cls(index, colors)


def parse_hint(text: str) -> Hint:
    """Read a hint from text, as a command line or a web address has it.

    Parameters
    ----------
    text : str
        X,Y,COLOR or X,Y,COLOR,RADIUS; the color is #RRGGBB, in which the # may be left out, "keep" or "fence".
        X,Y,X,Y,COLOR is a line, which may have more points.

    Returns
    -------
    Hint
        As for :meth:`labcolor.Colorizer.predict`.

    Raises
    ------
    InputError
        It has another form.

    Examples
    --------
    >>> from labcolor.pictures.hints import parse_hint
    >>> parse_hint("120,80,#e07020,6")
    (120, 80, '#e07020', 6)
    """
    parts = _TEXT.fullmatch(text)
    if parts is None:
        raise InputError(f"expected X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS, as in '120,80,#e07020', got {shortened(text)}.")
    points, color, radius = parts.groups()
    places = [int(number) for number in points.split(",")[:-1]]
    return (*places, color, RADIUS if radius is None else int(radius))  # type: ignore[return-value]


def as_hints(hints: Any, shapes: Sequence[tuple[int, int]]) -> list[HintMap | None]:
    """Check hints and draw them, one map a picture.

    Parameters
    ----------
    hints : None, sequence of Hint, array (H, W, 2), array (N, H, W, 2), or list of sequence, array or None
        As for :meth:`labcolor.Colorizer.predict`.
    shapes : sequence of (H, W)
        The pictures' sizes.

    Returns
    -------
    list of HintMap or None
        None where a picture has no hint.

    Raises
    ------
    InputError, InputTypeError
        The hints do not match the pictures, or have another form.
    """
    if hints is None:
        return [None] * len(shapes)
    if not isinstance(hints, list | tuple | np.ndarray):
        raise InputTypeError(
            f"hints: expected None, a list of {_FORM}, an array (H, W, 2) of ab with nan where there is no hint, or a "
            f"list of these, got {type(hints).__name__}."
        )
    if _is_hint(hints):
        raise _single_error("hints", hints)
    if isinstance(hints, np.ndarray):
        alone = hints.ndim in (0, 3)
    else:
        alone = all(_is_hint(one) for one in hints) and (len(hints) > 0 or len(shapes) == 1)
    given = [hints] if alone else list(hints)
    if len(given) != len(shapes):
        raise InputError(f"hints: expected one entry for each of {len(shapes)} pictures, got {len(given)}.")
    names = ["hints" if alone else f"hints[{index}]" for index in range(len(given))]
    return [_as_map(*each) for each in zip(names, given, shapes, strict=True)]


def _is_hint(value: Any) -> bool:
    """Return whether a value has the form of one hint, rather than of a picture's list of hints."""
    return isinstance(value, list | tuple) and len(value) > 0 and isinstance(value[0], int | float | str | np.number)


def _as_map(name: str, given: Any, shape: tuple[int, int]) -> HintMap | None:
    """Check and draw the hints of one picture."""
    if given is None:
        return None
    drawn = _of_array(name, given, shape) if isinstance(given, np.ndarray) else _of_list(name, given, shape)
    return drawn if drawn.index.any() else None


def _of_array(name: str, given: Array, shape: tuple[int, int]) -> HintMap:
    """Check an array of ab."""
    expected = f"an array of float, shape {(*shape, 2)}, as large as the picture, ab in [-128, 128] or nan"
    given = as_array(name, given)
    if given.dtype.kind != "f":
        raise InputTypeError(f"{name}: expected {expected}, got an array of {given.dtype}.")
    if given.shape != (*shape, 2):
        raise InputError(f"{name}: expected {expected}, got shape {given.shape}.")
    if np.isinf(given).any():
        raise InputError(
            f'{name}: expected {expected}, got inf. Write (x, y, "keep") where the predicted color stays, and '
            f'(x, y, "fence") where no hint may reach.'
        )
    missing = np.isnan(given)
    halves = np.count_nonzero(missing[..., 0] != missing[..., 1])
    if halves:
        raise InputError(
            f"{name}: expected a and b, or nan for both, at each pixel, got nan for one of them at {halves} pixels. "
            "Set both to nan where there is no hint."
        )
    low, high = np.fmin.reduce(given, axis=None), np.fmax.reduce(given, axis=None)
    if max(-low, high) > 128:
        raise InputError(f"{name}: expected {expected}, got {low:g} to {high:g}.")
    return HintMap.of_ab(given)


def _of_list(name: str, given: Any, shape: tuple[int, int]) -> HintMap:
    """Check hints and draw them, as disks and lines with round ends. Later ones cover earlier ones."""
    if not isinstance(given, list | tuple):
        raise InputTypeError(f"{name}: expected a list of {_FORM}, or an array, got {type(given).__name__}.")
    if _is_hint(given):
        raise _single_error(name, given)
    checked = [_checked(name, one, shape) for one in given]
    colors = sorted({color for _, color, _ in checked}.difference(_WORDS))
    values = {"keep": HintMap.KEEP, "fence": HintMap.FENCE}
    values |= {color: HintMap.FIRST + place for place, color in enumerate(colors)}
    index = np.zeros(shape, np.min_scalar_type(HintMap.FIRST + len(colors)))
    allowed = _MAX_COVERAGE * max(shape[0] * shape[1], _SMALL)
    for points, color, radius in checked:
        for start, end in zip(points, points[1:] or points, strict=False):
            allowed -= _draw(index, *start, *end, radius, values[color])
            if allowed < 0:
                raise InputError(
                    f"{name}: expected hints that cover the picture at most {_MAX_COVERAGE} times, got {len(checked)} "
                    f"hints that cover more. Choose smaller radii."
                )
    rgb = np.array([list(bytes.fromhex(color)) for color in colors], np.uint8).reshape(-1, 3)
    return HintMap(index, np.asarray(rgb_to_lab(rgb)[:, 1:], np.float32))


def _checked(name: str, hint: Any, shape: tuple[int, int]) -> tuple[list[tuple[int, int]], str, int]:
    """Return the points of a hint, its color without #, or word, and its radius."""
    fields = list(hint) if isinstance(hint, list | tuple) else []
    place = (len(fields) - 1) // 2 * 2
    color = fields[place] if len(fields) > 2 else None
    if not isinstance(color, str) or not (color in _WORDS or _COLOR.fullmatch(color)):
        raise _form_error(name, hint)
    *numbers, radius = fields if len(fields) % 2 == 0 else [*fields, RADIUS]
    del numbers[place]
    for number in (*numbers, radius):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < _LARGEST:
            raise _form_error(name, hint)
    points = [(int(x), int(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    height, width = shape
    for x, y in points:
        if x >= width or y >= height:
            raise InputError(
                f"{name}: expected positions in the picture, from 0,0 to {width - 1},{height - 1}, got {x},{y}."
            )
    return points, color.removeprefix("#").lower(), int(radius)


def _single_error(name: str, hint: Any) -> InputError:
    return InputError(f"{name}: expected a list of hints, got a single one. Put it in brackets: [{shortened(hint)}].")


def _form_error(name: str, hint: Any) -> InputError:
    return InputError(f"{name}: expected {_FORM}, in whole pixels, as in (120, 80, '#e07020'), got {shortened(hint)}.")


@jit
def _draw(index: Array, x0: int, y0: int, x1: int, y1: int, radius: int, value: int) -> int:
    """Set an index (H, W) to a value where it lies within a radius of a line; return the number of pixels visited."""
    across, down = x1 - x0, y1 - y0
    squared = across * across + down * down
    visited = 0
    for y in range(max(0, min(y0, y1) - radius), min(index.shape[0], max(y0, y1) + radius + 1)):
        # the part of the line from which this row is within reach
        first, last = 0.0, 1.0
        if down != 0:
            first, last = (y - radius - y0) / down, (y + radius - y0) / down
            first, last = max(0.0, min(first, last)), min(1.0, max(first, last))
        ends = x0 + first * across, x0 + last * across
        left = max(0, int(np.floor(min(ends[0], ends[1]))) - radius)
        right = min(index.shape[1] - 1, int(np.ceil(max(ends[0], ends[1]))) + radius)
        for x in range(left, right + 1):
            along = 0.0
            if squared > 0:
                along = min(1.0, max(0.0, ((x - x0) * across + (y - y0) * down) / squared))
            if (x - x0 - along * across) ** 2 + (y - y0 - along * down) ** 2 <= radius * radius:
                index[y, x] = value
        visited += right - left + 1
    return visited
