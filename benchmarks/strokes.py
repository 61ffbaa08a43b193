#!/usr/bin/env python3
"""How far a stroke colors its thing, and how far other things, by the segments that people drew in BSDS500.

    python benchmarks/strokes.py BSDS500/data [--part val] [--every 3]

In each photograph two segments of 2 to 40 % of it get a disk with the opposite hue of their true color, where they are
widest. The first figure is the mean change of ab within the segment, and the second the sum of the changes outside of
it, in areas of the segment. --part train is for choices.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import distance_transform_edt
from tqdm import tqdm

from labcolor import Colorizer, read_picture, rgb_to_lab


def segments(path):
    """Return the segments of the annotator who drew the median number of them, (H, W)."""
    drawn = [np.asarray(one["Segmentation"][0, 0]) for one in loadmat(path)["groundTruth"][0]]
    return sorted(drawn, key=lambda labels: len(np.unique(labels)))[len(drawn) // 2]


def changes(colorizer, rgb, labels, random):
    """Yield the change of ab within and outside of two segments."""
    ab, plain = (rgb_to_lab(picture)[..., 1:] for picture in (rgb, colorizer.predict(rgb)))
    large = [label for label in np.unique(labels) if 0.02 < np.mean(labels == label) < 0.4]
    random.shuffle(large)
    for label in large[:2]:
        inside = labels == label
        depth = distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        color = ab[inside].mean(axis=0)
        known = np.full(ab.shape, np.nan, np.float32)
        rows, columns = np.ogrid[: ab.shape[0], : ab.shape[1]]
        disk = (rows - row) ** 2 + (columns - column) ** 2 <= min(10, 0.7 * depth.max()) ** 2
        known[disk] = -color * max(1, 40 / (np.linalg.norm(color) + 1e-6))
        moved = np.linalg.norm(rgb_to_lab(colorizer.predict(rgb, hints=known))[..., 1:] - plain, axis=2)
        yield moved[inside].mean(), moved[~inside].sum() / inside.sum()


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder data of BSDS500")
    parser.add_argument("--part", choices=("train", "val", "test"), default="val")
    parser.add_argument("--every", type=int, default=1, help="of the photographs")
    arguments = parser.parse_args()
    colorizer, random, found = Colorizer.from_pretrained(), np.random.default_rng(0), []
    for path in tqdm(sorted((arguments.folder / "images" / arguments.part).glob("*.jpg"))[:: arguments.every]):
        labels = segments(arguments.folder / "groundTruth" / arguments.part / f"{path.stem}.mat")
        found.extend(changes(colorizer, read_picture(path), labels, random))
    inside, outside = np.mean(found, axis=0)
    print(f"{len(found)} strokes: within {inside:.1f}, outside {outside:.1f}")


if __name__ == "__main__":
    main()
