"""CIE Lab: conversion between sRGB and L*a*b*."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage import color

from labcolor.base.threads import in_strips
from labcolor.base.typing import Array
from labcolor.base.validation import as_array
from labcolor.color import kernels
from labcolor.errors import InputError, InputTypeError

_Matrix = tuple[tuple[Any, ...], ...]
NO_TABLE = np.zeros(1, np.float32)  # passed to a kernel whose colors are linear floats already
_FAR = 1e4  # Lab values are clipped to this: far outside every gamut, and the cube is still a float32


@lru_cache(maxsize=1)
def matrices() -> tuple[_Matrix, _Matrix]:
    """Return the matrices from linear RGB to XYZ relative to the white, and back, as tuples of float32."""
    both = (kernels.TO_RELATIVE_XYZ, kernels.FROM_RELATIVE_XYZ)
    to_xyz, from_xyz = (tuple(map(tuple, matrix.astype(np.float32))) for matrix in both)
    return to_xyz, from_xyz


@lru_cache(maxsize=4)
def linear_light_table(dtype: np.dtype[Any]) -> Array:
    """Return the linear light, float32, of every value of an unsigned integer dtype."""
    levels = np.iinfo(dtype).max
    return kernels.srgb_to_linear(np.arange(levels + 1) / levels).astype(np.float32)


def full_scale(target: np.dtype[Any]) -> tuple[np.float32, np.float32]:
    """Return the factor that scales [0, 1] to the range of ``target``, and the offset that rounds the result."""
    if target.kind == "u":
        return np.float32(np.iinfo(target).max), np.float32(0.5)
    return np.float32(1), np.float32(0)


def _check_colors(name: str, values: Any) -> Array:
    """Return ``values`` as a numeric array (..., 3) in native byte order. Raise an error if it is something else."""
    array: Array = as_array(name, values)
    if array.dtype.kind not in "uifb":
        raise InputTypeError(
            f"{name}: expected an array of uint8, uint16 or float, got dtype {array.dtype}. Convert it first."
        )
    if array.ndim < 1 or array.shape[-1] != 3:
        raise InputError(f"{name}: expected shape (..., 3), got {array.shape}. Put the three channels last.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_unit_range(name: str, array: Array) -> None:
    """Raise an error if floats are not finite or lie outside [0, 1] by more than a rounding error."""
    if array.size == 0:
        return
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{name}: expected finite floats in [0, 1], got nan or inf. Repair the picture first.")
    if low < -1e-3 or high > 1.001:
        raise InputError(
            f"{name}: expected floats in [0, 1], got values from {low:.6g} to {high:.6g}. Divide by the largest "
            f"possible value, or pass uint8 or uint16."
        )


def _converted(rgb: Any, exact: Callable[[Array], Array], kernel: Any, channels: tuple[int, ...]) -> Array:
    """Convert sRGB: float64 by a function of sRGB, other dtypes to float32 by a kernel of linear light."""
    rgb = _check_colors("rgb", rgb)
    if rgb.dtype in (np.uint8, np.uint16):
        flat, table = np.ascontiguousarray(rgb), linear_light_table(rgb.dtype)
    elif rgb.dtype.kind != "f":
        raise InputTypeError(
            f"rgb: expected uint8, uint16 or float in [0, 1], got dtype {rgb.dtype}, whose range is not known. "
            f"Convert it, for example with .astype(np.uint8)."
        )
    else:
        check_unit_range("rgb", rgb)
        if rgb.dtype == np.float64:
            return exact(np.clip(rgb, 0, 1))
        flat, table = kernels.srgb_to_linear(np.clip(rgb, 0, 1, dtype=np.float32)), NO_TABLE
    flat = flat.reshape(-1, 3)
    out = np.empty((len(flat), *channels), np.float32)
    matrix, _ = matrices()
    in_strips(lambda start, stop: kernel(flat[start:stop], table, matrix, out[start:stop]), len(out), 24)
    return out.reshape(*rgb.shape[:-1], *channels)


def rgb_to_lab(rgb: npt.ArrayLike) -> Array:
    """Convert sRGB to CIE 1976 L*a*b* (white D65, 2 degrees).

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        uint8 (0..255), uint16 (0..65535) or float in [0, 1]. The array is not modified.

    Returns
    -------
    ndarray, shape (..., 3)
        L in [0, 100], a in [-86.2, 98.3], b in [-107.9, 94.5]. The dtype is float64 for float64 input and float32
        otherwise.

    Raises
    ------
    InputError
        The last axis does not have length 3, or floats are not finite or lie outside [0, 1].
    InputTypeError
        The dtype is not one of those above.

    Notes
    -----
    The result agrees with ``skimage.color.rgb2lab``.

    References
    ----------
    IEC 61966-2-1:1999 (sRGB); CIE 15:2004, section 8.2.1 (L*a*b*).

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import rgb_to_lab
    >>> rgb_to_lab(np.array([255, 0, 0], np.uint8)).round(1)
    array([53.2, 80.1, 67.2], dtype=float32)
    """

    def kernel(flat: Array, table: Array, matrix: _Matrix, out: Array) -> None:
        kernels.rgb_to_lab(flat, table, matrix, np.empty((3, len(flat)), np.float32), out)

    return _converted(rgb, color.rgb2lab, kernel, (3,))


def rgb_to_lightness(rgb: npt.ArrayLike) -> Array:
    """Convert sRGB to L, the lightness of CIE Lab, without computing a and b.

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        As for :func:`rgb_to_lab`.

    Returns
    -------
    ndarray, shape (...)
        L in [0, 100]. The dtype is float64 for float64 input and float32 otherwise.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`rgb_to_lab`.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import rgb_to_lightness
    >>> rgb_to_lightness(np.array([[255, 255, 255], [119, 119, 119]], np.uint8)).round(1)
    array([100.,  50.], dtype=float32)
    """
    return _converted(rgb, lambda unit: color.rgb2lab(unit)[..., 0], kernels.to_lightness, ())


def lab_to_rgb(lab: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None) -> Array:
    """Convert CIE 1976 L*a*b* (white D65, 2 degrees) to sRGB. Colors outside the gamut are clipped.

    Parameters
    ----------
    lab : array_like, shape (..., 3)
        L in [0, 100], a and b in the units of :func:`rgb_to_lab`. Any numeric dtype. The array is not modified.
    dtype : dtype, optional
        ``np.uint8`` or ``np.uint16`` for rounded integers, ``np.float32`` or ``np.float64``. By default float64 for
        float64 input and float32 otherwise.

    Returns
    -------
    ndarray, shape (..., 3)
        sRGB: floats in [0, 1], or integers over the whole range of their dtype.

    Raises
    ------
    InputError
        The last axis does not have length 3, or a value is not finite.
    InputTypeError
        ``lab`` is not numeric, or ``dtype`` is not one of those above.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import lab_to_rgb
    >>> lab_to_rgb([53.24, 80.09, 67.20], dtype=np.uint8)
    array([255,   0,   0], dtype=uint8)
    """
    source = _check_colors("lab", lab)
    compute = np.dtype(np.float64 if source.dtype == np.float64 else np.float32)
    try:
        target = np.dtype(compute if dtype is None else dtype)
    except TypeError as error:
        raise InputTypeError(f"dtype: expected uint8, uint16, float32 or float64, got {dtype!r}.") from error
    if target not in (np.uint8, np.uint16, np.float32, np.float64):
        raise InputTypeError(f"dtype: expected uint8, uint16, float32 or float64, got {target}.")
    low, high = source.min(initial=0), source.max(initial=0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError("lab: expected finite values, got nan or inf. Repair the array first.")
    flat = np.ascontiguousarray(source, compute).reshape(-1, 3)
    if low < -_FAR or high > _FAR:
        flat = np.clip(flat, -_FAR, _FAR)
    scale, half = full_scale(target)
    if compute == np.float64:
        return (_lab_to_rgb64(flat) * scale + half).astype(target).reshape(source.shape)
    out = np.empty(flat.shape, target)
    _, matrix = matrices()

    def strip(start: int, stop: int) -> None:
        linear = np.empty((3, stop - start), np.float32)
        kernels.lab_to_linear(flat[start:stop], matrix, linear)
        kernels.encode(linear, scale, half, out[start:stop])

    in_strips(strip, len(out), 24)
    return out.reshape(source.shape)


def _lab_to_rgb64(lab: Array) -> Array:
    """Convert (N, 3) Lab to sRGB by scikit-image, which warns of Z below 0: b is lowered to where Z is 0."""
    lightness, a, b = lab.T
    return np.asarray(color.lab2rgb(np.stack([lightness, a, np.minimum(b, 200 / 116 * (lightness + 16) - 1e-9)], -1)))
