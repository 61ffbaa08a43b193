"""Metrics of colored pictures: PSNR, SSIM, CIEDE2000, colorfulness, the area under the ab-error curve, and tints."""

from __future__ import annotations

from typing import Any

import numpy as np
import skimage.color
import skimage.metrics

from labcolor.base.typing import Array, PictureInput
from labcolor.color.lab import full_scale, rgb_to_lab
from labcolor.errors import InputError
from labcolor.io.inputs import one_picture

__all__ = [
    "ab_errors",
    "ab_prior",
    "area_under_curve",
    "auc",
    "ciede2000",
    "colorfulness",
    "psnr",
    "ssim",
    "tint_counts",
    "tint_errors",
]

# Thresholds of Lab chroma, the distance of ab from grey. A difference of 2.3 is just visible (M. Mahy et al.,
# "Evaluation of uniform color spaces developed after the adoption of CIELAB and CIELUV", Color Research and Application
# 19 (1994)). White walls, asphalt and overcast skies stay below 6 despite color casts of light and camera. Skin, leaves
# and blue skies start near 24. The true and predicted chroma of an error differ by at least 12, five visible steps.
_NEUTRAL, _TINTED = 6, 18
_COLORFUL, _GREY = 24, 8


def _color(name: str, picture: PictureInput) -> Array:
    """Return the checked values of one RGB picture, without alpha."""
    values = one_picture(picture, name).values
    if values.shape[2] != 3:
        raise InputError(f"{name}: expected one RGB picture (H, W, 3), got a grey picture of {values.shape[:2]}.")
    return values


def _unit(picture: Array) -> Array:
    """Scale the values of a picture to [0, 1]."""
    scale = np.float64(full_scale(picture.dtype)[0])
    return np.asarray(picture / scale)


def _pair(predicted: PictureInput, true: PictureInput) -> tuple[Array, Array]:
    """Return the checked values of two RGB pictures of one shape."""
    first, second = _color("predicted", predicted), _color("true", true)
    if first.shape != second.shape:
        raise InputError(f"expected two pictures of one shape, got {first.shape} and {second.shape}.")
    return first, second


def psnr(predicted: PictureInput, true: PictureInput) -> float:
    """Compute the peak signal-to-noise ratio in RGB.

    It rewards grey, so report it together with :func:`colorfulness`.

    Parameters
    ----------
    predicted, true : array, path, bytes, open binary file or PIL image
        Two color pictures of the same size, as for :meth:`labcolor.Colorizer.predict`. Alpha is ignored.

    Returns
    -------
    float
        The ratio in dB, infinite for equal pictures.

    Raises
    ------
    InputError, InputTypeError
        The pictures are not RGB, or their shapes differ.

    References
    ----------
    ``skimage.metrics.peak_signal_noise_ratio``.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import psnr
    >>> round(psnr(np.zeros((2, 2, 3)), np.full((2, 2, 3), 0.1)), 1)
    20.0
    """
    first, second = (_unit(picture) for picture in _pair(predicted, true))
    if np.array_equal(first, second):
        return float("inf")
    return float(skimage.metrics.peak_signal_noise_ratio(second, first, data_range=1))


def ssim(predicted: PictureInput, true: PictureInput) -> float:
    """Compute the structural similarity in RGB, the mean over the channels.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`. No side is shorter than 7 pixels.

    Returns
    -------
    float
        The similarity, 1 for equal pictures.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`, or a side is shorter than 7 pixels.

    References
    ----------
    Z. Wang et al., "Image quality assessment", IEEE TIP 13 (2004); ``skimage.metrics.structural_similarity``.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import ssim
    >>> ssim(np.zeros((8, 8, 3)), np.zeros((8, 8, 3)))
    1.0
    """
    first, second = (_unit(picture) for picture in _pair(predicted, true))
    if min(first.shape[:2]) < 7:
        raise InputError(f"expected pictures of at least 7 x 7, got {first.shape[0]} x {first.shape[1]}.")
    return float(skimage.metrics.structural_similarity(second, first, channel_axis=2, data_range=1))


