"""Detection of dissolves and wipes."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from labcolor.base.typing import Array
from labcolor.video.cells import changed, contrast, cropped
from labcolor.video.mixture import LAGS, odds
from labcolor.video.saved import COUNT, Floats, Forms, Maybe, Stateful

# Frames of a film:
_EVERY = 3  # from one searched frame to the next
_APART = 24  # smallest distance of two transitions
_FROM_CUT = 12  # smallest distance of a cut and the middle of a transition
_LEAST = 1.2  # smallest log odds of a transition
_FALL = 1.0  # fall of the log odds after the middle of a transition
_NONE = -9.0  # log odds where most of the frame does not change, or one end is nearly black
_SHOWS = 0.2  # smallest contrast of an end, as a share of the other end's


class Cut(NamedTuple):
    """Start of a shot, its first frame or the middle of a transition, with the kind of the transition."""

    frame: int
    kind: str  # "cut", "dissolve", "wipe" or "fade"
    confidence: float  # from 0.5 to 1


class TransitionDetector(Stateful):
    """Detector of dissolves and wipes.

    Each third frame is compared with frames up to a second before and after it. The middle of a transition has the
    highest odds. It is detected about a second later.

    Parameters
    ----------
    first : int
        Number of the first frame.
    pace : float
        Number of frames that last as long as one frame of a film, from :func:`labcolor.io.times.pace_of`.
    """

    def __init__(self, first: int = 0, pace: float = 1.0) -> None:
        self._pace = pace
        counts = _EVERY, LAGS[-1], _APART, _FROM_CUT
        self._every, self._reach, self._apart, self._from_cut = (max(1, round(count * pace)) for count in counts)
        self._past: deque[tuple[int, Array]] = deque(maxlen=2 * self._reach + 1)
        self._begin(first)

    def _begin(self, free: int) -> None:
        """Begin a shot, whose transitions have their middle at frame ``free`` or later."""
        self._past.clear()
        self._free = free
        self._seen = 0  # frames of the shot
        self._odds = np.full((3, 2), _NONE, np.float32)  # of a dissolve and a wipe, at the last frames searched
        self._best: tuple[int, Array] | None = None  # the frame with the highest odds, and these

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        return {
            "_free": COUNT,
            "_seen": COUNT,
            "_past": [(COUNT, Floats(("rows", "columns")))],
            "_odds": Floats((3, 2)),
            "_best": Maybe((COUNT, Floats((2,)))),
        }

    def update(self, number: int, cells: Array) -> Cut | None:
        """Process the cells of the next frame. Return a transition that is detected now, or None."""
        if self._past and self._past[0][1].shape != cells.shape:
            self._begin(number)
        self._past.append((number, cells))
        self._seen += 1
        if self._seen > self._reach and (self._seen - self._reach) % self._every == 0:
            return self._search(len(self._past) - 1 - self._reach)
        return None

    def end_shot(self, next_first: int) -> list[Cut]:
        """Return the remaining transitions of a shot that ends at a cut or at the end of the video."""
        found = []
        rest = min(self._reach, len(self._past))
        for place in range(len(self._past) - rest, len(self._past)):
            if (self._seen - len(self._past) + place + 1) % self._every == 0:
                found.append(self._search(place))
        found.append(self._decided(np.full(2, _NONE)))
        self._begin(next_first + self._from_cut)
        return [cut for cut in found if cut is not None and cut.frame <= next_first - self._from_cut]

    def _search(self, place: int) -> Cut | None:
        """Compute the odds at a past frame. Return a transition whose odds have begun to fall, or None."""
        frames = [cells for _, cells in self._past]
        ends = cropped(frames[max(0, place - self._reach)], frames[min(len(frames) - 1, place + self._reach)])
        low, high = sorted(map(contrast, ends))
        now = odds(frames, place, self._pace) if low > _SHOWS * high and changed(*ends) else np.full(2, _NONE)
        self._odds = np.asarray([*self._odds[1:], now], np.float32)
        smooth = np.asarray([0.25, 0.5, 0.25], np.float32) @ self._odds
        number = self._past[max(0, place - self._every)][0]
        best = _LEAST if self._best is None else np.logaddexp(*self._best[1])
        if number >= self._free and np.logaddexp(*smooth) > best:
            self._best = number, smooth
        return self._decided(smooth)

    def _decided(self, now: Array) -> Cut | None:
        """Return the transition with the highest odds if the present odds are lower, or None."""
        if self._best is None or np.logaddexp(*now) > np.logaddexp(*self._best[1]) - _FALL:
            return None
        (number, best), self._best = self._best, None
        self._free = number + self._apart
        return Cut(number, "wipe" if best[1] > best[0] else "dissolve", float(1 / (1 + np.exp(-np.logaddexp(*best)))))
