"""Reference frames: pictures with given colors, which are carried to other frames of a video."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from labcolor.base.typing import Array, PictureInput
from labcolor.base.validation import integer, one_of, require, shortened
from labcolor.color.chroma import Chroma
from labcolor.color.lab import full_scale, rgb_to_lab
from labcolor.errors import InputError, InputTypeError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.inputs import one_picture
from labcolor.io.times import as_seconds
from labcolor.known.alignment import carry, still
from labcolor.known.exemplars import Exemplar, compared_cells, log_odds
from labcolor.known.matching import features_of, match
from labcolor.networks.views import resize_part
from labcolor.pictures.hints import HintMap, as_hints
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.memory import SHARPNESS, share_of
from labcolor.video.saved import Floats, Forms, Stateful
from labcolor.video.shots import Shot, ShotSetting

_UNSURE = -1.8  # logit at which half of a color comes from a reference
_CHOICE = 30.0  # how much the most similar of several references outweighs others
_MOST = 4  # references that apply to one frame: the nearest in time
_FADE = 12  # number of frames over which the full-resolution chroma of a reference fades
_NAME = re.compile(r"ref_(\d{1,9})\.\w+")


@dataclass(frozen=True, eq=False)
class Reference:
    """Colors that are given for a frame.

    Parameters
    ----------
    frame : int
        Number of the frame.
    given : Picture or ndarray
        The colored picture, transparent where no color is given; or ab, (H, W, 2) float32, nan where no color is given.
    whole : bool
        Whether the color of each pixel is given. Otherwise colors spread over the frame of the video.
    """

    frame: int
    given: Picture | Array
    whole: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width."""
        return self.given.shape[:2]

    @property
    def arrays(self) -> list[Array]:
        """The arrays that identify it."""
        if not isinstance(self.given, Picture):
            return [self.given]
        return [self.given.values] if self.given.alpha is None else [self.given.values, self.given.alpha]

    def ab(self) -> Array:
        """Return the colors at full resolution, (H, W, 2) float32, nan where no color is given."""
        if not isinstance(self.given, Picture):
            return self.given
        if self.given.values.shape[2] == 1:
            ab = np.zeros((*self.shape, 2), np.float32)
        else:
            ab = np.ascontiguousarray(rgb_to_lab(self.given.values)[..., 1:], np.float32)
        if not self.whole:
            ab[~_opaque(self.given)] = np.nan
        return ab


def as_references(references: Any, rate: Fraction | None, shapes: Sequence[tuple[int, int]] = ()) -> list[Reference]:
    """Check references, and sort them by frame.

    Parameters
    ----------
    references : mapping of frame or time to picture, or path of a folder
        As for :func:`labcolor.colorize_video`.
    rate : Fraction or None
        Frames per second, to convert times. With None only numbers of frames are allowed.
    shapes : sequence of (H, W)
        Accepted sizes. A reference with few colors must have the first size. An empty sequence accepts every size.

    Returns
    -------
    list of Reference

    Raises
    ------
    InputError, InputTypeError
        A reference cannot be used.
    """
    if references is None:
        return []
    if isinstance(references, str | Path):
        given = _in_folder(Path(references))
    elif isinstance(references, Mapping):
        given = list(references.items())
    else:
        raise InputTypeError(
            f"references: expected a folder, or a mapping of frame or time to picture, got {shortened(references)}."
        )
    found: dict[int, Reference] = {}
    for key, picture in given:
        frame = _frame(key, rate)
        if frame in found:
            raise InputError(f"references: expected one picture for each frame, got two for frame {frame}.")
        found[frame] = _reference(frame, picture, shapes)
    return [found[frame] for frame in sorted(found)]


