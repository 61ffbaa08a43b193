"""Y, U and V of video: the lightness of luma, and the planes of chroma that color it; printing density of film scans.

Density follows Kodak, "Conversion of 10-bit Log Film Data to 8-bit Linear or Video Data for the Cineon Digital Film
System", 1995. Of 10 bits, code 95 is the base of the negative and becomes black; 685 is 90 % white. A code is 0.002 of
density, and the negative has gamma 0.6. SMPTE ST 268 numbers this transfer 1, "printing density".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from labcolor.base.threads import in_strips
from labcolor.base.typing import Array
from labcolor.color import kernels
from labcolor.color.chroma import Chroma
from labcolor.color.lab import linear_light_table, rgb_to_lightness

# Weights of red and blue in luma, by ffmpeg's names of the color matrices.
MATRICES = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
}

_PAL_LINES = 288, 576  # of a field and of a frame
_BLACK, _WHITE = 95, 685  # codes of 10 bits
_CODES_PER_DECADE = 0.6 / 0.002  # gamma of the negative by density of a code
_BASE = 10 ** ((_BLACK - _WHITE) / _CODES_PER_DECADE)  # light of the black code, which the curve subtracts


def usual_matrix(height: int) -> str:
    """Return the matrix of a video that names none, as players assume: BT.709 from 720 lines on, otherwise BT.601.

    The 625-line and the 525-line form of BT.601 have the same weights and different primaries.
    """
    return "bt709" if height >= 720 else "bt470bg" if height in _PAL_LINES else "smpte170m"


def density_to_linear(codes: Array) -> Array:
    """Return linear light for codes of 10 bits: 0 up to code 95, and 1 from code 685 on."""
    light = 10 ** ((np.clip(codes, _BLACK, _WHITE) - _WHITE) / _CODES_PER_DECADE)
    return np.asarray((light - _BASE) / (1 - _BASE))


def linear_to_density(light: Array) -> Array:
    """Return the codes of 10 bits, not rounded, for linear light in [0, 1]."""
    return np.asarray(_WHITE + _CODES_PER_DECADE * np.log10(light * (1 - _BASE) + _BASE))


@lru_cache(maxsize=2)
def _density_codes(depth: int) -> Array:
    """Return the code of density, int32, of each value of sRGB of 16 bits."""
    light = linear_light_table(np.dtype(np.uint16)).astype(np.float64)
    codes: Array = np.rint(linear_to_density(light) * ((2**depth - 1) / 1023))
    return codes.astype(np.int32)


@dataclass(frozen=True)
class FrameFormat:
    """Numeric format of the frames of a video.

    Parameters
    ----------
    depth : int
        Bits of a sample, from 8 to 16.
    full : bool
        Whether luma uses all values. Otherwise it lies in video range, from 16 to 235 for 8 bits.
    cell : (rows, columns)
        Pixels of luma for each pixel of chroma: (2, 2) for 4:2:0, (1, 2) for 4:2:2, (1, 1) for 4:4:4.
    matrix : str
        Name of the color matrix, one of :data:`MATRICES`.
    density : bool
        Whether values are codes of printing density instead of video.
    """

    depth: int = 8
    full: bool = False
    cell: tuple[int, int] = field(default=(2, 2))
    matrix: str = "smpte170m"
    density: bool = False

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The dtype of samples: uint8, or uint16 in which the lower ``depth`` bits count."""
        return np.dtype(np.uint8 if self.depth == 8 else np.uint16)

    def shares(self) -> Array:
        """Return each value of luma as a share of white, float64, for all values of the dtype."""
        values = np.arange(np.iinfo(self.dtype).max + 1, dtype=np.float64)
        if self.density:
            light = density_to_linear(values * 1023 / (2**self.depth - 1))
            curve: Array = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
            return curve
        unit = 2 ** (self.depth - 8)
        shares: Array = values / (2**self.depth - 1) if self.full else (values / unit - 16) / 219
        return np.asarray(np.clip(shares, 0, 1))

    def lightness(self) -> Array:
        """Return L of each value of luma, float32, for all values of the dtype."""
        lightness: Array = rgb_to_lightness(np.repeat(self.shares()[:, None], 3, axis=1)).astype(np.float32)
        return lightness

    def conversion(self, other: FrameFormat) -> Array | None:
        """Return the values of ``other`` for all values of luma of this format, or None if they are the same."""
        if (self.depth, self.full, self.density) == (other.depth, other.full, other.density):
            return None
        if self.density and other.density:
            values = np.arange(np.iinfo(self.dtype).max + 1) * ((2**other.depth - 1) / (2**self.depth - 1))
        elif self.full == other.full and not self.full:  # keeps values below black and above white
            values = np.arange(np.iinfo(self.dtype).max + 1) * 2.0 ** (other.depth - self.depth)
        elif other.full:
            values = self.shares() * (2**other.depth - 1)
        else:
            values = (16 + 219 * self.shares()) * 2 ** (other.depth - 8)
        converted: Array = np.minimum(np.floor(values + 0.5), 2**other.depth - 1).astype(other.dtype)
        return converted

    def encoded(self, rgb: Array, luma: Array) -> Array:
        """Return sRGB of 16 bits in this format, which has full range.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint16
            A colored frame.
        luma : ndarray, shape (H, W)
            Its luma, in this format. Codes of density below black and above white are kept, although sRGB lacks them.

        Returns
        -------
        ndarray, shape (H, W, 3), of dtype :attr:`dtype`
        """
        top = 2**self.depth - 1
        if not self.density:
            scaled: Array = rgb * np.float32(top / 65535) + np.float32(0.5)
            return scaled.astype(self.dtype)
        black, white = (round(code * top / 1023) for code in (_BLACK, _WHITE))
        beyond = luma - np.clip(luma.astype(np.int32), black, white)
        codes: Array = np.clip(_density_codes(self.depth)[rgb] + beyond[..., None], 0, top)
        return codes.astype(self.dtype)

    def even(self, luma: Array) -> Array:
        """Return luma with whole cells: the last row or column is repeated where they are not."""
        rows, columns = (-side % step for side, step in zip(luma.shape, self.cell, strict=True))
        return np.pad(luma, ((0, rows), (0, columns)), "edge") if rows or columns else luma

    def chroma(self, luma: Array, table: Array, chroma: Chroma) -> tuple[Array, Array]:
        """Return the planes U and V that color a frame of luma.

        Parameters
        ----------
        luma : ndarray, shape (H, W)
            Luma of the frame, in this format, with whole cells.
        table : ndarray, float32
            L of each value of luma, from :meth:`lightness`.
        chroma : Chroma
            Small chroma of the frame.

        Returns
        -------
        u, v : ndarray, shape (H, W) divided by the cell
            The planes of chroma, of dtype :attr:`dtype`.
        """
        down, across = self.cell
        height, width = luma.shape[0] // down, luma.shape[1] // across
        u, v = np.empty((2, height, width), self.dtype)
        red, blue = MATRICES[self.matrix]
        # half the range of chroma, its zero, and its largest value
        unit, top = 2 ** (self.depth - 8), 2**self.depth - 1
        levels = np.float32(top / 2 if self.full else 112 * unit), np.float32(128 * unit), np.float32(top)
        enlargement = chroma.enlarged((height, width), self.cell)

        def strip(start: int, stop: int) -> None:
            lightness = np.empty((stop - start, width), np.float32)
            kernels.mean_lightness(luma[down * start : down * stop], table, lightness)
            linear = enlargement.part(start, stop).linear(lightness)
            weights = np.float32(red), np.float32(blue)
            kernels.to_chroma(linear, weights, levels, u[start:stop].reshape(-1), v[start:stop].reshape(-1))

        in_strips(strip, height, 24 * width)
        return u, v
