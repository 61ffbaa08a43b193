"""Evaluation of coloring methods on photographs."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq

from labcolor import metrics
from labcolor.base.typing import Array
from labcolor.errors import InputError
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import read_picture
from labcolor.pictures.crops import center_crop, reduce_picture

COLORFULNESS = 36.0  # common colorfulness in comparisons of methods, close to that of photographs
METRICS = (
    "PSNR",
    "PSNR at 36",
    "SSIM",
    "CIEDE2000",
    "colorfulness",
    "AuC",
    "AuC rebalanced",
    "tinted %",
    "left grey %",
    "seconds",
)
_SATURATION = 4.0  # largest saturation of Colorizer.predict


def center_square(path: Path, size: int) -> Array:
    """Read a photograph, reduce its short side to at most ``size``, and crop the center square.

    Returns
    -------
    ndarray, shape (S, S, 3), uint8
        The square. S is ``size``, or the short side of the photograph if that is smaller.

    Raises
    ------
    PictureFileError, InputError
        The file cannot be read, or the picture is grey.
    """
    picture = one_picture(read_picture(path), str(path))
    reduced = reduce_picture(picture, min(size, *picture.shape), str(path))
    if not np.ptp(reduced, axis=2).any():
        raise InputError(f"{path}: expected a color picture, got a grey one.")
    return center_crop(reduced, min(reduced.shape[:2]))


def evaluate(
    pictures: Sequence[Array],
    methods: Mapping[str, Callable[[Array], Array]],
    progress: Callable[[Sequence[Array]], Any] = lambda pictures: pictures,
) -> dict[str, dict[str, float]]:
    """Measure coloring methods against the true colors.

    Parameters
    ----------
    pictures : sequence of ndarray, each (H, W, 3), uint8
        Color photographs.
    methods : mapping of name to callable
        Functions from a true picture to the picture with predicted colors. They must use the lightness only.
    progress : callable, optional
        Function that wraps the sequence in a progress bar.

    Returns
    -------
    dict
        One row for each method: the mean of each of :data:`METRICS`, and the seconds per picture. The rebalanced AuC
        and the percentages from :func:`labcolor.metrics.tint_errors` are computed over the pixels of all pictures.
        "PSNR at 36" is missing, because :func:`at_colorfulness` computes it. The row "truth" contains the colorfulness
        of the photographs.
    """
    prior = metrics.ab_prior(pictures)
    sums: dict[str, dict[str, float]] = {name: defaultdict(float) for name in methods}
    tints = {name: np.zeros(4) for name in methods}
    rebalanced = {name: np.zeros(152) for name in methods}
    truth = 0.0
    for picture in progress(pictures):
        truth += metrics.colorfulness(picture)
        for name, color in methods.items():
            started = time.perf_counter()
            result = color(picture)
            row = sums[name]
            row["seconds"] += time.perf_counter() - started
            row["PSNR"] += metrics.psnr(result, picture)
            row["SSIM"] += metrics.ssim(result, picture)
            row["CIEDE2000"] += metrics.ciede2000(result, picture)
            row["colorfulness"] += metrics.colorfulness(result)
            row["AuC"] += metrics.auc(result, picture)
            tints[name] += metrics.tint_counts(result, picture)
            rebalanced[name] += metrics.ab_errors(result, picture, prior=prior)
    rows = {name: {metric: value / len(pictures) for metric, value in row.items()} for name, row in sums.items()}
    for name, row in rows.items():
        row["AuC rebalanced"] = metrics.area_under_curve(rebalanced[name])
        tinted, neutral, grey, colorful = tints[name]
        row["tinted %"] = 100 * tinted / neutral if neutral else math.nan
        row["left grey %"] = 100 * grey / colorful if colorful else math.nan
    rows["truth"] = {"colorfulness": truth / len(pictures)}
    return rows


def at_colorfulness(
    pictures: Sequence[Array],
    color: Callable[[Array, float], Array],
    progress: Callable[[Sequence[Array]], Any] = lambda pictures: pictures,
) -> dict[str, float]:
    """Measure the PSNR of a method at the colorfulness of photographs, to compare cautious and vivid methods.

    PSNR alone rewards grey. This function searches for the saturation at which the mean colorfulness of all pictures is
    :data:`COLORFULNESS`, in about six passes over the pictures.

    Parameters
    ----------
    pictures : sequence of ndarray, each (H, W, 3), uint8
        Color photographs.
    color : callable
        Function from a true picture and a saturation from 0 to 4, as for :meth:`labcolor.Colorizer.predict`, to the
        picture with predicted colors.
    progress : callable, optional
        Function that wraps the sequence of each pass in a progress bar.

    Returns
    -------
    dict
        "PSNR at 36": the mean PSNR in dB, for a row of :func:`evaluate`. "saturation at 36": the saturation, to within
        0.005. Both are nan if the pictures are less colorful even at saturation 4.
    """

    @cache
    def measured(saturation: float) -> tuple[float, float]:
        values = []
        for picture in progress(pictures):
            result = color(picture, saturation)
            values.append((metrics.colorfulness(result), metrics.psnr(result, picture)))
        colorfulness, psnr = np.mean(values, axis=0).tolist()
        return colorfulness, psnr

    def missing(saturation: float) -> float:
        return measured(saturation)[0] - COLORFULNESS

    saturation = psnr = math.nan
    if missing(0.0) <= 0 <= missing(_SATURATION):
        saturation = float(brentq(missing, 0.0, _SATURATION, xtol=0.005))
        psnr = measured(saturation)[1]
    return {"PSNR at 36": psnr, "saturation at 36": saturation}


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Format rows of :func:`evaluate` as a Markdown table. Missing values and nan give empty cells."""
    digits = {"SSIM": 4, "seconds": 3}
    lines = ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for name, row in rows.items():
        values = [(row.get(metric, math.nan), digits.get(metric, 2)) for metric in METRICS]
        cells = ["" if math.isnan(value) else f"{value:.{places}f}" for value, places in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
