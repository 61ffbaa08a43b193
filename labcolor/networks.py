"""The networks, L in and ab out, and their losses: pure Keras 3, so that they run on every Keras backend."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from labcolor.errors import InputError
from labcolor.lab import rgb_to_lab

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "ab_bins",
    "bin_loss",
    "bin_targets",
    "build_autoencoder",
    "build_classifier",
    "rebalancing",
]

BIN_SIZE = 10.0  # side of a bin in a and b, as in Zhang, Isola, Efros 2016


_SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def _distinct(pairs: npt.NDArray[Any]) -> set[tuple[int, int]]:
    """The distinct pairs among small whole numbers; np.unique over rows takes twenty times as long."""
    code = np.unique((pairs[:, 0] + 64) * 128 + pairs[:, 1] + 64).astype(int)
    return set(zip((code // 128 - 64).tolist(), (code % 128 - 64).tolist(), strict=True))


def _seeds(seed: int | None) -> Iterator[int | None]:
    return itertools.repeat(None) if seed is None else itertools.count(seed)


def _names(kind: str) -> Iterator[str]:
    """The same names in each network: TensorFlow keeps some 40 kB for each name that a variable ever had."""
    return (f"{kind}_{number}" for number in itertools.count(1))


def build_autoencoder(
    encoder: tuple[int, ...] = (64, 128, 256, 512, 256),
    decoder: tuple[int, ...] = (128, 64),
    *,
    seed: int | None = None,
    dtype: str = "float32",
    name: str = "autoencoder",
) -> keras.Model:
    """Build the cross-channel autoencoder: scaled L in, scaled ab out. By default exactly the reference network.

    All convolutions are 3x3 with "same" padding. The first three of the encoder have stride 2; each of the decoder and
    the last, which gives the two channels of ab through tanh, follows an upsampling by 2x2. All but the last end in
    ReLU.

    Parameters
    ----------
    encoder : tuple of int
        Filters of the encoder's convolutions, at least three.
    decoder : tuple of int
        Filters of the decoder's two convolutions before the last.
    seed : int, optional
        Fixes the initial weights (Glorot uniform).
    dtype : str
        Keras dtype policy: "float32", or "mixed_bfloat16" to train faster on hardware that has it.
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        (N, H, W, 1) to (N, H, W, 2), float32, for H and W that are multiples of 8. 3,099,714 parameters by default.

    Raises
    ------
    InputError
        The filters do not give a network whose output is as large as its input.

    Examples
    --------
    >>> from labcolor import build_autoencoder
    >>> build_autoencoder().count_params()
    3099714
    """
    if len(encoder) < 3 or len(decoder) != 2 or min(*encoder, *decoder) < 1:
        raise InputError(
            f"expected at least 3 positive encoder filters and exactly 2 decoder filters, got {encoder} and {decoder}."
        )
    seeds, names = _seeds(seed), _names("convolution")

    def convolve(x: keras.KerasTensor, filters: int, stride: int = 1, activation: str | None = "relu") -> Any:
        options = {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds)), "name": next(names)}
        return layers.Conv2D(filters, 3, stride, "same", activation=activation, dtype=dtype, **options)(x)

    inputs = x = keras.Input((None, None, 1), name="l")
    for index, filters in enumerate(encoder):
        x = convolve(x, filters, stride=2 if index < 3 else 1)
    for filters in decoder:
        x = convolve(layers.UpSampling2D(2, dtype=dtype)(x), filters)
    x = convolve(layers.UpSampling2D(2, dtype=dtype)(x), 2, activation=None)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32", name="ab")(x), name=name)


@lru_cache(maxsize=1)
def ab_bins() -> npt.NDArray[np.float32]:
    """The colours among which the classifier chooses: a grid of step 10 in a and b that covers the sRGB gamut.

    Returns
    -------
    ndarray, shape (Q, 2), float32
        Corners of all grid cells in which a colour of sRGB lies, so that each such colour lies between four bins.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 2.1 (which takes the cells'
    centres instead).

    Examples
    --------
    >>> from labcolor.networks import ab_bins
    >>> ab_bins().shape[1]
    2
    """
    steps = np.linspace(0, 1, 65)
    colours = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    ab = rgb_to_lab(colours)[:, 1:]
    # a unit each way stands for the colours between the samples
    cells = {cell for shift in _SQUARE for cell in _distinct(np.floor((ab + 2 * shift - 1) / BIN_SIZE))}
    corners = {corner for shift in _SQUARE for corner in _distinct(np.array(sorted(cells)) + shift)}
    return np.array(sorted(corners), np.float32) * np.float32(BIN_SIZE)


def build_classifier(
    encoder: tuple[int, ...] = (32, 64, 128, 256, 256),
    blocks: tuple[int, ...] = (0, 1, 2, 2, 1),
    decoder: tuple[int, ...] = (192, 128, 96),
    *,
    seed: int | None = None,
    dtype: str = "float32",
    name: str = "classifier",
) -> keras.Model:
    """Build the stronger network: scaled L in, one score for each bin of ab at a quarter of the resolution out.

    A convolutional cross-channel autoencoder with residual blocks (He et al. 2016), squeeze-excitation for global
    context (Hu et al. 2018) and skip connections by addition (Ronneberger et al. 2015), whose head classifies ab over
    bins (Zhang et al. 2016).

    Parameters
    ----------
    encoder : tuple of int
        Filters of the stages; each halves the picture.
    blocks : tuple of int
        Residual blocks of each stage.
    decoder : tuple of int
        Filters of the decoder's stages; each doubles the size. Two fewer than the encoder's.
    seed : int, optional
        Fixes the initial weights.
    dtype : str
        Keras dtype policy: "float32", or "mixed_bfloat16" to train faster on hardware that has it.
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        (N, H, W, 1) to (N, H / 4, W / 4, Q) float32 scores, for H and W that are multiples of 32.

    Raises
    ------
    ValueError
        The numbers of stages do not go together.

    Examples
    --------
    >>> from labcolor.networks import ab_bins, build_classifier
    >>> build_classifier().output_shape[-1] == len(ab_bins())
    True
    """
    if len(blocks) != len(encoder) or len(decoder) != len(encoder) - 2 or min(*encoder, *decoder) < 8:
        raise ValueError(
            f"expected as many blocks as encoder stages, two decoder stages fewer, and at least 8 filters in each, "
            f"got {encoder}, {blocks} and {decoder}."
        )
    seeds, names, norm_names = _seeds(seed), _names("convolution"), _names("normalization")

    def convolve(x: Any, filters: int, kernel: int = 3, stride: int = 1, **options: Any) -> Any:
        options |= {"kernel_initializer": keras.initializers.HeNormal(next(seeds)), "name": next(names)}
        return layers.Conv2D(filters, kernel, stride, "same", dtype=dtype, **options)(x)

    def unit(x: Any, filters: int, kernel: int = 3, stride: int = 1) -> Any:
        x = convolve(x, filters, kernel, stride, use_bias=False)
        return layers.BatchNormalization(momentum=0.98, dtype=dtype, name=next(norm_names))(x)

    def relu(x: Any) -> Any:
        return layers.Activation("relu", dtype=dtype)(x)

    def residual(x: Any) -> Any:
        filters = x.shape[-1]
        y = unit(relu(unit(x, filters)), filters)
        context = layers.GlobalAveragePooling2D(keepdims=True, dtype=dtype)(y)
        context = convolve(context, filters // 8, 1, activation="relu")
        context = convolve(context, filters, 1, activation="sigmoid")
        return relu(layers.Add(dtype=dtype)([x, layers.Multiply(dtype=dtype)([y, context])]))

    inputs = x = keras.Input((None, None, 1), name="l")
    skips = []
    for filters, count in zip(encoder, blocks, strict=True):
        skips.append(x)
        x = relu(unit(x, filters, stride=2))
        for _ in range(count):
            x = residual(x)
    for filters in decoder:
        x = layers.UpSampling2D(2, dtype=dtype)(relu(unit(x, filters, 1)))
        x = residual(relu(layers.Add(dtype=dtype)([x, unit(skips.pop(), filters, 1)])))
    x = convolve(x, len(ab_bins()), 1)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32", name="scores")(x), name=name)


def bin_targets(ab: Any) -> Any:
    """Spread each colour over the four bins around it, bilinearly, so that the bins' mean is the colour itself.

    Parameters
    ----------
    ab : tensor, shape (..., 2)
        Chroma, unscaled.

    Returns
    -------
    tensor, shape (..., Q)
        Weights that are not negative and add up to one for each colour of sRGB.
    """
    bins = ab_bins() / BIN_SIZE
    near_a = ops.relu(1 - ops.abs(ab[..., :1] / BIN_SIZE - bins[:, 0]))
    near_b = ops.relu(1 - ops.abs(ab[..., 1:] / BIN_SIZE - bins[:, 1]))
    return near_a * near_b


def bin_loss(ab_scale: float, weights: npt.ArrayLike) -> Callable[[Any, Any], Any]:
    """Cross-entropy over the bins of ab, each pixel weighted by its true colour.

    Parameters
    ----------
    ab_scale : float
        What the targets were divided by.
    weights : array_like, shape (Q,)
        One weight a bin; ones for none.

    Returns
    -------
    callable
        A Keras loss of the scaled ab, (N, H, W, 2), and the scores, (N, H / 4, W / 4, Q).
    """
    weights = np.asarray(weights, np.float32)

    def loss(ab: Any, scores: Any) -> Any:
        targets = bin_targets(ops.average_pool(ab, 4) * ab_scale)
        entropy = -ops.sum(targets * ops.log_softmax(scores), axis=-1)
        return ops.mean(entropy * ops.sum(targets * weights, axis=-1))

    return loss


@dataclass(frozen=True)
class Architecture:
    """What the rest of the library must know of a network.

    Parameters
    ----------
    build : callable
        Builds it; takes ``seed`` and ``dtype``.
    multiple : int
        Height and width of its input are multiples of this.
    stride : int
        How many times smaller than its input its output is.
    classifies : bool
        Whether it gives scores of bins rather than ab itself.
    """

    build: Callable[..., keras.Model]
    multiple: int
    stride: int
    classifies: bool


ARCHITECTURES = {
    "reference": Architecture(build_autoencoder, multiple=8, stride=1, classifies=False),
    "classifier": Architecture(build_classifier, multiple=32, stride=4, classifies=True),
}


def rebalancing(prior: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """How much each bin of ab weighs in the loss, so that rare ones count for more.

    Parameters
    ----------
    prior : array_like, shape (Q,)
        How often each bin occurs in the training pictures.

    Returns
    -------
    ndarray, shape (Q,), float32
        Inverse of the prior mixed half with uniform, with a mean of one over the prior.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, equation 4.
    """
    prior = np.asarray(prior, np.float64)
    weights = 1 / (prior / 2 + 0.5 / len(prior))
    return np.asarray(weights / (prior * weights).sum(), np.float32)
