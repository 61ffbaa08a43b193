"""Compiled arithmetic of CIE Lab: the single source of its formulas and constants.

sRGB transfer curve and primaries: IEC 61966-2-1:1999. L*a*b* from XYZ: CIE 15:2004, section 8.2.1. The rounded
constants (matrix, white D65/2 degrees, 0.008856 and 7.787) are those of scikit-image, so that results agree
with ``skimage.color`` to the last digits. Lindbloom (http://brucelindbloom.com, "A Continuity Study of the CIE L*
Function") discusses the rounding.

Every kernel is compiled for the dtype of its arguments: float64 where accuracy matters, and float32 with a faster cube
root otherwise.
"""

from __future__ import annotations

import numba
import numpy as np
from numba.extending import overload

from labcolor.base.compiled import inline, jit

__all__ = [
    "FROM_RELATIVE_XYZ",
    "HALVINGS",
    "MOST_CHROMA",
    "OVER",
    "TO_RELATIVE_XYZ",
    "UNDER",
    "all_finite",
    "chroma_rows",
    "color_rows",
    "decode_srgb",
    "grey_to_lightness",
    "lab_to_rgb",
    "resample",
    "rgb_to_lab",
    "rgb_to_lightness",
]

RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
# Linear RGB to XYZ relative to the white, and back. The matrices include the white.
TO_RELATIVE_XYZ = RGB_TO_XYZ / WHITE[:, None]
FROM_RELATIVE_XYZ = np.linalg.inv(RGB_TO_XYZ) * WHITE[None, :]

BLOCK = 512  # colors processed at a time, channel by channel: the buffers stay in the first-level cache


def _cbrt(x):
    raise NotImplementedError("compiled code only")