def ciede2000(predicted: PictureInput, true: PictureInput) -> float:
    """Compute the mean CIEDE2000 color difference. Lower is better. A difference of about 1 is just visible.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`.

    Returns
    -------
    float
        The mean difference, 0 for equal pictures.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`.

    References
    ----------
    G. Sharma, W. Wu, E. Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30 (2005);
    ``skimage.color.deltaE_ciede2000``.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import ciede2000
    >>> ciede2000(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)))
    0.0
    """
    first, second = _pair(predicted, true)
    return float(skimage.color.deltaE_ciede2000(rgb_to_lab(second), rgb_to_lab(first)).mean())


def colorfulness(picture: PictureInput) -> float:
    """Compute the colorfulness M3 of Hasler and Süsstrunk, on the scale of 8-bit values.

    The opponent channels are signed.

    Parameters
    ----------
    picture : picture
        As for :func:`psnr`.

    Returns
    -------
    float
        The colorfulness: 0 for grey, and about 30 to 45 for photographs.

    Raises
    ------
    InputError, InputTypeError
        The picture is not RGB.

    References
    ----------
    D. Hasler, S. Süsstrunk, "Measuring colorfulness in natural images", SPIE 5007 (2003).

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import colorfulness
    >>> colorfulness(np.full((4, 4, 3), 77, np.uint8))
    0.0
    """
    red, green, blue = np.moveaxis(_unit(_color("picture", picture)) * 255, -1, 0)
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))


def ab_errors(
    predicted: PictureInput, true: PictureInput, *, prior: dict[tuple[int, int], float] | None = None
) -> Array:
    """Compute the histogram of the ab error, from which :func:`auc` is computed.

    Histograms of several pictures can be added.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`.
    prior : dict, optional
        As for :func:`auc`.

    Returns
    -------
    ndarray, shape (152,), float64
        Total weight of the pixels whose ab error, rounded up, is 0, 1 ... 150, or more.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import ab_errors
    >>> ab_errors(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)))[:2]
    array([4., 0.])
    """
    first, second = (rgb_to_lab(picture)[..., 1:].reshape(-1, 2) for picture in _pair(predicted, true))
    error = np.hypot(*(first - second).T)
    weights = np.ones(len(error))
    if prior is not None:
        if not prior:
            raise InputError("prior: expected the bins of some pictures, got no bins. Compute them by ab_prior.")
        cells, index = np.unique(np.floor(second / 10).astype(int), axis=0, return_inverse=True)
        rarest = min(prior.values())
        weights = np.array([1 / prior.get((int(a), int(b)), rarest) for a, b in cells])[index.reshape(-1)]
    return np.bincount(np.clip(np.ceil(error), 0, 151).astype(int), weights, minlength=152)


def area_under_curve(errors: Array) -> float:
    """Return the area under the cumulative curve of a histogram from :func:`ab_errors`, in percent.

    Parameters
    ----------
    errors : ndarray, shape (152,)
        The histogram of one picture, or the sum of the histograms of several pictures.

    Returns
    -------
    float
        The area, from 0 to 100.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import ab_errors, area_under_curve
    >>> area_under_curve(ab_errors(np.zeros((2, 2, 3)), np.zeros((2, 2, 3))))
    100.0
    """
    return float((np.cumsum(errors)[:151] / errors.sum()).mean() * 100)


def tint_counts(predicted: PictureInput, true: PictureInput) -> Array:
    """Count the pixels for :func:`tint_errors`. Counts of several pictures can be added.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`.

    Returns
    -------
    ndarray, shape (4,), int64
        Number of wrongly tinted neutral pixels, neutral pixels, colorful pixels that are left grey, and colorful
        pixels.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import tint_counts
    >>> tint_counts(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8), np.array([[[99, 99, 99]] * 2], np.uint8))
    array([1, 2, 0, 0])
    """
    predicted_chroma, true_chroma = (
        np.hypot(*np.moveaxis(rgb_to_lab(p)[..., 1:], -1, 0)) for p in _pair(predicted, true)
    )
    neutral, colorful = true_chroma < _NEUTRAL, true_chroma > _COLORFUL
    tinted, grey = neutral & (predicted_chroma > _TINTED), colorful & (predicted_chroma < _GREY)
    return np.array([np.count_nonzero(pixels) for pixels in (tinted, neutral, grey, colorful)], np.int64)


