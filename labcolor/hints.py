"""Colour hints: sparse ab given by a person or another program, spread to the places that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from labcolor.errors import InputError, InputTypeError

__all__ = ["HintSpreader", "as_hints", "hints_on_grid", "places_of", "simulate_hints"]

Array = npt.NDArray[Any]
_DIMENSIONS = 16  # of the space in which likeness is measured
_MOST_SIMULATED = 32  # hints a picture, in training


def as_hints(hints: Any, shapes: Sequence[tuple[int, int]]) -> list[Array | None]:
    """Check hints and bring them into a list, one entry a picture.

    Parameters
    ----------
    hints : None, array (H, W, 2), array (N, H, W, 2), or list of array or None
        ab where there is a hint, nan elsewhere.
    shapes : sequence of (H, W)
        The pictures' sizes.

    Returns
    -------
    list of ndarray (H, W, 2), float32, or None
        None where a picture has no hint.

    Raises
    ------
    InputError, InputTypeError
        Hints do not go with the pictures, or are no ab.
    """
    if hints is None:
        return [None] * len(shapes)
    if not isinstance(hints, list | tuple | np.ndarray):
        raise InputTypeError(
            f"hints: expected None, an array (H, W, 2) of ab with nan where there is no hint, or a list of them, got "
            f"{type(hints).__name__}."
        )
    given = [hints] if isinstance(hints, np.ndarray) and hints.ndim == 3 else list(hints)
    if len(given) != len(shapes):
        raise InputError(f"hints: expected one entry for each of {len(shapes)} pictures, got {len(given)}.")
    return [_checked(f"hints[{index}]", *pair) for index, pair in enumerate(zip(given, shapes, strict=True))]


def _checked(name: str, hint: Any, shape: tuple[int, int]) -> Array | None:
    if hint is None:
        return None
    expected = f"an array of float, shape {(*shape, 2)}, as large as the picture, ab in [-128, 128] or nan"
    if not isinstance(hint, np.ndarray) or hint.dtype.kind != "f":
        kind = f"an array of {hint.dtype}" if isinstance(hint, np.ndarray) else type(hint).__name__
        raise InputTypeError(f"{name}: expected {expected}, got {kind}.")
    if hint.shape != (*shape, 2):
        raise InputError(f"{name}: expected {expected}, got shape {hint.shape}.")
    there = ~np.isnan(hint).any(axis=2)
    if np.abs(hint[there]).max(initial=0) > 128:
        raise InputError(f"{name}: expected {expected}, got {hint[there].min():g} to {hint[there].max():g}.")
    return hint.astype(np.float32) if there.any() else None


def hints_on_grid(hint: Array, rows: int, columns: int, pixel: tuple[float, float]) -> tuple[Array, Array]:
    """Bring one picture's hints to the grid of its small chroma: the mean of those in each cell.

    Parameters
    ----------
    hint : ndarray, shape (H, W, 2), float32
        ab, or nan.
    rows, columns : int
        Size of the small chroma.
    pixel : (float, float)
        A pixel's height and width in cells.

    Returns
    -------
    index : ndarray, shape (K,), int32
        The cells with hints, counted row by row.
    ab : ndarray, shape (K, 2), float32
        Their colours.
    """
    y, x = np.nonzero(~np.isnan(hint).any(axis=2))
    row = np.minimum(((y + 0.5) * pixel[0]).astype(int), rows - 1)
    column = np.minimum(((x + 0.5) * pixel[1]).astype(int), columns - 1)
    cells, where, counts = np.unique(row * columns + column, return_inverse=True, return_counts=True)
    sums = [np.bincount(where, hint[y, x, channel], len(cells)) for channel in range(2)]
    return cells.astype(np.int32), (np.stack(sums, axis=1) / counts[:, None]).astype(np.float32)


class HintSpreader(keras.layers.Layer):  # type: ignore[misc]
    """Mixes hints into predicted chroma, by likeness of the network's features and by nearness.

    At each place the result is a weighted mean of the prediction and of the hints. A hint's weight falls with the
    squared distance of the two places' features, projected, and of the places themselves; the prediction's is
    constant. So the result is the prediction where there is no hint, and stays between the colours that were given.
    The projection and the two constants are trained with simulated hints.

    References
    ----------
    R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017 (the simulated
    hints). A. Vaswani et al., "Attention Is All You Need", 2017 (the mean weighted by a softmax of likeness).
    """

    def build(self, shapes: Any) -> None:
        """Make the weights for the shapes of what :meth:`call` gets."""
        self.projection = self.add_weight(
            shape=(shapes[1][-1], _DIMENSIONS), initializer=keras.initializers.GlorotUniform(0), name="projection"
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


def places_of(rows: int, columns: int) -> Array:
    """Coordinates of a grid's cells in short sides, (rows * columns, 2) float32, row by row."""
    grid = np.indices((rows, columns), np.float32).reshape(2, -1).T
    return np.asarray(grid / np.float32(min(rows, columns)))


def simulate_hints(true: Array, features: Array, random: np.random.Generator) -> tuple[Array, ...]:
    """Choose some places of a batch and give their true colours as hints, few more often than many.

    Parameters
    ----------
    true : ndarray, shape (N, P, 2)
        ab.
    features : ndarray, shape (N, P, F)
        The network's features.
    random : numpy.random.Generator
        Chooses.

    Returns
    -------
    chosen : ndarray, shape (N, K), int
        The places.
    hints, hint_features : ndarray, shapes (N, K, 2) and (N, K, F)
        What is there.
    there : ndarray, shape (N, K), float32
        One for a hint.
    """
    chosen = random.integers(0, true.shape[1], (len(true), _MOST_SIMULATED))
    count = np.minimum(random.geometric(1 / 8, (len(true), 1)) - 1, _MOST_SIMULATED)
    there = (np.arange(_MOST_SIMULATED) < count).astype(np.float32)
    hints, hint_features = (np.take_along_axis(values, chosen[..., None], axis=1) for values in (true, features))
    return chosen, hints, hint_features, there
