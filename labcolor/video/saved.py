"""Saved states: plain values and arrays as a JSON text, which runs no code when it is read, and is checked."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import integer, require, shortened
from labcolor.errors import InputError

_ARRAY = {"shape", "float32"}  # the keys of an object that stands for an array


def encode_state(state: Any) -> str:
    """Return a state as text: dicts, lists, numbers and texts as JSON, arrays of float32 as their bytes."""
    return json.dumps(state, default=_packed)


def _packed(array: Any) -> dict[str, Any]:
    if not isinstance(array, np.ndarray) or array.dtype != np.float32:
        raise TypeError(f"expected an array of float32 in a state, got {type(array).__name__}")
    content = np.ascontiguousarray(array, "<f4").tobytes()
    return {"shape": array.shape, "float32": base64.b64encode(content).decode()}


def decode_state(text: str) -> Any:
    """Return the state of a text of :func:`encode_state`, which nobody has checked.

    Raises
    ------
    InputError
        The text is not a state.
    """
    try:
        return json.loads(text, object_hook=_unpacked)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected a saved state: {shortened(str(error))}.") from error


def _unpacked(found: dict[str, Any]) -> Any:
    if set(found) != _ARRAY:
        return found
    shape = as_list("shape", found["shape"])
    for side in shape:
        require("shape", side, integer(0))
    require("number of sides", len(shape), integer(1, most=3))
    if not isinstance(found["float32"], str):
        raise InputError("expected an array as text, got another value.")
    array = np.frombuffer(base64.b64decode(found["float32"], validate=True), "<f4").astype(np.float32)
    if array.size != math.prod(shape) or not np.isfinite(array).all():
        raise InputError("expected an array of finite numbers in its shape, got another one.")
    return array.reshape(shape)


def as_list(name: str, value: Any, count: int | None = None) -> list[Any]:
    """Return a value of a state if it is a list, of ``count`` items if that is given; or raise an InputError."""
    if not isinstance(value, list) or count not in (None, len(value)):
        raise InputError(f"{name}: expected a list of {count or 'any number of'} items, got {shortened(value)}.")
    return value


def float_array(name: str, value: Any, *shape: int | None) -> Array:
    """Return a value of a state if it is an array of a shape, in which None stands for any size from 1.

    Raises
    ------
    InputError
        The value is another one.
    """
    found = value.shape if isinstance(value, np.ndarray) else ()
    if len(found) == len(shape) and all(a == b or (b is None and a) for a, b in zip(found, shape, strict=True)):
        return np.asarray(value)
    raise InputError(f"{name}: expected an array of shape {shape}, got another value.")
