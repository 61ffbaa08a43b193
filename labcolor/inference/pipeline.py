"""The pipeline: from pictures to small chroma, and from there to colored pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import numpy as np

from labcolor.base.typing import Array
from labcolor.errors import InputError, OutOfMemoryError
from labcolor.inference.engine import Engine
from labcolor.networks.hint_spreader import (
    UNSURE,
    Cells,
    locate,
    path_lengths,
    spread_hints,
    unit_features,
)
from labcolor.networks.model import FittedModel
from labcolor.networks.views import OVERVIEW, coarse, mix_overview, quiet_factor, resize_part
from labcolor.pictures.hint_grid import colors_near_hints, hints_on_grid, places_of
from labcolor.pictures.hints import HintMap
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture

# Function from a small picture, its predicted chroma and its positions to the chroma over which hints spread.
Guide: TypeAlias = Callable[[SmallPicture, Array, Array], Array]

_GROUP = 16  # pictures that are reduced, predicted and joined together
_SPREADING = 256  # largest number of cells that spread hints; of more cells, every second, third and so on is used
_LEAST_VARIANCE = np.float32(4)  # smallest variance of ab with which hints spread
_BATCH_PIXELS = 1 << 19  # pixels at the working size that the network processes together


class Prediction(NamedTuple):
    """Predicted ab of a small picture, before :meth:`Pipeline.quieted`, and their variance, 0 if it is not needed."""

    ab: Array
    variance: float


class _View(NamedTuple):
    """Output of the network for a small picture: ab, and the moments of its scores if the model needs them."""

    ab: Array
    moments: Array | None


class Pipeline:
    """Colors pictures with one trained model at one working size.

    Parameters
    ----------
    model : FittedModel
        The model.
    engine : Engine
        Engine of its network.
    working_size : int
        Short side, in pixels, of the network's input.
    """

    def __init__(self, model: FittedModel, engine: Engine, working_size: int) -> None:
        self.model = model
        self.engine = engine
        self.working_size = working_size

    @property
    def stride(self) -> int:
        """Factor by which chroma is smaller than the small picture."""
        return self.model.head.stride

    def colorize(
        self,
        pictures: Sequence[Picture],
        saturation: float = 1.0,
        hints: Sequence[HintMap | None] | None = None,
        guide: Guide | None = None,
        in_cells: bool = False,
    ) -> list[Array]:
        """Color pictures.

        Parameters
        ----------
        pictures : sequence of Picture
            From :func:`labcolor.io.inputs.as_pictures`.
        saturation : float
            From 0 (grey) over 1 to 4 (vivid).
        hints : sequence of HintMap or None, optional
            For each picture its hints, or None.
        guide : callable, optional
            As for :meth:`hinted_chroma`.
        in_cells : bool
            Whether the results are for files with chroma of half the size: see :meth:`Picture.colored_in_cells`.

        Returns
        -------
        list of ndarray
            Each (H, W, 3), or (H, W, 4) where there is alpha.

        Raises
        ------
        InputError
            There are hints, and the model has no hint spreader.
        OutOfMemoryError
            The pictures did not fit in memory.
        """
        hints = [None] * len(pictures) if hints is None else hints
        results: list[Array] = []
        with in_memory():
            for start in range(0, len(pictures), _GROUP):
                part = slice(start, start + _GROUP)
                small = [SmallPicture.of(picture, self.working_size) for picture in pictures[part]]
                aided = [hint is not None or guide is not None for hint in hints[part]]
                plain = iter(self.chroma([one for one, aid in zip(small, aided, strict=True) if not aid], saturation))
                for picture, one, hint, aid in zip(pictures[part], small, hints[part], aided, strict=True):
                    ab = self.hinted_chroma(one, hint, saturation, guide) if aid else next(plain)
                    join = picture.colored_in_cells if in_cells else picture.colored
                    results.append(join(one.chroma(ab, self.stride)))
        return results

    def uncertainty(self, pictures: Sequence[Picture]) -> list[Array]:
        """Return the standard deviation of ab at each pixel of each picture, (H, W) float32; 0 in bars.

        Parameters
        ----------
        pictures : sequence of Picture
            As for :meth:`colorize`.

        Returns
        -------
        list of ndarray

        Raises
        ------
        InputError
            The model's head has no uncertainty.
        OutOfMemoryError
            The pictures did not fit in memory.
        """
        maps = []
        with in_memory():
            for picture in pictures:
                small = SmallPicture.of(picture, self.working_size)
                height, width = picture.shape
                rows, columns = small.chroma_scale(self.stride)
                part = 0.0, 0.0, columns * width, rows * height  # less than the map if the stride divides no side
                (outputs,) = self.engine.run(self._batch([small]))
                (moments,) = self.model.head.moments(outputs)
                deviation = np.sqrt(small.cropped(moments, self.stride)[..., 2])
                enlarged = resize_part(deviation, picture.shape, part)
                maps.append(np.zeros_like(enlarged))
                maps[-1][small.content_box] = enlarged[small.content_box]
        return maps

    def chroma(self, small: Sequence[SmallPicture], saturation: float = 1.0) -> list[Array]:
        """Predict the ab of small pictures, whose sizes may differ.

        Parameters
        ----------
        small : sequence of SmallPicture
            Input of the network.
        saturation : float
            As for :meth:`colorize`.

        Returns
        -------
        list of ndarray, each (h / stride, w / stride, 2), float32
            ab, unscaled; sizes rounded up.
        """
        return [self.quieted(*prediction) for prediction in self.predictions(small, saturation)]

    def predictions(self, small: Sequence[SmallPicture], saturation: float = 1.0) -> list[Prediction]:
        """Predict the ab of small pictures, as :meth:`chroma` before it calls :meth:`quieted`."""
        return self._joined_views(self._views(small, saturation), small, saturation)

    def quieted(self, ab: Array, variance: float) -> Array:
        """Reduce chroma if the variance is large."""
        return ab * np.float32(quiet_factor(variance, self.model.quiet)) if self.model.quiet else ab

    def _joined_views(self, views: list[_View], small: Sequence[SmallPicture], saturation: float) -> list[Prediction]:
        """Return predictions for small pictures, with overviews mixed in."""
        overviews: Sequence[_View | None] = [None] * len(views)
        reduced = small
        if self.model.overview and self.working_size > OVERVIEW:
            reduced = [one.reduced(OVERVIEW).mirrored() for one in small]
            overviews = self._views(reduced, saturation)
        results = []
        for (ab, moments), overview, one, less in zip(views, overviews, small, reduced, strict=True):
            variance = 0.0 if moments is None else float(moments[..., 2].mean())
            if overview is not None:
                part = self._part_of_mirrored(less, one)
                ab = mix_overview(ab, _mirrored(overview.ab), part, self.model.overview)
                if moments is not None and overview.moments is not None:
                    # the law of total variance: the mean of both variances, and the variance of both means
                    shape, expected = ab.shape[:2], _mirrored(overview.moments[..., :2])
                    apart = coarse(moments[..., :2], shape) - coarse(expected, shape, part)
                    variance = (variance + float(overview.moments[..., 2].mean())) / 2
                    variance += float(np.square(apart).sum(axis=-1).mean()) / 4
            results.append(Prediction(ab, variance))
        return results

    def _part_of_mirrored(self, less: SmallPicture, one: SmallPicture) -> tuple[float, float, float, float]:
        """Return the part of a mirrored overview's chroma that corresponds to the picture's own chroma."""
        rows, columns = one.chroma_shape(self.stride)
        (height, width), (y, x) = less.chroma_scale(self.stride), one.chroma_scale(self.stride)
        left = less.chroma_shape(self.stride)[1] - less.lightness.shape[1] / self.stride
        return left, 0.0, left + columns * width / x, rows * height / y

    def _views(self, small: Sequence[SmallPicture], saturation: float) -> list[_View]:
        """Return the network's output for small pictures, in their order."""
        multiple = self.model.architecture.multiple
        groups: dict[tuple[int, int], list[int]] = {}
        for index, one in enumerate(small):
            groups.setdefault(one.padded_shape(multiple), []).append(index)
        results: dict[int, _View] = {}
        for (height, width), members in groups.items():
            together = max(1, _BATCH_PIXELS // (height * width))
            for start in range(0, len(members), together):
                chosen = members[start : start + together]
                pictures = [small[index] for index in chosen]
                (outputs,) = self.engine.run(self._batch(pictures))
                results |= dict(zip(chosen, self._decoded(outputs, pictures, saturation), strict=True))
        return [results[index] for index in range(len(small))]

    def _decoded(self, outputs: Array, small: Sequence[SmallPicture], saturation: float) -> list[_View]:
        """Decode the network's output for small pictures of one padded shape."""
        ab = self.model.head.decode(outputs, self.model.codec, saturation)
        moments = self.model.head.moments(outputs) if self.model.quiet else None
        return [
            _View(
                one.cropped(ab[index], self.stride),
                None if moments is None else one.cropped(moments[index], self.stride),
            )
            for index, one in enumerate(small)
        ]

    def check_hints(self, name: str = "hints") -> None:
        """Raise an InputError that names a parameter if the model has no hint spreader."""
        if not self.model.hints:
            raise InputError(
                f"{name}: this model cannot spread known colors. Use Colorizer.from_pretrained(), or call fit_hints."
            )

    def hinted_chroma(
        self, small: SmallPicture, hints: HintMap | None, saturation: float = 1.0, guide: Guide | None = None
    ) -> Array:
        """Predict the ab of one small picture, and spread hints over it.

        Parameters
        ----------
        small : SmallPicture
            Input of the network.
        hints : HintMap or None
            Hints at full resolution. Hints in bars, which stay grey, are ignored.
        saturation : float
            Saturation of the prediction. Hints do not change.
        guide : callable, optional
            Function that changes the predicted chroma before hints spread, by other known colors.

        Returns
        -------
        ndarray, shape (h / stride, w / stride, 2), float32

        Raises
        ------
        InputError
            The model has no hint spreader.
        """
        prediction, features, outputs = self._analyzed(small, saturation)
        chroma = self.quieted(*prediction)
        own = self._located(features, chroma.shape)
        if guide is not None:
            chroma = guide(small, chroma, own)
        if hints is None:
            return chroma
        rows, columns, _ = chroma.shape
        scale = small.chroma_scale(self.stride)
        cells, kinds, colors, where = hints_on_grid(hints, rows, columns, scale, small.content_box)
        spreading, unknown = kinds != HintMap.FENCE, kinds != HintMap.FIRST
        if not spreading.any():
            return chroma
        chroma = chroma.reshape(rows * columns, -1)
        colors[unknown] = chroma[cells[unknown]]
        held, share = colors_near_hints(colors, where, rows, columns)
        if share.min() == 1:  # hints everywhere
            return held.reshape(rows, columns, 2)
        chosen, fences = np.flatnonzero(spreading), cells[~spreading]
        chosen = chosen[:: -(-len(chosen) // _SPREADING)]
        lightness = small.coarse_lightness(self.stride).reshape(-1, 1)
        paths = path_lengths(features, lightness, (rows, columns), cells[chosen], fences)
        deviation = self._deviations(outputs)[0, :rows, :columns].reshape(-1, 1)
        grid = Cells(chroma, own, lightness, deviation)
        spread = spread_hints(grid, cells[chosen], colors[chosen], paths, self.model.hints)
        spread += share * (held - spread)
        return spread.reshape(rows, columns, 2)

    def located_chroma(self, small: SmallPicture, saturation: float = 1.0) -> tuple[Prediction, Array]:
        """Predict the ab of one small picture, and return its positions in the space in which hints spread.

        Parameters
        ----------
        small : SmallPicture
            Input of the network.
        saturation : float
            As for :meth:`colorize`.

        Returns
        -------
        Prediction
            With ab of shape (h, w, 2), that of :meth:`SmallPicture.chroma_shape`.
        keys : ndarray, shape (h * w, D), float32
            Positions, row by row, from :func:`labcolor.networks.hint_spreader.locate`.

        Raises
        ------
        InputError
            The model has no hint spreader.
        """
        prediction, features, _ = self._analyzed(small, saturation)
        return prediction, self._located(features, prediction.ab.shape)

    def _analyzed(self, small: SmallPicture, saturation: float) -> tuple[Prediction, Array, Array]:
        """Return the prediction for one small picture, the features of its cells, and the network's output."""
        self.check_hints()
        rows, columns = small.chroma_shape(self.stride)
        outputs, (features,) = self.engine.run(self._batch([small]), features=True)
        (prediction,) = self._joined_views(self._decoded(outputs, [small], saturation), [small], saturation)
        features = features[:rows, :columns].reshape(rows * columns, -1)
        return prediction, unit_features(features), outputs

    def _deviations(self, outputs: Array) -> Array:
        """Return the standard deviations of ab, (N, h, w), of at least 2; constant if the head has no uncertainty."""
        try:
            return np.sqrt(np.maximum(self.model.head.moments(outputs)[..., 2], _LEAST_VARIANCE))
        except InputError:
            return np.full(outputs.shape[:3], UNSURE, np.float32)

    def _located(self, features: Array, shape: tuple[int, ...]) -> Array:
        """Return the positions of a grid of cells."""
        return np.asarray(locate(features, places_of(*shape[:2]), self.model.hints))

    def with_features(self, batch: Array, saturation: float = 1.0) -> tuple[Array, Array, Array]:
        """Predict ab without an overview, and return the features of the last convolution, and the uncertainty.

        Parameters
        ----------
        batch : ndarray, shape (N, H, W, 1), float32
            Scaled L; H and W are multiples of the architecture's ``multiple``.
        saturation : float
            As for :meth:`colorize`.

        Returns
        -------
        ab : ndarray, shape (N, h, w, 2), float32
            Unscaled.
        features : ndarray, shape (N, h, w, F), float32
        deviation : ndarray, shape (N, h, w), float32
            Standard deviation of ab; constant if the head has no uncertainty.
        """
        outputs, features = self.engine.run(batch, features=True)
        return self.model.head.decode(outputs, self.model.codec, saturation), features, self._deviations(outputs)

    def _batch(self, small: Sequence[SmallPicture]) -> Array:
        """Return small pictures of one padded shape as a batch, (N, h, w, 1), padded and scaled."""
        codec = self.model.codec
        padded = np.stack([one.padded(self.model.architecture.multiple) for one in small])
        return np.asarray((padded - codec.l_center) / codec.l_scale, np.float32)[..., None]


def _mirrored(values: Array) -> Array:
    """Mirror a map, and extend it, since the last cells of a picture's chroma may reach beyond the picture."""
    return np.pad(values[:, ::-1], ((0, 1), (0, 1), (0, 0)), "edge")


@contextmanager
def in_memory() -> Iterator[None]:
    """Convert the MemoryError of a block to an OutOfMemoryError."""
    try:
        yield
    except OutOfMemoryError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError("the pictures did not fit in memory. Pass fewer at a time.") from error
