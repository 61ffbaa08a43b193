"""Albums: pictures of one place or person, which get consistent colors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from labcolor.base.typing import Array
from labcolor.inference.pipeline import Guide, Pipeline
from labcolor.known.exemplars import SHARPNESS, Exemplar, average_chroma, log_odds
from labcolor.known.matching import features_of, match
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture

_SAMPLE = 4  # every fourth cell is compared to decide whether two pictures are similar
_NOTHING = -3.0  # log odds below which two pictures are not similar


def album_guide(
    pipeline: Pipeline, pictures: Iterable[Picture], saturation: float, guide: Guide | None = None
) -> Guide:
    """Return a guide that gives each object of an album its mean color over all pictures that show it.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline that predicts chroma.
    pictures : iterable of Picture
        All pictures of the album. Only their exemplars are kept.
    saturation : float
        As for :meth:`Pipeline.colorize`.
    guide : callable, optional
        A guide that changes predicted chroma first; see :meth:`Pipeline.hinted_chroma`.

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
    """Return a picture of an album as an exemplar with its predicted colors."""
    small = SmallPicture.of(picture, pipeline.working_size)
    prediction, keys = pipeline.located_chroma(small, saturation)
    ab = pipeline.quieted(*prediction)
    return Exemplar.seen(pipeline, small, ab if guide is None else guide(small, ab, keys), keys)


def _agreeing(pipeline: Pipeline, album: Sequence[Exemplar], small: SmallPicture, ab: Array, keys: Array) -> Array:
    """Return the mean chroma of a picture and of the other pictures of its album that show the same objects."""
    features, shape = features_of(pipeline, keys, small), (ab.shape[0], ab.shape[1])
    others: list[tuple[Array, Array]] = []
    few = features.reshape(*shape, -1)[::_SAMPLE, ::_SAMPLE]
    sample = few.reshape(-1, few.shape[2])
    for one in album:
        if np.array_equal(one.features, features[one.cells[one.cells < len(features)]]):
            continue  # the picture itself
        part = one.features[::_SAMPLE], one.colors[::_SAMPLE]
        if log_odds(match(sample, *part, SHARPNESS), few.shape[:2]).mean() < _NOTHING:
            continue
        found = match(features, one.features, one.colors, SHARPNESS)
        others.append((1 / (1 + np.exp(-np.clip(log_odds(found, shape), -50, 50))), found.ab))
    return average_chroma(ab, others)
