"""``Picture``: a checked array, its lightness at full and working size, and its coloring."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from skimage.util import img_as_ubyte

from labcolor.base.threads import in_strips
from labcolor.base.typing import Array
from labcolor.color import kernels
from labcolor.color.chroma import Chroma
from labcolor.color.lab import (
    NO_TABLE,
    check_unit_range,
    full_scale,
    lab_to_rgb,
    linear_light_table,
    matrices,
    rgb_to_lightness,
)
from labcolor.errors import InputError, InputTypeError

_FLOAT32 = np.dtype(np.float32)
SHAPES = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"


@lru_cache(maxsize=2)
def _grey_table(dtype: np.dtype[Any]) -> Array:
    """Return L of every grey value of an unsigned integer dtype."""
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    return rgb_to_lightness(np.repeat(values[:, None], 3, axis=1))


@dataclass(frozen=True)
class Picture:
    """One checked picture.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Grey (C = 1) or RGB (C = 3) values, uint8, uint16 or float in [0, 1]. A view of the caller's array if possible.
    alpha : ndarray, shape (H, W, 1), or None
        Alpha, unchanged.
    dtype : dtype
        Dtype of the colored picture.
    table : ndarray, shape (levels,), or None
        L of each grey value, float32, if the values are not sRGB.
    """

    values: Array
    alpha: Array | None
    dtype: np.dtype[Any]
    table: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.values.shape[0], self.values.shape[1]

    def lightness(self, start: int = 0, stop: int | None = None) -> Array:
        """Return L of the rows from ``start`` to ``stop``, (rows, W) float32 in [0, 100]."""
        rows = self.values[start:stop]
        if rows.dtype.kind == "f":
            rows, table = kernels.srgb_to_linear(np.clip(rows, 0, 1, dtype=np.float32)), NO_TABLE
        elif rows.shape[2] == 3:
            table = linear_light_table(rows.dtype)
        else:
            table = _grey_table(rows.dtype) if self.table is None else self.table
        out = np.empty(rows.shape[:2], np.float32)
        flat = np.ascontiguousarray(rows).reshape(-1, rows.shape[2])
        kernels.to_lightness(flat, table, matrices()[0], out.reshape(-1))
        return out

    def grey(self) -> Array:
        """Return L as grey, (H, W, 3) uint8, with three equal channels."""
        lab = np.zeros((*self.shape, 3), np.float32)
        lab[..., 0] = self.lightness()
        # the rounded white of the formulas is not exactly neutral, so one channel is repeated
        return np.repeat(lab_to_rgb(lab, dtype=np.uint8)[..., 1:2], 3, axis=2)

    def small_lightness(self, height: int, width: int) -> Array:
        """Resize L to (height, width), float32. Next to sharp edges it may slightly exceed [0, 100]."""
        row_starts, row_weights = _resampling(self.shape[0], height)
        column_starts, column_weights = _resampling(self.shape[1], width)
        taps = row_weights.shape[1]
        out = np.empty((height, width), np.float32)

        def strip(start: int, stop: int) -> None:
            first = int(row_starts[start])
            kernels.resample(
                self.lightness(first, int(row_starts[stop - 1]) + taps),
                first,
                row_starts[start:stop],
                row_weights[start:stop],
                column_starts,
                column_weights,
                np.empty(self.shape[1], np.float32),
                out[start:stop],
            )

        source_rows = max(1, self.shape[0] // height)
        in_strips(strip, height, self.shape[1] * source_rows)  # long strips, because neighboring ones share rows
        return out

    def colored(self, chroma: Chroma) -> Array:
        """Combine this picture's L with small chroma, enlarged bilinearly, to RGB or RGBA of dtype ``self.dtype``.

        The chroma of colors outside the sRGB gamut is lowered until they fit. Lightness and hue stay unchanged.
        """
        channels = 3 if self.alpha is None else 4
        out = np.empty((*self.shape, channels), self.dtype.newbyteorder("="))
        full, half = full_scale(self.dtype)
        enlargement = chroma.enlarged(self.shape)
        # the kernels are compiled for float32 output; other floats are converted strip by strip
        compute = out.dtype if out.dtype.kind == "u" else _FLOAT32

        def strip(start: int, stop: int) -> None:
            direct = channels == 3 and out.dtype == compute
            rgb = out[start:stop] if direct else np.empty((stop - start, self.shape[1], 3), compute)
            linear = enlargement.part(start, stop).linear(self.lightness(start, stop))
            kernels.encode(linear, full, half, rgb.reshape(-1, 3))
            if not direct:
                out[start:stop, :, :3] = rgb
            if self.alpha is not None:
                out[start:stop, :, 3:] = self.alpha[start:stop]

        in_strips(strip, self.shape[0], 24 * self.shape[1])
        return out.astype(self.dtype, copy=False)

    def colored_in_cells(self, chroma: Chroma) -> Array:
        """Combine as :meth:`colored`, for a file with chroma of half the size, as JPEG has it.

        Of a grey uint8 picture, each 2 x 2 pixels are shifted by one difference: that of their mean and its color. So
        edges within them have a slightly other L, like after the file's own rounding. The result is a view of four
        bytes for each pixel, as Pillow keeps colors. Other pictures are colored as usual.
        """
        if self.values.shape[-1] != 1 or self.dtype != np.uint8 or not (self.table is None and self.alpha is None):
            return self.colored(chroma)
        height, width = self.shape
        luma = np.ascontiguousarray(self.values[..., 0])
        if height % 2 or width % 2:
            luma = np.pad(luma, ((0, height % 2), (0, width % 2)), "edge")
        rows, columns = luma.shape[0] // 2, luma.shape[1] // 2
        out = np.empty((*luma.shape, 4), np.uint8)
        packed = out.view(np.int32)[..., 0]
        enlargement = chroma.enlarged((rows, columns), (2, 2))

        def strip(start: int, stop: int) -> None:
            part, lightness = luma[2 * start : 2 * stop], np.empty((stop - start, columns), np.float32)
            kernels.mean_lightness(part, _grey_table(self.dtype), lightness)
            kernels.shift_cells(part, enlargement.part(start, stop).linear(lightness), packed[2 * start : 2 * stop])

        in_strips(strip, rows, 24 * columns)
        return out[:height, :width, :3]


@lru_cache(maxsize=64)
def _resampling(old: int, new: int) -> tuple[Array, Array]:
    """Return the first neighbors, (new,) intp, and weights, (new, taps) float32, for resampling a side.

    The filter is the cubic of Catmull and Rom, widened for a smaller side, which is as sharp as the training pictures:
    R. Keys, "Cubic convolution interpolation", IEEE TASSP 29 (1981), with a = -1/2.
    """
    width = max(1.0, old / new)
    reach = 2 * width
    centers = (np.arange(new) + 0.5) * (old / new)
    taps = min(old, int(np.ceil(2 * reach)) + 1)
    starts = np.clip(np.floor(centers - reach + 0.5).astype(np.intp), 0, old - taps)
    distance = np.abs(starts[:, None] + np.arange(taps) + 0.5 - centers[:, None]) / width
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    return starts, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def as_bytes(values: Array) -> Array:
    """Convert pixel values to uint8. Clip floats that slightly exceed [0, 1]."""
    if values.dtype.newbyteorder("=") == np.uint16:
        return (values >> 8).astype(np.uint8)  # scikit-image would leave dark pictures, below 256, as they are
    return np.asarray(img_as_ubyte(np.clip(values, 0, 1) if values.dtype.kind == "f" else values))


def over_white(picture: Picture) -> Array:
    """Blend a picture with a white background, and return (H, W, 3) uint8."""
    values = np.broadcast_to(as_bytes(picture.values), (*picture.shape, 3))
    if picture.alpha is None:
        return values
    share = np.divide(picture.alpha, full_scale(picture.dtype)[0], dtype=np.float32)
    blended: Array = np.rint(255 - share * (255 - values.astype(np.float32)))
    return blended.astype(np.uint8)


def working_shape(shape: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the size of the network's input for a picture: a short side of ``size``, and the same aspect ratio.

    The long side is at most eight times ``size``. The short side of longer pictures is reduced accordingly.

    Examples
    --------
    >>> from labcolor.pictures.picture import working_shape
    >>> working_shape((1080, 1920), 128)
    (128, 228)
    """
    factor = min(size / min(shape), 8 * size / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def as_picture(array: Any, where: str) -> Picture:
    """Check the array of one picture. ``where`` is its name in errors."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = " Channels come last: use np.moveaxis(x, 0, -1)." if array.ndim == 3 and array.shape[0] in (1, 3) else ""
        raise InputError(f"{where}: expected a picture of shape {SHAPES}, got shape {array.shape}.{hint}")
    if 0 in array.shape:
        raise InputError(f"{where}: expected at least one pixel, got shape {array.shape}.")
    dtype = array.dtype
    if dtype == np.bool_:
        array, dtype = array.astype(np.uint8) * np.uint8(255), np.dtype(np.uint8)
    elif dtype.newbyteorder("=") not in (np.uint8, np.uint16, np.float16, np.float32, np.float64):
        raise InputTypeError(
            f"{where}: expected uint8, uint16, float in [0, 1] or bool, got dtype {dtype}. Convert it first, "
            f"for example with .astype(np.uint8) if its values are 0 to 255."
        )
    array = array.astype(dtype.newbyteorder("="), copy=False)
    if dtype.kind == "f":
        check_unit_range(where, array)
    if array.shape[2] == 4:
        return Picture(array[..., :3], array[..., 3:], dtype)
    return Picture(array, None, dtype)
