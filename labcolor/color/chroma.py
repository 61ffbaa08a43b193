"""``Chroma``: a small map of ab, and its position on the picture that it colors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np

from labcolor.base.typing import Array
from labcolor.color import kernels
from labcolor.color.lab import matrices

_BLOCK = 1024  # colors whose chroma is lowered at a time: the buffers stay in the first-level cache

ContentBox: TypeAlias = tuple[slice, slice]  # the rows and columns of a picture that lie inside its bars


class Enlargement(NamedTuple):
    """Bilinear enlargement of small chroma to a grid of (H, W), as the kernels need it.

    Parameters
    ----------
    ab : ndarray, shape (h + 1, w + 1, 2), float32
        The small map, with a last row and a last column of grey for bars.
    rows : ndarray, shape (H, 2), int32
        The two rows of ``ab`` around each row of the grid.
    down : ndarray, shape (H,), float32
        Position of the row of the grid between these rows, from 0 to 1.
    columns : ndarray, shape (2, W), int32
        The two columns of ``ab`` around each column of the grid.
    across : ndarray, shape (W,), float32
        Position of the column of the grid between these columns, from 0 to 1.
    """

    ab: Array
    rows: Array
    down: Array
    columns: Array
    across: Array

    def part(self, start: int, stop: int) -> Enlargement:
        """Return the enlargement of the rows from ``start`` to ``stop``."""
        return self._replace(rows=self.rows[start:stop], down=self.down[start:stop])

    def linear(self, lightness: Array) -> Array:
        """Join it with L, (H, W), and return planes of linear RGB, (3, H * W) float32.

        The chroma of colors outside the sRGB gamut is lowered until they fit. Lightness and hue stay unchanged.
        """
        _, matrix = matrices()
        planes, colors = np.empty((2, 3, lightness.size), np.float32)
        outside = np.empty(lightness.size, np.int32)
        rows = np.empty((4, max(lightness.shape[1], self.ab.shape[1])), np.float32)
        count = kernels.join(lightness, *self, matrix, rows, outside, colors, planes)
        buffers = np.empty((3, _BLOCK), np.float32)
        for start in range(0, count, _BLOCK):
            stop = min(count, start + _BLOCK)
            kernels.into_gamut(*colors[:, start:stop], matrix, *buffers, outside[start:stop], planes)
        return planes


@dataclass(frozen=True, eq=False)
class Chroma:
    """The small chroma of one picture.

    Parameters
    ----------
    ab : ndarray, shape (h, w, 2), float32
        Unscaled.
    scale : (float, float)
        Height and width of a pixel of the picture, measured in pixels of ``ab``.
    content_box : (rows, columns)
        The part of the picture to color; bars around it stay grey.
    """

    ab: Array
    scale: tuple[float, float]
    content_box: ContentBox

    def enlarged(self, shape: tuple[int, int], cell: tuple[int, int] = (1, 1)) -> Enlargement:
        """Return its enlargement to a grid of ``shape``, whose cells are ``cell`` pixels of the picture.

        A cell that lies partly in a bar counts as a part of the bar.
        """
        inside = [(part.start, part.stop) for part in self.content_box]
        sides = zip(shape, self.ab.shape, cell, self.scale, inside, strict=False)
        (rows, down), (columns, across) = (_neighbors(*side) for side in sides)
        ab = np.pad(np.asarray(self.ab, np.float32), ((0, 1), (0, 1), (0, 0)))
        return Enlargement(ab, np.ascontiguousarray(rows.T), down, columns, across)


@lru_cache(maxsize=8)  # frames of a video have the same positions
def _neighbors(side: int, small: int, cell: int, scale: float, inside: tuple[int, int]) -> tuple[Array, Array]:
    """Return the two neighbors of each position among ``small`` ones, (2, side), and its distance from the first.

    Both neighbors of a position in a bar are ``small``.
    """
    place = (np.arange(side) + 0.5) * float(np.float32(cell * scale)) - 0.5
    place = np.clip(place.astype(np.float32), 0, np.float32(small - 1))
    lower = place.astype(np.int32)
    neighbors = np.stack([lower, np.minimum(lower + 1, small - 1)])
    neighbors[:, : -(-inside[0] // cell)] = neighbors[:, inside[1] // cell :] = small
    return neighbors, place - lower.astype(np.float32)
