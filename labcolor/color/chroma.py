"""``Chroma``: a small map of ab, and where it lies on the picture that it colors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from labcolor.base.typing import Array

__all__ = ["Chroma", "ContentBox"]

ContentBox: TypeAlias = tuple[slice, slice]  # the rows and columns of a picture that lie inside its bars


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

    def kernel_arguments(
        self, cell: tuple[int, int] = (1, 1)
    ) -> tuple[Array, tuple[np.float32, np.float32], tuple[int, int, int, int]]:
        """Return ab, the scale and the edges (top, bottom, left, right) on a grid whose cells are ``cell`` pixels.

        A cell that lies partly in a bar counts as a part of the bar.
        """
        scale = np.float32(cell[0] * self.scale[0]), np.float32(cell[1] * self.scale[1])
        rows, columns = self.content_box
        (down, across) = cell
        edges = -(-rows.start // down), rows.stop // down, -(-columns.start // across), columns.stop // across
        return np.ascontiguousarray(self.ab, np.float32), scale, edges
