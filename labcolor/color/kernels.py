"""Compiled arithmetic of CIE Lab, in float32: the single source of its formulas and constants.

sRGB transfer curve and primaries: IEC 61966-2-1:1999. L*a*b* from XYZ: CIE 15:2004, section 8.2.1. The rounded
constants (matrix, white D65/2 degrees, 0.008856 and 7.787) are those of scikit-image, so that results agree
with ``skimage.color``. Lindbloom (http://brucelindbloom.com, "A Continuity Study of the CIE L* Function") discusses the
rounding.

A kernel is compiled when it is first called on a machine, while the caller waits. So kernels are few and short, take
their buffers from the caller, and get their constants from this module.
"""

from __future__ import annotations

import math

import numpy as np

from labcolor.base.compiled import as_bits, from_bits, inline, jit, larger, smaller
from labcolor.base.typing import Array

F = np.float32
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

# A channel of linear light may leave [0, 1] by this much. The encoding clips it, by less than half a level of 255.
UNDER, OVER = 1e-4, 4e-3
MOST_CHROMA = 136.0  # no color of sRGB has more
HALVINGS = 9  # they find the largest chroma with an error below 0.3

ZERO, HALF, ONE, INFINITY = F(0.0), F(0.5), F(1.0), F(np.inf)
LOWEST, HIGHEST = F(-UNDER), F(1.0 + OVER)
FIRST_STEP = F(MOST_CHROMA)


def srgb_to_linear(values: Array) -> Array:
    """Decode sRGB floats in [0, 1] to linear light."""
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


