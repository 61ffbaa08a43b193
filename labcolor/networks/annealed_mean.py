"""The mean color of scores over the bins of ab, and its deviation, compiled by numba."""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import overload

from labcolor.base.compiled import inline, jit

__all__ = ["annealed_mean", "deviation"]


def _exp(x):
    raise NotImplementedError("compiled code only")


@overload(_exp, inline="always")
def _overload_exp(x):
    if x == numba.float32:

        def exp32(x):
            # 2 to the power of x log2(e): the whole part becomes the exponent, and the rest goes through the polynomial
            # of exp2f in Moshier's Cephes. The relative error is 1e-6 for x from -20 to 0 and 4e-6 from -87 to 88; less
            # than -87 counts as that.
            t = max(x * np.float32(1.4426950408889634), np.float32(-126.0))
            n = np.int32(np.floor(t + np.float32(0.5)))
            f = t - np.float32(n)
            p = np.float32(1.535336188319500e-4) * f + np.float32(1.339887440266574e-3)
            p = p * f + np.float32(9.618437357674640e-3)
            p = p * f + np.float32(5.550332471162809e-2)
            p = p * f + np.float32(2.402264791363012e-1)
            p = (p * f + np.float32(6.931472028550421e-1)) * f + np.float32(1.0)
            return p * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)

        return exp32
    return lambda x: np.exp(x)


@inline
def _softmax(scores, offsets, sharpness, shares):
    """Write softmax((scores + offsets) * sharpness), times an unknown factor, to ``shares``."""
    n = shares.shape[0]
    for q in range(n):
        shares[q] = (scores[q] + offsets[q]) * sharpness
    # Four maxima, and below two sums, because each comparison and each addition waits for the one before.
    first = second = third = fourth = shares[0]
    for q in range(0, n - 3, 4):
        first, second = max(first, shares[q]), max(second, shares[q + 1])
        third, fourth = max(third, shares[q + 2]), max(fourth, shares[q + 3])
    for q in range(n - n % 4, n):
        first = max(first, shares[q])
    largest = max(max(first, second), max(third, fourth))
    for q in range(n):
        shares[q] = _exp(shares[q] - largest)


@jit
def annealed_mean(scores, offsets, sharpness, bins, out):
    """Compute the mean color, (N, 2), of softmax((scores + offsets) * sharpness) over the bins of ab."""
    F = scores.dtype.type
    n = scores.shape[1]
    shares = np.empty(n, scores.dtype)
    for i in range(scores.shape[0]):
        _softmax(scores[i], offsets, sharpness, shares)
        total, a, b = F(0.0), F(0.0), F(0.0)
        others, other_a, other_b = F(0.0), F(0.0), F(0.0)
        for q in range(0, n - 1, 2):
            total, others = total + shares[q], others + shares[q + 1]
            a, other_a = a + shares[q] * bins[q, 0], other_a + shares[q + 1] * bins[q + 1, 0]
            b, other_b = b + shares[q] * bins[q, 1], other_b + shares[q + 1] * bins[q + 1, 1]
        for q in range(n - n % 2, n):
            total, a, b = total + shares[q], a + shares[q] * bins[q, 0], b + shares[q] * bins[q, 1]
        out[i, 0] = (a + other_a) / (total + others)
        out[i, 1] = (b + other_b) / (total + others)


@jit
def deviation(scores, offsets, bins, out):
    """Compute the standard deviation, (N,), of the color under softmax(scores + offsets) over the bins of ab."""
    F = scores.dtype.type
    shares = np.empty(scores.shape[1], scores.dtype)
    for i in range(scores.shape[0]):
        _softmax(scores[i], offsets, F(1.0), shares)
        total, a, b, squares = F(0.0), F(0.0), F(0.0), F(0.0)
        for q in range(shares.shape[0]):
            total += shares[q]
            a += shares[q] * bins[q, 0]
            b += shares[q] * bins[q, 1]
            squares += shares[q] * (bins[q, 0] * bins[q, 0] + bins[q, 1] * bins[q, 1])
        a, b = a / total, b / total
        out[i] = np.sqrt(max(squares / total - a * a - b * b, F(0.0)))
