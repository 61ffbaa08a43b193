"""The reference network: a cross-channel autoencoder that predicts ab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labcolor.base.validation import shortened
from labcolor.errors import InputError
from labcolor.networks.layers import names, seeds

if TYPE_CHECKING:
    import keras


def build_autoencoder(
    encoder: tuple[int, ...] = (64, 128, 256, 512, 256),
    decoder: tuple[int, ...] = (128, 64),
    *,
    seed: int | None = None,
    dtype: str = "float32",
    name: str = "autoencoder",
) -> keras.Model:
    """Build the cross-channel autoencoder from scaled L to scaled ab. The defaults build the reference network.

    All convolutions are 3x3 with "same" padding. The first three of the encoder have stride 2. Each convolution of the
    decoder, and the last one, follows an upsampling by 2x2. The last convolution predicts the two channels of ab
    through tanh, and all others end in ReLU.

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
        The output of the network would differ in size from its input.

    Examples
    --------
    >>> from labcolor import build_autoencoder
    >>> build_autoencoder().count_params()
    3099714
    """
    from labcolor.backends.keras import keras, layers

    if len(encoder) < 3 or len(decoder) != 2 or min(*encoder, *decoder) < 1:
        raise InputError(
            f"expected at least 3 positive encoder filters and exactly 2 decoder filters, "
            f"got {shortened(encoder)} and {shortened(decoder)}."
        )
    seeds_, names_ = seeds(seed), names("convolution")

    def convolve(x: keras.KerasTensor, filters: int, stride: int = 1, activation: str | None = "relu") -> Any:
        options = {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds_)), "name": next(names_)}
        return layers.Conv2D(
            filters, 3, stride, "same", "channels_last", activation=activation, dtype=dtype, **options
        )(x)

    inputs = x = keras.Input((None, None, 1), name="l", dtype="float32")
    for index, filters in enumerate(encoder):
        x = convolve(x, filters, stride=2 if index < 3 else 1)
    for filters in decoder:
        x = convolve(layers.UpSampling2D(2, "channels_last", dtype=dtype)(x), filters)
    x = convolve(layers.UpSampling2D(2, "channels_last", dtype=dtype)(x), 2, activation=None)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32", name="ab")(x), name=name)
