"""Inputs of one or several pictures: arrays, picture files, PIL images, and lists of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from labcolor.base.typing import Array
from labcolor.base.validation import as_array
from labcolor.errors import InputError, InputTypeError
from labcolor.io.decoders import decode, from_image
from labcolor.io.sources import as_source, is_source
from labcolor.pictures.picture import SHAPES, Picture, as_picture

Nested: TypeAlias = Array | list[Array] | tuple[Array, ...]
Rebuild: TypeAlias = Callable[[Sequence[Array]], Nested]
_KINDS = "a numeric array, a path, bytes, an open binary file or a PIL image"


def _read(x: Any, name: str) -> Array | None:
    """Return the array of a picture file, a PIL image, or a frame of PyAV or decord, or None for other types."""
    if isinstance(x, Image.Image):
        return from_image(name, x)
    if hasattr(x, "to_ndarray") and hasattr(x, "format"):  # PyAV
        deep = any(component.bits > 8 for component in x.format.components)
        return as_array(name, x.to_ndarray(format="rgb48le" if deep else "rgb24"))
    if hasattr(x, "asnumpy"):  # decord
        return as_array(name, x.asnumpy())
    return decode(as_source(name, x)) if is_source(x) else None


def _numeric(x: Any, name: str) -> Array:
    """Convert a value to an array of numbers, or raise an InputTypeError."""
    array = as_array(name, x)
    if array.dtype.kind not in "uifb":
        came = f"dtype {array.dtype}" if isinstance(x, np.ndarray | list | tuple) else type(x).__name__
        raise InputTypeError(f"{name}: expected {_KINDS}, or a list of these, got {came}.")
    return array


def as_pictures(x: Any, name: str = "X") -> tuple[list[Picture], Rebuild]:
    """Convert one or several pictures to arrays, and check them.

    Parameters
    ----------
    x : picture or sequence of picture
        One picture: an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, float in [0, 1] or bool; or a
        path, bytes, an open binary file or a PIL image, as for :func:`labcolor.read_picture`; or a frame of PyAV or
        decord. A batch: an array with one more axis in front. Or a list or tuple of pictures, which may differ in
        kind, size, channels and dtype.
    name : str
        Name of the input in errors.

    Returns
    -------
    pictures : list of Picture
    rebuild : callable
        Function that nests one result for each picture like ``x``.

    Raises
    ------
    InputError, InputTypeError
        A type, shape, dtype or range differs from the above, or a shape is ambiguous.
    PictureFileError
        A file cannot be read.
    OutOfMemoryError
        A picture did not fit in memory.
    """
    if isinstance(x, list | tuple):
        pictures = [_item(item, f"{name}[{index}]") for index, item in enumerate(x)]
        kind = type(x)
        return pictures, lambda results: list(results) if kind is list else tuple(results)
    picture = _read(x, name)
    array = _numeric(x, name) if picture is None else picture
    single = picture is not None or array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if single:
        return [as_picture(array, name)], lambda results: results[0]
    if array.ndim == 3 and (array.shape[0] in (1, 3, 4) or array.shape[2] == 2):
        raise InputError(
            f"{name}: shape {array.shape} is ambiguous: channels first, or a batch of grey pictures? Put channels "
            f"last (np.moveaxis(x, 0, -1)), or pass a batch as (N, H, W, 1)."
        )
    if array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3, 4)):
        pictures = [as_picture(item, f"{name}[{index}]") for index, item in enumerate(array)]
        channels = 4 if array.ndim == 4 and array.shape[3] == 4 else 3
        empty = np.empty((0, *array.shape[1:3], channels), np.uint8 if array.dtype == np.bool_ else array.dtype)
        return pictures, lambda results: np.stack(results) if results else empty
    raise InputError(
        f"{name}: expected {SHAPES}, a batch (N, ...) of these, or a list of them, with the channels last, got shape "
        f"{array.shape}."
    )


def _item(item: Any, name: str) -> Picture:
    """Check one picture of a list."""
    picture = _read(item, name)
    if picture is None and (isinstance(item, list | tuple) or np.isscalar(item)):
        raise InputTypeError(f"{name}: expected {_KINDS}, got {type(item).__name__}. A list holds pictures.")
    return as_picture(_numeric(item, name) if picture is None else picture, name)


def one_picture(x: Any, name: str) -> Picture:
    """Convert exactly one picture, as for :func:`as_pictures` or an array-like. Raise the same errors."""
    pictures, _ = as_pictures(as_array(name, x) if isinstance(x, list | tuple) else x, name)
    if len(pictures) != 1:
        raise InputError(f"{name}: expected one picture, got {len(pictures)}.")
    return pictures[0]
