"""Spreading of color hints by kriging, with a learned covariance of the errors of the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array

UNREACHABLE = np.float32(1e6)  # length of a path that hints cannot take
UNSURE = np.float32(15)  # deviation of ab that counts as 1, and the deviation for networks without one
LARGEST_CONSTANT = 20  # largest absolute value of a spreader's constant; exponentials of larger ones are useless
_DIMENSIONS = 16  # of the space in which similarity is measured
_CONSTANTS = 8  # see kriging
_LEAST = np.float32(1e-4)  # squared distance, and variance of a hint as a share of that of all errors
# Chosen on training photographs and on strokes in segments of the training part of BSDS500.
_LIKELY = np.float32(2)  # size of an error, in deviations, from which it does not apply to other objects
_TAPER = np.float32(1)  # for likely errors: share of the squared distance that is added to the distance
_THING = np.float32(0.4)  # distance that the color of an unlikely error reaches
_NEAREST = np.float32(20)  # how much the nearest of several such hints outweighs others
# Of a path: differences of neighboring cells in features and in L that count as 1, and the factors of the difference
# and of its square.
_FEATURES, _LIGHT, _STEP, _EDGE = np.float32(0.4), np.float32(15), np.float32(0.2), np.float32(0.25)
_TYPICAL = np.float32(0.6)  # difference of neighbors, to which the larger differences of a textured picture are scaled
_ALONE = 1 << 18  # multiplications of a matrix product up to which OpenBLAS uses one thread
_PAIRS = 1 << 24  # pairs of a cell and a hint in one comparison
_NEIGHBORS = ((0, 1), (1, -1), (1, 0), (1, 1))  # rows down and columns to the right


class Cells(NamedTuple):
    """Cells of small chroma, with the values that the spreading of hints needs.

    Parameters
    ----------
    ab : array, shape (..., P, 2), float32
        The prediction.
    positions : array, shape (..., P, 18), float32
        From :func:`locate`.
    lightness : array, shape (..., P, 1), float32
        Mean L, in [0, 100].
    deviation : array, shape (..., P, 1), float32
        Standard deviation of the network's distribution of ab.
    """

    ab: Any
    positions: Any
    lightness: Any
    deviation: Any

    def chosen(self, index: Array | slice) -> Cells:
        """Return some of the cells."""
        return Cells(*(values[index] for values in self))


def spreader_shapes(features: int) -> list[tuple[int, ...]]:
    """Return the shapes of a spreader's weights, for a number of features: a projection, and its constants."""
    return [(features, _DIMENSIONS), (_CONSTANTS,)]


def unit_features(features: Array) -> Array:
    """Scale the features of each position to a mean square of 1.

    Parameters
    ----------
    features : ndarray, shape (P, F), float32
        Features of the network.

    Returns
    -------
    ndarray, shape (P, F), float32
    """
    size = np.sqrt(np.einsum("pf,pf->p", features, features) / np.float32(features.shape[1])) + np.float32(1e-6)
    return np.asarray(features / size[:, None])


def locate(features: Any, places: Any, weights: Sequence[Any], ops: Any = np) -> Any:
    """Return positions in the space of features and coordinates.

    Parameters
    ----------
    features : array, shape (..., P, F), float32
        From :func:`unit_features`.
    places : array, shape (..., P, 2), float32
        Coordinates in short sides.
    weights : sequence of array
        Of the spreader, in the order of :func:`spreader_shapes`.
    ops : module
        ``numpy``, or ``keras.ops`` in training.

    Returns
    -------
    array, shape (..., P, 18), float32
    """
    projection, constants = weights
    multiply = _product if ops is np else ops.matmul
    return ops.concatenate([multiply(features, projection), places * ops.exp(constants[0])], axis=-1)


