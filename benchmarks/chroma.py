#!/usr/bin/env python3
"""Two choices, by figures: how small chroma is enlarged, and what becomes of colors outside the sRGB gamut.

    python benchmarks/chroma.py PHOTOGRAPH_OR_FOLDER ... [--holdout N]

Enlargement is measured with the true ab reduced to the size of the default model's output, where only the enlarging
errs, and with the model's own ab. "At edges": the mean ab error on the tenth of the pixels where true ab changes most.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tables
from PIL import Image
from scipy import ndimage
from tqdm import tqdm

from labcolor import Colorizer, lab_to_rgb, metrics, read_picture, rgb_to_lab, rgb_to_lightness
from labcolor.colorizer import pipeline_of
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import picture_paths
from labcolor.pictures.small import SmallPicture
from labcolor.training.sources import hold_out

BILINEAR, BOX = Image.Resampling.BILINEAR, Image.Resampling.BOX


def resize(plane, shape, how):
    """Return one plane at another size."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(plane, np.float32)).resize(shape[::-1], how))


def planes(ab, shape, how):
    """Return both planes of ab at another size."""
    return np.stack([resize(ab[..., index], shape, how) for index in (0, 1)], axis=-1)


def bilinear(ab, lightness):
    """Enlarge ab without a guide."""
    return planes(ab, lightness.shape, BILINEAR)


def guided(epsilon, radius):
    """Return the fast guided filter of He and Sun 2015: coefficients found small, then enlarged."""

    def enlarge(ab, lightness):
        guide = resize(lightness, ab.shape[:2], BOX)

        def box(values):
            return ndimage.uniform_filter(values, 2 * radius + 1, mode="nearest")

        mean = box(guide)
        variance = box(guide * guide) - mean * mean
        result = []
        for plane in np.moveaxis(ab, -1, 0):
            slope = (box(guide * plane) - mean * box(plane)) / (variance + epsilon)
            offset = box(plane) - slope * mean
            slope, offset = (resize(box(values), lightness.shape, BILINEAR) for values in (slope, offset))
            result.append(slope * lightness + offset)
        return np.stack(result, axis=-1)

    return enlarge


def joint_bilateral(space, value):
    """Return joint bilateral upsampling of Kopf et al. 2007, over 5 x 5 small pixels."""

    def enlarge(ab, lightness):
        guide = resize(lightness, ab.shape[:2], BOX)
        places = [(np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(lightness.shape, ab.shape, strict=False)]
        nearest = [np.round(place).astype(int) for place in places]
        total, weights = np.zeros((*lightness.shape, 2)), np.zeros(lightness.shape)
        for step in np.ndindex(5, 5):
            away = [near + shift - 2 for near, shift in zip(nearest, step, strict=True)]
            fall = [np.exp(-((place - to) ** 2) / (2 * space**2)) for place, to in zip(places, away, strict=True)]
            where = np.ix_(*(np.clip(to, 0, side - 1) for to, side in zip(away, ab.shape, strict=False)))
            weight = np.outer(*fall) * (np.exp(-((lightness - guide[where]) ** 2) / (2 * value**2)) + 1e-8)
            total += weight[..., None] * ab[where]
            weights += weight
        return total / weights[..., None]

    return enlarge


ENLARGE = {
    "bilinear": bilinear,
    "guided filter, radius 1, epsilon 25": guided(25, 1),
    "guided filter, radius 2, epsilon 100": guided(100, 2),
    "joint bilateral, 0.7 and L 10": joint_bilateral(0.7, 10),
    "joint bilateral, 1 and L 10": joint_bilateral(1.0, 10),
}


def small_chroma(picture, pipeline, saturation=1.0):
    """Return what the network predicts for one picture, unscaled ab at its own small size."""
    (ab,) = pipeline.chroma([SmallPicture.of(one_picture(picture, "picture"), pipeline.working_size)], saturation)
    return ab


def enlargement(pictures, colorizer):
    """Print how near each way of enlarging comes to the truth."""
    pipeline = pipeline_of(colorizer)
    rows = {}
    for picture in tqdm(pictures):
        lab = rgb_to_lab(picture).astype(np.float32)
        lightness, ab = lab[..., 0], lab[..., 1:]
        predicted = small_chroma(picture, pipeline)
        change = sum(np.hypot(ndimage.sobel(plane, 0), ndimage.sobel(plane, 1)) for plane in np.moveaxis(ab, -1, 0))
        edges = change >= np.percentile(change, 90)
        for source, small in (("true ab", planes(ab, predicted.shape[:2], BOX)), ("predicted ab", predicted)):
            for name, enlarge in ENLARGE.items():
                guess = enlarge(small, lightness)
                error = np.linalg.norm(guess - ab, axis=2)
                result = lab_to_rgb(np.dstack([lightness, guess]).astype(np.float32), dtype=np.uint8)
                row = metrics.psnr(result, picture), error.mean(), error[edges].mean()
                rows.setdefault((source, name), []).append(row)
    with tables.Table("chroma", "colors", "enlarged by", "PSNR", "ab error", "at edges") as table:
        for (source, name), values in rows.items():
            psnr, error, edge = np.mean(values, axis=0)
            table.add(source, name, f"{psnr:.2f} dB", f"{error:.2f}", f"{edge:.2f}")


def gamut(pictures, colorizer):
    """Print what clipping and what lowering the chroma do to colors outside the gamut."""
    pipeline = pipeline_of(colorizer)
    rows = {}
    for picture in tqdm(pictures):
        true = rgb_to_lightness(picture)
        for saturation in (1.0, 1.5, 2.0):
            small = small_chroma(picture, pipeline, saturation)
            lab = np.dstack([true, planes(small, true.shape, BILINEAR)]).astype(np.float32)
            results = {
                "clipped": lab_to_rgb(lab, dtype=np.uint8),
                "chroma lowered": colorizer.predict(picture, saturation=saturation),
            }
            outside = (np.abs(results["clipped"].astype(int) - results["chroma lowered"]) > 2).any(axis=2).mean()
            for name, result in results.items():
                wrong = np.abs(rgb_to_lightness(result) - true)
                row = (
                    metrics.psnr(result, picture),
                    metrics.ciede2000(result, picture),
                    metrics.colorfulness(result),
                    np.percentile(wrong, 99.9),
                    100 * outside,
                )
                rows.setdefault((saturation, name), []).append(row)
    columns = "PSNR", "CIEDE2000", "colorfulness", "L error, 99.9 %", "pixels that differ"
    with tables.Table("gamut", "saturation", "outside the gamut", *columns) as table:
        for (saturation, name), values in rows.items():
            psnr, error, colorful, wrong, outside = np.mean(values, axis=0)
            figures = f"{psnr:.2f} dB", f"{error:.2f}", f"{colorful:.1f}", f"{wrong:.2f}", f"{outside:.1f} %"
            table.add(f"{saturation:g}", name, *figures)


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--holdout", type=int, metavar="N", help="take only every Nth by name")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth of these")
    arguments = tables.parse(parser)
    training, held_out = hold_out(picture_paths(arguments.pictures), arguments.holdout)
    pictures = [read_picture(path) for path in (held_out or training)[:: arguments.every]]
    pictures = [picture for picture in pictures if picture.ndim == 3 and picture.shape[2] == 3]
    print(f"{len(pictures)} photographs")
    colorizer = Colorizer.from_pretrained()
    enlargement(pictures, colorizer)
    gamut(pictures, colorizer)


if __name__ == "__main__":
    main()
