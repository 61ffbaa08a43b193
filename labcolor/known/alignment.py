"""Alignment of two frames between which the camera has moved."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labcolor.base.typing import Array
from labcolor.known.exemplars import Exemplar
from labcolor.known.matching import Matches, match

_TRIALS = 256  # pairs of positions from which motions are guessed
_APART = 4  # smallest distance of a pair, in cells
_CLOSE = 2.0  # largest error of a position under a motion, in cells
_FEW = 8  # positions that may agree by chance
_ZOOM = 0.7  # logarithm of the largest zoom
_STEPS = (4.0, 4.0, 2.0, 2.0, 1.0, 1.0)  # blur of L, in its pixels, for each refinement of a motion
_ROBUST = 3.0  # difference of L from which a position has less weight
_STEADY, _CHANGED = 1.5, 4.0  # mean difference of L below which a position is unchanged, and above which it has changed
_REST = np.array([[1.0, 0, 0], [0, 1, 0]])
_LEAST = 0.2  # share of the frame that both frames show


class Alignment:
    """Motion of the camera between two frames: the positions of the first frame's cells in the second.

    Parameters
    ----------
    motion : ndarray, shape (2, 3)
        From y and x of the first frame, in cells, to y and x of the second.
    share : ndarray, shape (h, w), float32
        Degree to which each cell of the first frame is unchanged in the second, by L: 0 to 1.
    """

    def __init__(self, motion: Array, share: Array) -> None:
        self.motion = motion
        self.share = share

    def places(self) -> Array:
        """Return where the cells of the first frame lie in the second, (h * w, 2) float32: y and x, in cells."""
        rows, columns = self.share.shape
        return np.asarray(_grid(rows, columns) @ self.motion.T, np.float32)

    def carried(self, values: Array) -> Array:
        """Return values of the second frame's cells, (H, W, C), at the cells of the first, (h, w, C)."""
        return np.stack([_moved(plane, self.motion, self.share.shape) for plane in np.moveaxis(values, -1, 0)], axis=-1)


def still(first: Array, second: Array, shape: tuple[int, int]) -> Alignment:
    """Return the alignment of two frames without much motion of the camera; see :func:`align`."""
    return Alignment(*_improved(first, second, _REST, shape))


def carry(
    exemplar: Exemplar, features: Array, lightness: Array, shape: tuple[int, int], sharpness: float, place: float
) -> tuple[Array, Array]:
    """Carry the colors of one frame of a shot to another, along the motion of the camera and to similar cells.

    Parameters
    ----------
    exemplar : Exemplar
        The frame whose colors are known.
    features : ndarray, shape (h * w, D), float32
        Features of the cells of the other frame, from :func:`labcolor.known.matching.features_of`.
    lightness : ndarray, float32
        L of the other frame, with two rows and columns for each cell.
    shape : (h, w)
        Rows and columns of cells of the other frame.
    sharpness : float
        As for :func:`labcolor.known.matching.match`.
    place : float
        Distance in the space of features that equals a shift by one cell.

    Returns
    -------
    ab : ndarray, shape (h * w, 2), float32
    distance : ndarray, shape (h * w,), float32
        Squared distance to the most similar cell of the exemplar: 0 where the frame is unchanged.
    """
    found = match(features, exemplar.features, exemplar.colors, sharpness)
    theirs = exemplar.ab.shape[1]
    alignment = align(lightness, exemplar.lightness, found, exemplar.cells, shape, theirs)
    share = alignment.share.reshape(-1)
    ab, distance = alignment.carried(exemplar.ab).reshape(-1, 2), np.zeros(len(features), np.float32)
    moved = np.flatnonzero(share < 1)  # moved by itself, or came into the frame
    if len(moved):
        weight = np.float32(place * np.sqrt(share.mean()))
        places = np.stack(np.divmod(exemplar.cells, theirs), axis=1)
        keys = np.hstack([features[moved], weight * alignment.places()[moved]])
        known = np.hstack([exemplar.features, weight * places]).astype(np.float32)
        found = match(keys, known, exemplar.colors, sharpness)
        rest = 1 - share[moved]
        ab[moved] += rest[:, None] * (found.ab - ab[moved])
        distance[moved] = rest * found.distance
    return ab, distance


def _grid(rows: int, columns: int) -> Array:
    """Return y, x and 1 of the cells of a grid, (rows * columns, 3)."""
    return np.column_stack([np.indices((rows, columns)).reshape(2, -1).T, np.ones(rows * columns)])


def _moved(plane: Array, motion: Array, shape: tuple[int, ...], outside: float | None = None) -> Array:
    """Resample a plane at the positions to which a motion takes the cells of a shape."""
    mode = {"mode": "nearest"} if outside is None else {"mode": "constant", "cval": outside}
    return np.asarray(ndimage.affine_transform(plane, motion[:, :2], motion[:, 2], shape, order=1, **mode))


