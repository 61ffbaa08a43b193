"""CIE Lab: pure functions between sRGB and L*a*b*, and the codec between pictures and what the network sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from labcolor import _kernels
from labcolor.errors import InputError, InputTypeError
from labcolor.parameters import as_array
from labcolor.strips import in_strips

__all__ = ["LabCodec", "lab_to_rgb", "rgb_to_lab", "rgb_to_lightness"]

Array = npt.NDArray[Any]


Matrix = tuple[tuple[Any, ...], ...]
NO_TABLE = np.zeros(1, np.float32)  # says to a kernel that its colours are linear floats already


@lru_cache(maxsize=4)
def matrices(dtype: np.dtype[Any]) -> tuple[Matrix, Matrix]:
    """Linear RGB to XYZ relative to the white, and back, as tuples of scalars of a float dtype."""
    both = (_kernels.TO_RELATIVE_XYZ, _kernels.FROM_RELATIVE_XYZ)
    to_xyz, from_xyz = (tuple(tuple(dtype.type(value) for value in row) for row in matrix) for matrix in both)
    return to_xyz, from_xyz


@lru_cache(maxsize=4)
def linear_light_table(dtype: np.dtype[Any]) -> Array:
    """Linear light, float32, of every value of an unsigned integer dtype."""
    levels = np.iinfo(dtype).max
    exact = np.arange(levels + 1, dtype=np.float64) / levels
    _kernels.decode_srgb(exact, exact)
    return np.asarray(exact, np.float32)


def full_scale(target: np.dtype[Any], compute: np.dtype[Any]) -> tuple[Any, Any]:
    """What to multiply [0, 1] with, and to add for rounding, so that it fills the range of ``target``."""
    if target.kind == "u":
        return compute.type(np.iinfo(target).max), compute.type(0.5)
    return compute.type(1), compute.type(0)


def check_colours(name: str, values: Any) -> Array:
    """Return ``values`` as a numpy array of shape (..., 3) with a numeric dtype, or say what is wrong."""
    array: Array = as_array(name, values)
    if array.dtype.kind not in "uifb":
        raise InputTypeError(
            f"{name}: expected an array of uint8, uint16 or float, got dtype {array.dtype}. Convert it first."
        )
    if array.ndim < 1 or array.shape[-1] != 3:
        raise InputError(f"{name}: expected shape (..., 3), got {array.shape}. Put the three channels last.")
    return array


def check_unit_range(name: str, array: Array) -> None:
    """Refuse floats that are not finite or lie outside [0, 1] (by more than rounding)."""
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


def _flat_linear(name: str, rgb: Any) -> tuple[Array, Array, Array]:
    """Check ``rgb``; give it back, its (N, 3) values (integers, or linear floats), and the integers' table."""
    rgb = check_colours(name, rgb)
    native = rgb.dtype.newbyteorder("=")
    if native in (np.uint8, np.uint16):
        rgb = rgb.astype(native, copy=False)
        return rgb, np.ascontiguousarray(rgb).reshape(-1, 3), linear_light_table(rgb.dtype)
    if rgb.dtype.kind != "f":
        raise InputTypeError(
            f"{name}: expected uint8, uint16 or float in [0, 1], got dtype {rgb.dtype}, whose range is not known. "
            f"Convert it, for example with .astype(np.uint8)."
        )
    check_unit_range(name, rgb)
    dtype = np.float64 if rgb.dtype == np.float64 else np.float32
    linear = np.clip(rgb, 0, 1, dtype=dtype).reshape(-1)
    in_strips(
        lambda start, stop: _kernels.decode_srgb(linear[start:stop], linear[start:stop]),
        linear.size,
        linear.itemsize,
    )
    return rgb, linear.reshape(-1, 3), NO_TABLE


