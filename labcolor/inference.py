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
from labcolor.errors import LabcolorError, OutOfMemoryError
from labcolor.lab import LabCodec
from labcolor.networks import Architecture, ab_bins
from labcolor.strips import in_strips

__all__ = ["ChromaPredictor"]

Array = npt.NDArray[Any]
_HOME = os.getpid()  # the process that loaded TensorFlow
_BATCH_PIXELS = 1 << 19  # working pixels that go through the network together
# How a classifier's scores are decoded: as if trained with this share of full rebalancing (it was trained with half),
# and with this temperature of the annealed mean (Zhang et al. 2016, section 2.3). Chosen by measurement: see the card.
_REBALANCING, _TEMPERATURE = 0.25, 0.7


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
        self._run: Callable[[Array], Array] | None = None

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
        if os.getpid() != _HOME:
            raise LabcolorError(
                "TensorFlow does not survive a fork, and this process was forked from one that had loaded it. Start "
                'workers with multiprocessing.get_context("spawn"), or with joblib.'
            )
        groups: dict[tuple[int, int], list[int]] = {}
        multiple = self.architecture.multiple
        for index, small in enumerate(lightness):
            height, width = small.shape
            groups.setdefault((-(-height // multiple) * multiple, -(-width // multiple) * multiple), []).append(index)
        results: list[Any] = [None] * len(lightness)
        for (height, width), members in groups.items():
            together = max(1, _BATCH_PIXELS // (height * width))
            for start in range(0, len(members), together):
                chosen = members[start : start + together]
                batch = np.stack([_pad(lightness[index], height, width) for index in chosen])
                batch -= self._codec.l_centre
                batch /= self._codec.l_scale
                outputs = self._decode(self._network_output(batch[..., None]), saturation)
                for index, output in zip(chosen, outputs, strict=True):
                    rows, columns = (-(-side // self.architecture.stride) for side in lightness[index].shape)
                    results[index] = output[:rows, :columns]
        return results

    def _network_output(self, batch: Array) -> Array:
        with self._lock:
            if self._run is None:
                self._run = _compile(self._network)
        return self._run(batch)

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


def _pad(small: Array, height: int, width: int) -> Array:
    """Extend (h, w) to (height, width) by reflection at the lower and the right edge."""
    return np.pad(small, ((0, height - small.shape[0]), (0, width - small.shape[1])), "symmetric")


def _compile(network: keras.Model) -> Callable[[Array], Array]:
    """One function from (N, h, w, 1) to the network's output, for every N, h and w without compiling anew."""
    if keras.backend.backend() != "tensorflow":
        return lambda batch: np.asarray(network.predict_on_batch(batch))
    import tensorflow as tf

    run = tf.function(
        lambda batch: network(batch, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32)],
        autograph=False,
    ).get_concrete_function()

    def checked(batch: Array) -> Array:
        try:
            return np.asarray(run(tf.constant(batch)))
        except tf.errors.ResourceExhaustedError as error:
            raise OutOfMemoryError(
                f"the network ran out of memory on a batch of shape {batch.shape}. Lower working_size."
            ) from error

    return checked
