"""Memory of colors: what things looked like in a shot, by the network's features, and which color they had."""

from __future__ import annotations

from typing import Any

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.base.validation import require_names
from labcolor.video.saved import float_array

__all__ = ["ColorMemory", "alike", "recall", "share_of"]

# Logits are in units of the spreader's own: at -1 a hint and the prediction weigh the same.
_SHARPNESS = 60.0  # how much the most similar places outweigh others
_KNOWN = -3.2  # logit from which a place shows a thing that the memory knows
_FIRST = 16.0  # weight of the first color of a thing
_MAX_THINGS = 2048  # things that are remembered
_HELD = 0.95  # largest share of the memory in a color
_UNSURE = -3.2  # logit at which this share is half
# Median logit of frames of one scene. Of 552 pairs of photographs, 0.5 % are above it, and 9 % are above -0.4; of views
# of one photograph, moved by a third of their width or a fifth closer, 9 in 10.
_ALIKE = -0.28
_BRIGHTER = 1.1  # exposure, of what is remembered, from which the present colors are better guesses
_BLACK = np.float32(16)  # in a darker exposure L + 16, a and b are smaller by one factor


def recall(keys: Array, known: Array, colors: Array) -> tuple[Array, Array]:
    """Return the colors of what is most similar.

    Parameters
    ----------
    keys : ndarray, shape (P, D), float32
        Places, as :meth:`Pipeline.located_chroma` gives them.
    known : ndarray, shape (K, D), float32
        Places whose color is known.
    colors : ndarray, shape (K, 2), float32
        Their colors.

    Returns
    -------
    ab : ndarray, shape (P, 2), float32
        The mean of the colors, weighted by likeness.
    best : ndarray, shape (P, 1), float32
        The largest logit: 0 for a place that is the same.
    """
    return _similar(keys, known, colors)[:2]


def _similar(keys: Array, known: Array, colors: Array) -> tuple[Array, Array, Array]:
    """Return what :func:`recall` returns, and the index of the most similar known place of each place."""
    ab, best = np.empty((len(keys), 2), np.float32), np.empty((len(keys), 1), np.float32)
    nearest = np.zeros(len(keys), np.int64)
    given = np.ascontiguousarray(keys), np.ascontiguousarray(known.T), np.ascontiguousarray(colors, np.float32)
    _compare(*given, np.float32(_SHARPNESS), ab, best, nearest)
    return ab, best, nearest


def alike(keys: Array, known: Array) -> float:
    """Return how much two frames look like one scene: above 0 if most places of the first are known in the second."""
    best = recall(keys, known, np.zeros((len(known), 2), np.float32))[1]
    return float(np.median(best)) - _ALIKE


def share_of(best: Array, unsure: float) -> Array:
    """Return the share of a recalled color, which is half where the largest logit is ``unsure``."""
    return np.asarray(1 / (1 + np.exp(np.clip(8 * (unsure - best), -50, 50))), np.float32)


@jit
def _compare(
    keys: Array, known: Array, colors: Array, sharpness: float, ab: Array, best: Array, nearest: Array
) -> None:
    """Fill in, for each place, the mean color of what is similar, the largest logit, and the index that it belongs to.

    Parameters: ``keys`` (P, D), ``known`` (D, K), ``colors`` (K, 2); ``ab`` (P, 2), ``best`` (P, 1), ``nearest`` (P,)
    are filled in.
    """
    dimensions = known.shape[0]
    limit = np.float32(8) / sharpness  # of what is further than the nearest by this, the weight is nothing
    row = np.empty(known.shape[1], np.float32)
    bits = row.view(np.int32)  # of values from 0, in the same order; integers are compared many at a time
    lowest = np.empty(1, np.int32)
    for i in range(keys.shape[0]):
        row[:] = np.float32(0)
        for first in range(0, dimensions - 2, 3):  # three at a time, which saves loads
            one, two, three = keys[i, first], keys[i, first + 1], keys[i, first + 2]
            for k in range(len(row)):
                x, y, z = known[first, k] - one, known[first + 1, k] - two, known[first + 2, k] - three
                row[k] += x * x + y * y + z * z
        for dimension in range(dimensions - dimensions % 3, dimensions):
            value = keys[i, dimension]
            for k in range(len(row)):
                x = known[dimension, k] - value
                row[k] += x * x
        low = bits[0]
        for k in range(len(bits)):
            low = min(low, bits[k])
        lowest[0] = low
        distance = lowest.view(np.float32)[0]
        total, a, b = np.float32(0), np.float32(0), np.float32(0)
        for k in range(len(row)):
            if row[k] < distance + limit:
                weight = np.exp((distance - row[k]) * sharpness)
                total += weight
                a += weight * colors[k, 0]
                b += weight * colors[k, 1]
                if row[k] == distance:
                    nearest[i] = k
        ab[i, 0], ab[i, 1], best[i, 0] = a / total, b / total, -distance


