"""Checks of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.errors import InputError, InputTypeError


@dataclass(frozen=True)
class Check:
    """Condition on a parameter.

    Parameters
    ----------
    expected : str
        Description for error messages.
    kinds : tuple of type
        Types of the value. bool is accepted only if it is listed.
    fits : callable
        Function that returns whether a value of these types fulfills the condition.
    """

    expected: str
    kinds: tuple[type, ...]
    fits: Callable[[Any], bool]


def as_array(name: str, value: Any) -> Array:
    """Convert an array-like to a plain array. Refuse masked values, which NumPy would silently unmask."""
    parts = value if isinstance(value, list | tuple) else (value,)
    if any(np.ma.is_masked(part) for part in parts):
        raise InputError(f"{name}: expected plain values, got masked ones. Fill them first: {name}.filled(np.nan).")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name}: expected an array, got a sequence of unequal parts. Make them one shape.") from error
    except Exception as error:  # libraries raise errors of many kinds for tensors on a GPU or with gradients
        remedy = " Move it to the CPU first: .detach().cpu().numpy()." if hasattr(value, "cpu") else ""
        came = f"{type(value).__name__}, which NumPy cannot read"
        raise InputTypeError(f"{name}: expected an array, got {came}.{remedy}") from error


def integer(least: int, multiple: int = 1, most: int | None = None) -> Check:
    """Return the check for a whole number from ``least`` to ``most`` that ``multiple`` divides."""
    expected = f"a whole number of at least {least}" + (f", a multiple of {multiple}" if multiple > 1 else "")
    expected += "" if most is None else f" and at most {most}"
    return Check(
        expected,
        (int, np.integer),
        lambda value: value >= least and value % multiple == 0 and (most is None or value <= most),
    )


def number(low: float, high: float) -> Check:
    """Return the check for a number from ``low`` to ``high``."""
    return Check(
        f"a number from {low:g} to {high:g}",
        (int, float, np.integer, np.floating),
        lambda value: bool(low <= value <= high),
    )


def one_of(*choices: Any) -> Check:
    """Return the check for one of several values with the same type."""
    return Check(
        f"one of {', '.join(map(repr, choices))}",
        tuple({type(choice) for choice in choices}),
        lambda value: any(type(value) is type(choice) and value == choice for choice in choices),
    )


def instance_of(kind: type) -> Check:
    """Return the check for an object of a class."""
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    return Check(f"{article} {kind.__name__}", (kind,), lambda value: True)


def optional(check: Check) -> Check:
    """Return the check for None or a value that another check accepts."""
    return Check(
        f"None or {check.expected}", (*check.kinds, type(None)), lambda value: value is None or check.fits(value)
    )


def require(name: str, value: Any, check: Check) -> None:
    """Raise an InputError for an unexpected value, and an InputTypeError for an unexpected type."""
    right_type = isinstance(value, check.kinds) and (not isinstance(value, bool) or bool in check.kinds)
    if not right_type or not check.fits(value):
        kind = InputError if right_type else InputTypeError
        raise kind(f"{name}: expected {check.expected}, got {shortened(value)}.")


def require_names(name: str, found: Any, expected: Iterable[str]) -> None:
    """Raise an InputError unless a value is a dict with exactly the expected names."""
    require(name, found, instance_of(dict))
    if set(found) != set(expected):
        came = _cut(", ".join(map(str, found)) or "nothing", found)
        raise InputError(f"{name}: expected {', '.join(expected) or 'nothing'}, got {came}.")


def shortened(value: Any) -> str:
    """Return a value's repr for a message, cut to 80 characters so that it contains little user data."""
    try:
        text = repr(value)
    except Exception:  # Python does not print very large integers, and an object's repr may raise any error
        return f"a value of type {type(value).__name__}"
    return _cut(text, value)


def _cut(text: str, value: Any) -> str:
    """Return a text about a value, cut to 80 characters."""
    return text if len(text) <= 80 else f"{text[:60]}... ({type(value).__name__})"


SATURATION = number(0, 4)


def as_saturation(value: Any) -> float:
    """Return a saturation, from 0 (grey) to 4 (vivid), as a float."""
    require("saturation", value, SATURATION)
    return float(value)


def as_smoothing(value: Any) -> float:
    """Return a smoothing over time, from 0 (none) to 0.99, as a float."""
    require("smoothing", value, number(0, 0.99))
    return float(value)
