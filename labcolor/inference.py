"""Running a trained network: one compiled function for pictures of every size, and chroma from its output."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from labcolor import _kernels
from labcolor.bars import Inside, inside_bars, over_bars
from labcolor.errors import LabcolorError, OutOfMemoryError
from labcolor.hints import HintSpreader, hints_on_grid, places_of
from labcolor.lab import LabCodec
from labcolor.networks import Architecture, ab_bins
from labcolor.strips import in_strips

__all__ = ["ChromaPredictor", "check_process", "forked"]

Array = npt.NDArray[Any]
_HOME = os.getpid()  # the process that loaded TensorFlow
_LOGITS = 1 << 24  # pairs of a place and a hint that are compared together
_BATCH_PIXELS = 1 << 19  # working pixels that go through the network together
# How a classifier's scores are decoded: as if trained with this share of full rebalancing (it was trained with half),
# and with this temperature of the annealed mean (Zhang et al. 2016, section 2.3). Chosen by measurement: see the card.
_REBALANCING, _TEMPERATURE = 0.28, 0.7


def decoding(saturation: float) -> tuple[float, float]:
    """For a classifier, the share of full rebalancing and the factor of chroma that make a saturation.

    Up to 1 the chroma is multiplied; from 1 to 2 rarer colours get their chance instead, which gives several true
    colours rather than one loud one; what lies beyond full rebalancing is multiplied again.
    """
    vivid = min(max(saturation - 1, 0), 1)
    return _REBALANCING + (1 - _REBALANCING) * vivid, min(saturation, max(1, saturation / 2))


class ChromaPredictor:
    """From small L to small ab: pads, runs the network, and decodes its output.

    Parameters
    ----------
    network : keras.Model
        A trained network.
    architecture : Architecture
        What it is.
    codec : LabCodec
        How its input and output are scaled.
    log_weights : ndarray, shape (Q,)
        For a classifier, logarithms of the bins' full rebalancing weights; empty otherwise.
    """

    def __init__(self, network: keras.Model, architecture: Architecture, codec: LabCodec, log_weights: Array) -> None:
        self.architecture = architecture
        self._network = network
        self._codec = codec
        self._log_weights = log_weights
        self._lock = threading.Lock()
        self._run: Callable[[Array], list[Array]] | None = None
        self._run_with_features: Callable[[Array], list[Array]] | None = None

    def __call__(self, lightness: Sequence[Array], saturation: float) -> list[Array]:
        """Predict ab for each small picture.

        Parameters
        ----------
        lightness : sequence of ndarray, each (h, w), float32
            L in [0, 100]; sizes may differ.
        saturation : float
            From 0 (grey) over 1 to 4 (vivid).

        Returns
        -------
        list of ndarray, each (h / stride, w / stride, 2), float32
            ab, unscaled; sizes rounded up.
        """
        inside = [inside_bars(small) for small in lightness]
        groups: dict[tuple[int, int], list[int]] = {}
        for index, small in enumerate(lightness):
            groups.setdefault(self._padded_shape(small), []).append(index)
        results: list[Any] = [None] * len(lightness)
        for (height, width), members in groups.items():
            together = max(1, _BATCH_PIXELS // (height * width))
            for start in range(0, len(members), together):
                chosen = members[start : start + together]
                batch = self._batch([lightness[index] for index in chosen], [inside[index] for index in chosen])
                outputs = self._decode(self._network_output(batch), saturation)
                for index, output in zip(chosen, outputs, strict=True):
                    results[index] = self._cropped(output, lightness[index], inside[index])
        return results

    def with_features(self, batch: Array, saturation: float = 1.0) -> tuple[Array, Array]:
        """Predict ab, and tell from what: the features that the last convolution gets.

        Parameters
        ----------
        batch : ndarray, shape (N, H, W, 1), float32
            Scaled L, H and W multiples of what the architecture asks for.
        saturation : float
            As for :meth:`__call__`.

        Returns
        -------
        ab : ndarray, shape (N, h, w, 2), float32
            Unscaled.
        features : ndarray, shape (N, h, w, F), float32
        """
        with self._lock:
            if self._run_with_features is None:
                last = [layer for layer in self._network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
                model = keras.Model(self._network.inputs, [self._network.output, last.input])
                self._run_with_features = _compile(model)
            run = self._run_with_features
        outputs, features = run(batch)
        return self._decode(outputs, saturation), features

    def with_hints(
        self, lightness: Array, hint: Array, pixel: tuple[float, float], spreader: HintSpreader, saturation: float
    ) -> Array:
        """Predict ab for one small picture and spread hints over it.

        Parameters
        ----------
        lightness : ndarray, shape (h, w), float32
            As for :meth:`__call__`.
        hint : ndarray, shape (H, W, 2), float32
            ab at full resolution, nan where there is no hint.
        pixel : (float, float)
            Size of a pixel of the full resolution in pixels of the result.
        spreader : HintSpreader
            A trained one.
        saturation : float
            Of the prediction; hints are taken as they are.

        Returns
        -------
        ndarray, shape (h / stride, w / stride, 2), float32
        """
        rows, columns = self._chroma_shape(lightness)
        inside = inside_bars(lightness)
        (chroma,), (features,) = self.with_features(self._batch([lightness], [inside]), saturation)
        chroma = self._cropped(chroma, lightness, inside).reshape(rows * columns, -1)
        features = features[:rows, :columns].reshape(rows * columns, -1)
        places = places_of(rows, columns)
        cells, hints = hints_on_grid(hint, rows, columns, pixel)
        theirs = hints[None], features[cells][None], places[cells][None], np.ones((1, len(cells)), np.float32)
        together = max(1, _LOGITS // len(cells))
        parts = [
            spreader((chroma[None, part], features[None, part], places[None, part], *theirs))[0]
            for part in (slice(start, start + together) for start in range(0, len(chroma), together))
        ]
        return np.concatenate([np.asarray(part) for part in parts]).reshape(rows, columns, 2)

    def deviation(self, lightness: Array) -> Array:
        """How unsure a classifier is of the ab of one small picture.

        Parameters
        ----------
        lightness : ndarray, shape (h, w), float32
            As for :meth:`__call__`.

        Returns
        -------
        ndarray, shape (h / stride, w / stride), float32
            Standard deviation of ab under the network's distribution, its rebalancing taken back; nought in bars.
        """
        rows, columns = self._chroma_shape(lightness)
        inside = inside_bars(lightness)
        scores = self._network_output(self._batch([lightness], [inside]))[0, :rows, :columns]
        scores = scores.reshape(rows * columns, -1)
        out = np.empty(len(scores), np.float32)
        _kernels.deviation(scores, np.asarray(-0.5 * self._log_weights, np.float32), ab_bins(), out)
        return self._cropped(out.reshape(rows, columns), lightness, inside)

    def _padded_shape(self, lightness: Array) -> tuple[int, int]:
        """Sides of small L, rounded up to what the network takes."""
        multiple = self.architecture.multiple
        height, width = lightness.shape
        return -(-height // multiple) * multiple, -(-width // multiple) * multiple

    def _chroma_shape(self, lightness: Array) -> tuple[int, int]:
        """Sides of the ab of small L."""
        stride = self.architecture.stride
        height, width = lightness.shape
        return -(-height // stride), -(-width // stride)

    def _cropped(self, values: Array, lightness: Array, inside: Inside) -> Array:
        """Of the network's output what belongs to small L: as large as its chroma, and nought in bars."""
        shape, stride = self._chroma_shape(lightness), self.architecture.stride
        result = np.zeros((*shape, *values.shape[2:]), np.float32)
        picture = tuple(slice(part.start // stride, -(-part.stop // stride)) for part in inside)
        result[picture] = values[: shape[0], : shape[1]][picture]
        return result

    def _batch(self, lightness: Sequence[Array], inside: Sequence[Inside]) -> Array:
        """Small L of one padded shape as the network takes it, (N, h, w, 1): extended by reflection, and scaled."""
        shape = self._padded_shape(lightness[0])
        padded = np.stack([over_bars(*pair, shape) for pair in zip(lightness, inside, strict=True)])
        return np.asarray((padded - self._codec.l_centre) / self._codec.l_scale, np.float32)[..., None]

    def _network_output(self, batch: Array) -> Array:
        with self._lock:
            if self._run is None:
                self._run = _compile(self._network)
        return self._run(batch)[0]

    def _decode(self, outputs: Array, saturation: float) -> Array:
        if not self.architecture.classifies:
            return outputs * np.float32(self._codec.ab_scale * saturation)
        rebalancing, factor = decoding(saturation)
        offsets = np.asarray((rebalancing - 0.5) * self._log_weights, np.float32)
        scores = outputs.reshape(-1, outputs.shape[-1])
        ab = np.empty((len(scores), 2), np.float32)
        in_strips(
            lambda start, stop: _kernels.annealed_mean(
                scores[start:stop], offsets, np.float32(1 / _TEMPERATURE), ab_bins(), ab[start:stop]
            ),
            len(scores),
            scores.itemsize * scores.shape[1],
        )
        ab *= np.float32(factor)
        return ab.reshape(*outputs.shape[:-1], 2)


def forked() -> bool:
    """Whether this process was forked from the one that loaded TensorFlow."""
    return os.getpid() != _HOME


def check_process() -> None:
    """Say so, rather than hang, where TensorFlow cannot run."""
    if forked():
        raise LabcolorError(
            "TensorFlow does not survive a fork, and this process was forked from one that had loaded it. Start "
            'workers with multiprocessing.get_context("spawn"), or with joblib.'
        )


def _compile(network: keras.Model) -> Callable[[Array], list[Array]]:
    """One function from (N, h, w, 1) to the network's outputs, for every N, h and w without compiling anew."""
    if keras.backend.backend() != "tensorflow":
        return lambda batch: [np.asarray(output) for output in keras.tree.flatten(network.predict_on_batch(batch))]
    import tensorflow as tf

    run = tf.function(
        lambda batch: keras.tree.flatten(network(batch, training=False)),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32)],
        autograph=False,
    ).get_concrete_function()

    def checked(batch: Array) -> list[Array]:
        try:
            return [np.asarray(output) for output in run(tf.constant(batch))]
        except tf.errors.ResourceExhaustedError as error:
            raise OutOfMemoryError(
                f"the network ran out of memory on a batch of shape {batch.shape}. Lower working_size."
            ) from error

    return checked