def align(first: Array, second: Array, matches: Matches, cells: Array, shape: tuple[int, int], width: int) -> Alignment:
    """Find the motion of the camera between two frames.

    Motions are guessed from the most similar pairs of positions, and refined by L. The motion that leaves most of the
    frame unchanged is chosen. If it leaves too little unchanged, all shares are 0.

    Parameters
    ----------
    first, second : ndarray, float32
        L of the frames, with two rows and columns for each cell.
    matches : Matches
        Matches of all cells of the first frame with some cells of the second.
    cells : ndarray, shape (K,), int
        The cells of the second frame, counted row by row.
    shape : (h, w)
        Rows and columns of the cells of the first frame.
    width : int
        Columns of the cells of the second frame.

    Returns
    -------
    Alignment
    """
    mutual = np.flatnonzero(matches.back[matches.nearest] == matches.distance)
    theirs = cells[matches.nearest[mutual]]
    guesses = _guesses(np.divmod(mutual, shape[1]), np.divmod(theirs, width))
    found = [Alignment(*_improved(first, second, guess, shape)) for guess in guesses]
    return max(found, key=lambda one: float(one.share.mean()))


def _guesses(first: tuple[Array, Array], second: tuple[Array, Array]) -> list[Array]:
    """Return possible motions: no motion, and the motion on which most pairs of similar positions agree."""
    if len(first[0]) < _FEW:
        return [_REST]
    # positions are complex numbers: zoom and rotation are one product, and a shift is one sum
    ours, theirs = first[0] + 1j * first[1], second[0] + 1j * second[1]
    one, two = np.random.default_rng(0).integers(0, len(ours), (2, _TRIALS))
    apart = np.abs(ours[two] - ours[one]) > _APART
    one, two = one[apart], two[apart]
    turns = (theirs[two] - theirs[one]) / (ours[two] - ours[one])
    misses = np.abs(turns[:, None] * (ours - ours[one, None]) + theirs[one, None] - theirs)
    agreeing = (misses < _CLOSE) & (np.abs(np.log(np.abs(turns) + 1e-9)) < _ZOOM)[:, None]
    if not agreeing.size or agreeing.sum(axis=1).max() < _FEW:
        return [_REST]
    chosen = agreeing[agreeing.sum(axis=1).argmax()]
    places = np.column_stack([ours.real, ours.imag, np.ones(len(ours))])[chosen]
    there = np.column_stack([theirs.real, theirs.imag])[chosen]
    return [_REST, np.linalg.lstsq(places, there, rcond=None)[0].T]


def _improved(first: Array, second: Array, motion: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Refine a motion by L, apart from exposure. Return it, and the share of each cell that it explains."""
    center = np.full(2, 0.5)  # center of a cell, in pixels, of which a cell has two
    linear, shift = motion[:, :2], 2 * motion[:, 2] + center - motion[:, :2] @ center
    grid = _grid(*first.shape)
    for blur in _STEPS:
        one, two = (ndimage.gaussian_filter(values, blur) for values in (first, second))
        slopes = np.gradient(two)
        moved = np.column_stack([linear, shift])
        seen, down, across = (_moved(plane, moved, first.shape, np.nan).reshape(-1) for plane in (two, *slopes))
        there = np.isfinite(seen)
        if there.mean() < _LEAST:
            break
        columns = np.column_stack(
            [down[:, None] * grid, across[:, None] * grid, seen - one.reshape(-1).mean(), grid[:, 2]]
        )[there]
        rest = (one.reshape(-1) - seen)[there]
        rest = rest - np.median(rest)
        weights = 1 / (1 + np.square(rest / _ROBUST))
        squares = columns.T @ (columns * weights[:, None])
        squares += np.diag(1e-3 * np.diag(squares) + 1e-6)  # parameters that L does not determine stay unchanged
        change = np.linalg.solve(squares, columns.T @ (weights * rest))
        linear, shift = linear + change[:6].reshape(2, 3)[:, :2], shift + change[:6].reshape(2, 3)[:, 2]
    back = (shift - center + linear @ center) / 2
    return np.column_stack([linear, back]), _same(first, second, np.column_stack([linear, shift]), shape)


def _same(first: Array, second: Array, motion: Array, shape: tuple[int, int]) -> Array:
    """Return the degree, from 0 to 1, to which each cell equals the second frame where a motion takes it."""
    seen = _moved(second, motion, first.shape, np.nan)
    there = np.isfinite(seen)
    if not there.any():
        return np.zeros(shape, np.float32)
    gain, offset = _exposure(seen[there], first[there])
    rest = np.where(there, gain * np.nan_to_num(seen) + offset - first, 2 * _CHANGED)
    change = np.abs(ndimage.uniform_filter(rest, 3))
    missing = [(0, 2 * cells - side) for cells, side in zip(shape, change.shape, strict=True)]
    change = np.pad(change, missing, "edge").reshape(shape[0], 2, shape[1], 2).max(axis=(1, 3))
    return np.asarray(np.clip((_CHANGED - change) / (_CHANGED - _STEADY), 0, 1), np.float32)


def _exposure(seen: Array, first: Array) -> tuple[float, float]:
    """Fit the gain and offset that convert one L to another, ignoring changed cells."""
    gain, offset = 1.0, 0.0
    for _ in range(3):
        rest = first - gain * seen - offset
        weights = 1 / (1 + np.square(rest / _ROBUST))
        mean, mean_seen = np.average(first, weights=weights), np.average(seen, weights=weights)
        spread = np.average(np.square(seen - mean_seen), weights=weights)
        gain = float((np.average((seen - mean_seen) * (first - mean), weights=weights) + 1) / (spread + 1))
        offset = float(mean - gain * mean_seen)
    return gain, offset