@overload(_cbrt, inline="always")
def _overload_cbrt(x):
    if x == numba.float32:

        def cbrt32(x):
            # The first guess divides the exponent by three (Kahan 1991). Each of two steps of Halley's method triples
            # the number of correct digits. The relative error is 2e-7, and the compiler makes vector code of it.
            t = np.int32(np.float32(x).view(np.int32) // 3 + 709921077).view(np.float32)
            t3 = t * t * t
            t = t * (t3 + x + x) / (t3 + t3 + x)
            t3 = t * t * t
            return t * (t3 + x + x) / (t3 + t3 + x)

        return cbrt32
    return lambda x: x ** (1.0 / 3.0)


@inline
def srgb_to_linear(v, F):
    """Decode one sRGB value in [0, 1] to linear light."""
    if v > F(0.04045):
        return ((v + F(0.055)) / F(1.055)) ** F(2.4)
    return v / F(12.92)


@inline
def linear_to_srgb(v, F):
    """Encode linear light as sRGB in [0, 1], clipped to the gamut, by v ** (1/2.4) = v ** (1/3) * v ** (1/12)."""
    v = min(max(v, F(0.0)), F(1.0))
    root = _cbrt(max(v, F(1e-9)))
    curve = F(1.055) * root * np.sqrt(np.sqrt(root)) - F(0.055)
    return min(curve, F(1.0)) if v > F(0.0031308) else v * F(12.92)


@inline
def lab_f(t, F):
    """Return the function f of CIE Lab: a cube root, linear near zero."""
    root = _cbrt(max(t, F(0.008856)))
    return root if t > F(0.008856) else F(7.787) * t + F(16.0 / 116.0)


@inline
def lab_f_inverse(f, F):
    """Return the inverse of :func:`lab_f`."""
    return f * f * f if f > F(0.2068966) else (f - F(16.0 / 116.0)) / F(7.787)


# The loops below process planes of BLOCK colors, with one short loop for each step. The compiler makes vector code of
# each, which is several times faster than one loop that does all steps for one color after the other.


@inline
def linear_to_lab_planes(r, g, b, m, n, F):
    """Convert planes of linear RGB to L, a and b, in place."""
    for i in range(n):
        x = lab_f(m[0][0] * r[i] + m[0][1] * g[i] + m[0][2] * b[i], F)
        y = lab_f(m[1][0] * r[i] + m[1][1] * g[i] + m[1][2] * b[i], F)
        z = lab_f(m[2][0] * r[i] + m[2][1] * g[i] + m[2][2] * b[i], F)
        r[i] = F(116.0) * y - F(16.0)
        g[i] = F(500.0) * (x - y)
        b[i] = F(200.0) * (y - z)


@inline
def lab_to_linear(lightness, a, b, m, F):
    """Convert one color to linear RGB, which lies outside [0, 1] if the color is outside the sRGB gamut."""
    fy = (lightness + F(16.0)) * F(1.0 / 116.0)
    x = lab_f_inverse(fy + a * F(1.0 / 500.0), F)
    y = lab_f_inverse(fy, F)
    z = lab_f_inverse(max(fy - b * F(1.0 / 200.0), F(0.0)), F)
    return (
        m[0][0] * x + m[0][1] * y + m[0][2] * z,
        m[1][0] * x + m[1][1] * y + m[1][2] * z,
        m[2][0] * x + m[2][1] * y + m[2][2] * z,
    )


@inline
def lab_to_linear_planes(lightness, a, b, m, n, F):
    """Convert planes of L, a and b to linear RGB, in place."""
    for i in range(n):
        lightness[i], a[i], b[i] = lab_to_linear(lightness[i], a[i], b[i], m, F)


@inline
def store_srgb(r, g, b, scale, half, out, n, F):
    """Encode linear planes as sRGB, in place, and write them to (n, 3) ``out``, times ``scale`` plus ``half``."""
    for i in range(n):
        r[i] = linear_to_srgb(r[i], F) * scale + half
    for i in range(n):
        g[i] = linear_to_srgb(g[i], F) * scale + half
    for i in range(n):
        b[i] = linear_to_srgb(b[i], F) * scale + half
    for i in range(n):
        out[i, 0] = r[i]
        out[i, 1] = g[i]
        out[i, 2] = b[i]


@jit
def decode_srgb(rgb, out):
    """Decode flat sRGB floats to linear light."""
    F = out.dtype.type
    for i in range(rgb.shape[0]):
        out[i] = srgb_to_linear(rgb[i], F)


@inline
def load_linear(rgb, table, r, g, b, n):
    """Load (n, 3) colors into linear planes: integers through a table of linear light, floats unchanged."""
    if table.shape[0] > 1:
        for i in range(n):
            r[i] = table[np.intp(rgb[i, 0])]
            g[i] = table[np.intp(rgb[i, 1])]
            b[i] = table[np.intp(rgb[i, 2])]
    else:
        for i in range(n):
            r[i] = rgb[i, 0]
            g[i] = rgb[i, 1]
            b[i] = rgb[i, 2]


@jit
def rgb_to_lab(rgb, table, m, out):
    """Convert (N, 3) colors, as for :func:`load_linear`, to (N, 3) Lab."""
    F = out.dtype.type
    planes = np.empty((3, BLOCK), out.dtype)
    r, g, b = planes[0], planes[1], planes[2]
    for start in range(0, out.shape[0], BLOCK):
        n = min(BLOCK, out.shape[0] - start)
        load_linear(rgb[start : start + n], table, r, g, b, n)
        linear_to_lab_planes(r, g, b, m, n, F)
        for i in range(n):
            out[start + i, 0] = r[i]
            out[start + i, 1] = g[i]
            out[start + i, 2] = b[i]


@jit
def rgb_to_lightness(rgb, table, m, out):
    """Convert (N, 3) colors, as for :func:`load_linear`, to N values of L."""
    F = out.dtype.type
    planes = np.empty((3, BLOCK), out.dtype)
    r, g, b = planes[0], planes[1], planes[2]
    for start in range(0, out.shape[0], BLOCK):
        n = min(BLOCK, out.shape[0] - start)
        load_linear(rgb[start : start + n], table, r, g, b, n)
        for i in range(n):
            out[start + i] = F(116.0) * lab_f(m[1][0] * r[i] + m[1][1] * g[i] + m[1][2] * b[i], F) - F(16.0)


@jit
def lab_to_rgb(lab, m, scale, half, out):
    """Convert (N, 3) Lab to (N, 3) sRGB, times ``scale`` plus ``half``."""
    F = lab.dtype.type
    planes = np.empty((3, BLOCK), lab.dtype)
    r, g, b = planes[0], planes[1], planes[2]
    for start in range(0, out.shape[0], BLOCK):
        n = min(BLOCK, out.shape[0] - start)
        for i in range(n):
            r[i] = lab[start + i, 0]
            g[i] = lab[start + i, 1]
            b[i] = lab[start + i, 2]
        lab_to_linear_planes(r, g, b, m, n, F)
        store_srgb(r, g, b, scale, half, out[start : start + n], n, F)


@jit
def all_finite(values):
    """Return whether a flat array contains no nan and no inf."""
    total = values.dtype.type(0)
    for i in range(values.shape[0]):
        total += values[i] * values.dtype.type(0)
    return total == total


@jit
def grey_to_lightness(grey, table, out):
    """Convert flat grey values to L: integers through a table of L, floats by the formulas."""
    F = out.dtype.type
    if table.shape[0] > 1:
        for i in range(out.shape[0]):
            out[i] = table[np.intp(grey[i])]
    else:
        for i in range(out.shape[0]):
            out[i] = F(116.0) * lab_f(srgb_to_linear(F(grey[i]), F), F) - F(16.0)


@jit
def resample(rows, first, row_starts, row_weights, column_starts, column_weights, out):
    """Resample (n, W) ``rows`` to (h, w) ``out`` by weighted means of neighbors.

    The first of ``rows`` is row ``first`` of its picture. ``row_starts`` (h) and ``row_weights`` (h, taps) give the
    rows of the picture that make each row of ``out``, and their weights. The same holds for columns.
    """
    mean = np.empty(rows.shape[1], rows.dtype)
    for y in range(out.shape[0]):
        mean[:] = 0
        for tap in range(row_weights.shape[1]):
            weight = row_weights[y, tap]
            row = rows[row_starts[y] - first + tap]
            for x in range(row.shape[0]):
                mean[x] += weight * row[x]
        for x in range(out.shape[1]):
            total = rows.dtype.type(0)
            for tap in range(column_weights.shape[1]):
                total += column_weights[x, tap] * mean[column_starts[x] + tap]
            out[y, x] = total


# A channel of linear light may leave [0, 1] by this much. The encoding clips it, by less than half a level of 255.
UNDER, OVER = 1e-4, 4e-3
MOST_CHROMA = 136.0  # no color of sRGB has more
HALVINGS = 9  # they find the largest chroma with an error below 0.3


@inline
def _halve(lightness, a, b, m, highest, chroma, n, F):
    """Find the largest chroma at which no channel of linear light lies below 0 or above ``highest``.

    ``a`` and ``b`` are unit directions. Each halving processes all ``n`` colors, so that it becomes vector code.
    """
    for x in range(n):
        chroma[x] = F(0.0)
    step = F(MOST_CHROMA)
    for _ in range(HALVINGS):
        step *= F(0.5)
        for x in range(n):
            more = chroma[x] + step
            red, green, blue = lab_to_linear(lightness[x], a[x] * more, b[x] * more, m, F)
            fits = (min(red, green, blue) >= F(-UNDER)) & (max(red, green, blue) <= highest)
            chroma[x] = more if fits else chroma[x]


@inline
def _into_gamut(lightness, a, b, m, asked, chroma, unbounded, n, F):
    """Lower the chroma of ``n`` colors outside the gamut, in place, until they fit. Lightness and hue stay.

    The limit depends on lightness and hue only, so a larger chroma never gives a smaller result. Along a hue, a channel
    that leaves [0, 1] stays outside. The exception is close to pure yellow, where a channel exceeds 1 a little and
    returns. There a second search ignores the upper bound, and its result is used if it respects that bound.
    """
    highest = F(1.0 + OVER)
    yellow = False
    for x in range(n):
        asked[x] = max(np.sqrt(a[x] * a[x] + b[x] * b[x]), F(1e-6))
        a[x], b[x] = a[x] / asked[x], b[x] / asked[x]
        yellow |= (lightness[x] > F(92.0)) & (b[x] > F(0.95))
    _halve(lightness, a, b, m, highest, chroma, n, F)
    if yellow:
        _halve(lightness, a, b, m, F(np.inf), unbounded, n, F)
        for x in range(n):
            red, green, blue = lab_to_linear(lightness[x], a[x] * unbounded[x], b[x] * unbounded[x], m, F)
            fits = (max(red, green, blue) <= highest) & (unbounded[x] <= asked[x])
            chroma[x] = unbounded[x] if fits else chroma[x]
    for x in range(n):
        a[x] *= min(chroma[x], asked[x])
        b[x] *= min(chroma[x], asked[x])


@inline
def _columns(n, width, column_scale, F):
    """Return, for each of ``n`` columns, its two neighbors among ``width`` small columns and its place between them."""
    left, right, across = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.float32)
    for x in range(n):
        place = min(max((F(x) + F(0.5)) * column_scale - F(0.5), F(0.0)), F(width - 1))
        left[x] = np.int32(place)
        right[x] = min(left[x] + 1, width - 1)
        across[x] = place - F(left[x])
    return left, right, across


