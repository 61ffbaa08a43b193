"""Steady colour over time: the small ab maps of a film, smoothed where the picture rests, reset at cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["ChromaSmoother"]

Array = npt.NDArray[Any]
# In units of L, after a mean over 5 x 5 small pixels, which takes out film grain: below the first a pixel rests,
# above the second it has moved, in between it is partly held.
_RESTS, _MOVES = 1.5, 4.0
# A cut: L changes by this much on the mean, and by so many times more than in the frames before.
_CUT, _CUT_RATIO = 9.0, 3.0


class ChromaSmoother:
    """Follows one film, frame by frame.

    Where L rests, ab is an exponential moving average of its past; where L changes, and a little around, ab is new at
    once. At a cut all of it is new.

    Parameters
    ----------
    strength : float
        Share of the past in the average, 0 (no smoothing) to less than 1.
    """

    def __init__(self, strength: float) -> None:
        self._strength = np.float32(strength)
        self._lightness: Array | None = None
        self._ab: Array | None = None
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
        before, self._lightness = self._lightness, lightness
        if before is None or self._ab is None or before.shape != lightness.shape:
            self._ab, self._usual_change = ab, 0.0
            return ab, False
        change = lightness - before
        mean_change = float(np.abs(change).mean())
        cut = mean_change > _CUT and mean_change > _CUT_RATIO * self._usual_change
        if cut or self._strength == 0:
            self._ab = ab
        else:
            moved = np.abs(ndimage.uniform_filter(change, 5, mode="nearest"))
            moved = ndimage.maximum_filter(moved, 5, mode="nearest")
            stride = -(-lightness.shape[0] // ab.shape[0])
            if stride > 1:
                moved = ndimage.maximum_filter(moved, stride, mode="nearest")[
                    stride // 2 :: stride, stride // 2 :: stride
                ]
                rows, columns = (size - have for size, have in zip(ab.shape, moved.shape, strict=False))
                moved = np.pad(moved, ((0, rows), (0, columns)), "edge")
            held = self._strength * (1 - np.clip((moved - _RESTS) / (_MOVES - _RESTS), 0, 1))
            self._ab = ab + (self._ab - ab) * held[..., None].astype(np.float32)
        # the usual change follows slowly, and forgets at a cut
        self._usual_change = 0.0 if cut else 0.8 * self._usual_change + 0.2 * mean_change
        return self._ab, cut
