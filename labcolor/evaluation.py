"""Methods of coloring, measured on photographs: one row of metrics for each."""

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
from labcolor._typing import Array
from labcolor.errors import InputError
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import read_picture
from labcolor.training.data import reduce_picture

__all__ = ["COLORFULNESS", "METRICS", "at_colorfulness", "center_square", "evaluate", "table"]

COLORFULNESS = 36.0  # at which methods are compared: about that of photographs
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
_SATURATION = 4.0  # the largest that Colorizer.predict takes


def center_square(path: Path, size: int) -> Array:
    """Read a photograph for measuring: short side reduced to at most ``size``, center-cropped to a square.

    Returns
    -------
    ndarray, shape (S, S, 3), uint8
        S is ``size``, or the photograph's short side where that is less.

    Raises
    ------
    PictureFileError, InputError
        The file cannot be read, or the picture is grey.
    """
    picture = one_picture(read_picture(path), str(path))
    reduced = reduce_picture(picture, min(size, *picture.shape), str(path))
    if not np.ptp(reduced, axis=2).any():
        raise InputError(f"{path}: expected a color picture, got a grey one.")
    side = min(reduced.shape[:2])
    top, left = (reduced.shape[0] - side) // 2, (reduced.shape[1] - side) // 2
    return reduced[top : top + side, left : left + side]


def evaluate(
    pictures: Sequence[Array],
    methods: Mapping[str, Callable[[Array], Array]],
    progress: Callable[[Sequence[Array]], Any] = lambda pictures: pictures,
) -> dict[str, dict[str, float]]:
    """Measure methods of coloring against the truth.

    Parameters
    ----------
    pictures : sequence of ndarray, each (H, W, 3), uint8
        Color photographs.
    methods : mapping of name to callable
        Each gets the true picture and gives it back with its own colors; it is trusted to look at the lightness only.
    progress : callable, optional
        Wraps the sequence, for a progress bar.

    Returns
    -------
    dict
        From each method's name to its mean of each of :data:`METRICS`, seconds a picture among them. The rebalanced AuC
        and the shares, in per cent, of neutral pixels wrongly tinted and of colorful ones left grey
        (:func:`labcolor.metrics.tint_errors`) are those of all pixels together. "PSNR at 36" is left to
        :func:`at_colorfulness`. A row "truth" tells the photographs' own colorfulness.
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
    """Measure PSNR where a method is as colorful as photographs, so that careful and vivid methods can be compared.

    PSNR alone rewards grey. Here the saturation is searched at which the mean colorfulness of all pictures is
    :data:`COLORFULNESS`, some six passes over them.

    Parameters
    ----------
    pictures : sequence of ndarray, each (H, W, 3), uint8
        Color photographs.
    color : callable
        Gets the true picture and a saturation from 0 to 4, as :meth:`labcolor.Colorizer.predict` takes it, and gives
        the picture back with its own colors.
    progress : callable, optional
        Wraps the sequence in each pass, for a progress bar.

    Returns
    -------
    dict
        "PSNR at 36": the mean PSNR in dB, for a row of :func:`evaluate`; nan where not even saturation 4 is as
        colorful. "saturation at 36": the saturation that was found, to within 0.005; nan likewise.
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
    """Format rows of :func:`evaluate` as a Markdown table; what a row lacks, or is nan, stays empty."""
    digits = {"SSIM": 4, "seconds": 3}
    lines = ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for name, row in rows.items():
        values = [(row.get(metric, math.nan), digits.get(metric, 2)) for metric in METRICS]
        cells = ["" if math.isnan(value) else f"{value:.{places}f}" for value, places in values]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
