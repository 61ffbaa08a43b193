"""Checks of parameters, which say what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labcolor.errors import InputError, InputTypeError

__all__ = ["Check", "as_array", "number", "one_of", "optional", "require", "saturation", "smoothing", "whole"]

Check = Callable[[Any], str | None]  # from a value to what was expected, or None if the value is right


def as_array(name: str, value: Any) -> np.ndarray[Any, Any]:
    """Return an array, or say that a value is none."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{name}: expected an array, got a sequence of unequal parts. Make them one shape.") from error


def whole(least: int, multiple: int = 1, most: int | None = None) -> Check:
    """A whole number from ``least`` to ``most`` that ``multiple`` divides."""
    expected = f"a whole number of at least {least}" + (f", a multiple of {multiple}" if multiple > 1 else "")
    expected += "" if most is None else f" and at most {most}"

    def check(value: Any) -> str | None:
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        fits = is_whole and value >= least and value % multiple == 0 and (most is None or value <= most)
        return None if fits else expected

    return check


def number(low: float, high: float) -> Check:
    """A number from ``low`` to ``high``."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int | float | np.number) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"a number from {low:g} to {high:g}"

    return check


def one_of(*choices: Any) -> Check:
    """One of some values, of the same type."""

    def check(value: Any) -> str | None:
        fits = any(type(value) is type(choice) and value == choice for choice in choices)
        return None if fits else f"one of {', '.join(map(repr, choices))}"

    return check


def optional(check: Check) -> Check:
    """None, or what another check expects."""

    def either(value: Any) -> str | None:
        expected = None if value is None else check(value)
        return f"None or {expected}" if expected else None

    return either


def require(name: str, value: Any, check: Check) -> None:
    """Raise the library's error if a value is not what was expected."""
    expected = check(value)
    if expected is not None:
        kind = InputError if isinstance(value, int | float | str | tuple | list) else InputTypeError
        raise kind(f"{name}: expected {expected}, got {value!r}.")


def saturation(value: Any) -> float:
    """Return a saturation, from 0 (grey) to 4 (vivid), as a float."""
    require("saturation", value, number(0, 4))
    return float(value)


def smoothing(value: Any) -> float:
    """Return a smoothing over time, from 0 (none) to 0.99, as a float."""
    require("smoothing", value, number(0, 0.99))
    return float(value)
