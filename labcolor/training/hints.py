"""Training of the hint spreader, with the true colors of some places as hints."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from labcolor.backends.keras import keras, ops
from labcolor.base.typing import Array
from labcolor.color.codec import LabCodec
from labcolor.networks.hint_spreader import spreader_shapes
from labcolor.pictures.hint_grid import places_of
from labcolor.training.crops import count_steps, crop_batches
from labcolor.training.data import PictureList
from labcolor.training.loop import History, Training, make_optimizer
from labcolor.training.recipe import Recipe, as_seed

__all__ = ["HintSpreader", "fit_hints", "simulate_hints"]

_LEARNING_RATE = 1e-2  # for some 1,500 weights
_MAX_SIMULATED = 32  # largest number of hints for a picture in training


class HintSpreader(keras.layers.Layer):  # type: ignore[misc]
    """Layer that computes :func:`labcolor.networks.hint_spreader.spread_hints` and can be trained."""

    def __init__(self) -> None:
        super().__init__(name="hints", dtype="float32")  # whatever Keras's global policy is

    def build(self, shapes: Any) -> None:
        """Create the weights for the shapes of the inputs."""
        projection, *_ = spreader_shapes(shapes[1][-1])
        self.projection = self.add_weight(
            shape=projection, initializer=keras.initializers.GlorotUniform(0), name="projection"
        )
        # the fall of the weights with distance, and the logit of the prediction against a hint at its place
        self.distance = self.add_weight(shape=(), initializer=keras.initializers.Constant(2.0), name="distance")
        self.prediction = self.add_weight(shape=(), initializer=keras.initializers.Constant(-3.0), name="prediction")

    def call(self, inputs: Any) -> Any:
        """Spread hints.

        Parameters
        ----------
        inputs : (ab, features, places, hints, hint_features, hint_places, there)
            ab, (N, P, 2), features, (N, P, F), and coordinates in short sides, (N, P, 2), of P places; the same of K
            hints; and (N, K), which is 1 for a hint and 0 for an unused entry.

        Returns
        -------
        tensor, shape (N, P, 2)
            ab.
        """
        ab, features, places, hints, hint_features, hint_places, there = inputs
        own, theirs = self._located(features, places), self._located(hint_features, hint_places)
        squares = ops.sum(own**2, axis=-1)[..., None] + ops.sum(theirs**2, axis=-1)[:, None]
        logits = 2 * ops.matmul(own, ops.transpose(theirs, (0, 2, 1))) - squares
        logits = ops.where(there[:, None] > 0, logits, -1e9)
        constant = ops.zeros_like(logits[..., :1]) + self.prediction
        weights = ops.softmax(ops.concatenate([constant, logits], axis=-1), axis=-1)
        return weights[..., :1] * ab + ops.matmul(weights[..., 1:], hints)

    def _located(self, features: Any, places: Any) -> Any:
        """Return coordinates of a space in which negative squared distances are logits."""
        features = features / (ops.sqrt(ops.mean(ops.square(features), axis=-1, keepdims=True)) + 1e-6)
        near = places * (2 * ops.sqrt(ops.abs(self.distance)))
        return ops.concatenate([ops.matmul(features, self.projection), near], axis=-1)


def simulate_hints(true: Array, features: Array, random: np.random.Generator) -> tuple[Array, ...]:
    """Choose some places of a batch and return their true colors as hints.

    Few hints are more frequent than many.

    Parameters
    ----------
    true : ndarray, shape (N, P, 2)
        True ab.
    features : ndarray, shape (N, P, F)
        Features of the network.
    random : numpy.random.Generator
        Source of the choice.

    Returns
    -------
    chosen : ndarray, shape (N, K), int
        Indices of the places.
    hints, hint_features : ndarray, shapes (N, K, 2) and (N, K, F)
        True ab and features at these places.
    there : ndarray, shape (N, K), float32
        1 for a hint, 0 for an unused entry.
    """
    chosen = random.integers(0, true.shape[1], (len(true), _MAX_SIMULATED))
    count = np.minimum(random.geometric(1 / 8, (len(true), 1)) - 1, _MAX_SIMULATED)
    there = (np.arange(_MAX_SIMULATED) < count).astype(np.float32)
    hints, hint_features = (np.take_along_axis(values, chosen[..., None], axis=1) for values in (true, features))
    return chosen, hints, hint_features, there


def fit_hints(
    predict: Callable[[Array], tuple[Array, Array]], pictures: PictureList, codec: LabCodec, recipe: Recipe, steps: int
) -> tuple[History, list[Array]]:
    """Train the hint spreader on simulated hints, by the mean absolute error of ab. The network does not change.

    Parameters
    ----------
    predict : callable
        Function from scaled L (N, H, W, 1) to unscaled ab (N, h, w, 2) and the features of the network (N, h, w, F).
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
            predicted, features = predict(lightness)
            n, rows, columns, channels = features.shape
            stride = lightness.shape[1] // rows
            true = ops.average_pool(ab, stride, stride, data_format="channels_last")
            true = ops.convert_to_numpy(true).reshape(n, -1, 2) * codec.ab_scale
            features = features.reshape(n, -1, channels)
            places = np.repeat(places_of(rows, columns)[None], n, axis=0)
            chosen, hints, hint_features, there = simulate_hints(true, features, random)
            hint_places = np.take_along_axis(places, chosen[..., None], axis=1)
            yield (predicted.reshape(n, -1, 2), features, places, hints, hint_features, hint_places, there), true

    examples = simulated()
    first = next(examples)  # for the shapes

    def all_examples(step: int) -> Generator[tuple[tuple[Array, ...], Array], None, None]:
        yield first
        yield from examples

    inputs = [keras.Input((None, *values.shape[2:]), dtype="float32") for values in first[0]]
    spreader = HintSpreader()
    model = keras.Model(inputs, spreader(inputs))
    optimizer = make_optimizer("adam", _LEARNING_RATE, steps=steps, constant=False)
    outcome = Training(
        model,
        "mean_absolute_error",
        optimizer,
        steps_per_epoch=steps,
        epochs=1,
        batch_size=len(first[1]),
        verbose=int(recipe.verbose),
    ).run(all_examples)
    return {"loss": outcome.history["loss"]}, spreader.get_weights()
