"""The small chroma of one video: predicted for some frames, taken from neighbors for others, and steady over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import SATURATION
from labcolor.color.chroma import Chroma
from labcolor.inference.pipeline import Pipeline
from labcolor.known.exemplars import Exemplar, compared_cells, with_exemplars
from labcolor.known.matching import keys_of
from labcolor.pictures.picture import Picture, working_shape
from labcolor.pictures.small import SmallPicture
from labcolor.video.cells import cells_of
from labcolor.video.cuts import AHEAD, CutDetector
from labcolor.video.frame_difference import Outline, changes, outline
from labcolor.video.grade import graded
from labcolor.video.look import Look, without_hues
from labcolor.video.memory import ColorMemory
from labcolor.video.references import Reference, References
from labcolor.video.saved import AMOUNT, COUNT, FLAG, Floats, Forms, Maybe, Stateful
from labcolor.video.shots import NO_END, Shot, ShotSetting, shots_between
from labcolor.video.temporal import ChromaSmoother, Known, chroma_between, unexplained

_GROUP = 4  # frames that are colored together
_SCENES = 32  # scenes that are remembered
# Number of frames of a film that may take their chroma from one predicted frame; the share of positions that may differ
# from it; and the relative change of mean L from which the network predicts a frame again.
_CARRIED, _NEW, _FADED = 16, 0.02, 0.2
_POOLED = 32  # predicted frames over which the variance of a shot is averaged
# Predicted chroma fades where a picture is so dark, or has so little contrast, that colors are guesses: to 0 at the
# first value, and not at all from the second.
_BRIGHTEST = 4.0, 14.0  # L
_CONTRAST = 0.4, 1.6  # standard deviation of L


class _Frame(NamedTuple):
    """A frame of a group: its number, its small picture, and its outline."""

    number: int
    small: SmallPicture
    outline: Outline


class ChromaStream(Stateful):
    """Source of the small chroma of one video, for groups of consecutive frames.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline that predicts chroma.
    look : Look
        Steadiness of the colors, and excluded hues.
    saturation : float
        As for :meth:`Pipeline.colorize`.
    shots : sequence of Shot or None
        The shots. With None cuts are detected.
    references : iterable of Reference
        Frames with given colors.
    exemplars : sequence of Exemplar
        Photographs that give their colors to similar regions.
    first : int
        Number of the first frame.
    pace : float
        Number of frames that last as long as one frame of a film: see :func:`labcolor.io.times.pace_of`.

    Attributes
    ----------
    pipeline : Pipeline
        The pipeline that predicts chroma.
    references : References
        Frames with given colors.
    cuts : list of int
        Numbers of the frames that began a shot so far, without the first frame of the video.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        look: Look,
        saturation: float = 1.0,
        *,
        shots: Sequence[Shot] | None = None,
        references: Iterable[Reference] = (),
        exemplars: Sequence[Exemplar] = (),
        first: int = 0,
        pace: float = 1.0,
    ) -> None:
        self.pipeline = pipeline
        self.references = References(references, pipeline)
        self.cuts: list[int] = []
        self._exemplars = exemplars
        self._look, self._saturation, self._pace = look, saturation, pace
        self._smoother = ChromaSmoother(look.smoothing, pace, pipeline.stride)
        self._consistent = look.consistency and bool(pipeline.model.hints)
        self._scenes: list[tuple[float, ColorMemory]] = []  # with their saturation, the latest last
        self._in_scene = False  # whether the last scene is that of the shot
        self._first = self._next = self._shot_first = first
        self._known: Known | None = None  # the last predicted frame
        self._seen = first  # number of this frame
        self._variance = 0, 0.0  # number of frames of the shot in the mean variance, and the mean
        self._detector = CutDetector(first, pace)
        self._list(shots)

    def _list(self, shots: Sequence[Shot] | None) -> None:
        """Take a list of shots. Without one, cuts are detected."""
        self._shots = shots
        self._starts = None if shots is None else [shot.first for shot in shots]

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        parts = dict.fromkeys(("_detector", "_smoother", "references"), Stateful)
        return {
            **parts,
            **dict.fromkeys(("_next", "_shot_first", "_seen"), COUNT),
            "cuts": [COUNT],
            "_starts": Maybe([COUNT]),
            "_known": Maybe((Floats((3, "height", "width")), Floats(("height", "width", 2)))),
            "_scenes": [(SATURATION, ColorMemory)],
            "_in_scene": FLAG,
            "_variance": (COUNT, AMOUNT),
        }

    def resume(self, state: Any, shape: tuple[int, int]) -> None:
        """Resume from the state of a stream with the same parameters.

        Parameters
        ----------
        state : dict
            The state, as for :meth:`restore`.
        shape : (height, width)
            Size of a frame.

        Raises
        ------
        InputError
            The state does not have the forms.
        """
        small, stride, hints = (
            working_shape(shape, self.pipeline.working_size),
            self.pipeline.stride,
            self.pipeline.model.hints,
        )
        height, width = (-(-side // stride) for side in small)
        features = hints[0].shape[1] + 1 if hints else 1  # with L in references, and with both coordinates in memories
        cells, shots = len(compared_cells((height, width))), self._shots
        self.restore(state, height=height, width=width, cells=cells, features=features, dimensions=features + 1)
        if shots is None and self._starts is not None:  # the first pass for references has found them
            shots = shots_between(self._starts, 0, NO_END)
        self._list(shots)

    def add(self, small: Sequence[SmallPicture], ahead: Sequence[SmallPicture] = ()) -> Iterator[Array]:
        """Yield the chroma of the next group of frames.

        Parameters
        ----------
        small : sequence of SmallPicture
            The frames. The network predicts the last frame and frames that are similar to no neighbor, or without
            smoothing all frames.
        ahead : sequence of SmallPicture
            The following frames, which make the detection of cuts more reliable.
        """
        number = self._next
        cells = [cells_of(one.lightness) for one in (*small, *ahead)] if self._shots is None else []
        begun = [self._begins(cells[index:]) for index in range(len(small))]
        starts = [index for index, cut in enumerate(begun) if cut is not None]
        for frame in self.references.wanted:
            if number <= frame < self._next:
                self.references.add_frame(frame, small[frame - number])
        for start, stop in zip([0, *starts], [*starts, len(small)], strict=True):
            if (cut := begun[start]) is not None:
                self._known, self._in_scene, self._variance = None, False, (0, 0.0)
                self._shot_first = cut
                # the settings of a listed shot apply from its first frame on
                alike = [(one.saturation, one.exclude_hues, one.grey) for one in map(self._shot, (cut - 1, cut))]
                self._smoother.reset(gradual=alike[0] == alike[1])
            if start < stop:
                yield from self._shot_part([self._frame(number + place, small[place]) for place in range(start, stop)])

    def in_groups(
        self, pictures: Iterable[Picture], ends: Collection[int] = ()
    ) -> Iterator[list[tuple[Picture, Chroma]]]:
        """Yield groups of consecutive frames with their small chroma.

        Parameters
        ----------
        pictures : iterable of Picture
            The frames.
        ends : collection of int
            Numbers of frames, counted from 0, before which a group ends.
        """
        frames = ((picture, SmallPicture.of(picture, self.pipeline.working_size)) for picture in pictures)
        done = 0

        def take() -> list[tuple[Picture, SmallPicture]]:
            nonlocal done
            size = min((end - done for end in ends if done < end < done + _GROUP), default=_GROUP)
            group = list(islice(frames, size))
            done += len(group)
            return group

        group = take()
        while group:
            following = take()
            yield list(self.colored(group, following[:AHEAD]))
            group = following

    def colored(
        self, frames: Sequence[tuple[Picture, SmallPicture]], ahead: Sequence[tuple[Picture, SmallPicture]] = ()
    ) -> Iterator[tuple[Picture, Chroma]]:
        """Yield each frame of the next group with its small chroma.

        Parameters
        ----------
        frames, ahead : sequence of (Picture, SmallPicture)
            As for :meth:`add`, with the pictures themselves.
        """
        first = self._next
        maps = self.add([small for _, small in frames], [small for _, small in ahead])
        for number, ((picture, small), ab) in enumerate(zip(frames, maps, strict=True), first):
            chroma = small.chroma(ab, self.pipeline.stride)
            shot = self._shot(number)
            if self.references and not shot.grey:
                chroma = self.references.sharpened(number, shot, small, chroma)
            yield picture, chroma

    def _begins(self, cells: Sequence[Array]) -> int | None:
        """Return the first frame of a shot that is known to begin with the next frame or before it, and note the cut.

        ``cells`` are those of the frame and of the following frames; they are not used if the shots are listed.
        """
        number, self._next = self._next, self._next + 1
        if self._starts is not None:
            cut = number if number in self._starts and number > self._first else None
        else:
            found = [cut.frame for cut in self._detector.update(cells[0], cells[1:])]
            self.cuts += found[:-1]
            cut = found[-1] if found else None
        if cut is not None:
            self.cuts.append(cut)
        return cut

    def _shot(self, number: int) -> ShotSetting:
        """Return how the shot of a frame is colored."""
        if self._shots is None or self._starts is None:
            return ShotSetting(self._shot_first, None, self._saturation, self._look.exclude_hues)
        place = bisect_right(self._starts, number)
        end = self._starts[place] if place < len(self._starts) else NO_END
        shot = self._shots[max(0, place - 1)]
        saturation = self._saturation if shot.saturation is None else shot.saturation
        exclude_hues = self._look.exclude_hues if shot.exclude_hues is None else shot.exclude_hues
        return ShotSetting(shot.first, end, saturation, exclude_hues, shot.grey, shot.references, shot.grades)

    def _frame(self, number: int, small: SmallPicture) -> _Frame:
        """Return a frame with its outline."""
        return _Frame(number, small, outline(small.lightness, small.chroma_shape(self.pipeline.stride)))

    def _shot_part(self, frames: Sequence[_Frame]) -> Iterator[Array]:
        """Yield the finished chroma of consecutive frames of one shot."""
        maps = self._maps(frames) if self._look.smoothing else self._predicted(frames)
        for frame, chroma in zip(frames, maps, strict=True):
            # without smoothing the smoother returns its input
            smooth = self._smoother.update(frame.outline, chroma)
            yield graded(smooth, frame.outline[0], frame.number, self._shot(frame.number).grades)

    def _maps(self, frames: Sequence[_Frame]) -> list[Array]:
        """Return the small chroma of consecutive frames of one shot.

        The network predicts the last of these frames, unless it is similar to the last predicted frame. The other
        frames take their chroma from these two. The network also predicts each frame that is similar to neither.
        """
        last, before = frames[-1], self._known
        if before is not None and self._similar(last, before[0]):
            after = before
        else:
            after = last.outline, self._predicted([last])[0]
            self._known, self._seen = after, last.number
        found = {last.number: after[1]}
        missed = []
        for place, frame in enumerate(frames[:-1], 1):
            between = chroma_between(frame.outline, before or after, after, place / len(frames))
            if between is None:
                missed.append(frame)
            else:
                found[frame.number] = between
        found |= zip((frame.number for frame in missed), self._predicted(missed), strict=True)
        return [found[frame.number] for frame in frames]

    def _similar(self, frame: _Frame, known: Outline) -> bool:
        """Return whether a frame is so similar to the last predicted frame that it needs no prediction."""
        mean, other = frame.outline[0].mean(), known[0].mean()
        late = frame.number - self._seen > _CARRIED * self._pace
        return not late and abs(mean - other) < _FADED * other and unexplained(changes(frame.outline, known)) <= _NEW

    def _predicted(self, frames: Sequence[_Frame]) -> list[Array]:
        """Return the chroma of frames of one shot: predicted, held by the memory, or carried from references."""
        if not frames:
            return []
        shot = self._shot(frames[0].number)
        known = bool(self.references or self._exemplars)
        if shot.grey or (shot.saturation == 0 and not known):
            return [np.zeros((*frame.outline.shape[1:], 2), np.float32) for frame in frames]
        if not self._consistent and not known:
            small = [frame.small for frame in frames]
            shares = [self._visibility(one) for one in small]
            predictions = self.pipeline.predictions(small, shot.saturation)
            return [
                without_hues(self._quieted(ab, variance, seen), shot.exclude_hues)
                for (ab, variance), seen in zip(predictions, shares, strict=True)
            ]
        maps = []
        for number, one, lines in frames:
            seen = self._visibility(one)
            (ab, variance), places = self.pipeline.located_chroma(one, shot.saturation)
            if self._consistent and seen == 1:
                keys = keys_of(self.pipeline, places)
                ab = self._remembered(keys, shot.saturation).hold(ab, keys, lines[0])
            ab = without_hues(self._quieted(ab, variance, seen), shot.exclude_hues)
            if self._exemplars:
                ab = with_exemplars(self.pipeline, self._exemplars, one, ab, places)
            maps.append(self.references.apply(number, shot, one, ab, places))
        return maps

    def _quieted(self, ab: Array, variance: float, seen: np.float32) -> Array:
        """Reduce chroma by the mean variance of the shot so far, and in dark or flat frames."""
        if self._look.smoothing and seen == 1:
            count, mean = self._variance
            count = min(count + 1, _POOLED)
            variance = mean + (variance - mean) / count
            self._variance = count, variance
        return self.pipeline.quieted(ab, variance) * seen

    def _remembered(self, keys: Array, saturation: float) -> ColorMemory:
        """Return the memory of the shot, or of an earlier shot of the same scene."""
        if not (self._in_scene and self._scenes):
            known = [(scene.alike(keys[::5]), scene) for its, scene in self._scenes if its == saturation]
            likeness, scene = max(known, key=itemgetter(0), default=(0.0, None))
            scene = scene if scene is not None and likeness > 0 else ColorMemory()
            self._scenes = [item for item in self._scenes if item[1] is not scene][1 - _SCENES :]
            self._scenes.append((saturation, scene))
            self._in_scene = True
        return self._scenes[-1][1]

    def _visibility(self, small: SmallPicture) -> np.float32:
        """Return the share of predicted chroma that a frame takes: less than 1 if it is dark or has little contrast."""
        if not self._look.smoothing and not self._consistent:
            return np.float32(1)
        seen = small.lightness[small.between_bars()][2:-2:2, 2:-2:2]  # next to bars L overshoots
        if not seen.size:
            seen = small.lightness
        share = np.interp(np.percentile(seen, 98), _BRIGHTEST, (0, 1)) * np.interp(seen.std(), _CONTRAST, (0, 1))
        return np.float32(share)
