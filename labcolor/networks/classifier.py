"""The stronger network: scores of bins of ab, with skip connections and squeeze-excitation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labcolor.base.validation import shortened
from labcolor.errors import InputError
from labcolor.networks.bins import ab_bins
from labcolor.networks.layers import names, seeds

if TYPE_CHECKING:
    import keras

__all__ = ["build_classifier"]


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
    InputError
        The numbers of stages do not go together.

    Examples
    --------
    >>> from labcolor.networks import ab_bins, build_classifier
    >>> build_classifier().output_shape[-1] == len(ab_bins())
    True
    """
    from labcolor.backends.keras import keras, layers

    if len(blocks) != len(encoder) or len(decoder) != len(encoder) - 2 or min(*encoder, *decoder) < 8:
        raise InputError(
            f"expected as many blocks as encoder stages, two decoder stages fewer, and at least 8 filters in each, "
            f"got {shortened(encoder)}, {shortened(blocks)} and {shortened(decoder)}."
        )
    seeds_, names_, norm_names = seeds(seed), names("convolution"), names("normalization")

    def convolve(x: Any, filters: int, kernel: int = 3, stride: int = 1, **options: Any) -> Any:
        options |= {"kernel_initializer": keras.initializers.HeNormal(next(seeds_)), "name": next(names_)}
        return layers.Conv2D(filters, kernel, stride, "same", "channels_last", dtype=dtype, **options)(x)

    def unit(x: Any, filters: int, kernel: int = 3, stride: int = 1) -> Any:
        x = convolve(x, filters, kernel, stride, use_bias=False)
        return layers.BatchNormalization(momentum=0.98, dtype=dtype, name=next(norm_names))(x)

    def relu(x: Any) -> Any:
        return layers.Activation("relu", dtype=dtype)(x)

    def residual(x: Any) -> Any:
        filters = x.shape[-1]
        y = unit(relu(unit(x, filters)), filters)
        context = layers.GlobalAveragePooling2D("channels_last", keepdims=True, dtype=dtype)(y)
        context = convolve(context, filters // 8, 1, activation="relu")
        context = convolve(context, filters, 1, activation="sigmoid")
        return relu(layers.Add(dtype=dtype)([x, layers.Multiply(dtype=dtype)([y, context])]))

    inputs = x = keras.Input((None, None, 1), name="l", dtype="float32")
    skips = []
    for filters, count in zip(encoder, blocks, strict=True):
        skips.append(x)
        x = relu(unit(x, filters, stride=2))
        for _ in range(count):
            x = residual(x)
    for filters in decoder:
        x = layers.UpSampling2D(2, "channels_last", dtype=dtype)(relu(unit(x, filters, 1)))
        x = residual(relu(layers.Add(dtype=dtype)([x, unit(skips.pop(), filters, 1)])))
    x = convolve(x, len(ab_bins()), 1)
    return keras.Model(inputs, layers.Activation("linear", dtype="float32", name="scores")(x), name=name)