def _in_folder(folder: Path) -> list[tuple[int, Path]]:
    """Return the pictures of a folder that are named like ref_000120.png, with the numbers of their frames."""
    try:
        matches = [(_NAME.fullmatch(path.name), path) for path in sorted(folder.iterdir())]
    except OSError as error:
        raise InputError(f"{folder}: expected a folder of references: {error.strerror}.") from error
    found = [(int(match[1]), path) for match, path in matches if match]
    if not found:
        raise InputError(f"{folder}: expected pictures named like ref_000120.png, got none.")
    return found


def check_frames(
    given: Sequence[Reference], shots: Sequence[Shot] | None, first: int, end: int | None, slack: int = 0
) -> None:
    """Raise an InputError if a reference lies outside the colored frames, or if a shot names a missing reference.

    Parameters
    ----------
    given : sequence of Reference
        The references.
    shots : sequence of Shot or None
        The shots.
    first, end : int, int or None
        The first colored frame, and the frame after the last one, or None if it is unknown.
    slack : int
        Number of frames by which ``end`` may be too low, because a file may declare a wrong length.
    """
    frames = {one.frame for one in given}
    # a shot may name references outside the part that is colored
    named = {frame for shot in shots or () for frame in shot.references or ()}
    for frame in sorted(named - frames):
        raise InputError(f"shots: expected references that are given, got frame {frame}, which has no reference.")
    for frame in sorted(frames - named):
        if frame < first or (end is not None and frame >= end + slack):
            last = "" if end is None else f" to {end - 1}"
            raise InputError(f"references: expected frames from {first}{last}, which are colored, got {frame}.")


def _frame(key: Any, rate: Fraction | None) -> int:
    """Convert a number of a frame, or a time, to the number of a frame."""
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        require("references", key, integer(0))
        return int(key)
    if rate is None or not isinstance(key, float | str | Fraction):
        expected = "the number of a frame" + ("" if rate is None else " or a time")
        raise InputTypeError(f"references: expected {expected}, got {shortened(key)}.")
    return round(as_seconds("references", key) * rate)


def _reference(frame: int, given: PictureInput, shapes: Sequence[tuple[int, int]]) -> Reference:
    """Check the picture or the ab of a frame."""
    name = f"references[{frame}]"
    if isinstance(given, np.ndarray) and given.ndim == 3 and given.shape[2] == 2 and given.dtype.kind == "f":
        _check_size(name, given.shape[:2], shapes[:1])
        (drawn,) = as_hints(given, [given.shape[:2]])
        if drawn is None:
            raise InputError(f"{name}: expected at least one color, got only nan.")
        return Reference(frame, np.ascontiguousarray(given, np.float32), False)
    picture = one_picture(given, name)
    _check_size(name, picture.shape, shapes)
    opaque = _opaque(picture)
    if not opaque.any():
        raise InputError(f"{name}: expected at least one color, got a picture that is transparent.")
    if not opaque.all():
        _check_size(name, picture.shape, shapes[:1])
    return Reference(frame, picture, bool(opaque.all()))


def _opaque(picture: Picture) -> Array:
    """Return where a picture gives a color, (H, W) bool."""
    if picture.alpha is None:
        return np.ones(picture.shape, bool)
    return np.asarray(picture.alpha.reshape(picture.shape) >= full_scale(picture.alpha.dtype)[0] / 2)


def _check_size(name: str, shape: Sequence[int], shapes: Sequence[tuple[int, int]]) -> None:
    """Raise an InputError unless a reference has one of the sizes of the video, (H, W)."""
    if shapes and tuple(shape) not in shapes:
        sizes = " or ".join(f"{width}x{height}" for height, width in dict.fromkeys(shapes))
        raise InputError(f"{name}: expected the size of the video, {sizes}, got {shape[1]}x{shape[0]}.")


