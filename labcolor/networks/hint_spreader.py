"""Spreading of color hints to similar positions that are connected with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array

__all__ = ["crowding", "limit_reach", "locate", "path_lengths", "shared_shift", "spread_hints", "spreader_shapes"]

_DIMENSIONS = 16  # of the space in which similarity is measured
# Limits of the reach of hints, chosen on held-out photographs and on the training part of BSDS500: a stroke colors less
# outside of its thing, and no less within.
_LIGHT = np.float32(15)  # difference of L that counts as much as one unit of the space
_COLOR = np.float32(20)  # the same of ab
_SHARES = (1.08, 0.11, 0.18, 0.3)  # of the squared differences of features, place, L and predicted ab
_STEP, _EDGE = np.float32(0.2), np.float32(0.25)  # of a path: of the difference of neighboring cells, and of its square
_TYPICAL = np.float32(0.6)  # difference of neighbors, to which larger ones of a picture full of texture are scaled
_WALL = np.float32(1e6)  # unlike everything
_NEIGHBORS = ((0, 1), (1, -1), (1, 0), (1, 1))  # rows down and columns to the right
_RESERVE = np.float32(-0.3)  # added to the trained logit of the prediction
_COMMON = np.float32(0.3)  # variance of the shift that positions share, in that of a single hint
_FALL = np.float32(0.5)  # its fall with the squared distance
_CUT = np.float32(12)  # largest shift of ab that counts as shared
_ALONE = 1 << 18  # products of a matrix product up to which OpenBLAS takes one thread
_PAIRS = 1 << 24  # pairs of a position and a hint in one comparison


def spreader_shapes(features: int) -> list[tuple[int, ...]]:
    """Return the shapes of a spreader's weights, for a number of features: projection, distance and prediction."""
    return [(features, _DIMENSIONS), (), ()]


def locate(features: Array, places: Array, weights: Sequence[Array]) -> Array:
    """Return positions in a space of features and place, in which squared distances are logits.

    Parameters
    ----------
    features : ndarray, shape (P, F), float32
        Of the network.
    places : ndarray, shape (P, 2), float32
        Coordinates in short sides.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    ndarray, shape (P, 18), float32
    """
    projection, distance, _ = weights
    size = np.sqrt(np.einsum("pf,pf->p", features, features) / np.float32(features.shape[1])) + np.float32(1e-6)
    near = places * np.float32(2 * np.sqrt(np.abs(distance)))
    return np.concatenate([_product(features, projection) / size[:, None], near], axis=-1)