class ColorMemory:
    """Memory of one scene: one mean color for what is alike.

    The mean is of all frames so far, and the first color counts most, so that a thing has nearly one color from its
    first frame to its last. What is new in the scene keeps its predicted color, and is then remembered. Where the
    exposure is darker than it was, colors are weaker in proportion. Where it is brighter, no guess is amplified: after
    a fade-in, or when a lamp goes on, what is seen then is remembered instead.
    """

    def __init__(self) -> None:
        self._keys: Array | None = None
        self._colors = np.empty((0, 3), np.float32)  # a, b and L + 16
        self._counts = np.empty((0, 1), np.float32)

    def state(self) -> dict[str, Any]:
        """Return what is remembered, as arrays."""
        return {"keys": self._keys, "colors": self._colors, "counts": self._counts}

    def restore(self, state: Any, dimensions: int) -> None:
        """Remember what :meth:`state` returned, for keys of a number of dimensions.

        Raises
        ------
        InputError
            The state is something else.
        """
        require_names("memory", state, self.state())
        self._keys = float_array("keys", state["keys"], None, dimensions)
        self._colors = float_array("colors", state["colors"], len(self._keys), 3)
        self._counts = float_array("counts", state["counts"], len(self._keys), 1)

    def alike(self, keys: Array) -> float:
        """Return how much a frame looks like this scene: see :func:`alike`."""
        return -np.inf if self._keys is None else alike(keys, self._keys)

    def hold(self, ab: Array, keys: Array, lightness: Array) -> Array:
        """Bring the colors of a frame to what is remembered, and remember them.

        Parameters
        ----------
        ab : ndarray, shape (h, w, 2), float32
            Predicted chroma.
        keys : ndarray, shape (h * w, D), float32
            Its places, as :meth:`Pipeline.located_chroma` gives them.
        lightness : ndarray, shape (h, w), float32
            Its L, in [0, 100].

        Returns
        -------
        ndarray, shape (h, w, 2), float32
        """
        rows, columns, _ = ab.shape
        keys = keys.reshape(rows, columns, -1)[::2, ::2].reshape(-1, keys.shape[1])  # offsets are smooth
        new = np.concatenate([ab, lightness[..., None] + _BLACK], axis=-1)[::2, ::2].reshape(-1, 3)
        if self._keys is None:
            self._add(new, keys)
            return ab
        _, best, nearest = _similar(keys, self._keys, self._colors[:, :2])
        known = best[:, 0] > _KNOWN
        counts = np.bincount(nearest[known], minlength=len(self._keys)).astype(np.float32)[:, None]
        there = counts[:, 0] > 0
        if not there.any():
            self._add(new, keys)
            return ab
        sums = [np.bincount(nearest[known], new[known, channel], len(self._keys)) for channel in range(3)]
        means = (np.stack(sums, axis=1)[there] / counts[there]).astype(np.float32)
        exposure = np.median(means[:, 2] / self._colors[there, 2])
        if exposure > _BRIGHTER:
            self._colors[there], self._counts[there] = means, _FIRST
        exposure = min(np.float32(1), exposure)
        self._counts[there] += 1
        self._colors[there] += (means / exposure - self._colors[there]) / self._counts[there]
        offsets, logits = recall(keys, self._keys[there], (self._colors[there] * exposure - means)[:, :2])
        offsets *= np.float32(_HELD) * share_of(logits, _UNSURE)
        self._add(new[~known] / exposure, keys[~known])
        wide = offsets.reshape(-(-rows // 2), -(-columns // 2), 2).repeat(2, axis=0).repeat(2, axis=1)
        return np.asarray(ab + wide[:rows, :columns], np.float32)

    def _add(self, ab: Array, keys: Array) -> None:
        """Remember places, as long as there is room."""
        room = max(0, _MAX_THINGS - len(self._colors))
        self._keys = keys[:room] if self._keys is None else np.concatenate([self._keys, keys[:room]])
        self._colors = np.concatenate([self._colors, ab[:room]])
        self._counts = np.concatenate([self._counts, np.full((len(ab[:room]), 1), _FIRST, np.float32)])
