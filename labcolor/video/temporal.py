"""Smoothing over time: small ab maps of a video, averaged in static regions."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import ndimage

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.video.frame_difference import Outline, changes
from labcolor.video.saved import COUNT, Floats, Forms, Maybe, Stateful

Known: TypeAlias = tuple[Outline, Array]  # a frame whose chroma is known: its outline, and ab, (h, w, 2)

# Changes of L, after a mean over 5 x 5 small pixels that removes film grain. A pixel is static below the first
# threshold and has moved above the second. In between its past colors are kept in part.
_STATIC, _MOVED = 1.5, 4.0
# At an edge a shift by a part of a small pixel does not count as motion: film weaves by more than the fit removes.
_PLAY = 0.5
# A slow change, such as a fade, is measured against the moving average of L. This factor raises both thresholds for it.
_DRIFT = 4.0
# Weight of a new frame in the average that removes flicker before a fade is measured.
_NEW = 0.3
# Largest median change of L, as a share of its contrast, at a cut within a dissolve; and the number of frames of a film
# over which colors then change from those of the previous shot to those of the new one.
_GRADUAL = 0.28
_FADE = 12
# Largest share of positions that may be similar to neither neighbor if a frame takes its chroma from the neighbors.
_UNEXPLAINED = 0.1


def unexplained(change: Array) -> float:
    """Return the share of a frame that differs too much from another, by :func:`changes`, to take its chroma."""
    return float((change > _MOVED).mean())


def chroma_between(frame: Outline, before: Known, after: Known, place: float = 0.5) -> Array | None:
    """Return the chroma of a frame, taken from two other frames.

    At each position, the frame with the more similar L gets the larger weight. Differences of exposure are ignored.

    Parameters
    ----------
    frame : ndarray, shape (3, h, w), float32
        Outline of the frame.
    before, after : (outline, ab)
        The other frames, with chroma (h, w, 2) float32.
    place : float
        Weight of the frame after, if both frames are equally similar.

    Returns
    -------
    ndarray, shape (h, w, 2), float32, or None
        None if too much of the frame is similar to neither.
    """
    first = changes(frame, before[0])
    second = first if after is before else changes(frame, after[0])
    if unexplained(np.minimum(first, second)) > _UNEXPLAINED:
        return None
    first, second = np.square(first + 0.5) * np.float32(place), np.square(second + 0.5) * np.float32(1 - place)
    share = (first / (first + second))[..., None]
    return np.asarray(before[1] + (after[1] - before[1]) * share)


def _gradual(before: Outline | None, frame: Outline) -> bool:
    """Return whether most of a frame is unchanged since the previous frame, apart from exposure."""
    if before is None or before.shape != frame.shape:
        return False
    return bool(np.median(changes(frame, before)) < _GRADUAL * np.abs(frame[0] - frame[0].mean()).mean())


class ChromaSmoother(Stateful):
    """Smoother of the chroma of one video, frame by frame.

    Where L is static, ab is an exponential moving average over time. Exposure flicker and the weave of the film do not
    count as motion. Where L changes, and next to such pixels, the new ab applies at once, with the lag of nearby static
    pixels of similar L. Where L fades, ab follows. At a cut the new ab applies everywhere at once, and within a
    dissolve gradually.

    Parameters
    ----------
    strength : float
        Weight of the past in the average, from 0 (no smoothing) to less than 1, at the rate of a film.
    pace : float
        Number of frames that last as long as one frame of a film: see :func:`labcolor.io.times.pace_of`.
    stride : int
        Factor by which chroma is smaller than the network's input.
    """

    def __init__(self, strength: float, pace: float = 1.0, stride: int = 1) -> None:
        # pixels around motion that take their new ab: a little more than one pixel of chroma
        self._around = 3 if stride > 1 else 5
        self._strength = np.float32(strength ** (1 / pace))
        self._new = np.float32(_NEW if pace == 1 else 1 - (1 - _NEW) ** (1 / pace))
        self._fade = max(1, round(_FADE * pace))
        self._before: Outline | None = None  # of the last frame
        self._recent: Array | None = None  # average of L over a few frames, without flicker
        self._averages: tuple[Array, Array] | None = None  # moving averages of L and of ab
        self._left: Array | None = None  # ab at the end of the previous shot, while colors change to this shot's
        self._age = 0  # frames of the shot so far

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        lightness, ab = Floats(("height", "width")), Floats(("height", "width", 2))
        return {
            "_age": COUNT,
            "_before": Maybe(Floats((3, "height", "width"))),
            "_recent": Maybe(lightness),
            "_averages": Maybe((lightness, ab)),
            "_left": Maybe(ab),
        }

    def reset(self, gradual: bool = True) -> None:
        """Forget the past, at a cut.

        Parameters
        ----------
        gradual : bool
            Whether colors change gradually if the cut lies within a dissolve.
        """
        if self._averages is not None:
            self._left = self._averages[1] if gradual else None
        self._averages, self._age = None, 0

    def update(self, frame: Outline, ab: Array) -> Array:
        """Smooth the chroma of the next frame.

        Parameters
        ----------
        frame : ndarray, shape (3, h, w), float32
            Its outline.
        ab : ndarray, shape (h, w, 2), float32
            Its chroma.

        Returns
        -------
        ndarray, shape (h, w, 2), float32
            Smoothed chroma.
        """
        if self._strength == 0:
            return ab
        before, self._before = self._before, frame
        if self._left is not None and self._age == 0 and not _gradual(before, frame):
            self._left = None
        smoothed = self._averaged(frame, before, ab)
        self._age += 1
        if self._left is None or self._age >= self._fade:
            return smoothed
        return np.asarray(self._left + (smoothed - self._left) * np.float32(self._age / self._fade))

    def _averaged(self, frame: Outline, before: Outline | None, ab: Array) -> Array:
        """Return ab averaged over time."""
        means = frame[0]
        if before is None or self._recent is None or self._averages is None or before.shape != frame.shape:
            self._recent, self._averages = means, (means, ab)
            return ab
        past, past_ab = self._averages
        recent = self._recent + (means - self._recent) * self._new
        change = np.maximum(changes(frame, before, _PLAY), np.abs(recent - past) / _DRIFT)
        moved = ndimage.maximum_filter(change, self._around, mode="nearest")
        static = 1 - np.clip((moved - _STATIC) / (_MOVED - _STATIC), 0, 1)
        self._recent = means + (recent - means) * static
        smoothed = self._smoothed(ab, past_ab, static, means)
        self._averages = means + (past - means) * (self._strength * static), smoothed
        return smoothed

    def _smoothed(self, ab: Array, past: Array, static: Array, means: Array) -> Array:
        """Return averaged ab where L is static, and elsewhere ab with the lag of similar static pixels.

        Without this lag a moving object would leave a trail of different colors.
        """
        offsets = (past - ab) * (self._strength * static[..., None])
        reach = max(2, min(static.shape) // 3)
        spread = np.empty_like(offsets)
        _spread(offsets, static, means, reach, max(1, reach // 6), spread)
        return ab + spread


@jit
def _spread(offsets: Array, held: Array, lightness: Array, reach: int, step: int, out: Array) -> None:
    """Spread the offsets of ab from held pixels to nearby pixels that are not held and have a similar L.

    Pixels whose L differs by 8 or more have no weight. ``reach`` is the largest distance, and every ``step``-th pixel
    within it is used.
    """
    F = offsets.dtype.type
    height, width = held.shape
    for y in range(height):
        for x in range(width):
            out[y, x, 0], out[y, x, 1] = offsets[y, x, 0], offsets[y, x, 1]
            if held[y, x] > F(0.95):
                continue
            total, a, b = F(0.02), F(0.0), F(0.0)  # prior for no offset, which a few distant pixels do not outweigh
            for v in range(max(0, y - reach), min(height, y + reach + 1), step):
                for u in range(max(0, x - reach), min(width, x + reach + 1), step):
                    unlike = (lightness[v, u] - lightness[y, x]) / F(8.0)
                    far = F((v - y) * (v - y) + (u - x) * (u - x)) / F(2 * reach * reach)
                    alike = max(F(0.0), F(1.0) - unlike * unlike)
                    weight = held[v, u] * alike * alike * (F(1.0) - far)
                    total += weight
                    a += weight * offsets[v, u, 0]
                    b += weight * offsets[v, u, 1]
            share = F(1.0) - held[y, x]
            out[y, x, 0] += share * (a / total - offsets[y, x, 0])
            out[y, x, 1] += share * (b / total - offsets[y, x, 1])