@inline
def cube_root(x):
    """Return the cube root of a positive number.

    The first guess divides the exponent by three (Kahan 1991). Each of two steps of Halley's method triples the number
    of correct digits. The relative error is 2e-7, and the compiler makes vector code of it.
    """
    t = from_bits(np.int32(as_bits(x) // 3 + 709921077))
    t3 = t * t * t
    t = t * (t3 + x + x) / (t3 + t3 + x)
    t3 = t * t * t
    return t * (t3 + x + x) / (t3 + t3 + x)


LINEAR_BELOW, LINEAR_SLOPE = F(0.0031308), F(12.92)
CURVE_SLOPE, CURVE_OFFSET, TINY = F(1.055), F(0.055), F(1e-9)


@inline
def linear_to_srgb(v):
    """Encode linear light as sRGB in [0, 1], clipped to the gamut, by v ** (1/2.4) = v ** (1/3) * v ** (1/12)."""
    v = smaller(larger(v, ZERO), ONE)
    root = cube_root(larger(v, TINY))
    curve = CURVE_SLOPE * root * math.sqrt(math.sqrt(root)) - CURVE_OFFSET
    return smaller(curve, ONE) if v > LINEAR_BELOW else v * LINEAR_SLOPE


EPSILON, KAPPA, SHIFT = F(0.008856), F(7.787), F(16.0 / 116.0)
INVERSE_EPSILON = F(0.2068966)


@inline
def lab_f(t):
    """Return the function f of CIE Lab: a cube root, linear near zero."""
    root = cube_root(larger(t, EPSILON))
    return root if t > EPSILON else KAPPA * t + SHIFT


@inline
def lab_f_inverse(f):
    """Return the inverse of :func:`lab_f`."""
    return f * f * f if f > INVERSE_EPSILON else (f - SHIFT) / KAPPA


L_SCALE, L_OFFSET, A_SCALE, B_SCALE = F(116.0), F(16.0), F(500.0), F(200.0)
PER_L, PER_A, PER_B = F(1.0 / 116.0), F(1.0 / 500.0), F(1.0 / 200.0)


@inline
def lab_color_to_linear(lightness, a, b, m):
    """Convert one color to linear RGB, which lies outside [0, 1] if the color is outside the sRGB gamut."""
    fy = (lightness + L_OFFSET) * PER_L
    x = lab_f_inverse(fy + a * PER_A)
    y = lab_f_inverse(fy)
    z = lab_f_inverse(larger(fy - b * PER_B, ZERO))
    return (
        m[0][0] * x + m[0][1] * y + m[0][2] * z,
        m[1][0] * x + m[1][1] * y + m[1][2] * z,
        m[2][0] * x + m[2][1] * y + m[2][2] * z,
    )


# The loops below process planes of colors, with one short loop for each step. The compiler makes vector code of each,
# which is several times faster than one loop that does all steps for one color after the other.


@jit
def rgb_to_lab(rgb, table, m, planes, out):
    """Convert (N, 3) colors to (N, 3) Lab: integers through a table of linear light, or linear floats.

    ``planes`` (3, N) is a buffer.
    """
    if table.shape[0] > 1:
        for i in range(out.shape[0]):
            planes[0, i] = table[np.intp(rgb[i, 0])]
            planes[1, i] = table[np.intp(rgb[i, 1])]
            planes[2, i] = table[np.intp(rgb[i, 2])]
    else:
        for i in range(out.shape[0]):
            planes[0, i], planes[1, i], planes[2, i] = rgb[i, 0], rgb[i, 1], rgb[i, 2]
    for i in range(out.shape[0]):
        red, green, blue = planes[0, i], planes[1, i], planes[2, i]
        x = lab_f(m[0][0] * red + m[0][1] * green + m[0][2] * blue)
        y = lab_f(m[1][0] * red + m[1][1] * green + m[1][2] * blue)
        z = lab_f(m[2][0] * red + m[2][1] * green + m[2][2] * blue)
        planes[0, i] = L_SCALE * y - L_OFFSET
        planes[1, i] = A_SCALE * (x - y)
        planes[2, i] = B_SCALE * (y - z)
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = planes[0, i], planes[1, i], planes[2, i]


@jit
def to_lightness(values, table, m, out):
    """Convert (N, C) values to N values of L.

    C is 3 for colors as for :func:`rgb_to_lab`, and 1 for grey: integers through a table of L, or linear floats.
    """
    if values.shape[1] == 1 and table.shape[0] > 1:
        for i in range(out.shape[0]):
            out[i] = table[np.intp(values[i, 0])]
        return
    if values.shape[1] == 1:
        for i in range(out.shape[0]):
            out[i] = values[i, 0]
    elif table.shape[0] > 1:
        for i in range(out.shape[0]):
            red, green, blue = table[np.intp(values[i, 0])], table[np.intp(values[i, 1])], table[np.intp(values[i, 2])]
            out[i] = m[1][0] * red + m[1][1] * green + m[1][2] * blue
    else:
        for i in range(out.shape[0]):
            out[i] = m[1][0] * F(values[i, 0]) + m[1][1] * F(values[i, 1]) + m[1][2] * F(values[i, 2])
    for i in range(out.shape[0]):
        out[i] = L_SCALE * lab_f(out[i]) - L_OFFSET


@jit
def lab_to_linear(lab, m, linear):
    """Convert (N, 3) Lab to planes of linear RGB, (3, N)."""
    for i in range(lab.shape[0]):
        linear[0, i], linear[1, i], linear[2, i] = lab_color_to_linear(lab[i, 0], lab[i, 1], lab[i, 2], m)


@jit
def encode(linear, scale, half, out):
    """Encode planes of linear RGB, (3, N), as sRGB, in place, and write it to (N, 3), times ``scale`` plus ``half``."""
    for channel in range(3):
        for i in range(out.shape[0]):
            linear[channel, i] = linear_to_srgb(linear[channel, i]) * scale + half
    for i in range(out.shape[0]):
        out[i, 0] = linear[0, i]
        out[i, 1] = linear[1, i]
        out[i, 2] = linear[2, i]


@jit
def resample(rows, first, row_starts, row_weights, column_starts, column_weights, mean, out):
    """Resample (n, W) ``rows`` to (h, w) ``out`` by weighted means of neighbors.

    The first of ``rows`` is row ``first`` of its picture. ``row_starts`` (h) and ``row_weights`` (h, taps) give the
    rows of the picture that make each row of ``out``, and their weights. The same holds for columns. ``mean`` (W)
    is a buffer.
    """
    for y in range(out.shape[0]):
        for x in range(rows.shape[1]):
            mean[x] = ZERO
        for tap in range(row_weights.shape[1]):
            weight = row_weights[y, tap]
            row = row_starts[y] - first + tap
            for x in range(rows.shape[1]):
                mean[x] += weight * rows[row, x]
        for x in range(out.shape[1]):
            total = ZERO
            for tap in range(column_weights.shape[1]):
                total += column_weights[x, tap] * mean[column_starts[x] + tap]
            out[y, x] = total


LEAST, YELLOW_L, YELLOW_B = F(1e-6), F(92.0), F(0.95)


@jit
def join(lightness, ab, rows, down, columns, across, m, buffer, outside, colors, linear):
    """Join full-resolution L, (n, W), and small ab to planes of linear RGB, (3, n W).

    ``ab``, ``rows``, ``down``, ``columns`` and ``across`` are those of :class:`labcolor.color.chroma.Enlargement`;
    ``buffer`` is (4, w + 1 or W). Return the number of colors outside the gamut. Their places are written to
    ``outside`` (n W), and their Lab to ``colors`` (3, n W).
    """
    small_a, small_b, a, b = buffer[0], buffer[1], buffer[2], buffer[3]
    count = np.intp(0)
    for y in range(lightness.shape[0]):
        top, bottom = rows[y, 0], rows[y, 1]
        for x in range(ab.shape[1]):
            small_a[x] = ab[top, x, 0] + (ab[bottom, x, 0] - ab[top, x, 0]) * down[y]
            small_b[x] = ab[top, x, 1] + (ab[bottom, x, 1] - ab[top, x, 1]) * down[y]
        for x in range(lightness.shape[1]):
            left, right = columns[0, x], columns[1, x]
            a[x] = small_a[left] + (small_a[right] - small_a[left]) * across[x]
            b[x] = small_b[left] + (small_b[right] - small_b[left]) * across[x]
        start = y * lightness.shape[1]
        red, green, blue = linear[0, start:], linear[1, start:], linear[2, start:]
        for x in range(lightness.shape[1]):
            red[x], green[x], blue[x] = lab_color_to_linear(lightness[y, x], a[x], b[x], m)
        for x in range(lightness.shape[1]):
            lowest = smaller(smaller(red[x], green[x]), blue[x])
            highest = larger(larger(red[x], green[x]), blue[x])
            if lowest < LOWEST or highest > HIGHEST:
                outside[count] = start + x
                colors[0, count], colors[1, count], colors[2, count] = lightness[y, x], a[x], b[x]
                count += 1
    return count


@jit
def into_gamut(lightness, a, b, m, asked, chroma, unbounded, outside, linear):
    """Lower the chroma of colors until they fit into the gamut, and write them to planes of linear RGB, (3, n W).

    ``outside`` (N) gives their places in ``linear``; the other arrays, (N), are L, a, b and buffers. Lightness and hue
    stay. The limit depends on them only, so a larger chroma never gives a smaller result. Along a hue, a channel that
    leaves [0, 1] stays outside. The exception is close to pure yellow, where a channel exceeds 1 a little and returns.
    There a second search ignores the upper bound, and its result is used if it respects that bound.
    """
    n = lightness.shape[0]
    yellow = False
    for x in range(n):
        asked[x] = larger(math.sqrt(a[x] * a[x] + b[x] * b[x]), LEAST)
        a[x], b[x] = a[x] / asked[x], b[x] / asked[x]
        yellow |= (lightness[x] > YELLOW_L) & (b[x] > YELLOW_B)
    limit, found = HIGHEST, chroma
    for _ in range(2 if yellow else 1):
        for x in range(n):
            found[x] = ZERO
        step = FIRST_STEP
        for _ in range(HALVINGS):  # each processes all colors, so that it becomes vector code
            step *= HALF
            for x in range(n):
                more = found[x] + step
                red, green, blue = lab_color_to_linear(lightness[x], a[x] * more, b[x] * more, m)
                lowest, highest = smaller(smaller(red, green), blue), larger(larger(red, green), blue)
                found[x] = more if (lowest >= LOWEST) & (highest <= limit) else found[x]
        limit, found = INFINITY, unbounded
    for x in range(n):
        limited = chroma[x]
        if yellow:
            red, green, blue = lab_color_to_linear(lightness[x], a[x] * unbounded[x], b[x] * unbounded[x], m)
            fits = (larger(larger(red, green), blue) <= HIGHEST) & (unbounded[x] <= asked[x])
            limited = unbounded[x] if fits else limited
        limited = smaller(limited, asked[x])
        red, green, blue = lab_color_to_linear(lightness[x], a[x] * limited, b[x] * limited, m)
        linear[0, outside[x]], linear[1, outside[x]], linear[2, outside[x]] = red, green, blue


@jit
def mean_lightness(luma, table, out):
    """Compute L of the mean luma of each cell, (n, w), of luma (r n, c w), r and c 1 or 2, by its table of L."""
    high, wide = luma.shape[0] // out.shape[0], luma.shape[1] // out.shape[1]
    for y in range(out.shape[0]):
        upper, lower = luma[high * y], luma[high * y + high - 1]
        if high * wide == 4:
            for x in range(out.shape[1]):
                total = np.int32(upper[2 * x]) + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]
                out[y, x] = table[np.intp((total + 2) >> 2)]
        else:
            for x in range(out.shape[1]):
                total = np.int32(upper[wide * x]) + lower[wide * x + wide - 1]
                out[y, x] = table[np.intp((total + 1) >> 1)]


LEVELS, BEYOND = F(255.0), F(255.5)


@jit
def shift_cells(luma, linear, out):
    """Shift cells of 2 x 2 pixels of luma, (2 n, 2 w) uint8, so that their means become colors.

    The colors are planes of linear RGB, (3, n w), a buffer afterwards. ``out``, (2 n, 2 w) int32, gets four bytes for
    each pixel: red, green, blue and 0.
    """
    wide = luma.shape[1] // 2
    for channel in range(3):
        for i in range(linear.shape[1]):
            linear[channel, i] = linear_to_srgb(linear[channel, i]) * LEVELS + HALF
    for y in range(luma.shape[0] // 2):
        upper, lower = luma[2 * y], luma[2 * y + 1]
        red, green, blue = linear[0, wide * y :], linear[1, wide * y :], linear[2, wide * y :]
        for x in range(wide):
            total = np.int32(upper[2 * x]) + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]
            mean = F((total + 2) >> 2)  # as that of mean_lightness
            red[x], green[x], blue[x] = red[x] - mean, green[x] - mean, blue[x] - mean
        for row in range(2 * y, 2 * y + 2):
            for x in range(wide):
                for column in range(2 * x, 2 * x + 2):
                    level = F(luma[row, column])
                    low = np.int32(smaller(larger(level + red[x], ZERO), BEYOND))
                    middle = np.int32(smaller(larger(level + green[x], ZERO), BEYOND))
                    high = np.int32(smaller(larger(level + blue[x], ZERO), BEYOND))
                    out[row, column] = np.int32(low | middle << 8 | high << 16)


@jit
def to_chroma(linear, weights, levels, u, v):
    """Convert planes of linear RGB, (3, N), to U and V, (N,).

    Parameters: ``weights``, the weights of red and blue in luma; ``levels``, half the range of chroma, its zero and its
    largest value.
    """
    extent, zero, top = levels
    zero += HALF
    kr, kb = weights
    for channel in range(3):
        for i in range(u.shape[0]):
            linear[channel, i] = linear_to_srgb(linear[channel, i])
    for i in range(u.shape[0]):
        red, green, blue = linear[0, i], linear[1, i], linear[2, i]
        grey = kr * red + (ONE - kr - kb) * green + kb * blue
        u[i] = smaller((blue - grey) * (extent / (ONE - kb)) + zero, top)
        v[i] = smaller((red - grey) * (extent / (ONE - kr)) + zero, top)
