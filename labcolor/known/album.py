"""Albums: pictures of one place or person, whose predicted colors are brought to agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from labcolor.base.typing import Array
from labcolor.inference.pipeline import Guide, Pipeline
from labcolor.known.exemplars import SHARPNESS, Exemplar, log_odds
from labcolor.known.matching import features_of, match
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture

_SAMPLE = 4  # every fourth cell tells whether two pictures have anything in common
_NOTHING = -3.0  # log odds below which they have not


def album_guide(
    pipeline: Pipeline, pictures: Iterable[Picture], saturation: float, guide: Guide | None = None
) -> Guide:
    """Return what brings the pictures of an album to agree: at each place the mean of all pictures that show it.

    Parameters
    ----------
    pipeline : Pipeline
        What predicts.
    pictures : iterable of Picture
        All pictures of the album. Of each, only some numbers are kept.
    saturation : float
        As for :meth:`Pipeline.colorize`.
    guide : callable, optional
        What changes predicted chroma before; see :meth:`Pipeline.hinted_chroma`.

    Raises
    ------
    InputError
        The model has no hint spreader.
    """
    pipeline.check_hints("consistent")
    album = [_member(pipeline, picture, saturation, guide) for picture in pictures]

    def agree(small: SmallPicture, ab: Array, keys: Array) -> Array:
        return _agreeing(pipeline, album, small, ab if guide is None else guide(small, ab, keys), keys)

    return agree


def _member(pipeline: Pipeline, picture: Picture, saturation: float, guide: Guide | None) -> Exemplar:
    """Return what a picture of an album shows, with its predicted colors."""
    small = SmallPicture.of(picture, pipeline.working_size)
    prediction, keys = pipeline.located_chroma(small, saturation)
    ab = pipeline.quieted(*prediction)
    return Exemplar.seen(pipeline, small, ab if guide is None else guide(small, ab, keys), keys)


def _agreeing(pipeline: Pipeline, album: Sequence[Exemplar], small: SmallPicture, ab: Array, keys: Array) -> Array:
    """Return the mean chroma of all pictures that show the same; the picture itself, which is one, counts once."""
    features, shape = features_of(pipeline, keys, small), (ab.shape[0], ab.shape[1])
    sums, total = ab.reshape(-1, 2).copy(), np.ones((len(features), 1), np.float32)
    few = features.reshape(*shape, -1)[::_SAMPLE, ::_SAMPLE]
    sample = few.reshape(-1, few.shape[2])
    for one in album:
        if np.array_equal(one.features, features[one.cells[one.cells < len(features)]]):
            continue  # the picture itself
        part = one.features[::_SAMPLE], one.colors[::_SAMPLE]
        if log_odds(match(sample, *part, SHARPNESS), few.shape[:2]).mean() < _NOTHING:
            continue
        found = match(features, one.features, one.colors, SHARPNESS)
        share = 1 / (1 + np.exp(-np.clip(log_odds(found, shape), -50, 50)))[:, None]
        sums += share * found.ab
        total += share
    return np.asarray(sums / total, np.float32).reshape(ab.shape)
