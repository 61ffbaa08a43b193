"""What changes from frame to frame, apart from exposure and the weave of the film."""

from __future__ import annotations

import numpy as np

from labcolor._typing import Array

__all__ = ["fitted"]

_SIDE = 40  # places along the short side at which frames are compared
_ROUNDS = 3
_WEAVE = 0.6  # of a place, at most
_MOVED = 3.0  # difference of L from which a place counts less


def fitted(frame: Array, other: Array) -> Array:
    """Return another frame with the exposure and the place of a frame.

    Gain, offset and a small shift are fitted to all places at once. Places where something moves count less.

    Parameters
    ----------
    frame, other : ndarray, shape (h, w), float32
        L without grain.

    Returns
    -------
    ndarray, shape (h, w), float32
        ``other``, as near to ``frame`` as gain, offset and shift bring it.
    """
    down, across = np.gradient(other)
    parts = np.stack([np.ones_like(other), other, down, across])
    step = max(1, min(frame.shape) // _SIDE)
    known = parts[:, ::step, ::step].reshape(4, -1)
    wanted = (frame - other)[::step, ::step].reshape(-1)
    # of a frame without contrast only the offset is known
    prior = np.diag(np.array([1e-3, 1, 0.1, 0.1], np.float32)) * np.float32(wanted.size)
    change = np.zeros(4, np.float32)
    for _ in range(_ROUNDS):
        weights = 1 / (1 + np.square((wanted - change @ known) / np.float32(_MOVED)))
        weighted = known * weights
        change = np.linalg.solve(weighted @ known.T + prior, weighted @ wanted)
        change[2:] = np.clip(change[2:], -_WEAVE, _WEAVE)
    return np.asarray(other + np.tensordot(change, parts, 1), np.float32)