def rgb_to_lab(rgb: npt.ArrayLike) -> Array:
    """Convert sRGB to CIE 1976 L*a*b* (white D65, 2 degrees).

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        uint8 (0..255), uint16 (0..65535) or float in [0, 1]. It is not modified.

    Returns
    -------
    ndarray, shape (..., 3)
        L in [0, 100], a in [-86.2, 98.3], b in [-107.9, 94.5]. float64 for float64 input, float32 for everything
        else.

    Raises
    ------
    InputError
        The last axis is not 3 long, or floats are not finite or leave [0, 1].
    InputTypeError
        The dtype is none of the above.

    References
    ----------
    IEC 61966-2-1:1999 (sRGB); CIE 15:2004, section 8.2.1 (L*a*b*). Agrees with ``skimage.color.rgb2lab``.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import rgb_to_lab
    >>> rgb_to_lab(np.array([255, 0, 0], np.uint8)).round(1)
    array([53.2, 80.1, 67.2], dtype=float32)
    """
    source, flat, table = _flat_linear("rgb", rgb)
    out = np.empty(flat.shape, np.float64 if flat.dtype == np.float64 else np.float32)
    matrix, _ = matrices(out.dtype)
    in_strips(
        lambda start, stop: _kernels.rgb_to_lab(flat[start:stop], table, matrix, out[start:stop]),
        len(out),
        3 * out.itemsize,
    )
    return out.reshape(source.shape)


