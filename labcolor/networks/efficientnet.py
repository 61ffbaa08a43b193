"""The network with a pretrained EfficientNet-Lite encoder, and a decoder to scores of the bins of ab."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labcolor.base.validation import shortened
from labcolor.errors import InputError
from labcolor.networks.bins import ab_bins
from labcolor.networks.layers import names, seeds

if TYPE_CHECKING:
    import keras

# Factors of width and depth of each variant. Lite has no squeeze-excitation, uses ReLU6 only, and scales neither the
# stem nor the depth of the first and last stages.
ENCODER_VARIANTS = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
# Kernel, repeats, stride, expansion and filters of each stage of EfficientNet-B0.
_STAGES = (
    (3, 1, 1, 1, 16),
    (3, 2, 2, 6, 24),
    (5, 2, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (5, 3, 1, 6, 112),
    (5, 4, 2, 6, 192),
    (3, 1, 1, 6, 320),
)
_STEM = 32  # filters of the first convolution


def _scaled(filters: int, factor: float) -> int:
    """Multiply filters by a factor. Round to a multiple of 8, and down by at most a tenth."""
    rounded = max(8, int(filters * factor + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters * factor else rounded


def encoder_blocks(variant: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield kernel, stride, expansion and filters of each inverted residual block of an encoder.

    Parameters
    ----------
    variant : {"lite0", "lite1", "lite2"}
        Variant of EfficientNet-Lite.

    Examples
    --------
    >>> from labcolor.networks.efficientnet import encoder_blocks
    >>> len(list(encoder_blocks("lite0")))
    16
    """
    width, depth = ENCODER_VARIANTS[variant]
    for index, (kernel, repeats, stride, expansion, filters) in enumerate(_STAGES):
        count = repeats if index in (0, len(_STAGES) - 1) else math.ceil(repeats * depth)
        for block in range(count):
            yield kernel, stride if block == 0 else 1, expansion, _scaled(filters, width)


def encoder_features(x: Any, variant: str, *, seed: int | None = None, dtype: str = "float32") -> list[Any]:
    """Return the encoder's features of an input, at strides 2, 4, 8, 16 and 32.

    Parameters
    ----------
    x : keras.KerasTensor
        (N, H, W, C) in [-1, 1]; H and W are multiples of 32.
    variant : {"lite0", "lite1", "lite2"}
        Variant of EfficientNet-Lite.
    seed : int, optional
        Fixes the initial weights.
    dtype : str
        Keras dtype policy.

    Returns
    -------
    list of keras.KerasTensor
        Batch normalization is part of the convolutions, whose names begin with ``encoder_``.
    """
    from labcolor.backends.keras import keras, layers

    seeds_, names_ = seeds(seed), names("encoder")
    common = {"padding": "same", "dtype": dtype, "data_format": "channels_last"}

    def initializer() -> Any:
        return keras.initializers.HeNormal(next(seeds_))

    def relu6(x: Any) -> Any:
        return layers.ReLU(6.0, dtype=dtype)(x)

    def convolve(x: Any, filters: int, kernel: int, stride: int = 1) -> Any:
        options = {"kernel_initializer": initializer(), "name": next(names_)}
        return layers.Conv2D(filters, kernel, stride, **common, **options)(x)

    def convolve_each(x: Any, kernel: int, stride: int) -> Any:
        options = {"depthwise_initializer": initializer(), "name": next(names_)}
        return layers.DepthwiseConv2D(kernel, stride, **common, **options)(x)

    x = relu6(convolve(x, _STEM, 3, 2))
    features = []
    for kernel, stride, expansion, filters in encoder_blocks(variant):
        if stride == 2:
            features.append(x)
        y = relu6(convolve(x, x.shape[-1] * expansion, 1)) if expansion > 1 else x
        y = convolve(relu6(convolve_each(y, kernel, stride)), filters, 1)
        x = layers.Add(dtype=dtype)([x, y]) if stride == 1 and x.shape[-1] == filters else y
    return [*features, x]


def build_efficientnet(
    variant: str = "lite0",
    decoder: tuple[int, ...] = (320, 192, 96),
    *,
    seed: int | None = None,
    dtype: str = "float32",
    name: str = "efficientnet",
) -> keras.Model:
    """Build the network from scaled L to scores of the bins of ab at a quarter of the size.

    The encoder is an EfficientNet-Lite without its head. Its first convolution has one input channel, and its batch
    normalization is folded into its convolutions. The decoder doubles the size three times. Each time it adds the
    encoder's features of that size, and applies one residual block. Convolutions, additions and ReLU quantize well.

    Parameters
    ----------
    variant : {"lite0", "lite1", "lite2"}
        Variant of EfficientNet-Lite.
    decoder : tuple of int
        Filters of the decoder's three stages.
    seed : int, optional
        Fixes the initial weights. Those of the encoder are random, too. For good results, start from the packaged model
        with ``Colorizer.from_pretrained().fit``.
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
    InputError
        The variant is unknown, or the decoder does not have three stages of at least 8 filters.

    References
    ----------
    M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019; the Lite
    variants: TensorFlow TPU models, 2020.

    Examples
    --------
    >>> from labcolor.networks import build_efficientnet
    >>> build_efficientnet().count_params()
    5879078
    """
    from labcolor.backends.keras import keras, layers

    if variant not in ENCODER_VARIANTS or len(decoder) != 3 or min(decoder) < 8:
        raise InputError(
            f"expected a variant of {', '.join(ENCODER_VARIANTS)} and three decoder stages of at least 8 filters, got "
            f"{shortened(variant)} and {shortened(decoder)}."
        )
    seeds_ = seeds(None if seed is None else seed + 1000)  # the encoder's seeds start at seed
    names_, norm_names = names("decoder"), names("normalization")

    def convolve(x: Any, filters: int, kernel: int, **options: Any) -> Any:
        options |= {"kernel_initializer": keras.initializers.HeNormal(next(seeds_)), "name": next(names_)}
        return layers.Conv2D(filters, kernel, padding="same", dtype=dtype, data_format="channels_last", **options)(x)

    def unit(x: Any, filters: int, kernel: int = 3) -> Any:
        x = convolve(x, filters, kernel, use_bias=False)
        return layers.BatchNormalization(momentum=0.98, dtype=dtype, name=next(norm_names))(x)

    def relu(x: Any) -> Any:
        return layers.ReLU(dtype=dtype)(x)

    def add(x: Any, y: Any) -> Any:
        return layers.Add(dtype=dtype)([x, y])

    inputs = keras.Input((None, None, 1), name="l", dtype="float32")
    _, *skips, x = encoder_features(inputs, variant, seed=seed, dtype=dtype)
    x = relu(unit(x, decoder[0], 1))
    for filters, skip in zip(decoder, reversed(skips), strict=True):
        if x.shape[-1] != filters:
            x = relu(unit(x, filters, 1))
        x = layers.UpSampling2D(2, data_format="channels_last", dtype=dtype)(x)
        x = relu(add(x, unit(skip, filters, 1)))
        x = relu(add(x, unit(relu(unit(x, filters)), filters)))
    x = convolve(x, len(ab_bins()), 1)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32", name="scores")(x), name=name)
