"""Training of the hint spreader, with the true colors of some cells as hints."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from labcolor.backends.keras import keras, ops
from labcolor.base.typing import Array
from labcolor.color.codec import LabCodec
from labcolor.networks.hint_spreader import (
    UNREACHABLE,
    Cells,
    distances,
    kriging,
    locate,
    path_lengths,
    spreader_shapes,
    unit_features,
)
from labcolor.pictures.hint_grid import places_of
from labcolor.training.crops import count_steps, crop_batches
from labcolor.training.data import PictureList
from labcolor.training.loop import History, Training, make_optimizer
from labcolor.training.recipe import Recipe, as_seed

_LEARNING_RATE = 1e-2  # for some 1,500 weights
_MAX_SIMULATED = 32  # largest number of hints for a picture in training
_LEAST_ERROR = 4.0  # mean squared error of ab below which improvements hardly count
_SPREAD = 0.12  # standard deviation of the first projection
_START = np.array([0.0, -3.0, -4.0, -2.3, 0.0, 0.5, 0.7, -2.3], np.float32)  # first constants; see kriging


class HintSpreader(keras.layers.Layer):  # type: ignore[misc]
    """Layer that computes :func:`labcolor.networks.hint_spreader.kriging` and can be trained."""

    def __init__(self) -> None:
        super().__init__(name="hints", dtype="float32")  # whatever Keras's global policy is

    def build(self, shapes: Any) -> None:
        """Create the weights for the shapes of the inputs."""
        projection, constants = spreader_shapes(shapes[1][-1])
        self.projection = self.add_weight(
            shape=projection, initializer=keras.initializers.RandomNormal(0, _SPREAD, 0), name="projection"
        )
        self.constants = self.add_weight(
            shape=constants, initializer=lambda *args, **kwargs: ops.convert_to_tensor(_START), name="constants"
        )

    def call(self, inputs: Any) -> Any:
        """Spread hints.

        Parameters
        ----------
        inputs : (ab, features, places, lightness, deviation, chosen, colors, paths)
            For each of P cells: predicted ab, (N, P, 2), features, (N, P, F), coordinates in short sides, (N, P, 2), L
            and deviation, (N, P, 1). For each of K hints: the index of its cell, (N, K), ab, (N, K, 2), and the lengths
            of the paths from all cells, (N, P, K).

        Returns
        -------
        tensor, shape (N, P, 2)
            ab.
        """
        ab, features, places, lightness, deviation, chosen, colors, paths = inputs
        cells = Cells(ab, locate(features, places, (self.projection, self.constants), ops), lightness, deviation)
        chosen = ops.expand_dims(ops.cast(chosen, "int32"), -1)
        hints = Cells(*(ops.take_along_axis(values, chosen, axis=1) for values in cells))
        between = ops.take_along_axis(paths, chosen, axis=1)
        between = distances(hints, hints, between, self.constants, ops)
        apart = distances(cells, hints, paths, self.constants, ops)
        return kriging(cells, hints, colors - hints.ab, between, apart, self.constants, ops=ops)


def simulate_hints(cells: int, random: np.random.Generator) -> tuple[Array, Array]:
    """Choose the cells of a picture whose true colors become hints. Few hints are more frequent than many.

    Parameters
    ----------
    cells : int
        Number of cells to choose from.
    random : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    chosen : ndarray, shape (K,), int
        Indices of the cells.
    used : ndarray, shape (K,), bool
        Whether a hint is used; K is always the same.
    """
    chosen = random.integers(0, cells, _MAX_SIMULATED)
    return chosen, np.arange(_MAX_SIMULATED) < min(random.geometric(1 / 8), _MAX_SIMULATED)


def _log_error(true: Any, estimated: Any) -> Any:
    """Return the logarithm of each picture's mean squared error, which is proportional to its PSNR."""
    return ops.log(ops.mean(ops.square(true - estimated), axis=(1, 2)) + _LEAST_ERROR)


def fit_hints(
    predict: Callable[[Array], tuple[Array, Array, Array]],
    pictures: PictureList,
    codec: LabCodec,
    recipe: Recipe,
    steps: int,
) -> tuple[History, list[Array]]:
    """Train the hint spreader on simulated hints, by the PSNR of ab. The network does not change.

    Parameters
    ----------
    predict : callable
        Function from scaled L (N, H, W, 1) to unscaled ab (N, h, w, 2), the features of the network (N, h, w, F), and
        the deviation of ab (N, h, w).
    pictures : PictureList
        Pictures to train on.
    codec : LabCodec
        Scales L and ab.
    recipe : Recipe
        Size and number of the crops, their aging, the seed and ``verbose``.
    steps : int
        Number of batches to train on.

    Returns
    -------
    history : dict
        The loss.
    weights : list of ndarray
        Weights of :func:`labcolor.networks.hint_spreader.spread_hints`.
    """
    batch_size, seed = min(recipe.batch_size, len(pictures)), as_seed(recipe.random_state)
    batches = crop_batches(
        pictures,
        codec,
        size=recipe.crop_size,
        batch_size=batch_size,
        epochs=math.ceil(steps / count_steps(len(pictures), batch_size)),
        seed=seed,
        film_aging=recipe.film_aging,
    )
    random = np.random.default_rng(seed)

    def simulated() -> Iterator[tuple[tuple[Array, ...], Array]]:
        for lightness, ab in batches:
            predicted, features, deviation = predict(lightness)
            n, rows, columns, _ = predicted.shape
            stride = lightness.shape[1] // rows

            def reduced(values: Array, stride: int = stride) -> Array:
                pooled = ops.average_pool(values, stride, stride, data_format="channels_last")
                return np.asarray(ops.convert_to_numpy(pooled).reshape(len(values), -1, values.shape[-1]))

            true = reduced(ab) * codec.ab_scale
            light = reduced(lightness) * codec.l_scale + codec.l_center
            features = np.stack([unit_features(one.reshape(rows * columns, -1)) for one in features])
            chosen, used = zip(*(simulate_hints(rows * columns, random) for _ in range(n)), strict=True)
            paths = np.stack(
                [
                    np.where(there, path_lengths(one, own, (rows, columns), cells), UNREACHABLE)
                    for one, own, cells, there in zip(features, light, chosen, used, strict=True)
                ]
            )
            index = np.stack(chosen)
            colors = np.take_along_axis(true, index[..., None], axis=1)
            places = np.repeat(places_of(rows, columns)[None], n, axis=0)
            given = predicted.reshape(n, -1, 2), features, places, light, deviation.reshape(n, -1, 1)
            yield (*given, index, colors, paths), true

    examples = simulated()
    first = next(examples)  # for the shapes

    def all_examples(step: int) -> Generator[tuple[tuple[Array, ...], Array], None, None]:
        yield first
        yield from examples

    inputs = [keras.Input(values.shape[1:], dtype="float32") for values in first[0]]
    spreader = HintSpreader()
    model = keras.Model(inputs, spreader(inputs))
    optimizer = make_optimizer("adam", _LEARNING_RATE, steps=steps, constant=False)
    outcome = Training(
        model,
        _log_error,
        optimizer,
        steps_per_epoch=steps,
        epochs=1,
        batch_size=len(first[1]),
        verbose=int(recipe.verbose),
    ).run(all_examples)
    return {"loss": outcome.history["loss"]}, spreader.get_weights()