@inline
def _enlarge_row(ab, y, row_scale, left, right, across, small_a, small_b, a, b, F):
    """Write row ``y`` of the bilinearly enlarged map ``ab`` (h, w, 2) to ``a`` and ``b``."""
    place = min(max((F(y) + F(0.5)) * row_scale - F(0.5), F(0.0)), F(ab.shape[0] - 1))
    top = np.int32(place)
    bottom = min(top + 1, ab.shape[0] - 1)
    down = place - F(top)
    for x in range(ab.shape[1]):
        small_a[x] = ab[top, x, 0] + (ab[bottom, x, 0] - ab[top, x, 0]) * down
        small_b[x] = ab[top, x, 1] + (ab[bottom, x, 1] - ab[top, x, 1]) * down
    for x in range(a.shape[0]):
        a[x] = small_a[left[x]] + (small_a[right[x]] - small_a[left[x]]) * across[x]
        b[x] = small_b[left[x]] + (small_b[right[x]] - small_b[left[x]]) * across[x]


@inline
def _keep_bars_grey(y, inside, a, b, F):
    """Set row ``y`` of a and b to 0 where it lies in a bar. ``inside`` is as for :func:`color_rows`."""
    top, bottom, left, right = inside
    if y < top or y >= bottom:
        right = left
    for x in range(left):
        a[x], b[x] = F(0.0), F(0.0)
    for x in range(right, a.shape[0]):
        a[x], b[x] = F(0.0), F(0.0)


