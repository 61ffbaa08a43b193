"""Cuts of a video: where a new shot begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.base.validation import integer, require, require_names
from labcolor.video.saved import as_list, float_array

__all__ = ["AHEAD", "CutDetector"]

AHEAD = 4  # frames that follow, by which a flash is told from a cut

_ROWS = 24  # rows of cells in which frames are compared; grain vanishes in the mean over a cell
_BLOCK, _STEP, _REACH = 9, 5, 7  # side and distance of the blocks that are looked for, and how far, in cells
_BLACK = 4.0  # L of a row or column of a letterbox, at most
_BLANK = 0.4  # mean deviation of L of a frame that shows nothing
_CHANGED = 0.28  # median change at a cut, as a share of contrast, at least
_UNLIKE = 0.46  # cost of the best matches of all blocks, as a share of the mean cost of all places
_SPANS = 14, 24, 40  # lengths of dissolves that are looked for, in frames of a film
_PURE = 0.04  # share of one end in the frames next to the other, at most
_MIXED = 0.65  # what two ends of a dissolve do not explain of a frame between them, as a share of its contrast


class CutDetector:
    """Detector of the cuts of one video, frame by frame.

    Frames are compared in L after their exposure has been taken out: each has the same mean and contrast. A frame
    begins a shot if its blocks are not found in the frame before, at any place nearby. So flicker, fades and motion
    are no cuts, and two dark shots differ. A frame that shows nothing is left out: what follows is compared with what
    came before. A change that is gone again within :data:`AHEAD` frames is a flash. A dissolve is found at its end:
    the frames between are mixtures of its ends.

    Parameters
    ----------
    first : int
        Number of the first frame.
    pace : float
        Frames that take as long as one of a film: see :func:`labcolor.io.times.pace_of`.
    """

    def __init__(self, first: int = 0, pace: float = 1.0) -> None:
        self._frame = first - 1
        self._spans = [max(5, round(span * pace)) for span in _SPANS]
        self._past: deque[tuple[int, Array]] = deque(maxlen=max(self._spans) + 1)
        self._flash = -1  # the last frame of a flash

    def state(self) -> dict[str, Any]:
        """Return what the detector remembers, as plain values and arrays."""
        return {"frame": self._frame, "flash": self._flash, "past": list(self._past)}

    def restore(self, state: Any) -> None:
        """Remember what :meth:`state` returned. Raise an InputError if it is something else."""
        require_names("cuts", state, self.state())
        for name in ("frame", "flash"):
            require(name, state[name], integer(-1))
        self._past.clear()
        for item in as_list("past", state["past"]):
            number, cells = as_list("past", item, 2)
            require("past", number, integer(0))
            shape = self._past[0][1].shape if self._past else (None, None)
            self._past.append((number, float_array("past", cells, *shape)))
        self._frame, self._flash = state["frame"], state["flash"]

    def update(self, lightness: Array, ahead: Sequence[Array] = ()) -> int | None:
        """Take the next frame.

        Parameters
        ----------
        lightness : ndarray, shape (H, W), float32
            Small L of the frame.
        ahead : sequence of ndarray
            Small L of up to :data:`AHEAD` frames that follow. Without them a flash counts as a cut.

        Returns
        -------
        int or None
            Number of a frame that begins a shot: this frame, or the middle of a dissolve that ends here.
        """
        self._frame += 1
        cells = _cells(lightness)
        if _contrast(_cropped(cells, cells)[0]) < _BLANK or self._frame <= self._flash:
            return None
        if not self._past:
            self._past.append((self._frame, cells))
            return None
        before = self._past[-1][1]
        if _unlike(before, cells) > _UNLIKE:
            if any(_unlike(other, cells) <= _UNLIKE for _, other in list(self._past)[-1 - AHEAD : -1]):
                self._past.append((self._frame, cells))  # after a flash
                return None
            for distance, other in enumerate(ahead[:AHEAD], 1):
                if _unlike(before, _cells(other)) <= _UNLIKE:
                    self._flash = self._frame + distance - 1
                    return None
            return self._begin(self._frame, cells)
        self._past.append((self._frame, cells))
        if self._frame % 4 == 0:
            for span in self._spans:
                if len(self._past) > span and (middle := self._dissolved(span)) is not None:
                    return self._begin(middle, cells)
        return None

    def _begin(self, first: int, cells: Array) -> int:
        self._past.clear()
        self._past.append((self._frame, cells))
        return first

    def _dissolved(self, span: int) -> int | None:
        """Return the middle of a dissolve that fills the last ``span`` frames, or None if there is none."""
        frames = np.stack([cells for _, cells in list(self._past)[-1 - span :]]).reshape(span + 1, -1).T
        first, last = self._past[-1 - span][1], self._past[-1][1]
        if _unlike(first, last) <= _UNLIKE:
            return None
        ends = np.stack([frames[:, 0], frames[:, -1], np.ones(len(frames), np.float32)], axis=-1)
        gram = ends.T @ ends
        shares = np.linalg.solve(gram + 1e-3 * len(frames) * np.eye(3, dtype=np.float32), ends.T @ frames)
        unexplained = np.abs(frames - ends @ shares).mean(axis=0)
        contrasts = np.abs(frames - frames.mean(axis=0)).mean(axis=0)
        progress = shares[1] / (shares[0] + shares[1])
        # at both ends the shots are pure: otherwise one dissolve would be found twice
        if progress[2] > _PURE or progress[-3] < 1 - _PURE or (unexplained > _MIXED * contrasts).any():
            return None
        middle = int(np.abs(progress - 0.5).argmin())
        return self._past[-1 - span + middle][0] if 0.15 < progress[middle] < 0.85 else None


def _cells(lightness: Array) -> Array:
    """Return the means of L over a grid of cells."""
    size = max(1, min(lightness.shape) // _ROWS)
    height, width = (side // size * size for side in lightness.shape)
    blocks = lightness[:height, :width].reshape(height // size, size, width // size, size)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def _cropped(first: Array, second: Array) -> tuple[Array, Array]:
    """Return two grids without the rows and columns at their edges that are black in both."""
    brightest = np.maximum(first, second)
    parts = []
    for axis in (1, 0):
        lit = np.flatnonzero(brightest.max(axis=axis) > _BLACK)
        parts.append(slice(lit[0], lit[-1] + 1) if len(lit) else slice(None))
    return first[parts[0], parts[1]], second[parts[0], parts[1]]


def _contrast(cells: Array) -> float:
    return float(np.abs(cells - cells.mean()).mean())


def _unlike(first: Array, second: Array) -> float:
    """Return how unlike two frames are, from 0 (the same but for exposure and motion) to about 1."""
    if first.shape != second.shape:
        return 1.0
    first, second = _cropped(first, second)
    if min(first.shape) < _BLOCK or min(_contrast(first), _contrast(second)) < _BLANK:
        return 0.0
    change = first - second
    if np.median(np.abs(change - np.median(change))) < _CHANGED * max(_contrast(first), _contrast(second)):
        return 0.0  # of a cut, most of the frame is new
    first, second = ((one - one.mean()) / one.std() for one in (first, second))
    return float(_matching(np.ascontiguousarray(first), np.ascontiguousarray(second), _BLOCK, _STEP, _REACH))


@jit
def _matching(first: Array, second: Array, block: int, step: int, reach: int) -> float:
    """Return the cost of the best match of each block of ``second`` in ``first``, as a share of the mean cost."""
    height, width = second.shape
    total, usual = 0.0, 1e-6
    for y in range(0, height - block + 1, step):
        for x in range(0, width - block + 1, step):
            best, mean, places = np.inf, 0.0, 0
            for v in range(max(0, y - reach), min(height - block, y + reach) + 1):
                for u in range(max(0, x - reach), min(width - block, x + reach) + 1):
                    cost = 0.0
                    for i in range(block):
                        for j in range(block):
                            cost += abs(second[y + i, x + j] - first[v + i, u + j])
                    mean += cost
                    places += 1
                    best = min(best, cost)
            total += best
            usual += mean / places
    return total / usual
