"""Steady color over time: the small ab maps of a film, smoothed where the picture rests, reset at cuts."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labcolor._typing import Array
from labcolor.color import kernels

__all__ = ["ChromaSmoother", "chroma_between"]

# In units of L, after a mean over 5 x 5 small pixels, which takes out film grain: below the first a pixel rests,
# above the second it has moved, in between it is partly held.
_RESTS, _MOVES = 1.5, 4.0
# A slow change, a fade, is measured against L averaged as ab is, and both thresholds are so many times higher.
_DRIFT = 4.0
# A cut: L changes by this much on the mean, and by so many times more than in the frames before.
_CUT, _CUT_RATIO = 9.0, 3.0
# Of a frame whose chroma is taken from frames around it, the share of pixels whose L may be like neither's.
_UNEXPLAINED = 0.1


def _on_chroma_grid(values: Array, shape: tuple[int, ...]) -> Array:
    """Bring a map at the size of small L to the size of its chroma."""
    stride = -(-values.shape[0] // shape[0])
    if stride == 1:
        return values
    small = values[stride // 2 :: stride, stride // 2 :: stride]
    return np.pad(small, ((0, shape[0] - small.shape[0]), (0, shape[1] - small.shape[1])), "edge")


def _change(lightness: Array, other: Array) -> Array:
    """How far L moved, free of film grain."""
    return np.asarray(np.abs(ndimage.uniform_filter(lightness - other, 5, mode="nearest")))


def chroma_between(lightness: Array, before: tuple[Array, Array], after: tuple[Array, Array]) -> Array | None:
    """Chroma of a frame from the frames around it: at each place from the one whose L is more like its own.

    Parameters
    ----------
    lightness : ndarray, shape (H, W), float32
        Small L of the frame.
    before, after : (lightness, ab)
        The same of its neighbors, and their chroma, (h, w, 2) float32.

    Returns
    -------
    ndarray, shape (h, w, 2), float32, or None
        None if too much of the frame is like neither.
    """
    first, second = (_change(lightness, neighbor) for neighbor, _ in (before, after))
    if (np.minimum(first, second) > _MOVES).mean() > _UNEXPLAINED:
        return None
    first, second = np.square(first + 0.5), np.square(second + 0.5)
    share = _on_chroma_grid(first / (first + second), before[1].shape)[..., None].astype(np.float32)
    return before[1] + (after[1] - before[1]) * share


class ChromaSmoother:
    """Follows one film, frame by frame.

    Where L rests, ab is an exponential moving average of its past. Where L changes, and a little around, ab is new at
    once, but as far behind as what rests around it and is alike in L. Where L fades, ab follows it. At a cut all of it
    is new.

    Parameters
    ----------
    strength : float
        Share of the past in the average, 0 (no smoothing) to less than 1.
    """

    def __init__(self, strength: float) -> None:
        self._strength = np.float32(strength)
        self._before: tuple[Array, Array] | None = None  # L, and its mean around each pixel of chroma
        self._averages: tuple[Array, Array] | None = None  # over time, of these means and of ab
        self._usual_change = 0.0

    def update(self, lightness: Array, ab: Array) -> tuple[Array, bool]:
        """Take the next frame's maps.

        Parameters
        ----------
        lightness : ndarray, shape (H, W), float32
            Small L, in [0, 100].
        ab : ndarray, shape (h, w, 2), float32
            Its chroma; H is a multiple of h, rounded up, and so is W.

        Returns
        -------
        ab : ndarray, shape (h, w, 2), float32
            Smoothed chroma.
        cut : bool
            Whether this frame begins a new scene.
        """
        means = _on_chroma_grid(ndimage.uniform_filter(lightness, 5, mode="nearest"), ab.shape)  # free of film grain
        before, self._before = self._before, (lightness, means)
        if before is None or self._averages is None or before[0].shape != lightness.shape:
            self._averages, self._usual_change = (means, ab), 0.0
            return ab, False
        mean_change = float(np.abs(lightness - before[0]).mean())
        cut = mean_change > _CUT and mean_change > _CUT_RATIO * self._usual_change
        if cut or self._strength == 0:
            self._averages = means, ab
        else:
            past, past_ab = self._averages
            change = np.maximum(np.abs(means - before[1]), np.abs(means - past) / _DRIFT)
            around = 3 if ab.shape[0] < lightness.shape[0] else 5  # a little more than a pixel of chroma
            moved = ndimage.maximum_filter(change, around, mode="nearest")
            rests = 1 - np.clip((moved - _RESTS) / (_MOVES - _RESTS), 0, 1)
            held_ab = self._held(ab, past_ab, rests, means)
            self._averages = means + (past - means) * (self._strength * rests), held_ab
        # the usual change follows slowly, and forgets at a cut
        self._usual_change = 0.0 if cut else 0.8 * self._usual_change + 0.2 * mean_change
        return self._averages[1], cut

    def _held(self, ab: Array, past: Array, rests: Array, means: Array) -> Array:
        """Return new ab: held where it rests, elsewhere as far behind as what is like it around, to leave no track."""
        offsets = (past - ab) * (self._strength * rests[..., None])
        reach = max(2, min(rests.shape) // 3)
        spread = np.empty_like(offsets)
        kernels.spread(offsets, rests, means, reach, max(1, reach // 6), spread)
        return ab + spread
