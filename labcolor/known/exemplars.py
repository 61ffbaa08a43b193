"""Exemplars: colored photographs that give their colors to similar regions of other pictures."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from labcolor.base.typing import Array
from labcolor.color.lab import rgb_to_lab
from labcolor.errors import InputError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.inputs import one_picture
from labcolor.io.sources import Source
from labcolor.known.matching import Matches, features_of, match
from labcolor.pictures.picture import Picture, as_bytes
from labcolor.pictures.small import SmallPicture

SHARPNESS = 5.7  # how much the most similar positions outweigh others
_STEP = 2  # every second row and column of an exemplar is compared: more do not improve results
# Log odds that a color of an exemplar is better than the predicted one, chosen on held-out photographs: halves of one
# photograph, one photograph at two scales, and photographs of different scenes.
_ODDS = -8.8
_AROUND = 2.0  # weight of the degree to which the exemplar contains the surroundings of a position
_BACK = 3.0  # weight of the degree to which the picture contains the objects of the exemplar
_SAME = 0.015  # squared distance below which positions count as equal
_REACH = 0.31  # radius of the surroundings, in short sides
_KEPT = 16  # exemplars that are remembered


@dataclass(frozen=True, eq=False)
class Exemplar:
    """Features of a colored picture, and its colors.

    Parameters
    ----------
    features : ndarray, shape (K, D), float32
        Features of some cells of its small chroma, from :func:`labcolor.known.matching.features_of`.
    cells : ndarray, shape (K,), int
        These cells, counted row by row.
    ab : ndarray, shape (h, w, 2), float32
        Its small chroma.
    lightness : ndarray, float32
        L, two rows and columns for each cell.
    """

    features: Array
    cells: Array
    ab: Array
    lightness: Array

    @property
    def colors(self) -> Array:
        """Colors of the compared cells, (K, 2) float32."""
        return np.asarray(self.ab.reshape(-1, 2)[self.cells])

    @classmethod
    def seen(
        cls, pipeline: Pipeline, small: SmallPicture, ab: Array, keys: Array | None = None, there: Array | None = None
    ) -> Exemplar:
        """Analyze a picture whose small chroma is known, in all cells or in those of a mask, (h, w) bool.

        ``keys`` are its positions from :meth:`Pipeline.located_chroma`, if they are known.
        """
        keys = pipeline.located_chroma(small)[1] if keys is None else keys
        cells = compared_cells(ab.shape[:2])
        if there is not None:
            cells = cells[there.reshape(-1)[cells]] if there.reshape(-1)[cells].any() else np.flatnonzero(there)
        features = features_of(pipeline, keys, small)[cells]
        return cls(features, cells, ab, small.coarse_lightness(pipeline.stride // 2))

    @classmethod
    def of(cls, pipeline: Pipeline, picture: Picture, name: str = "like") -> Exemplar:
        """Analyze a colored photograph. The objects of a grey photograph stay grey.

        Raises
        ------
        InputError
            The model has no hint spreader, or the photograph is transparent.
        """
        small = SmallPicture.of(picture, pipeline.working_size)
        ab, there = colors_on_grid(picture, small, pipeline.stride)
        if not there.any():
            raise InputError(f"{name}: expected a photograph, got a transparent picture.")
        return cls.seen(pipeline, small, ab, there=there)


def compared_cells(shape: tuple[int, ...]) -> Array:
    """Return the indices of the compared cells of small chroma of a shape, counted row by row."""
    return np.asarray(np.arange(shape[0] * shape[1]).reshape(shape)[::_STEP, ::_STEP].reshape(-1))


def colors_on_grid(picture: Picture, small: SmallPicture, stride: int) -> tuple[Array, Array]:
    """Return the ab of a colored picture on the grid of its small chroma, (h, w, 2) float32, and where it is known.

    Transparent parts and bars have no known color.
    """
    height, width = small.lightness.shape
    rgb = np.broadcast_to(as_bytes(picture.values), (*picture.shape, 3))
    reduced = Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height), Image.Resampling.BOX)
    known = np.ones((height, width), bool)
    if picture.alpha is not None:
        alpha = Image.fromarray(np.ascontiguousarray(as_bytes(picture.alpha)[..., 0]))
        known = np.asarray(alpha.resize((width, height), Image.Resampling.BOX)) >= 128
    within = np.zeros((height, width), bool)
    within[small.between_bars()] = True
    weights = (known & within).astype(np.float32)[..., None]
    ab = rgb_to_lab(np.asarray(reduced))[..., 1:].astype(np.float32)
    sums = _summed(np.concatenate([ab * weights, weights], axis=-1), small.chroma_shape(stride), stride)
    return sums[..., :2] / np.maximum(sums[..., 2:], 1), sums[..., 2] > 0


def _summed(values: Array, shape: tuple[int, int], stride: int) -> Array:
    """Return sums over squares of ``stride`` pixels, (h, w, C)."""
    missing = [(0, side * stride - given) for side, given in zip(shape, values.shape[:2], strict=True)]
    whole = np.pad(values, [*missing, (0, 0)])
    return np.asarray(whole.reshape(shape[0], stride, shape[1], stride, -1).sum(axis=(1, 3)))


def with_exemplars(
    pipeline: Pipeline, exemplars: Sequence[Exemplar], small: SmallPicture, ab: Array, keys: Array
) -> Array:
    """Return the chroma of a picture, with the colors of exemplars where it is similar to them.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline that predicted the chroma.
    exemplars : sequence of Exemplar
        The exemplars.
    small : SmallPicture
        The picture.
    ab : ndarray, shape (h, w, 2), float32
        Its predicted chroma.
    keys : ndarray, shape (h * w, D), float32
        Its positions, from :meth:`Pipeline.located_chroma`.

    Returns
    -------
    ndarray, shape (h, w, 2), float32
        Weighted mean of the predicted color and the exemplars' colors in each cell.
    """
    features = features_of(pipeline, keys, small)
    found = [match(features, one.features, one.colors, SHARPNESS) for one in exemplars]
    nearest = np.min([matches.distance for matches in found], axis=0)
    odds = (np.exp(log_odds(one, ab.shape[:2]) - SHARPNESS * (one.distance - nearest)) for one in found)
    return average_chroma(ab, zip(odds, (one.ab for one in found), strict=True))


def average_chroma(ab: Array, others: Iterable[tuple[Array, Array]]) -> Array:
    """Return the mean of chroma, (h, w, 2), with weight 1, and of others, (h * w, 2), with their weights, (h * w,)."""
    sums, total = ab.reshape(-1, 2).copy(), np.ones((ab.shape[0] * ab.shape[1], 1), np.float32)
    for weights, colors in others:
        sums += weights[:, None] * colors
        total += weights[:, None]
    return np.asarray(sums / total, np.float32).reshape(ab.shape)


def log_odds(matches: Matches, shape: tuple[int, int]) -> Array:
    """Return the log odds that the color of an exemplar is better than the predicted one, (P,) float32."""
    from scipy import ndimage  # this import takes 0.2 s

    unlike = np.log(matches.distance + _SAME).reshape(shape)
    around = ndimage.uniform_filter(unlike, max(1, round(_REACH * min(shape))), mode="nearest").reshape(-1)
    return np.asarray(_ODDS - _AROUND * around - _BACK * np.log(matches.back + _SAME).mean(), np.float32)


class ExemplarCache:
    """Exemplars of one model, each analyzed once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Any, Exemplar] = {}  # by a key of their picture, the latest last

    def get(self, pipeline: Pipeline, like: Any) -> list[Exemplar]:
        """Return the exemplars of the parameter ``like``, one or several colored photographs.

        Parameters
        ----------
        pipeline : Pipeline
            The pipeline that analyzes them.
        like : picture or sequence of picture
            As for :meth:`labcolor.Colorizer.predict`.

        Raises
        ------
        InputError, InputTypeError, PictureFileError, OutOfMemoryError
            There is no photograph, a photograph is not a picture or is transparent, or the model has no hint spreader.
        """
        pipeline.check_hints("like")
        several = isinstance(like, list | tuple) or (isinstance(like, np.ndarray) and like.ndim == 4)
        given = [(f"like[{index}]", one) for index, one in enumerate(like)] if several else [("like", like)]
        if not given:
            raise InputError("like: expected at least one photograph, got none.")
        return [self._exemplar(pipeline, name, one) for name, one in given]

    def _exemplar(self, pipeline: Pipeline, name: str, given: Any) -> Exemplar:
        picture = None
        key = _file_key(given)
        if key is None:
            picture = one_picture(given, name)
            key = _digest(picture)
        key = pipeline.model, pipeline.engine.name, pipeline.working_size, key
        with self._lock:
            if key not in self._known:
                picture = one_picture(given, name) if picture is None else picture
                self._known[key] = Exemplar.of(pipeline, picture, name)
            exemplar = self._known[key] = self._known.pop(key)
            for old in list(self._known)[:-_KEPT]:
                del self._known[old]
        return exemplar


def _file_key(given: Any) -> Any:
    """Return a key of a file, or of its bytes, that changes with the contents, or None for other values."""
    given = given.content if isinstance(given, Source) else given
    if isinstance(given, bytes):
        return hashlib.blake2b(given).digest()
    if not isinstance(given, str | os.PathLike):
        return None
    try:
        status = Path(given).stat()
    except (OSError, ValueError):  # reading the file raises an error
        return None
    return Path(given).resolve(), status.st_mtime_ns, status.st_size


def _digest(picture: Picture) -> Any:
    """Return a hash that identifies a picture."""
    digest = hashlib.blake2b(np.ascontiguousarray(picture.values).data)
    if picture.alpha is not None:
        digest.update(np.ascontiguousarray(picture.alpha).data)
    return picture.shape, picture.dtype.str, digest.digest()
