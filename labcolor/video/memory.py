"""Memory of colors: the network's features of objects in a shot, with their colors."""

from __future__ import annotations

import numpy as np

from labcolor.base.typing import Array
from labcolor.known.matching import match
from labcolor.video.saved import Floats, Forms, Stateful

# Logits are in the units of the hint spreader: at -1 a hint and the prediction have equal weight.
SHARPNESS = 60.0  # how much the most similar positions outweigh others
_KNOWN = -3.2  # smallest logit of a position that shows an object in the memory
_FIRST = 16.0  # weight of the first color of an object
_MAX_THINGS = 2048  # objects that are remembered
_HELD = 0.95  # largest share of the memory in a color
_UNSURE = -3.2  # logit at which the share is half of this
# Median logit of frames of one scene. Of 552 pairs of photographs, 0.5 % are above it, and 9 % are above -0.4; of views
# of one photograph, moved by a third of their width or a fifth closer, 9 in 10.
_ALIKE = -0.28
_BRIGHTER = 1.1  # factor over the remembered exposure above which the current colors replace the remembered ones
_BLACK = np.float32(16)  # in a darker exposure L + 16, a and b are smaller by one factor


def alike(keys: Array, known: Array) -> float:
    """Return how similar two frames are: above 0 if most positions of the first are known in the second."""
    distance = match(keys, known, np.zeros((len(known), 2), np.float32), SHARPNESS).distance
    return -float(np.median(distance)) - _ALIKE


def share_of(best: Array, unsure: float) -> Array:
    """Return the share of a recalled color, which is half where the largest logit is ``unsure``."""
    return np.asarray(1 / (1 + np.exp(np.clip(8 * (unsure - best), -50, 50))), np.float32)


class ColorMemory(Stateful):
    """Memory of one scene, with a mean color for each group of similar positions.

    The mean covers all frames so far, and the first color has the largest weight, so that the color of an object hardly
    changes from its first frame to its last. New objects keep their predicted color, and are then remembered. Where the
    exposure is darker than in the memory, colors are weakened in proportion. Where it is brighter, remembered colors
    are not amplified: after a fade-in, or when a lamp goes on, the current colors are remembered instead.
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
        """Return how similar a frame is to this scene: see :func:`alike`."""
        return -np.inf if self._keys is None else alike(keys, self._keys)

    def hold(self, ab: Array, keys: Array, lightness: Array) -> Array:
        """Adjust the colors of a frame to the memory, and remember them.

        Parameters
        ----------
        ab : ndarray, shape (h, w, 2), float32
            Predicted chroma.
        keys : ndarray, shape (h * w, D), float32
            Keys of its positions.
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
        """Remember positions, as long as there is room."""
        room = max(0, _MAX_THINGS - len(self._colors))
        self._keys = keys[:room] if self._keys is None else np.concatenate([self._keys, keys[:room]])
        self._colors = np.concatenate([self._colors, ab[:room]])
        self._counts = np.concatenate([self._counts, np.full((len(ab[:room]), 1), _FIRST, np.float32)])
