"""Bins of ab, the classes of a classifying network, and the mean colors of scores, compiled by numba."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from labcolor.base.compiled import from_bits, inline, jit, larger
from labcolor.base.typing import Array

BIN_SIZE = 10.0  # side of a bin in a and b, as in Zhang, Isola, Efros 2016
BIN_COUNT = 310  # length of ab_bins()
# The lowest and highest b of the bins of each a, from -90 to 100; tests/networks/test_heads.py derives them.
_LOWEST = 50, 20, 0, -20, -30, -40, -50, -60, -60, -70, -80, -80, -90, -100, -100, -110, -110, -110, -110, -80
_HIGHEST = 90, 90, 90, 90, 100, 100, 100, 100, 100, 100, 90, 90, 90, 80, 80, 80, 80, 70, 70, -20


@lru_cache(maxsize=1)
def ab_bins() -> Array:
    """Return the bins of ab: a grid of step 10 in a and b that covers the sRGB gamut.

    Returns
    -------
    ndarray, shape (Q, 2), float32
        Corners of all grid cells that contain a color of sRGB, so that each color has a bin on four sides.

    References
    ----------
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 2.1 (which uses the centers
    of the cells instead).

    Examples
    --------
    >>> from labcolor.networks import ab_bins
    >>> ab_bins().shape[1]
    2
    """
    rows = zip(range(-90, 101, 10), _LOWEST, _HIGHEST, strict=True)
    return np.array([(a, b) for a, lowest, highest in rows for b in range(lowest, highest + 1, 10)], np.float32)


F = np.float32
ZERO, HALF, ONE = F(0.0), F(0.5), F(1.0)
LOG2_E, LEAST = F(1.4426950408889634), F(-126.0)
P5, P4, P3 = F(1.535336188319500e-4), F(1.339887440266574e-3), F(9.618437357674640e-3)
P2, P1, P0 = F(5.550332471162809e-2), F(2.402264791363012e-1), F(6.931472028550421e-1)


@inline
def _exp(x):
    """Return e to the power of x.

    2 to the power of x log2(e): the whole part becomes the exponent, and the rest goes through the polynomial of exp2f
    in Moshier's Cephes. The relative error is 1e-6 for x from -20 to 0 and 4e-6 from -87 to 88; x below -87 counts as
    -87.
    """
    t = larger(x * LOG2_E, LEAST)
    n = np.int32(math.floor(t + HALF))
    f = t - F(n)
    p = (((P5 * f + P4) * f + P3) * f + P2) * f + P1
    p = (p * f + P0) * f + ONE
    return p * from_bits(np.int32((n + np.int32(127)) << np.int32(23)))


@inline
def _softmax(scores, offsets, sharpness, shares):
    """Write softmax((scores + offsets) * sharpness), times an unknown factor, to ``shares``."""
    n = shares.shape[0]
    for q in range(n):
        shares[q] = (scores[q] + offsets[q]) * sharpness
    # Four maxima, and below two sums, because each comparison and each addition waits for the one before.
    first = second = third = fourth = shares[0]
    for q in range(0, n - 3, 4):
        first, second = larger(first, shares[q]), larger(second, shares[q + 1])
        third, fourth = larger(third, shares[q + 2]), larger(fourth, shares[q + 3])
    for q in range(n - n % 4, n):
        first = larger(first, shares[q])
    largest = larger(larger(first, second), larger(third, fourth))
    for q in range(n):
        shares[q] = _exp(shares[q] - largest)


@jit
def annealed_mean(scores, offsets, sharpness, bins, shares, out):
    """Compute the mean color, (N, 2), of softmax((scores + offsets) * sharpness) over the bins of ab.

    ``shares`` (Q) is a buffer.
    """
    n = shares.shape[0]
    for i in range(scores.shape[0]):
        _softmax(scores[i], offsets, sharpness, shares)
        total, a, b = ZERO, ZERO, ZERO
        others, other_a, other_b = ZERO, ZERO, ZERO
        for q in range(0, n - 1, 2):
            total, others = total + shares[q], others + shares[q + 1]
            a, other_a = a + shares[q] * bins[q, 0], other_a + shares[q + 1] * bins[q + 1, 0]
            b, other_b = b + shares[q] * bins[q, 1], other_b + shares[q + 1] * bins[q + 1, 1]
        for q in range(n - n % 2, n):
            total, a, b = total + shares[q], a + shares[q] * bins[q, 0], b + shares[q] * bins[q, 1]
        out[i, 0] = (a + other_a) / (total + others)
        out[i, 1] = (b + other_b) / (total + others)


@jit
def moments(scores, offsets, bins, shares, out):
    """Compute the mean color and the variance, (N, 3), of softmax(scores + offsets) over the bins of ab.

    ``shares`` (Q) is a buffer.
    """
    for i in range(scores.shape[0]):
        _softmax(scores[i], offsets, ONE, shares)
        total, a, b, squares = ZERO, ZERO, ZERO, ZERO
        for q in range(shares.shape[0]):
            total += shares[q]
            a += shares[q] * bins[q, 0]
            b += shares[q] * bins[q, 1]
            squares += shares[q] * (bins[q, 0] * bins[q, 0] + bins[q, 1] * bins[q, 1])
        a, b = a / total, b / total
        out[i, 0], out[i, 1], out[i, 2] = a, b, larger(squares / total - a * a - b * b, ZERO)