def _product(first: Array, second: Array) -> Array:
    """Return a matrix product, in parts for which BLAS takes one thread: others would spin for 20 ms afterwards."""
    step = max(1, _ALONE // second.size)
    return np.concatenate([first[start : start + step] @ second for start in range(0, len(first), step)])


def limit_reach(own: Array, lightness: Array, ab: Array, weights: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return positions and weights with which hints spread less to another L, another color and other features.

    Distance in the picture counts less than in training: :func:`path_lengths` takes its place.

    Parameters
    ----------
    own : ndarray, shape (P, 18), float32
        Positions, from :func:`locate`.
    lightness : ndarray, shape (P, 1), float32
        Their L, in [0, 100].
    ab : ndarray, shape (P, 2), float32
        Their predicted color.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.

    Returns
    -------
    own : ndarray, shape (P, 21), float32
    weights : list of ndarray
        Arguments of :func:`spread_hints`.
    """
    parts = (*np.split(own, [_DIMENSIONS], axis=-1), lightness / _LIGHT, ab / _COLOR)
    scaled = [np.float32(np.sqrt(share)) * part for share, part in zip(_SHARES, parts, strict=True)]
    return np.concatenate(scaled, axis=-1), [*weights[:2], weights[2] + _RESERVE]


def path_lengths(
    own: Array, lightness: Array, shape: tuple[int, int], cells: Array, fences: Array | None = None
) -> Array:
    """Return how far each position is from hints along the best path between them.

    A path is as long as the sum of the differences between neighboring positions on it, where a large difference, the
    edge of a thing, counts more than many small ones.

    Parameters
    ----------
    own : ndarray, shape (P, 18), float32
        Positions of a grid, row by row, from :func:`locate`.
    lightness : ndarray, shape (P, 1), float32
        Their L, in [0, 100].
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
    values = np.concatenate([own[:, :_DIMENSIONS], lightness / _LIGHT], axis=-1)
    if fences is not None:
        values[fences] = _WALL
    grid = values.reshape(*shape, -1)
    rows, columns = shape
    steps: Array = np.full((len(_NEIGHBORS), rows, columns), np.inf, np.float32)
    for step, (down, across) in zip(steps, _NEIGHBORS, strict=True):
        here = slice(rows - down), slice(max(0, -across), columns - max(0, across))
        step[here] = np.linalg.norm(grid[here] - grid[down:, max(0, across) : columns + min(0, across)], axis=-1)
    inside = steps[np.isfinite(steps)]
    if len(inside):
        steps *= min(1, _TYPICAL / max(np.median(inside), _TYPICAL))
    steps = _STEP * steps + _EDGE * np.square(steps)
    lengths = np.full((len(cells), *shape), np.inf, np.float32)
    lengths.reshape(len(cells), -1)[np.arange(len(cells)), cells] = 0
    for best in lengths:
        while _sweep(steps, best, 1) | _sweep(steps, best, -1):
            pass
    return lengths.reshape(len(cells), -1).T


def crowding(theirs: Array, paths: Array | None = None) -> Array:
    """Return the number of hints at each hint: itself, and the others by their similarity to it.

    A large brush gives many hints to one thing. Together they have the weight of one, so that neither the size of a
    brush nor that of the grid changes the reach of a color.

    Parameters
    ----------
    theirs : ndarray, shape (K, D), float32
        Positions of the hints, from :func:`locate` or :func:`limit_reach`.
    paths : ndarray, shape (K, K), float32, optional
        From :func:`path_lengths`, for the hints.

    Returns
    -------
    ndarray, shape (K,), float32
        From 1 for a single hint to K.
    """
    logits = (_logits(theirs, theirs, paths, part) for part in _parts(theirs, theirs))
    return np.concatenate([np.exp(part).sum(axis=-1) for part in logits])


def spread_hints(
    ab: Array,
    own: Array,
    hints: Array,
    theirs: Array,
    counts: Array,
    weights: Sequence[Array],
    paths: Array | None = None,
) -> Array:
    """Mix hints into predicted chroma, by similarity of the network's features and by distance.

    At each position the result is a weighted mean of the prediction and the hints. The weight of a hint falls with the
    squared distance of the projected features and of the places; that of the prediction is constant. Hints at one
    position share one weight. Without hints the result is the prediction, and it stays between the given colors.
    The projection and the two constants are trained with simulated hints.

    Parameters
    ----------
    ab : ndarray, shape (P, 2), float32
        The prediction at P positions.
    own : ndarray, shape (P, D), float32
        These positions, from :func:`locate`.
    hints : ndarray, shape (K, 2), float32
        ab of the hints.
    theirs : ndarray, shape (K, D), float32
        Positions of the hints.
    counts : ndarray, shape (K,), float32
        Number of hints at each hint, from :func:`crowding`.
    weights : sequence of ndarray
        Of the spreader, in the order of :func:`spreader_shapes`.
    paths : ndarray, shape (P, K), float32, optional
        From :func:`path_lengths`; they are added to the squared distances.

    Returns
    -------
    ndarray, shape (P, 2), float32

    References
    ----------
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017 (the simulated
    hints). A. Vaswani et al., "Attention Is All You Need", 2017 (the mean weighted by a softmax of likeness).
    """
    prediction = np.float32(weights[2])
    spread = np.empty_like(ab, np.float32)
    for part in _parts(own, theirs):
        logits = _logits(own, theirs, paths, part)
        logits -= np.log(counts)
        highest = np.maximum(logits.max(axis=-1, keepdims=True), prediction)
        logits -= highest
        shares = np.exp(logits, out=logits)
        rest = np.exp(prediction - highest)
        spread[part] = (rest * ab[part] + shares @ hints) / (rest + shares.sum(axis=-1, keepdims=True))
    return spread


def shared_shift(own: Array, theirs: Array, shift: Array, counts: Array) -> Array:
    """Return what hints have in common: the part of their shift from the prediction that they share with a position.

    A hint also says a little about the rest of the picture, which a few hints that agree say better. This is kriging,
    the best linear estimate, with a covariance that falls with distance. Large shifts, which one thing alone is likely
    to have, are cut.

    Parameters
    ----------
    own : ndarray, shape (P, D), float32
        Positions, from :func:`limit_reach`.
    theirs : ndarray, shape (K, D), float32
        Positions of the hints.
    shift : ndarray, shape (K, 2), float32
        The difference of each hint from the prediction at its position.
    counts : ndarray, shape (K,), float32
        Number of hints at each hint, from :func:`crowding`.

    Returns
    -------
    ndarray, shape (P, 2), float32
    """
    size = np.linalg.norm(shift, axis=1, keepdims=True)
    cut = shift * np.minimum(1, _CUT / np.maximum(size, np.float32(1e-6)))
    whole = slice(None)
    between = _COMMON * np.exp(-np.sqrt(np.maximum(_FALL * -_logits(theirs, theirs, None, whole), 0)))
    solved = np.linalg.solve(between + np.diag(counts), cut)
    there = _COMMON * np.exp(-np.sqrt(np.maximum(_FALL * -_logits(own, theirs, None, whole), 0)))
    return np.asarray(there @ solved, np.float32)


def _parts(own: Array, theirs: Array) -> Iterator[slice]:
    """Yield slices of positions, sized to fit one comparison with all hints."""
    step = max(1, _PAIRS // len(theirs))
    for start in range(0, len(own), step):
        yield slice(start, start + step)


def _logits(own: Array, theirs: Array, paths: Array | None, part: slice) -> Array:
    """Return the negative squared distances, and paths, of a part of the positions and all hints, (P, K) float32."""
    logits = own[part] @ (2 * theirs.T)
    logits -= np.square(own[part]).sum(axis=-1, keepdims=True)
    logits -= np.square(theirs).sum(axis=-1)
    if paths is not None:
        logits -= paths[part]
    return np.asarray(logits)


@jit
def _sweep(steps: Array, best: Array, way: int) -> bool:
    """Shorten paths by a last step from a neighbor, forth (1) or back (-1); return whether one became shorter.

    ``steps`` (N, h, w) are the lengths from each cell to its ``_NEIGHBORS``; ``best`` (h, w), those of paths so far.
    """
    rows, columns = best.shape
    changed = False
    for i in range(rows):
        y = i if way > 0 else rows - 1 - i
        for j in range(columns):
            x = j if way > 0 else columns - 1 - j
            for n in range(len(_NEIGHBORS)):
                down, across = _NEIGHBORS[n]
                v, u = y - way * down, x - way * across
                if 0 <= v < rows and 0 <= u < columns:
                    length = best[v, u] + (steps[n, v, u] if way > 0 else steps[n, y, x])
                    if length < best[y, x]:
                        best[y, x] = length
                        changed = True
    return changed
