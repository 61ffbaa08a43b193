"""Methods of coloring, measured on photographs: one row of metrics for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labcolor import metrics
from labcolor._typing import Array
from labcolor.errors import InputError
from labcolor.io.pictures import read_picture
from labcolor.pictures.picture import one_picture
from labcolor.training.data import reduce_picture

__all__ = ["METRICS", "center_square", "evaluate", "table"]

METRICS = ("PSNR", "SSIM", "CIEDE2000", "colorfulness", "AuC", "AuC rebalanced", "seconds")


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
        From each method's name to its mean of each of :data:`METRICS`, seconds a picture among them; the rebalanced AuC
        is that of all pixels together. A row "truth" tells the photographs' own colorfulness.
    """
    prior = metrics.ab_prior(pictures)
    sums = {name: dict.fromkeys(METRICS, 0.0) for name in methods}
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
            rebalanced[name] += metrics.ab_errors(result, picture, prior=prior)
    rows = {name: {metric: value / len(pictures) for metric, value in row.items()} for name, row in sums.items()}
    for name, errors in rebalanced.items():
        rows[name]["AuC rebalanced"] = metrics.area_under_curve(errors)
    rows["truth"] = {"colorfulness": truth / len(pictures)}
    return rows


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of :func:`evaluate` as a Markdown table."""
    digits = {"SSIM": 4, "seconds": 3}
    lines = ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[metric]:.{digits.get(metric, 2)}f}" if metric in row else "" for metric in METRICS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
