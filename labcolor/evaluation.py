"""Measuring ways of colouring on photographs: one row of metrics for each way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labcolor import metrics
from labcolor.dataset import reduce_picture
from labcolor.errors import InputError
from labcolor.picturefiles import read_picture
from labcolor.pictures import one_picture

__all__ = ["METRICS", "centre_square", "evaluate", "table"]

Array = npt.NDArray[Any]
METRICS = ("PSNR", "SSIM", "CIEDE2000", "colourfulness", "AuC", "AuC rebalanced", "seconds")


def centre_square(path: Path, size: int) -> Array:
    """Read a photograph for measuring: short side reduced to at most ``size``, centre-cropped to a square.

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
        raise InputError(f"{path}: expected a colour picture, got a grey one.")
    side = min(reduced.shape[:2])
    top, left = (reduced.shape[0] - side) // 2, (reduced.shape[1] - side) // 2
    return reduced[top : top + side, left : left + side]


def evaluate(
    pictures: Sequence[Array],
    ways: Mapping[str, Callable[[Array], Array]],
    progress: Callable[[Sequence[Array]], Any] = lambda pictures: pictures,
) -> dict[str, dict[str, float]]:
    """Measure ways of colouring against the truth.

    Parameters
    ----------
    pictures : sequence of ndarray, each (H, W, 3), uint8
        Colour photographs.
    ways : mapping of name to callable
        Each gets the true picture and gives it back with its own colours; it is trusted to look at the lightness only.
    progress : callable, optional
        Wraps the sequence, for a progress bar.

    Returns
    -------
    dict
        From each way's name to its mean of each of :data:`METRICS`, seconds a picture among them; the rebalanced AuC
        is that of all pixels together. A row "truth" tells the photographs' own colourfulness.
    """
    prior = metrics.ab_prior(pictures)
    sums = {name: dict.fromkeys(METRICS, 0.0) for name in ways}
    rebalanced = {name: np.zeros(152) for name in ways}
    truth = 0.0
    for picture in progress(pictures):
        truth += metrics.colourfulness(picture)
        for name, colour in ways.items():
            started = time.perf_counter()
            result = colour(picture)
            row = sums[name]
            row["seconds"] += time.perf_counter() - started
            row["PSNR"] += metrics.psnr(result, picture)
            row["SSIM"] += metrics.ssim(result, picture)
            row["CIEDE2000"] += metrics.ciede2000(result, picture)
            row["colourfulness"] += metrics.colourfulness(result)
            row["AuC"] += metrics.auc(result, picture)
            rebalanced[name] += metrics.ab_errors(result, picture, prior=prior)
    rows = {name: {metric: value / len(pictures) for metric, value in row.items()} for name, row in sums.items()}
    for name, errors in rebalanced.items():
        rows[name]["AuC rebalanced"] = metrics.area_under_curve(errors)
    rows["truth"] = {"colourfulness": truth / len(pictures)}
    return rows


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of :func:`evaluate` as a Markdown table."""
    digits = {"SSIM": 4, "seconds": 3}
    lines = ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[metric]:.{digits.get(metric, 2)}f}" if metric in row else "" for metric in METRICS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
