"""Times of a video: seconds, clock times and time code."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np

from labcolor.base.validation import shortened
from labcolor.errors import InputError, InputTypeError


def as_seconds(name: str, value: Any) -> Fraction:
    """Convert a number, or a text like "80.5", "1:20" or "00:01:20.5", to seconds.

    Raises
    ------
    InputError, InputTypeError
        The value is not a time, or negative.

    Examples
    --------
    >>> from labcolor.io.times import as_seconds
    >>> as_seconds("start", "00:01:20.5")
    Fraction(161, 2)
    """
    return _exact(name, value, 'seconds from 0, or a text like "00:01:20.5"')


def _exact(name: str, value: Any, expected: str) -> Fraction:
    """Convert a number, or the text of a time or a fraction, to a Fraction. Errors quote ``expected``."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction | str):
        raise InputTypeError(f"{name}: expected {expected}, got {shortened(value)}.")
    if not isinstance(value, str) and 0 <= value < 1e9:
        return Fraction(value).limit_denominator(10**9)  # the decimal number behind a rounded float
    text = str(value)
    if re.fullmatch(r"\d{1,9}/\d{1,9}", text) and not text.endswith("/0"):
        return Fraction(text)
    if not re.fullmatch(r"(\d{1,4}:){0,2}\d{1,9}(\.\d{1,9})?", text):
        raise InputError(f"{name}: expected {expected}, got {shortened(value)}.")
    total = Fraction(0)
    for part in text.split(":"):
        total = 60 * total + Fraction(part)
    return total


def as_rate(name: str, value: Any) -> Fraction:
    """Convert a number, or a text like "24000/1001", to frames per second. Raise an InputError for other values."""
    expected = 'frames per second, above 0 and up to 1000, or a text like "24000/1001"'
    rate = _exact(name, value, expected)
    if not 0 < rate <= 1000:
        raise InputError(f"{name}: expected {expected}, got {shortened(value)}.")
    return rate


def clock(seconds: Fraction) -> str:
    """Return a time as text that :func:`as_seconds` reads, to a thousandth of a second.

    Examples
    --------
    >>> from labcolor.io.times import clock
    >>> clock(Fraction(161, 2))
    '00:01:20.500'
    """
    minutes, rest = divmod(round(1000 * seconds), 60000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def advanced(code: str, frames: int, rate: Fraction) -> str:
    """Return the time code of a later frame.

    Parameters
    ----------
    code : str
        Time code of the first frame, "HH:MM:SS:FF". With ";" before FF it skips two frame numbers in most minutes.
    frames : int
        Number of frames after the first one.
    rate : Fraction
        Frames per second of the time code.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from labcolor.io.times import advanced
    >>> advanced("00:00:59;29", 1, Fraction(30000, 1001))
    '00:01:00;02'
    """
    hours, minutes, seconds, frame = (int(part) for part in re.split("[:;.]", code))
    dropping = code[8] in ";."
    base = round(rate)
    dropped = 2 * (base // 30) if dropping else 0  # numbers skipped in each minute, except in every tenth
    total_minutes = 60 * hours + minutes
    count = (60 * total_minutes + seconds) * base + frame - dropped * (total_minutes - total_minutes // 10) + frames
    if dropped:
        tens, rest = divmod(count, 600 * base - 9 * dropped)
        count += 9 * dropped * tens
        if rest >= 60 * base:
            count += dropped * ((rest - 60 * base) // (60 * base - dropped) + 1)
    seconds, frame = divmod(count, base)
    hours = seconds // 3600 % 24
    return f"{hours:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if dropping else ':'}{frame:02}"


def pace_of(rate: Fraction) -> float:
    """Return the number of frames that last as long as one frame of a film, with 24 to 25 frames per second.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from labcolor.io.times import pace_of
    >>> pace_of(Fraction(24000, 1001)), pace_of(Fraction(25)), pace_of(Fraction(50))
    (1.0, 1.0, 2.0)
    """
    return float(rate / min(max(rate, Fraction(24000, 1001)), Fraction(25)))
