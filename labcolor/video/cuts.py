"""Detection of cuts: the frames that begin a shot, and their transitions."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from labcolor.base.compiled import jit
from labcolor.base.typing import Array
from labcolor.base.validation import integer
from labcolor.video.cells import changed, cropped, is_blank
from labcolor.video.saved import FLAG, Floats, Forms, Stateful
from labcolor.video.transitions import Cut, TransitionDetector

AHEAD = 4  # number of following frames, which distinguish a flash from a cut

_BLOCK, _STEP, _REACH = 9, 5, 7  # side and distance of the searched blocks, and range of the search, in cells
_UNLIKE = 0.46  # cost of the best matches of all blocks, as a share of the mean cost of all positions
_SURE = 0.04  # further cost by which the odds of a cut grow e-fold


class CutDetector(Stateful):
    """Detector of the cuts of one video, frame by frame.

    Frames are compared in L after normalization to the same mean and contrast, which removes exposure. A frame begins a
    shot if its blocks are not found nearby in the previous frame. So flicker, fades and motion are not cuts, and two
    dark shots differ. Blank frames are skipped: the next frame is compared with the frame before them. A change that is
    undone within :data:`AHEAD` frames is a flash. A frame that is not found in the next frame either, such as the first
    frame of a fade, is not compared: a cut there is detected a little later.

    Parameters
    ----------
    first : int
        Number of the first frame.
    pace : float
        Number of frames that last as long as one frame of a film: see :func:`labcolor.io.times.pace_of`.
    """

    def __init__(self, first: int = 0, pace: float = 1.0) -> None:
        self._frame = first - 1
        self._past: deque[Array] = deque(maxlen=AHEAD + 1)
        self._flash = -1  # the last frame of a flash
        self._unclear = -1  # the first of the latest frames that match neither the frame before nor after; -1: none
        self._blank = False  # whether a blank frame followed the past
        self._transitions = TransitionDetector(first, pace)

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        numbers = dict.fromkeys(("_frame", "_flash", "_unclear"), integer(-1))
        return {**numbers, "_blank": FLAG, "_past": [Floats(("rows", "columns"))], "_transitions": Stateful}

    def update(self, cells: Array, ahead: Sequence[Array] = ()) -> list[Cut]:
        """Take the next frame.

        Parameters
        ----------
        cells : ndarray, shape (rows, columns), float32
            The frame, from :func:`labcolor.video.cells.cells_of`.
        ahead : sequence of ndarray
            The following frames, of which :data:`AHEAD` are used. Without them a flash counts as a cut.

        Returns
        -------
        list of Cut
            Newly detected cuts: a cut at this frame, and transitions whose middle lies before it.
        """
        self._frame += 1
        if is_blank(cells):
            self._blank, self._unclear = True, -1
            return []
        if self._frame <= self._flash:
            return []
        following = ahead[:AHEAD]
        change = _unlike(self._past[-1], cells) if self._past else 1.0
        if change > _UNLIKE and not any(_unlike(other, cells) <= _UNLIKE for other in list(self._past)[:-1]):
            for distance, other in enumerate(following, 1):
                if self._past and _unlike(self._past[-1], other) <= _UNLIKE:
                    self._flash = self._frame + distance - 1
                    return []
            if following and _unlike(cells, following[0]) > _UNLIKE:
                self._unclear = self._frame if self._unclear < 0 else self._unclear
                return []
            return self._begin(cells, change)
        self._past.append(cells)
        self._blank, self._unclear = False, -1
        transition = self._transitions.update(self._frame, cells)
        return [] if transition is None else [transition]

    def finish(self) -> list[Cut]:
        """Return the remaining transitions, at the end of the video."""
        return self._transitions.end_shot(self._frame + 1)

    def _begin(self, cells: Array, change: float) -> list[Cut]:
        """Begin a shot with the current frame, which differs from the frame before."""
        first = self._frame if self._unclear < 0 else self._unclear
        found = self._transitions.end_shot(first) if self._past else []
        if self._past:
            kind = "fade" if self._blank else "cut"
            found.append(Cut(first, kind, float(1 / (1 + np.exp((_UNLIKE - change) / _SURE)))))
        self._past.clear()
        self._past.append(cells)
        self._blank, self._unclear = False, -1
        self._transitions.update(self._frame, cells)
        return found


def _unlike(first: Array, second: Array) -> float:
    """Return the dissimilarity of two frames, from 0 (equal except for exposure and motion) to about 1."""
    if first.shape != second.shape:
        return 1.0
    first, second = cropped(first, second)
    if min(first.shape) < _BLOCK or not changed(first, second):
        return 0.0
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