@inline
def _join_row(lightness, a, b, m, red, green, blue, outside, work, F):
    """Convert L, a and b to linear planes. Lower the chroma of colors outside the gamut.

    ``outside`` (W,) int32 and ``work`` (6, W) are buffers.
    """
    for x in range(lightness.shape[0]):
        red[x], green[x], blue[x] = lab_to_linear(lightness[x], a[x], b[x], m, F)
    n = 0
    for x in range(lightness.shape[0]):
        if min(red[x], green[x], blue[x]) < F(-UNDER) or max(red[x], green[x], blue[x]) > F(1.0 + OVER):
            outside[n] = x
            work[0, n], work[1, n], work[2, n] = lightness[x], a[x], b[x]
            n += 1
    if n > 0:
        _into_gamut(work[0], work[1], work[2], m, work[3], work[4], work[5], n, F)
        for i in range(n):
            x = outside[i]
            red[x], green[x], blue[x] = lab_to_linear(work[0, i], work[1, i], work[2, i], m, F)


@jit
def color_rows(lightness, ab, first, row_scale, column_scale, inside, m, scale, half, out):
    """Join full-resolution L and small ab to sRGB.

    Parameters: ``lightness`` (n, W), whose first row is row ``first`` of its picture; ``ab`` (h, w, 2), which is
    enlarged bilinearly; ``row_scale`` and ``column_scale``, the size of a pixel of the picture in pixels of ``ab``;
    ``inside``, the rows and columns to color, as (top, bottom, left, right), where bottom and right are exclusive and
    the rest is grey; ``out`` (n, W, 3).
    """
    F = lightness.dtype.type
    n = lightness.shape[1]
    left, right, across = _columns(n, ab.shape[1], column_scale, F)
    small = np.empty((2, ab.shape[1]), lightness.dtype)
    planes = np.empty((5, n), lightness.dtype)
    a, b, red, green, blue = planes[0], planes[1], planes[2], planes[3], planes[4]
    outside, work = np.empty(n, np.int32), np.empty((6, n), lightness.dtype)
    for y in range(lightness.shape[0]):
        _enlarge_row(ab, first + y, row_scale, left, right, across, small[0], small[1], a, b, F)
        _keep_bars_grey(first + y, inside, a, b, F)
        _join_row(lightness[y], a, b, m, red, green, blue, outside, work, F)
        store_srgb(red, green, blue, scale, half, out[y], n, F)


