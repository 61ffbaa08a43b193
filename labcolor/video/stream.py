"""The small chroma of one video: predicted for some frames, taken from neighbors for others, and steady over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from labcolor._typing import Array
from labcolor.inference.pipeline import Pipeline
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import CutDetector
from labcolor.video.temporal import ChromaSmoother, chroma_between

__all__ = ["ChromaStream"]


class ChromaStream:
    """Source of the small chroma of one video, for groups of consecutive frames.

    Parameters
    ----------
    pipeline : Pipeline
        What predicts.
    smoothing : float
        Weight of the past in static regions, from 0 (none) to less than 1.
    saturation : float
        As for :meth:`Pipeline.colorize`.
    cuts : iterable of int or None
        Numbers of the frames that begin a shot. None: they are detected.
    first : int
        Number of the first frame.

    Attributes
    ----------
    pipeline : Pipeline
        What predicts.
    cuts : list of int
        Numbers of the frames that began a shot so far. The first frame of the video is not among them.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        smoothing: float,
        saturation: float = 1.0,
        cuts: Iterable[int] | None = None,
        first: int = 0,
    ) -> None:
        self.cuts: list[int] = []
        self.pipeline = pipeline
        self._saturation, self._smoothing = saturation, smoothing
        self._smoother = ChromaSmoother(smoothing)
        self._detector = CutDetector(first) if cuts is None else None
        self._given = frozenset(cuts or ())
        self._first = self._next = first
        self._before: tuple[Array, Array] | None = None  # L and predicted chroma of the frame before the group

    def add(self, small: Sequence[SmallPicture], ahead: Sequence[SmallPicture] = ()) -> Iterator[Array]:
        """Yield the chroma of the next group of frames.

        Parameters
        ----------
        small : sequence of SmallPicture
            The frames. The network sees the last of them, those that are similar to no neighbor, and without
            smoothing all.
        ahead : sequence of SmallPicture
            Frames that follow, by which cuts are found more safely.
        """
        starts = [index for index in range(len(small)) if self._begins(index, small, ahead)]
        for start, stop in zip([0, *starts], [*starts, len(small)], strict=True):
            if start in starts:
                self._smoother.reset()
                self._before = None
            if start < stop:
                yield from self._shot_part(small[start:stop])

    def _begins(self, index: int, small: Sequence[SmallPicture], ahead: Sequence[SmallPicture]) -> bool:
        """Return whether a frame begins a shot, or ends a dissolve to it, and note the cut."""
        number, self._next = self._next, self._next + 1
        if self._detector is None:
            cut = number if number in self._given and number > self._first else None
        else:
            following = [one.lightness for one in (*small[index + 1 :], *ahead)]
            cut = self._detector.update(small[index].lightness, following)
        if cut is not None:
            self.cuts.append(cut)
        return cut is not None

    def _shot_part(self, small: Sequence[SmallPicture]) -> Iterator[Array]:
        if not self._smoothing:
            yield from self.pipeline.chroma(small, self._saturation)
            return
        maps = self._maps(small)
        self._before = small[-1].lightness, maps[-1]
        for one, chroma in zip(small, maps, strict=True):
            yield self._smoother.update(one.lightness, chroma)

    def _maps(self, small: Sequence[SmallPicture]) -> list[Array]:
        """Return the small chroma of consecutive frames of one shot.

        The network predicts the last frame. The others take their chroma from it and from the frame before them. The
        network also predicts each frame that is similar to neither of the two.
        """
        last = len(small) - 1
        maps = {last: self.pipeline.chroma([small[last]], self._saturation)[0]}
        missed = []
        for index in range(last):
            after = small[last].lightness, maps[last]
            found = chroma_between(small[index].lightness, self._before or after, after)
            if found is None:
                missed.append(index)
            else:
                maps[index] = found
        chosen = self.pipeline.chroma([small[index] for index in missed], self._saturation)
        maps.update(zip(missed, chosen, strict=True))
        return [maps[index] for index in range(last + 1)]
