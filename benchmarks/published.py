#!/usr/bin/env python3
"""labcolor beside published colors of known systems, on the same photographs.

    git clone https://github.com/dan64/vs-deoldify
    python benchmarks/published.py vs-deoldify

The repository holds 23 photographs, each on two sheets with the colors of DeOldify, DDColor and ColTran. Its pictures
are other people's, so they are measured and not kept. Each system's ab is joined with the lightness of the original,
since some systems change it. "At colorfulness 30" multiplies the ab of each system by one factor, to compare a vivid
system with a careful one. No model was trained or tuned on these photographs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import tables
from scipy.optimize import brentq
from tqdm import tqdm

from labcolor import Colorizer, lab_to_rgb, metrics, read_picture, rgb_to_lab
from labcolor.networks import PACKAGED_MODELS

MATCHED = 30.0
SIDE, STARTS = 342, [(y, x) for y in (12, 392) for x in (14, 374, 734)]  # of the photographs on a sheet
SHEETS = {
    "test_images/Image_*_test.jpg": ("truth", None, "DDColor artistic", "DeOldify stable", "DeOldify video", "ColTran"),
    "test_images_ex/Image_*_test_ex.jpg": (None, "DeOldify artistic", None, None, "DDColor modelscope", None),
}


def published(folder):
    """Return for each name its pictures, in one order."""
    pictures = {}
    for pattern, names in SHEETS.items():
        for path in sorted(folder.glob(pattern)):
            sheet = read_picture(path)
            for name, (y, x) in zip(names, STARTS, strict=True):
                if name:
                    pictures.setdefault(name, []).append(np.ascontiguousarray(sheet[y : y + SIDE, x : x + SIDE, :3]))
    return pictures


def with_lightness(picture, truth, factor=1.0):
    """Return the ab of a picture, times a factor, with the lightness of the true one."""
    lab = rgb_to_lab(truth)
    lab[..., 1:] = rgb_to_lab(picture)[..., 1:] * factor
    return lab_to_rgb(lab, dtype=np.uint8)


def measured(pictures, truth, factor=1.0):
    """Return the mean PSNR, CIEDE2000 and colorfulness."""
    rows = []
    for picture, true in zip(pictures, truth, strict=True):
        result = with_lightness(picture, true, factor)
        rows.append((metrics.psnr(result, true), metrics.ciede2000(result, true), metrics.colorfulness(result)))
    return np.mean(rows, axis=0)


def at_matched(pictures, truth):
    """Return the same at a colorfulness of 30, to within 0.1."""
    factor = brentq(lambda factor: measured(pictures, truth, factor)[2] - MATCHED, 0.3, 4, xtol=0.01)
    return measured(pictures, truth, factor)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the repository")
    arguments = tables.parse(parser)
    pictures = published(arguments.folder)
    truth = pictures.pop("truth")
    for name in PACKAGED_MODELS:
        colorizer = Colorizer.from_pretrained(name).set_params(engine="onnxruntime")
        pictures[f"labcolor {name}"] = [colorizer.predict(picture) for picture in tqdm(truth)]
    columns = "PSNR", "CIEDE2000", "colorfulness", "PSNR at colorfulness 30", "CIEDE2000 at colorfulness 30"
    with tables.Table("published", f"{len(truth)} published photographs", *columns) as table:
        grey = measured([np.zeros_like(picture) for picture in truth], truth)
        table.add("grey", *(f"{value:.2f}" for value in grey[:2]), "0.0", "", "")
        for name, colored in pictures.items():
            psnr, difference, color = measured(colored, truth)
            matched = at_matched(colored, truth)
            table.add(
                name, f"{psnr:.2f}", f"{difference:.2f}", f"{color:.1f}", *(f"{value:.2f}" for value in matched[:2])
            )
        table.add("truth", "", "", f"{np.mean([metrics.colorfulness(picture) for picture in truth]):.1f}", "", "")


if __name__ == "__main__":
    main()