@jit
def chroma_rows(luma, table, ab, first, row_scale, column_scale, inside, m, weights, levels, u, v):
    """Compute the U and V that give luma the colors of a small map of ab.

    Parameters: ``luma`` (r n, c w) uint8 or uint16, r and c 1 or 2; ``table``, L of each value of luma; ``u`` and ``v``
    (n, w), whose first row is row ``first`` of its plane; ``ab``, ``row_scale``, ``column_scale`` and ``inside`` as for
    :func:`color_rows`, with pixels of ``u`` and ``v``; ``weights``, the weights of red and blue in luma; ``levels``,
    half the range of chroma, its zero and its largest value.
    """
    F = ab.dtype.type
    n = u.shape[1]
    down, wide = luma.shape[0] // u.shape[0], luma.shape[1] // n
    cell = down * wide
    extent, zero, top = levels
    zero += F(0.5)
    left, right, across = _columns(n, ab.shape[1], column_scale, F)
    small = np.empty((2, ab.shape[1]), ab.dtype)
    planes = np.empty((6, n), ab.dtype)
    lightness, a, b, red, green, blue = planes[0], planes[1], planes[2], planes[3], planes[4], planes[5]
    outside, work = np.empty(n, np.int32), np.empty((6, n), ab.dtype)
    kr, kb = weights
    for y in range(u.shape[0]):
        upper, lower = luma[down * y], luma[down * y + down - 1]
        if cell == 4:
            for x in range(n):
                total = np.int32(upper[2 * x]) + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]
                lightness[x] = table[np.intp((total + 2) >> 2)]
        else:
            for x in range(n):
                total = np.int32(upper[wide * x]) + lower[wide * x + wide - 1]
                lightness[x] = table[np.intp((total + 1) >> 1)]
        _enlarge_row(ab, first + y, row_scale, left, right, across, small[0], small[1], a, b, F)
        _keep_bars_grey(first + y, inside, a, b, F)
        _join_row(lightness, a, b, m, red, green, blue, outside, work, F)
        for x in range(n):
            red[x] = linear_to_srgb(red[x], F)
        for x in range(n):
            green[x] = linear_to_srgb(green[x], F)
        for x in range(n):
            blue[x] = linear_to_srgb(blue[x], F)
        for x in range(n):
            grey = kr * red[x] + (F(1.0) - kr - kb) * green[x] + kb * blue[x]
            u[y, x] = min((blue[x] - grey) * (extent / (F(1.0) - kb)) + zero, top)
            v[y, x] = min((red[x] - grey) * (extent / (F(1.0) - kr)) + zero, top)