def tint_errors(predicted: PictureInput, true: PictureInput) -> tuple[float, float]:
    """Compute the shares of neutral pixels that are wrongly tinted, and of colorful pixels that are left grey.

    Only obvious errors count. With the chroma C of Lab, a neutral pixel (true C < 6) is wrongly tinted if the predicted
    C > 18. A colorful pixel (true C > 24) is left grey if the predicted C < 8. Hue is ignored. A grey picture has a
    first share of 0, and a picture that is tinted everywhere has a second share of 0, so report both.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`.

    Returns
    -------
    tinted : float
        Share of the neutral pixels that are wrongly tinted, from 0 to 1. nan if no pixel is neutral.
    grey : float
        Share of the colorful pixels that are left grey, from 0 to 1. nan if no pixel is colorful. For several pictures,
        compute both shares from the sum of their :func:`tint_counts`.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import tint_errors
    >>> tint_errors(np.array([[[255, 0, 0], [9, 9, 9]]], np.uint8), np.array([[[99, 99, 99]] * 2], np.uint8))
    (0.5, nan)
    """
    tinted, neutral, grey, colorful = tint_counts(predicted, true).tolist()
    return tinted / neutral if neutral else float("nan"), grey / colorful if colorful else float("nan")


def auc(predicted: PictureInput, true: PictureInput, *, prior: dict[tuple[int, int], float] | None = None) -> float:
    """Compute the area under the cumulative curve of the ab error, in percent. Higher is better.

    Parameters
    ----------
    predicted, true : picture
        As for :func:`psnr`.
    prior : dict, optional
        Frequency of each bin of ab of side 10, from :func:`ab_prior`. If given, the weight of a pixel is the inverse
        frequency of its true color. This class-rebalanced area does not reward grey. For several pictures, compute the
        area of the sum of their :func:`ab_errors`. In the mean of their areas, the pixels of colorful pictures would
        have less weight.

    Returns
    -------
    float
        Mean over the thresholds 0, 1 ... 150 of the share of pixels whose ab error is at most the threshold, times 100.

    Raises
    ------
    InputError, InputTypeError
        As for :func:`psnr`.

    References
    ----------
    A. Deshpande, J. Rock, D. Forsyth, "Learning large-scale automatic image colorization", ICCV 2015; R. Zhang,
    P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 3.1 (rebalanced: equation 4 with
    lambda = 0).

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import auc
    >>> auc(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)))
    100.0
    """
    return area_under_curve(ab_errors(predicted, true, prior=prior))


def ab_prior(pictures: Any) -> dict[tuple[int, int], float]:
    """Compute the frequency of each bin of ab of side 10, for the rebalanced :func:`auc`.

    Parameters
    ----------
    pictures : iterable of array_like, each (H, W, 3)
        As for :func:`psnr`.

    Returns
    -------
    dict
        Map from (floor(a / 10), floor(b / 10)) to the share of pixels, for the bins that occur.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor.metrics import ab_prior
    >>> ab_prior([np.array([[[255, 0, 0]]], np.uint8)])
    {(8, 6): 1.0}
    """
    counts: dict[tuple[int, int], float] = {}
    for picture in pictures:
        ab = rgb_to_lab(_color("pictures", picture))[..., 1:].reshape(-1, 2)
        cells, number = np.unique(np.floor(ab / 10).astype(int), axis=0, return_counts=True)
        for (a, b), count in zip(cells.tolist(), number.tolist(), strict=True):
            counts[a, b] = counts.get((a, b), 0) + count
    total = sum(counts.values())
    return {cell: count / total for cell, count in counts.items()}
