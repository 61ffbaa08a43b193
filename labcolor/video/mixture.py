"""A small network that judges whether a frame mixes earlier and later frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from labcolor.base.compiled import inline, jit
from labcolor.base.typing import Array

LAGS = 3, 6, 12, 24  # distances in time, in frames of a film, at which a frame is compared
# Measures of the frames before and after: how well each explains the frame, how well one explains the other, and how
# well both together explain the frame; the same for blocks: each, the better one, both together. Then the shares of
# both in the mixture, the difference of both explanations of blocks, the smaller share in blocks, and the loss of
# contrast.
MEASURES = 13
_CORRELATIONS = 8  # measures that are close to 1 if a frame is explained
_BLOCK, _STEP = 8, 4  # side and distance of blocks, in cells
_REACH = 8  # largest movement of a camera between two compared frames, in cells
_NEAR = 2  # largest movement of a block relative to the camera, in cells
_FLAT = 0.05  # variance of a block with half the weight, as a share of the variance of the frame


def odds(frames: Sequence[Array], place: int, pace: float) -> Array:
    """Return the log odds that the middle of a dissolve, or of a wipe, is at a frame.

    Parameters
    ----------
    frames : sequence of ndarray, each (rows, columns), float32
        L of the cells of consecutive frames.
    place : int
        Index of the frame.
    pace : float
        As for :class:`labcolor.video.transitions.TransitionDetector`.

    Returns
    -------
    ndarray, shape (2,), float32
        Log odds of a dissolve and of a wipe against no transition.
    """
    found = np.zeros((len(LAGS), MEASURES), np.float32)
    for row, lag in zip(found, LAGS, strict=True):
        reach = max(1, round(lag * pace))
        measures(frames[max(0, place - reach)], frames[place], frames[min(len(frames) - 1, place + reach)], row)
    net = _network()
    inputs = np.clip((inputs_of(found) - net["center"]) / net["scale"], -4, 4)
    scores = np.maximum(inputs @ net["hidden"] + net["hidden_bias"], 0) @ net["out"] + net["out_bias"]
    return np.asarray(scores[1:] - scores[0])


@cache
def _network() -> dict[str, Array]:
    """Load the weights, which ``scripts/train_transitions.py`` trains."""
    with (files("labcolor.video") / "mixture.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def inputs_of(found: Array) -> Array:
    """Convert measures, (..., lags, MEASURES), to inputs of the network, (..., inputs)."""
    near = -np.log(1.02 - np.clip(found[..., :_CORRELATIONS], -1, 1))  # 0.9 differs from 0.99 more than 0.5 from 0.6
    inputs = np.concatenate([np.clip(found, -3, 3), near], axis=-1)
    return inputs.reshape(*inputs.shape[:-2], -1)


@inline
def _variance(values: Array) -> Any:
    """Return the variance of an array, at least 1e-5."""
    F = values.dtype.type
    total, squares = F(0), F(0)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            total += values[y, x]
            squares += values[y, x] * values[y, x]
    count = F(max(1, values.size))
    return max((squares - total * total / count) / count, F(1e-5))


@inline
def _likeness(first: Array, second: Array) -> Any:
    """Return the correlation of two arrays of one shape."""
    F = first.dtype.type
    a, b, aa, bb, ab = F(0), F(0), F(0), F(0), F(0)
    for y in range(first.shape[0]):
        for x in range(first.shape[1]):
            p, q = first[y, x], second[y, x]
            a += p
            b += q
            aa += p * p
            bb += q * q
            ab += p * q
    count = F(max(1, first.size))
    return (ab - a * b / count) / np.sqrt(max((aa - a * a / count) * (bb - b * b / count), F(1e-6)))


@inline
def _moved(first: Array, second: Array) -> tuple[float, int, int]:
    """Return the largest correlation of two shifted frames, and the shift of ``first`` down and across, in cells."""
    height, width = second.shape
    best, down, across = first.dtype.type(-2), 0, 0
    step, low, high, start, stop = 2, -_REACH, _REACH, -_REACH, _REACH
    for _ in range(2):  # every other shift, then the shifts around the best
        for dy in range(low, high + 1, step):
            for dx in range(start, stop + 1, step):
                rows, columns = max(0, height - abs(dy)), max(0, width - abs(dx))
                up, left = max(0, -dy), max(0, -dx)
                here = second[up : up + rows, left : left + columns]
                there = first[up + dy : up + dy + rows, left + dx : left + dx + columns]
                alike = _likeness(there, here)
                if alike > best:
                    best, down, across = alike, dy, dx
        step, low, high, start, stop = 1, down - 1, down + 1, across - 1, across + 1
    return best, down, across


@inline
def _matched(frame: Array, block: Array, y: int, x: int) -> tuple[float, int, int]:
    """Return the correlation of a block and its best match near a place, or -2 outside, and the place of the match."""
    best, down, across = frame.dtype.type(-2), 0, 0
    for v in range(max(0, y - _NEAR), min(frame.shape[0] - _BLOCK, y + _NEAR) + 1):
        for u in range(max(0, x - _NEAR), min(frame.shape[1] - _BLOCK, x + _NEAR) + 1):
            alike = _likeness(frame[v : v + _BLOCK, u : u + _BLOCK], block)
            if alike > best:
                best, down, across = alike, v, u
    return best, down, across


@inline
def _mixture(a: float, b: float, ab: float) -> tuple[float, float, float]:
    """Return the share of a variance that two signals explain together, and their weights, which are 0 or more.

    ``a`` and ``b`` are their correlations with the explained signal, and ``ab`` is the correlation between them.
    """
    zero = 0 * a
    rest = max(1 - ab * ab, zero + 1e-3)
    p, q = (a - ab * b) / rest, (b - ab * a) / rest
    if p <= 0 or q <= 0:
        best = max(a, b, zero)
        return best * best, max(a, zero) if q <= 0 else zero, max(b, zero) if q > 0 else zero
    return min(p * a + q * b, zero + 1), p, q


@jit
def measures(before: Array, frame: Array, after: Array, out: Array) -> None:
    """Write the :data:`MEASURES` of a frame and two others, each (rows, columns) float32, to ``out``."""
    F = out.dtype.type
    height, width = frame.shape
    like_a, ay, ax = _moved(before, frame)
    like_b, by, bx = _moved(after, frame)
    out[0], out[1], out[2] = like_a, like_b, _moved(before, after)[0]
    top, left = max(0, -ay, -by), max(0, -ax, -bx)
    bottom, right = max(top, min(height, height - ay, height - by)), max(left, min(width, width - ax, width - bx))
    a = before[top + ay : bottom + ay, left + ax : right + ax]
    b = after[top + by : bottom + by, left + bx : right + bx]
    m = frame[top:bottom, left:right]
    in_a, in_b, in_m = _variance(a), _variance(b), _variance(m)
    explained, share_a, share_b = _mixture(_likeness(a, m), _likeness(b, m), _likeness(a, b))
    out[3] = explained
    out[8] = min(F(2), share_a * np.sqrt(in_m / in_a))
    out[9] = min(F(2), share_b * np.sqrt(in_m / in_b))
    out[12] = F(0.5) * np.log(in_m * in_m / (in_a * in_b))
    total = F(1e-6)
    out[4:8] = 0
    out[10:12] = 0
    for y in range(0, height - _BLOCK + 1, _STEP):
        for x in range(0, width - _BLOCK + 1, _STEP):
            block = frame[y : y + _BLOCK, x : x + _BLOCK]
            match_a, v, u = _matched(before, block, y + ay, x + ax)
            match_b, t, s = _matched(after, block, y + by, x + bx)
            if match_a < -1 or match_b < -1:  # outside of another frame
                continue
            c = _likeness(before[v : v + _BLOCK, u : u + _BLOCK], after[t : t + _BLOCK, s : s + _BLOCK])
            explained, share_a, share_b = _mixture(match_a, match_b, c)
            match_a, match_b = max(match_a, F(0)) ** 2, max(match_b, F(0)) ** 2
            weight = _variance(block)
            weight /= weight + F(_FLAT) * in_m
            total += weight
            out[4] += weight * match_a
            out[5] += weight * match_b
            out[6] += weight * max(match_a, match_b)
            out[7] += weight * explained
            out[10] += weight * abs(match_a - match_b)
            out[11] += weight * min(share_a, share_b)
    out[4:8] /= total
    out[10:12] /= total
