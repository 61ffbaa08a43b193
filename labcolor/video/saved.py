"""Saved states: plain values and arrays as a JSON text, which runs no code when it is read, and is checked."""

from __future__ import annotations

import base64
import json
import math
from collections import deque
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from labcolor.base.validation import Check, instance_of, integer, number, one_of, require, require_names, shortened
from labcolor.errors import InputError

COUNT, AMOUNT, FLAG = integer(0), number(0, 1e9), instance_of(bool)
_ARRAY = {"shape", "float32"}  # the keys of an object that stands for an array


@dataclass(frozen=True)
class Floats:
    """Form of an array of float32. Axes of the same name have the same length, which is at least 1."""

    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Maybe:
    """Form of a value that may be None."""

    form: Form


# Besides classes: a list of one form stands for a list of any length, and a tuple of forms for a list of that length.
Form: TypeAlias = Check | Floats | Maybe | list[Any] | tuple[Any, ...] | type["Stateful"]
Forms: TypeAlias = dict[str, Form]


class Stateful:
    """Base class of objects whose attributes are saved and restored."""

    def forms(self) -> Forms:
        """Return the form of each attribute of the state, by name."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return the attributes that :meth:`forms` names."""
        return {name: getattr(self, name) for name in self.forms()}

    def restore(self, state: Any, **sizes: int) -> None:
        """Set the attributes to a decoded state.

        Parameters
        ----------
        state : dict
            Untrusted result of :func:`decode_state`.
        **sizes
            Known lengths of axes.

        Raises
        ------
        InputError
            The state does not have the forms.
        """
        forms = self.forms()
        require_names("state", state, forms)
        for name, form in forms.items():
            old = getattr(self, name)
            if isinstance(old, Stateful):
                old.restore(state[name], **sizes)
            else:
                value = _checked(name, state[name], form, sizes)
                setattr(self, name, deque(value, old.maxlen) if isinstance(old, deque) else value)


def _checked(name: str, value: Any, form: Form, sizes: dict[str, int]) -> Any:
    """Return a value of a state if it has a form, or raise an InputError. Unknown lengths are added to ``sizes``."""
    if isinstance(form, Maybe):
        return None if value is None else _checked(name, value, form.form, sizes)
    if isinstance(form, Check):
        require(name, value, form)
    elif isinstance(form, Floats):
        found = value.shape if isinstance(value, np.ndarray) else ()
        wanted = [
            axis if isinstance(axis, int) else sizes.setdefault(axis, max(1, length))
            for axis, length in zip(form.shape, found, strict=False)
        ]
        if len(found) != len(form.shape) or list(found) != wanted:
            raise InputError(f"{name}: expected an array of shape {form.shape}, with {sizes}, got another value.")
    elif isinstance(form, type):
        part = form()
        part.restore(value, **sizes)
        return part
    else:
        require(name, value, instance_of(list))
        if isinstance(form, list):
            return [_checked(name, item, form[0], sizes) for item in value]
        require(f"number of items of {name}", len(value), one_of(len(form)))
        return tuple(_checked(name, item, one, sizes) for item, one in zip(value, form, strict=True))
    return value


def encode_state(state: Any) -> str:
    """Encode a state as text: values of JSON, objects with a state, and arrays of float32 as their bytes."""
    return json.dumps(state, default=_packed)


def _packed(value: Any) -> Any:
    """Convert a value that JSON does not support."""
    if isinstance(value, Stateful):
        return value.state()
    if isinstance(value, deque):
        return list(value)
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        raise TypeError(f"expected an array of float32 in a state, got {type(value).__name__}")
    content = np.ascontiguousarray(value, "<f4").tobytes()
    return {"shape": value.shape, "float32": base64.b64encode(content).decode()}


def decode_state(text: str) -> Any:
    """Decode an untrusted text of :func:`encode_state`.

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
    """Convert an object of JSON that stands for an array."""
    if set(found) != _ARRAY:
        return found
    shape = _checked("shape", found["shape"], [COUNT], {})
    require("number of axes", len(shape), integer(1, most=3))
    require("array", found["float32"], instance_of(str))
    array = np.frombuffer(base64.b64decode(found["float32"], validate=True), "<f4").astype(np.float32)
    if array.size != math.prod(shape) or not np.isfinite(array).all():
        raise InputError("expected an array of finite numbers in its shape, got another one.")
    return array.reshape(shape)