class References(Stateful):
    """References of one video. Their colors are carried to other frames.

    A reference applies to the frames of its shot. To a shot without a reference, references of the same scene apply. At
    its own frame a reference is reproduced exactly, and at neighboring frames almost exactly.

    Parameters
    ----------
    references : iterable of Reference
        The references.
    pipeline : Pipeline
        The pipeline that spreads hints.
    """

    def __init__(self, references: Iterable[Reference], pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._given = {one.frame: one for one in references}
        self._known: dict[int, Exemplar] = {}
        self._large: tuple[int, Array] | None = None  # the reference that sharpened the last frame, and its ab
        self._chosen: tuple[int, list[int]] = (-1, [])  # first frame of a shot, and references of the same scene
        if self._given:
            pipeline.check_hints()

    def __bool__(self) -> bool:
        """Return whether there is a reference."""
        return bool(self._given)

    @property
    def frames(self) -> list[int]:
        """Numbers of the frames with given colors."""
        return list(self._given)

    @property
    def wanted(self) -> list[int]:
        """Numbers of the frames whose few colors have not spread yet, because the frame itself is missing."""
        return [frame for frame, one in self._given.items() if not one.whole and frame not in self._known]

    def check_size(self, shape: tuple[int, int]) -> None:
        """Raise an InputError unless all references have the size of a frame, (H, W)."""
        for frame, one in self._given.items():
            _check_size(f"references[{frame}]", one.shape, [shape])

    def forms(self) -> Forms:
        """Return the form of each attribute of the state; see :class:`Stateful`."""
        frame = one_of(*self._given)
        arrays = Floats(("cells", "features")), Floats(("height", "width", 2)), Floats(("down", "across"))
        return {"_drawn": [(frame, *arrays)], "_chosen": (integer(-1), [frame])}

    @property
    def _drawn(self) -> list[tuple[int, Array, Array, Array]]:
        """The exemplars of references with few colors. Those of other references can be computed again."""
        known = [(frame, one) for frame, one in self._known.items() if not self._given[frame].whole]
        return [(frame, one.features, one.ab, one.lightness) for frame, one in known]

    @_drawn.setter
    def _drawn(self, drawn: Iterable[tuple[int, Array, Array, Array]]) -> None:
        for frame, features, ab, lightness in drawn:
            self._known[frame] = Exemplar(features, compared_cells(ab.shape[:2]), ab, lightness)

    def add_frame(self, frame: int, small: SmallPicture) -> None:
        """Spread the few colors of a frame that is :attr:`wanted` over the frame itself."""
        hint = self._given[frame].ab()
        if hint.shape[:2] != small.shape:  # odd sides of a video get one more line
            missing = [(0, side - given) for side, given in zip(small.shape, hint.shape, strict=False)]
            hint = np.pad(hint, (*missing, (0, 0)), constant_values=np.nan)
        ab = self._pipeline.hinted_chroma(small, HintMap.of_ab(hint))
        self._known[frame] = Exemplar.seen(self._pipeline, small, ab)

    def apply(self, number: int, shot: ShotSetting, small: SmallPicture, ab: Array, keys: Array) -> Array:
        """Return the chroma of a frame, with the colors of the references that apply to it.

        Parameters
        ----------
        number : int
            Number of the frame.
        shot : ShotSetting
            Its shot.
        small : SmallPicture
            The frame.
        ab : ndarray, shape (h, w, 2), float32
            Chroma of the frame without references.
        keys : ndarray, shape (h * w, D), float32
            Its positions, from :meth:`Pipeline.located_chroma`.
        """
        if not self:
            return ab
        shape = ab.shape[0], ab.shape[1]
        features = features_of(self._pipeline, keys, small)
        lightness = small.coarse_lightness(self._pipeline.stride // 2)
        place = 1 / min(shape)  # a short side counts as much as one unit of similarity
        found, scores = [], []
        for frame in self._serving(number, shot, features, shape):
            found.append(carry(self._seen(frame), features, lightness, shape, SHARPNESS, place))
            # references that are nearer in time and more similar have more weight
            scores.append(-_CHOICE * found[-1][1] - np.log(1 + abs(frame - number)))
        if not found:
            return ab
        odds = np.exp(scores - np.max(scores, axis=0))[..., None]
        carried = np.sum(odds * [one for one, _ in found], axis=0) / odds.sum(axis=0)
        share = share_of(-np.min([distance for _, distance in found], axis=0), _UNSURE)[:, None]
        flat = ab.reshape(-1, 2)
        return np.asarray(flat + share * (carried - flat), np.float32).reshape(ab.shape)

    def sharpened(self, number: int, shot: ShotSetting, small: SmallPicture, chroma: Chroma) -> Chroma:
        """Return the chroma of a frame at full resolution, if a reference is close in time.

        Parameters
        ----------
        number, shot, small
            As for :meth:`apply`.
        chroma : Chroma
            The small chroma of the frame.
        """
        end = number + _FADE if shot.end is None else shot.end
        near = [
            frame
            for frame, one in self._given.items()
            if one.whole and shot.first <= frame < end and (shot.references is None or frame in shot.references)
        ]
        frame = min(near, key=lambda one: abs(one - number), default=number + _FADE)
        fading = abs(frame - number) / _FADE
        if fading >= 1:
            return chroma
        hint = self._sharp(frame, small.shape)
        scale = hint.shape[0] / small.shape[0], hint.shape[1] / small.shape[1]
        if fading > 0:
            known = self._seen(frame)
            stride, shape = self._pipeline.stride, (chroma.ab.shape[0], chroma.ab.shape[1])
            share = still(small.coarse_lightness(stride // 2), known.lightness, shape).share
            share *= np.float32(1 - fading)
            size, cell = hint.shape[:2], (chroma.scale[0] / scale[0], chroma.scale[1] / scale[1])
            part = 0.0, 0.0, size[1] * cell[1], size[0] * cell[0]
            base, own, share = (resize_part(one, size, part) for one in (chroma.ab, known.ab, share[..., None]))
            hint = base + share * (hint - own)
        return Chroma(hint, scale, chroma.content_box)

    def _sharp(self, frame: int, shape: tuple[int, int]) -> Array:
        """Return the ab of a reference for a frame of a shape. The result of the last reference is kept."""
        if self._large is None or self._large[0] != frame:
            self._large = frame, _as_large(self._given[frame].ab(), shape)
        return self._large[1]

    def _serving(self, number: int, shot: ShotSetting, features: Array, shape: tuple[int, int]) -> list[int]:
        """Return the frames of the references that apply to a frame, the nearest in time."""
        if shot.references is None:
            end = number + 1 if shot.end is None else shot.end
            own = [frame for frame in self._given if shot.first <= frame < end]
        else:
            own = list(shot.references)
        ready = self._given.keys() - self.wanted
        own = [frame for frame in own if frame in ready]
        if not own and shot.references is None:
            if self._chosen[0] != shot.first:
                self._chosen = shot.first, [frame for frame in sorted(ready) if self._alike(frame, features, shape)]
            own = self._chosen[1]
        return sorted(own, key=lambda frame: abs(frame - number))[:_MOST]

    def _alike(self, frame: int, features: Array, shape: tuple[int, int]) -> bool:
        """Return whether a reference and another frame show the same scene."""
        known = self._seen(frame)
        return bool(log_odds(match(features, known.features, known.colors, SHARPNESS), shape).mean() > 0)

    def _seen(self, frame: int) -> Exemplar:
        """Return a reference as an exemplar, analyzed on first use."""
        if frame not in self._known:
            picture = self._given[frame].given
            assert isinstance(picture, Picture)
            self._known[frame] = Exemplar.of(self._pipeline, picture, f"references[{frame}]")
        return self._known[frame]


def _as_large(hint: Array, shape: tuple[int, int]) -> Array:
    """Return ab, (H, W, 2), its last row and column repeated where a frame has one more, as in videos of odd sides."""
    missing = [
        (0, side - given if 0 < side - given < 2 else 0) for side, given in zip(shape, hint.shape[:2], strict=True)
    ]
    return np.pad(hint, (*missing, (0, 0)), "edge") if np.any(missing) else hint