def rgb_to_lightness(rgb: npt.ArrayLike) -> Array:
    """Convert sRGB to L alone, the lightness of CIE Lab, without computing a and b.

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        As for :func:`rgb_to_lab`.

    Returns
    -------
    ndarray, shape (...)
        L in [0, 100]. float64 for float64 input, float32 for everything else.

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
    source, flat, table = _flat_linear("rgb", rgb)
    out = np.empty(len(flat), np.float64 if flat.dtype == np.float64 else np.float32)
    matrix, _ = matrices(out.dtype)
    in_strips(
        lambda start, stop: _kernels.rgb_to_lightness(flat[start:stop], table, matrix, out[start:stop]),
        len(out),
        3 * out.itemsize,
    )
    return out.reshape(source.shape[:-1])


def lab_to_rgb(lab: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None) -> Array:
    """Convert CIE 1976 L*a*b* (white D65, 2 degrees) to sRGB; colours outside the gamut are clipped.

    Parameters
    ----------
    lab : array_like, shape (..., 3)
        L in [0, 100], a and b in the units of :func:`rgb_to_lab`. Any numeric dtype. It is not modified.
    dtype : dtype, optional
        ``np.uint8`` or ``np.uint16`` for rounded integers, ``np.float32`` or ``np.float64``. By default float64 for
        float64 input and float32 for everything else.

    Returns
    -------
    ndarray, shape (..., 3)
        sRGB: floats in [0, 1], or integers over their dtype's whole range.

    Raises
    ------
    InputError
        The last axis is not 3 long, or a value is not finite.
    InputTypeError
        ``lab`` is not numeric or ``dtype`` is none of the above.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import lab_to_rgb
    >>> lab_to_rgb([53.24, 80.09, 67.20], dtype=np.uint8)
    array([255,   0,   0], dtype=uint8)
    """
    source = check_colours("lab", lab)
    compute = np.dtype(np.float64 if source.dtype == np.float64 else np.float32)
    try:
        target = np.dtype(compute if dtype is None else dtype)
    except TypeError as error:
        raise InputTypeError(f"dtype: expected uint8, uint16, float32 or float64, got {dtype!r}.") from error
    if target not in (np.uint8, np.uint16, np.float32, np.float64):
        raise InputTypeError(f"dtype: expected uint8, uint16, float32 or float64, got {target}.")
    flat = np.ascontiguousarray(source, compute).reshape(-1, 3)
    if not _kernels.all_finite(flat.reshape(-1)):
        raise InputError("lab: expected finite values, got nan or inf. Repair the array first.")
    out = np.empty(flat.shape, target)
    _, matrix = matrices(compute)
    scale, half = full_scale(target, compute)
    in_strips(
        lambda start, stop: _kernels.lab_to_rgb(flat[start:stop], matrix, scale, half, out[start:stop]),
        len(out),
        3 * compute.itemsize,
    )
    return out.reshape(source.shape)


@dataclass(frozen=True)
class LabCodec:
    """Between pictures and what the network sees.

    The network's input is ``(L - l_centre) / l_scale``; its output is ``ab / ab_scale``. With the defaults both lie in
    [-1, 1]. A codec is immutable, comparable by value, and saved inside the model file.

    Parameters
    ----------
    l_centre, l_scale : float, default 50
        The L that maps to 0, and the distance from it that maps to 1.
    ab_scale : float, default 128
        The chroma that maps to 1, as in the reference network.

    Raises
    ------
    InputError
        A scale is not positive, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import LabCodec
    >>> picture = np.full((2, 2, 3), 255, np.uint8)
    >>> l, ab = LabCodec().encode(picture)
    >>> l.shape, ab.shape, float(l.max())
    ((2, 2, 1), (2, 2, 2), 1.0)
    """

    l_centre: float = 50.0
    l_scale: float = 50.0
    ab_scale: float = 128.0

    def __post_init__(self) -> None:
        for name in ("l_centre", "l_scale", "ab_scale"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise InputTypeError(f"{name}: expected a number, got {value!r}.")
            if not np.isfinite(value) or (name != "l_centre" and value <= 0):
                raise InputError(f"{name}: expected a finite number, positive for a scale, got {value!r}.")
            object.__setattr__(self, name, float(value))

    def encode(self, rgb: npt.ArrayLike) -> tuple[Array, Array]:
        """Turn a picture into the network's input and target.

        Parameters
        ----------
        rgb : array_like, shape (..., 3)
            As for :func:`rgb_to_lab`.

        Returns
        -------
        l : ndarray, shape (..., 1)
            Scaled lightness, in [-1, 1] with the defaults.
        ab : ndarray, shape (..., 2)
            Scaled chroma.

        Raises
        ------
        InputError, InputTypeError
            As for :func:`rgb_to_lab`.

        Examples
        --------
        As for the class.
        """
        lab = rgb_to_lab(rgb)
        return (lab[..., :1] - self.l_centre) / self.l_scale, lab[..., 1:] / self.ab_scale

    def decode(self, l: npt.ArrayLike, ab: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None) -> Array:  # noqa: E741
        """Turn scaled lightness and chroma back into a picture.

        Parameters
        ----------
        l : array_like, shape (..., 1)
            Scaled lightness, as from :meth:`encode`.
        ab : array_like, shape (..., 2)
            Scaled chroma, with the same leading shape.
        dtype : dtype, optional
            As for :func:`lab_to_rgb`.

        Returns
        -------
        ndarray, shape (..., 3)
            sRGB, as from :func:`lab_to_rgb`.

        Raises
        ------
        InputError
            The shapes do not go together.

        Examples
        --------
        >>> from labcolor import LabCodec
        >>> LabCodec().decode([1.0], [0.0, 0.0], dtype="uint8")
        array([255, 255, 255], dtype=uint8)
        """
        lightness, chroma = as_array("l", l), as_array("ab", ab)
        if lightness.shape[-1:] != (1,) or chroma.shape[-1:] != (2,) or lightness.shape[:-1] != chroma.shape[:-1]:
            raise InputError(
                f"expected l of shape (..., 1) and ab of shape (..., 2) with the same leading shape, "
                f"got {lightness.shape} and {chroma.shape}."
            )
        lab = np.concatenate([lightness * self.l_scale + self.l_centre, chroma * self.ab_scale], axis=-1)
        return lab_to_rgb(lab, dtype=dtype)

    def get_config(self) -> dict[str, float]:
        """The parameters, from which ``LabCodec(**config)`` makes an equal codec.

        Returns
        -------
        dict

        Examples
        --------
        >>> from labcolor import LabCodec
        >>> LabCodec().get_config()
        {'l_centre': 50.0, 'l_scale': 50.0, 'ab_scale': 128.0}
        """
        return {"l_centre": self.l_centre, "l_scale": self.l_scale, "ab_scale": self.ab_scale}
