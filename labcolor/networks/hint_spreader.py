"""The layer that spreads color hints to the places that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labcolor._keras import keras, ops
from labcolor._typing import Array

__all__ = ["HintSpreader"]

_DIMENSIONS = 16  # of the space in which likeness is measured


class HintSpreader(keras.layers.Layer):  # type: ignore[misc]
    """Mixes hints into predicted chroma, by likeness of the network's features and by nearness.

    At each place the result is a weighted mean of the prediction and of the hints. A hint's weight falls with the
    squared distance of the two places' features, projected, and of the places themselves; the prediction's is
    constant. So the result is the prediction where there is no hint, and stays between the colors that were given.
    The projection and the two constants are trained with simulated hints.

    References
    ----------
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017 (the simulated
    hints). A. Vaswani et al., "Attention Is All You Need", 2017 (the mean weighted by a softmax of likeness).
    """

    def __init__(self) -> None:
        super().__init__(name="hints", dtype="float32")  # whatever Keras's global policy is

    def build(self, shapes: Any) -> None:
        """Make the weights for the shapes of what :meth:`call` gets."""
        self.projection = self.add_weight(
            shape=self.weight_shapes(shapes[1][-1])[0],
            initializer=keras.initializers.GlorotUniform(0),
            name="projection",
        )
        # how fast weight falls with distance, and what the prediction weighs against a hint in place, in logits
        self.distance = self.add_weight(shape=(), initializer=keras.initializers.Constant(2.0), name="distance")
        self.prediction = self.add_weight(shape=(), initializer=keras.initializers.Constant(-3.0), name="prediction")

    def call(self, inputs: Any) -> Any:
        """Spread hints.

        Parameters
        ----------
        inputs : (ab, features, places, hints, hint_features, hint_places, there)
            Of P places: ab, (N, P, 2); features, (N, P, F); coordinates in short sides, (N, P, 2). Of K hints the
            same, and one for a hint, nought for what only fills up the batch, (N, K).

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
        """Features and place as coordinates of one space, whose squared distances are logits."""
        features = features / (ops.sqrt(ops.mean(ops.square(features), axis=-1, keepdims=True)) + 1e-6)
        near = places * (2 * ops.sqrt(ops.abs(self.distance)))
        return ops.concatenate([ops.matmul(features, self.projection), near], axis=-1)

    @staticmethod
    def weight_shapes(features: int) -> list[tuple[int, ...]]:
        """Return the shapes of projection, distance and prediction, for a number of features."""
        return [(features, _DIMENSIONS), (), ()]

    @classmethod
    def with_weights(cls, weights: Sequence[Array]) -> HintSpreader:
        """Build the layer with trained weights: projection, distance and prediction."""
        spreader = cls()
        spreader.build([(None, None, 2), (None, None, len(weights[0]))])
        spreader.set_weights(weights)
        return spreader
