"""What changes from frame to frame, apart from exposure and the weave of the film."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labcolor.base.typing import Array

__all__ = ["Outline", "changes", "outline"]

Outline = Array  # (3, h, w): L without grain, and how it changes for each small pixel downwards and across

_SIDE = 40  # places along the short side at which frames are compared
_ROUNDS = 3
_WEAVE = 2.5  # small pixels that a film moves between two frames, at most
_MOVED = 3.0  # difference of L from which a place counts less


def outline(lightness: Array, shape: tuple[int, ...]) -> Outline:
    """Return the outline of a frame at the size of its chroma.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        Small L.
    shape : (h, w, ...)
        Size of its chroma.

    Returns
    -------
    ndarray, shape (3, h, w), float32
    """
    means = ndimage.uniform_filter(lightness, 5, mode="nearest")
    wide = np.pad(means, 2, "edge")
    slopes = (wide[4:, 2:-2] - wide[:-4, 2:-2]) / 4, (wide[2:-2, 4:] - wide[2:-2, :-4]) / 4
    return np.stack([_on_grid(part, shape) for part in (means, *slopes)])


def _on_grid(values: Array, shape: tuple[int, ...]) -> Array:
    """Sample a map of the size of small L at the size of its chroma."""
    stride = -(-values.shape[0] // shape[0])
    if stride == 1:
        return values
    small = values[stride // 2 :: stride, stride // 2 :: stride]
    return np.pad(small, ((0, shape[0] - small.shape[0]), (0, shape[1] - small.shape[1])), "edge")


def changes(frame: Outline, other: Outline, play: float = 0) -> Array:
    """Return how much L changes between two frames, apart from exposure and weave.

    Gain, offset and a small shift are fitted to all places at once. Places where something moves count less.

    Parameters
    ----------
    frame, other : ndarray, shape (3, h, w), float32
        Outlines.
    play : float
        Small pixels by which an edge may be elsewhere.

    Returns
    -------
    ndarray, shape (h, w), float32
        Differences of L, 0 or more.
    """
    parts = np.concatenate([np.ones_like(other[:1]), other])
    step = max(1, min(frame.shape[1:]) // _SIDE)
    known = parts[:, ::step, ::step].reshape(4, -1)
    wanted = (frame[0] - other[0])[::step, ::step].reshape(-1)
    # of a frame without contrast only the offset is known
    prior = np.diag(np.array([1e-3, 1, 0.1, 0.1], np.float32)) * np.float32(wanted.size)
    change = np.zeros(4, np.float32)
    for _ in range(_ROUNDS):
        weights = 1 / (1 + np.square((wanted - change @ known) / np.float32(_MOVED)))
        weighted = known * weights
        change = np.linalg.solve(weighted @ known.T + prior, weighted @ wanted)
        change[2:] = np.clip(change[2:], -_WEAVE, _WEAVE)
    difference = np.abs(frame[0] - other[0] - np.tensordot(change, parts, 1))
    edges = np.hypot(frame[1], frame[2])
    return np.asarray(np.maximum(difference - np.float32(play) * edges, 0), np.float32)
