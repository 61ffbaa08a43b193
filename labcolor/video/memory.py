"""Memory of colors: what things looked like in a shot, by the network's features, and which color they had."""

from __future__ import annotations

import numpy as np

from labcolor.base.typing import Array
from labcolor.known.matching import match
from labcolor.video.saved import Floats, Forms, Stateful

# Logits are in units of the spreader's own: at -1 a hint and the prediction weigh the same.
SHARPNESS = 60.0  # how much the most similar places outweigh others
_KNOWN = -3.2  # logit from which a place shows a thing that the memory knows
_FIRST = 16.0  # weight of the first color of a thing
_MAX_THINGS = 2048  # things that are remembered
_HELD = 0.95  # largest share of the memory in a color
_UNSURE = -3.2  # logit at which this share is half
# Median logit of frames of one scene. Of 552 pairs of photographs, 0.5 % are above it, and 9 % are above -0.4; of views
# of one photograph, moved by a third of their width or a fifth closer, 9 in 10.
_ALIKE = -0.28
_BRIGHTER = 1.1  # factor of the remembered exposure above which the present colors are better guesses
_BLACK = np.float32(16)  # in a darker exposure L + 16, a and b are smaller by one factor


def alike(keys: Array, known: Array) -> float:
    """Return how much two frames look like one scene: above 0 if most places of the first are known in the second."""
    distance = match(keys, known, np.zeros((len(known), 2), np.float32), SHARPNESS).distance
    return -float(np.median(distance)) - _ALIKE


def share_of(best: Array, unsure: float) -> Array:
    """Return the share of a recalled color, which is half where the largest logit is ``unsure``."""
    return np.asarray(1 / (1 + np.exp(np.clip(8 * (unsure - best), -50, 50))), np.float32)


class ColorMemory(Stateful):
    """Memory of one scene, with a mean color for each group of similar positions.

    The mean is of all frames so far, and the first color counts most, so that a thing has nearly one color from its
    first frame to its last. What is new in the scene keeps its predicted color, and is then remembered. Where the
    exposure is darker than it was, colors are weaker in proportion. Where it is brighter, no guess is amplified: after
    a fade-in, or when a lamp goes on, what is seen then is remembered instead.
    """

    def __init__(self) -> None:
        self._keys: Array | None = None
        self._colors = np.empty((0, 3), np.float32)  # a, b and L + 16
        self._counts = np.empty((0, 1), np.float32)

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        return {
            "_keys": Floats(("things", "dimensions")),
            "_colors": Floats(("things", 3)),
            "_counts": Floats(("things", 1)),
        }

    def alike(self, keys: Array) -> float:
        """Return how much a frame looks like this scene: see :func:`alike`."""
        return -np.inf if self._keys is None else alike(keys, self._keys)

    def hold(self, ab: Array, keys: Array, lightness: Array) -> Array:
        """Adjust the colors of a frame to the memory, and remember them.

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
        _, distance, nearest, _ = match(keys, self._keys, self._colors[:, :2], SHARPNESS)
        known = -distance > _KNOWN
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
        change = (self._colors[there] * exposure - means)[:, :2]
        offsets, distance, *_ = match(keys, self._keys[there], change, SHARPNESS)
        offsets *= np.float32(_HELD) * share_of(-distance[:, None], _UNSURE)
        self._add(new[~known] / exposure, keys[~known])
        wide = offsets.reshape(-(-rows // 2), -(-columns // 2), 2).repeat(2, axis=0).repeat(2, axis=1)
        return np.asarray(ab + wide[:rows, :columns], np.float32)

    def _add(self, ab: Array, keys: Array) -> None:
        """Remember places, as long as there is room."""
        room = max(0, _MAX_THINGS - len(self._colors))
        self._keys = keys[:room] if self._keys is None else np.concatenate([self._keys, keys[:room]])
        self._colors = np.concatenate([self._colors, ab[:room]])
        self._counts = np.concatenate([self._counts, np.full((len(ab[:room]), 1), _FIRST, np.float32)])
