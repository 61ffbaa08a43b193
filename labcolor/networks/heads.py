"""Heads: the loss of a network's output in training, and the decoding of the output to ab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from labcolor.base.threads import in_strips
from labcolor.base.typing import Array
from labcolor.base.validation import Check, as_array, integer, number, require, require_names
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError
from labcolor.networks.bins import BIN_COUNT, BIN_SIZE, ab_bins, annealed_mean, moments

Loss = Callable[[Any, Any], Any]
_PRIOR_BATCHES = 64  # batches from which the frequency of the bins is taken
_STRIDE = integer(1, most=1024)
_PAIR = Check("two numbers, for a and b", (list, tuple), lambda value: len(value) == 2)


class Head(Protocol):
    """The contract of a head: an immutable value with a configuration, and arrays that training gives it.

    Your own architecture can have its own head: any class with these members.
    """

    @property
    def stride(self) -> int:
        """Factor by which the network's output is smaller than its input."""

    def prepared(self, batches: Iterable[tuple[Array, Array]], codec: LabCodec) -> Self:
        """Return a head prepared with the training pictures, for a training from new weights.

        Parameters
        ----------
        batches : iterable of (l, ab)
            Scaled L, (N, H, W, 1), and scaled ab, (N, H, W, 2), as the network is trained on them.
        codec : LabCodec
            The codec that scaled them.

        Returns
        -------
        Head
            The prepared head.
        """

    def loss(self, codec: LabCodec) -> Loss:
        """Return the Keras loss to train with.

        Parameters
        ----------
        codec : LabCodec
            The codec that scales ab.

        Returns
        -------
        callable
            Function of the scaled ab, (N, H, W, 2), and the network's output.
        """

    def decode(self, outputs: Array, codec: LabCodec, saturation: float) -> Array:
        """Decode the network's output to ab.

        Parameters
        ----------
        outputs : ndarray, shape (N, h, w, C), float32
            The network's output.
        codec : LabCodec
            The codec that scaled ab in training.
        saturation : float
            From 0 (grey) over 1 (as predicted) to 4.

        Returns
        -------
        ndarray, shape (N, h, w, 2), float32
            Unscaled ab.
        """

    def append(self, outputs: Any, codec: LabCodec) -> Any:
        """Append the decoding at saturation 1 to the network, by layers that every runtime knows.

        Parameters
        ----------
        outputs : keras.KerasTensor, shape (N, h, w, C)
            The network's output.
        codec : LabCodec
            The codec that scaled ab in training.

        Returns
        -------
        keras.KerasTensor, shape (N, h, w, 2)
            Unscaled ab.
        """

    def moments(self, outputs: Array) -> Array:
        """Return the mean color that the network expects, and its variance.

        Parameters
        ----------
        outputs : ndarray, shape (N, h, w, C), float32
            The network's output.

        Returns
        -------
        ndarray, shape (N, h, w, 3), float32
            Mean of a, mean of b, and the sum of the variances of a and b.

        Raises
        ------
        InputError
            The output contains no uncertainty.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the configuration.

        Returns
        -------
        dict
            By name, in values that JSON can hold.
        """

    def get_arrays(self) -> dict[str, Array]:
        """Return the head's trained arrays.

        Returns
        -------
        dict of str to ndarray
            By name; before a training, arrays of the same shapes and dtypes.
        """

    def restored(self, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Return the head with a configuration and arrays that were saved.

        Parameters
        ----------
        config : mapping
            Configuration from :meth:`get_config`.
        arrays : mapping of str to ndarray
            Arrays from :meth:`get_arrays`. Names, shapes and dtypes have been checked.

        Returns
        -------
        Head
            A head like the one that was saved.

        Raises
        ------
        InputError
            The configuration is invalid.
        """


class _ParameterHead:
    """Base class of heads whose fields are parameters and arrays."""

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {name: value for name, value in vars(self).items() if not isinstance(value, np.ndarray)}

    def get_arrays(self) -> dict[str, Array]:
        """Return the trained arrays."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def restored(self, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Return the head with saved parameters and arrays; see :class:`Head`."""
        require_names("head", config, self.get_config())
        return replace(self, **config, **arrays)  # type: ignore[type-var]


@dataclass(frozen=True)
class RegressionHead(_ParameterHead):
    """The network's output is scaled ab itself; it is trained by mean squared error.

    Parameters
    ----------
    chroma : float, default 1
        Factor of predicted ab, from 0 to 4.
    stride : int, default 1
        Factor by which the network's output is smaller than its input.

    Raises
    ------
    InputError, InputTypeError
        A parameter is out of range or has another type.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import LabCodec
    >>> from labcolor.networks import RegressionHead
    >>> RegressionHead().decode(np.full((1, 1, 1, 2), 0.5, np.float32), LabCodec(), saturation=1)
    array([[[[64., 64.]]]], dtype=float32)
    """

    chroma: float = 1.0
    stride: int = 1

    def __post_init__(self) -> None:
        """Check the parameters and convert them to numbers of JSON."""
        _keep(self, "chroma", number(0, 4), float)
        _keep(self, "stride", _STRIDE, int)

    def prepared(self, batches: Iterable[tuple[Array, Array]], codec: LabCodec) -> Self:
        """Return itself; see :class:`Head`."""
        return self

    def loss(self, codec: LabCodec) -> Loss:
        """Return Keras's mean squared error; see :class:`Head`."""
        from labcolor.backends.keras import keras

        return lambda ab, output: keras.losses.mean_squared_error(_pooled(ab, self.stride), output)

    def decode(self, outputs: Array, codec: LabCodec, saturation: float) -> Array:
        """Scale the output back; see :class:`Head`. ``saturation`` multiplies it."""
        _check_channels(outputs, 2)
        return outputs * np.float32(codec.ab_scale * saturation * self.chroma)

    def append(self, outputs: Any, codec: LabCodec) -> Any:
        """Scale the output back in the network; see :class:`Head`."""
        from labcolor.backends.keras import layers

        return layers.Rescaling(codec.ab_scale * self.chroma, dtype="float32", name="unscaled_ab")(outputs)

    def moments(self, outputs: Array) -> Array:
        """Raise an InputError: ab alone contains no uncertainty."""
        raise InputError(
            "network: expected a network that scores bins of ab, whose scores contain the uncertainty, got one that "
            "predicts ab itself. Use Colorizer.from_pretrained()."
        )


@dataclass(frozen=True, eq=False)
class BinsHead(_ParameterHead):
    """The network's output is one score for each bin of ab; it is trained by cross-entropy, rebalanced by color.

    Each pixel of a training picture weighs the full rebalancing weight of its color to the power ``training``. Scores
    are decoded as the mean color of ``softmax((scores + (rebalancing - training) * log_weights) / temperature)``: a
    true color weighted by w in training has its probability multiplied by w, so the rebalancing can be turned up or
    down when scores are decoded, without training anew.

    The mean of a picture's colors has a smaller error than each color. Therefore colors are shrunk toward that mean, as
    in the estimator of James and Stein, which allows more rebalancing at the same error. a and b have separate shares,
    because L determines red and green less than yellow and blue.

    Parameters
    ----------
    stride : int, default 4
        Factor by which the network's output is smaller than its input.
    training : float, default 0.5
        Share of full rebalancing in training; 0 to 1.
    rebalancing : float, default 0.28
        Share of full rebalancing in decoding at saturation 1; 0 to 1.
    temperature : float, default 0.7
        Temperature of the annealed mean; 0.01 to 10. A lower one is closer to the most probable color.
    shrinkage : (float, float), default (0, 0)
        Shares, from 0 to 0.9, by which a and b of each color are pulled toward the picture's mean.
    log_weights : ndarray, shape (Q,), float32, optional
        Logarithms of the bins' full rebalancing weights; training sets them.

    Raises
    ------
    InputError, InputTypeError
        A parameter is out of range or has another type.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, sections 2.2 and 2.3.
    W. James, C. Stein, "Estimation with Quadratic Loss", Berkeley Symposium on Mathematical Statistics and Probability
    4.1 (1961).

    Examples
    --------
    >>> from labcolor.networks import BinsHead
    >>> BinsHead(temperature=0.5).get_config()
    {'stride': 4, 'training': 0.5, 'rebalancing': 0.28, 'temperature': 0.5, 'shrinkage': (0.0, 0.0)}
    """

    stride: int = 4
    training: float = 0.5
    rebalancing: float = 0.28
    temperature: float = 0.7
    shrinkage: tuple[float, float] = (0.0, 0.0)
    log_weights: Array = field(default_factory=lambda: np.zeros(BIN_COUNT, np.float32), repr=False)

    def __post_init__(self) -> None:
        """Check the parameters and convert them to values of JSON; the kernels rely on these checks."""
        _keep(self, "stride", _STRIDE, int)
        _keep(self, "training", number(0, 1), float)
        _keep(self, "rebalancing", number(0, 1), float)
        _keep(self, "temperature", number(0.01, 10), float)
        require("head shrinkage", self.shrinkage, _PAIR)
        for share in self.shrinkage:
            require("head shrinkage", share, number(0, 0.9))
        object.__setattr__(self, "shrinkage", tuple(map(float, self.shrinkage)))
        weights = as_array("log_weights", self.log_weights)
        if weights.shape != (BIN_COUNT,) or weights.dtype.kind != "f" or not np.isfinite(weights).all():
            raise InputError(
                f"log_weights: expected finite floats of shape {(BIN_COUNT,)}, one for each bin, got {weights.dtype} "
                f"of shape {weights.shape}."
            )

    def prepared(self, batches: Iterable[tuple[Array, Array]], codec: LabCodec) -> Self:
        """Count the bins of the training pictures; see :class:`Head`."""
        from labcolor.backends.keras import ops

        counts = np.zeros(len(ab_bins()))
        for _, ab in islice(batches, _PRIOR_BATCHES):
            targets = bin_targets(_pooled(ab, self.stride) * codec.ab_scale)
            counts += ops.convert_to_numpy(ops.sum(targets, axis=(0, 1, 2)))
        return replace(self, log_weights=np.log(rebalancing(counts / counts.sum())))

    def loss(self, codec: LabCodec) -> Loss:
        """Return the cross-entropy, each pixel weighted by its color; see :class:`Head`.

        The weights have a mean of one over the pictures with which this head was prepared. The frequency of each bin in
        them follows from ``log_weights``, by the inverse of :func:`rebalancing`.
        """
        inverse = np.exp(-self.log_weights.astype(np.float64))
        prior = np.maximum(2 * inverse / inverse.sum() - 1 / len(inverse), 0)
        partly = inverse**-self.training
        return bin_loss(codec.ab_scale, partly * prior.sum() / (prior * partly).sum(), self.stride)

    def decode(self, outputs: Array, codec: LabCodec, saturation: float) -> Array:
        """Take the annealed mean, and shrink it; see :class:`Head`.

        A saturation up to 1 multiplies the chroma. From 1 to 2 it raises the rebalancing, which favors rarer colors;
        beyond full rebalancing it multiplies the chroma again.
        """
        vivid = min(max(saturation - 1, 0), 1)
        balance = self.rebalancing + (1 - self.rebalancing) * vivid
        offsets = np.asarray((balance - self.training) * self.log_weights, np.float32)
        ab = self._computed(annealed_mean, outputs, 2, offsets, np.float32(1 / self.temperature))
        ab *= np.float32(min(saturation, max(1, saturation / 2)))
        if any(self.shrinkage):
            ab += np.asarray(self.shrinkage, np.float32) * (ab.mean(axis=(1, 2), keepdims=True) - ab)
        return ab

    def append(self, outputs: Any, codec: LabCodec) -> Any:
        """Take the annealed mean in the network, and shrink it; see :class:`Head`."""
        from labcolor.backends.keras import keras, layers

        offsets = (self.rebalancing - self.training) / self.temperature * self.log_weights
        scaled = layers.Rescaling(1 / self.temperature, offsets.tolist(), dtype="float32", name="balanced")(outputs)
        probabilities = layers.Activation("softmax", dtype="float32", name="probabilities")(scaled)
        common = {"data_format": "channels_last", "dtype": "float32"}
        shrinkage = np.asarray(self.shrinkage, np.float32)
        bins = keras.initializers.Constant(((1 - shrinkage) * ab_bins())[None, None])
        mean = layers.Conv2D(2, 1, use_bias=False, kernel_initializer=bins, **common, name="mean")(probabilities)
        if not any(self.shrinkage):
            return mean
        whole = layers.GlobalAveragePooling2D(keepdims=True, **common, name="mean_of_the_picture")(mean)
        share = layers.Rescaling((shrinkage / (1 - shrinkage)).tolist(), dtype="float32", name="its_share")(whole)
        return layers.Add(dtype="float32", name="shrunk")([mean, share])

    def moments(self, outputs: Array) -> Array:
        """Return the moments of the network's distribution, with the rebalancing taken back; see :class:`Head`."""
        offsets = np.asarray(-self.training * self.log_weights, np.float32)
        return self._computed(moments, outputs, 3, offsets)

    def _computed(self, kernel: Callable[..., None], outputs: Array, channels: int, *parameters: Any) -> Array:
        """Apply a kernel of :mod:`labcolor.networks.bins` to the scores at each position."""
        _check_channels(outputs, len(self.log_weights))
        scores = outputs.reshape(-1, outputs.shape[-1])
        out = np.empty((len(scores), channels), np.float32)

        def strip(start: int, stop: int) -> None:
            kernel(scores[start:stop], *parameters, ab_bins(), np.empty(BIN_COUNT, np.float32), out[start:stop])

        in_strips(strip, len(scores), scores.itemsize * scores.shape[1])
        return out.reshape(*outputs.shape[:-1], channels)


def _keep(head: Head, name: str, check: Check, kind: type[int] | type[float]) -> None:
    """Check a parameter of a new head, and keep it as a number that JSON can hold."""
    require(f"head {name}", getattr(head, name), check)
    object.__setattr__(head, name, kind(getattr(head, name)))


def _check_channels(outputs: Array, channels: int) -> None:
    """Raise an InputError unless a network's output has as many channels as its head decodes."""
    if outputs.shape[-1] != channels:
        raise InputError(
            f"network: expected an output of {channels} channels, which its head decodes, got {outputs.shape[-1]}. "
            f"Give the architecture another head."
        )


def _pooled(ab: Any, stride: int) -> Any:
    """Return the mean of each cell of ``stride`` x ``stride`` pixels of a map, (N, H, W, 2)."""
    from labcolor.backends.keras import ops

    return ops.average_pool(ab, stride, stride, data_format="channels_last")


def bin_targets(ab: Any) -> Any:
    """Spread each color over the four bins around it, bilinearly, so that the bins' mean is the color itself.

    Parameters
    ----------
    ab : tensor, shape (..., 2)
        Chroma, unscaled.

    Returns
    -------
    tensor, shape (..., Q)
        Weights that are not negative and add up to one for each color of sRGB.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.networks import bin_targets
    >>> float(np.asarray(bin_targets(np.float32([[13, -7]]))).sum().round(3))
    1.0
    """
    from labcolor.backends.keras import ops

    bins = ab_bins() / BIN_SIZE
    near_a = ops.relu(1 - ops.abs(ab[..., :1] / BIN_SIZE - bins[:, 0]))
    near_b = ops.relu(1 - ops.abs(ab[..., 1:] / BIN_SIZE - bins[:, 1]))
    return near_a * near_b


def bin_loss(ab_scale: float, weights: npt.ArrayLike, stride: int) -> Loss:
    """Return the cross-entropy over the bins of ab, each pixel weighted by its true color.

    Parameters
    ----------
    ab_scale : float
        Divisor of the targets.
    weights : array_like, shape (Q,)
        One weight for each bin. Ones give the plain cross-entropy.
    stride : int
        Factor by which the scores are smaller than the targets.

    Returns
    -------
    callable
        A Keras loss of the scaled ab, (N, H, W, 2), and the scores, (N, H / stride, W / stride, Q).

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.networks import ab_bins, bin_loss
    >>> loss = bin_loss(128, np.ones(len(ab_bins())), stride=4)
    >>> round(float(loss(np.zeros((1, 4, 4, 2), "f4"), np.zeros((1, 1, 1, len(ab_bins())), "f4"))), 2)
    5.74
    """
    from labcolor.backends.keras import ops

    weights = np.asarray(weights, np.float32)

    def loss(ab: Any, scores: Any) -> Any:
        targets = bin_targets(_pooled(ab, stride) * ab_scale)
        entropy = -ops.sum(targets * ops.log_softmax(scores), axis=-1)
        return ops.mean(entropy * ops.sum(targets * weights, axis=-1))

    return loss


def rebalancing(prior: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return the weight of each bin of ab in the loss. Rare bins have larger weights.

    Parameters
    ----------
    prior : array_like, shape (Q,)
        Frequency of each bin in the training pictures.

    Returns
    -------
    ndarray, shape (Q,), float32
        Inverse of the prior mixed half with uniform, with a mean of one over the prior.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, equation 4.

    Examples
    --------
    >>> from labcolor.networks import rebalancing
    >>> rebalancing([0.5, 0.5])
    array([1., 1.], dtype=float32)
    """
    prior = np.asarray(prior, np.float64)
    weights = 1 / (prior / 2 + 0.5 / len(prior))
    return np.asarray(weights / (prior * weights).sum(), np.float32)