def _product(first: Array, second: Array) -> Array:
    """Return a matrix product, in parts for which BLAS takes one thread: others would spin for 20 ms afterwards."""
    step = max(1, _ALONE // second.size)
    return np.concatenate([first[start : start + step] @ second for start in range(0, len(first), step)])


def path_lengths(
    features: Array, lightness: Array, shape: tuple[int, int], cells: Array, fences: Array | None = None
) -> Array:
    """Return the length of the shortest path from each position to each hint.

    The length of a path is the sum of the differences between neighboring positions on it, where a large difference, at
    the edge of an object, counts more than many small ones.

    Parameters
    ----------
    features : ndarray, shape (P, F), float32
        Of a grid, row by row, from :func:`unit_features`.
    lightness : ndarray, shape (P, 1), float32
        L of the grid, in [0, 100].
    shape : (rows, columns)
        Of the grid.
    cells : ndarray, shape (K,), int
        Positions of the hints.
    fences : ndarray, shape (F,), int, optional
        Positions that no path crosses.

    Returns
    -------
    ndarray, shape (P, K), float32
    """
    scale = 1 / (_FEATURES * np.float32(np.sqrt(features.shape[1])))
    values = np.concatenate([features * scale, lightness / _LIGHT], axis=-1)
    rows, columns = shape
    grid = values.reshape(rows, columns, -1)
    steps: Array = np.full((len(_NEIGHBORS), rows, columns), np.inf, np.float32)
    for step, (down, across) in zip(steps, _NEIGHBORS, strict=True):
        here = slice(rows - down), slice(max(0, -across), columns - max(0, across))
        step[here] = np.linalg.norm(grid[here] - grid[down:, max(0, across) : columns + min(0, across)], axis=-1)
    inside = steps[np.isfinite(steps)]
    if len(inside):
        steps *= min(1, _TYPICAL / max(np.median(inside), _TYPICAL))
    steps = _STEP * steps + _EDGE * np.square(steps)
    walls = np.zeros((rows, columns), np.bool_)
    if fences is not None:
        walls.ravel()[fences] = True
    lengths = np.full((len(cells), rows, columns), UNREACHABLE, np.float32)
    lengths.reshape(len(cells), -1)[np.arange(len(cells)), cells] = 0
    for best in lengths:
        while _sweep(steps, walls, best, 1) | _sweep(steps, walls, best, -1):
            pass
    return lengths.reshape(len(cells), -1).T


def spread_hints(grid: Cells, index: Array, colors: Array, paths: Array, weights: Sequence[Array]) -> Array:
    """Spread hints over predicted chroma.

    Hints near the prediction spread by :func:`kriging`. A hint far from the prediction, such as pink for a car, does
    not apply to other objects. It colors only the cells within a fixed distance.

    Parameters
    ----------
    grid : Cells
        All P cells.
    index : ndarray, shape (K,), int
        The cells that have a hint.
    colors : ndarray, shape (K, 2), float32
        ab of the hints.
    paths : ndarray, shape (P, K), float32
        From :func:`path_lengths`.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    ndarray, shape (P, 2), float32
        ab.
    """
    hints, constants = grid.chosen(index), weights[1]
    shift = colors - hints.ab
    surprise = np.square(shift).sum(axis=-1, keepdims=True) / np.square(_LIKELY * hints.deviation)
    likely = shift * np.exp(-np.square(surprise))
    spread: Array = np.empty_like(grid.ab)
    step = max(1, _PAIRS // len(index))
    between = distances(hints, hints, paths[index], constants)
    for start in range(0, len(spread), step):
        part = slice(start, start + step)
        cells = grid.chosen(part)
        distance = distances(cells, hints, paths[part], constants)
        spread[part] = kriging(cells, hints, likely, between, distance, constants, _TAPER)
        nearest = distance.min(axis=-1, keepdims=True)
        shares = np.exp(_NEAREST * (nearest - distance))
        reach = np.exp(-np.power(np.minimum(nearest / _THING, 2), 8))
        spread[part] += reach * (shares @ (shift - likely)) / shares.sum(axis=-1, keepdims=True)
    return spread


def kriging(
    cells: Cells,
    hints: Cells,
    errors: Any,
    between: Any,
    distance: Any,
    constants: Any,
    taper: float | np.float32 = 0.0,
    ops: Any = np,
) -> Any:
    """Return the best linear estimate of true colors from known errors of a prediction.

    The errors of a prediction are correlated between cells with similar features and a similar L that are near each
    other and connected by a short path: the covariance falls exponentially with the distance in all of these. Errors
    are larger where the network is unsure. Kriging derives the most likely errors of all cells from known errors of
    some cells.

    Parameters
    ----------
    cells : Cells
        P cells.
    hints : Cells
        The K cells that have a hint.
    errors : array, shape (..., K, 2), float32
        Differences of the hints from the prediction.
    between, distance : array, shapes (..., K, K) and (..., P, K), float32
        From :func:`distances`, between the hints, and from the cells to the hints.
    constants : array, shape (8,), float32
        The logarithms of the scales of places, L, ab and paths, and of the variance; the pull, 0 if a hint shifts the
        prediction of other cells, and 1 if it replaces their color; the power of the deviation to which errors are
        proportional; and the logarithm of the variance of the errors of hints themselves.
    taper : float
        Share of the squared distance by which the covariance falls faster. It is 0 in training: in photographs, errors
        are slightly correlated everywhere, but people expect a hint not to change other objects.
    ops : module
        ``numpy``, or ``keras.ops`` in training.

    Returns
    -------
    array, shape (..., P, 2), float32
        ab.

    References
    ----------
    C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, section 2.2. R. Zhang et
    al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017 (hints simulated in
    training).
    """
    pull, trust, noise = constants[5], constants[6], constants[7]

    def covariance(cells: Cells, distance: Any) -> Any:
        own, theirs = (trust * ops.log(part.deviation / UNSURE) for part in (cells, hints))
        size = constants[4] + own + ops.swapaxes(theirs, -1, -2)
        return ops.exp(size - distance - taper * ops.square(distance))

    known = covariance(hints, between)
    # a share of the variance, so that hints at one position do not make the matrix singular
    own = (ops.exp(noise) + _LEAST * ops.exp(constants[4])) * ops.exp(2 * trust * ops.log(hints.deviation / UNSURE))
    given = ops.concatenate([errors + pull * hints.ab, ops.ones_like(own)], axis=-1)
    coefficients = ops.linalg.solve(known + own * ops.eye(known.shape[-1], dtype="float32"), given)
    moved = ops.matmul(covariance(cells, distance), coefficients)
    return cells.ab + moved[..., :2] - pull * moved[..., 2:] * cells.ab


def distances(cells: Cells, hints: Cells, paths: Any, constants: Any, ops: Any = np) -> Any:
    """Return the distances of cells and hints in features, place, L, predicted ab and along a path.

    Parameters
    ----------
    cells, hints : Cells
        P cells, and the K cells that have a hint.
    paths : array, shape (..., P, K), float32
        From :func:`path_lengths`.
    constants : array, shape (8,), float32
        As for :func:`kriging`.
    ops : module
        ``numpy``, or ``keras.ops`` in training.

    Returns
    -------
    array, shape (..., P, K), float32
    """
    own, theirs = (
        ops.concatenate(
            [part.positions, part.lightness * ops.exp(constants[1]), part.ab * ops.exp(constants[2])], axis=-1
        )
        for part in (cells, hints)
    )
    squares = ops.sum(own * own, axis=-1, keepdims=True) - 2 * ops.matmul(own, ops.swapaxes(theirs, -1, -2))
    squares = squares + ops.swapaxes(ops.sum(theirs * theirs, axis=-1, keepdims=True), -1, -2)
    return ops.sqrt(ops.maximum(squares, _LEAST)) + ops.exp(constants[3]) * paths


@jit
def _sweep(steps: Array, walls: Array, best: Array, way: int) -> bool:
    """Shorten paths by a last step from a neighbor, forth (1) or back (-1); return whether one became shorter.

    ``steps`` (N, h, w) are the lengths from each cell to its ``_NEIGHBORS``; ``walls`` (h, w), the cells that no path
    enters; ``best`` (h, w), the lengths of paths so far.
    """
    rows, columns = best.shape
    changed = False
    for i in range(rows):
        y = i if way > 0 else rows - 1 - i
        for j in range(columns):
            x = j if way > 0 else columns - 1 - j
            if walls[y, x]:
                continue
            for n in range(len(_NEIGHBORS)):
                down, across = _NEIGHBORS[n]
                v, u = y - way * down, x - way * across
                if 0 <= v < rows and 0 <= u < columns:
                    length = best[v, u] + (steps[n, v, u] if way > 0 else steps[n, y, x])
                    if length < best[y, x]:
                        best[y, x] = length
                        changed = True
    return changed
