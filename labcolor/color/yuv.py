"""Y, U and V of 4:2:0 video: the lightness of luma, and the planes of chroma that color it."""

from __future__ import annotations

import numpy as np

from labcolor._strips import in_strips
from labcolor._typing import Array
from labcolor.color import kernels
from labcolor.color.lab import matrices, rgb_to_lightness

__all__ = ["chroma_planes", "color_matrix", "even", "luma_lightness", "packed_frame"]


def color_matrix(height: int) -> tuple[str, float, float]:
    """Return the color matrix of a video: BT.601 below 720 lines and BT.709 otherwise, as players assume.

    Returns
    -------
    name : str
        Name of the matrix in ffmpeg.
    kr, kb : float
        Weights of red and blue in luma.
    """
    return ("bt709", 0.2126, 0.0722) if height >= 720 else ("smpte170m", 0.299, 0.114)


def luma_lightness() -> Array:
    """Return L of each value of luma in video range, with shape (256,) and dtype float32."""
    grey = np.clip((np.arange(256) - 16) / 219, 0, 1)
    return rgb_to_lightness(np.repeat(grey[:, None], 3, axis=1)).astype(np.float32)


def even(luma: Array) -> Array:
    """Return luma with even sides: the last row or column is repeated if their number is odd."""
    rows, columns = (side % 2 for side in luma.shape)
    return np.pad(luma, ((0, rows), (0, columns)), "edge") if rows or columns else luma


def chroma_planes(
    luma: Array, table: Array, ab: Array, pixel: tuple[float, float], inside: tuple[slice, slice]
) -> tuple[Array, Array]:
    """Return the planes U and V that color a frame of luma.

    Parameters
    ----------
    luma : ndarray, shape (H, W), uint8
        Luma of the frame. Both sides are even.
    table : ndarray, shape (256,), float32
        L of each value of luma.
    ab : ndarray, shape (h, w, 2), float32
        Small chroma.
    pixel : (float, float)
        Height and width of a pixel of luma, measured in pixels of ``ab``.
    inside : (rows, columns)
        The region to color, in pixels of luma. The rest stays grey.

    Returns
    -------
    u, v : ndarray, shape (H / 2, W / 2), uint8
        The planes of chroma.
    """
    height, width = luma.shape[0] // 2, luma.shape[1] // 2
    u, v = np.empty((2, height, width), np.uint8)
    _, matrix = matrices(np.dtype(np.float32))
    _, kr, kb = color_matrix(luma.shape[0])
    scales = np.float32(2 * pixel[0]), np.float32(2 * pixel[1])
    # a pixel of chroma stays grey if any of its four pixels of luma lies in a bar: black would show a wrong color
    edges = tuple(edge for part in inside for edge in ((part.start + 1) // 2, part.stop // 2))

    def strip(start: int, stop: int) -> None:
        rows = luma[2 * start : 2 * stop]
        weights = np.float32(kr), np.float32(kb)
        kernels.chroma_rows(rows, table, ab, start, *scales, edges, matrix, weights, u[start:stop], v[start:stop])

    in_strips(strip, height, 24 * width)
    return u, v


def packed_frame(luma: Array, u: Array, v: Array, side_by_side: bool) -> bytes:
    """Return one frame in the format of the encoder: a header line, then Y, U and V."""
    if side_by_side:
        luma = np.hstack([luma, luma])
        u, v = (np.hstack([np.full_like(plane, 128), plane]) for plane in (u, v))
    return b"".join([b"FRAME\n", luma.tobytes(), u.tobytes(), v.tobytes()])
