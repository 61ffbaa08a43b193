#!/usr/bin/env python3
"""Make the archive photograph of the notebook of exemplars, and the figure of docs/howto/like.md.

scripts/archive_photograph.py SOURCE

SOURCE is Dorothea Lange's "Migrant Mother", Nipomo, California, 1936, as the Library of Congress scanned the negative
(LC-USF34-009058-C). She took it for the Resettlement Administration of the United States, so it is in the public domain
(https://www.loc.gov/rr/print/res/071_fsab.html).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from labcolor import Colorizer, rgb_to_lab

_REPOSITORY = Path(__file__).parents[1]
_WITHIN = (0.04, 0.03, 0.96, 0.97)  # the picture without the edges of the film, in shares of the scan
_SIZE, _SHOWN = (224, 286), (152, 194)  # of the photograph, and of each panel of the figure
_PARTS = {"face": (0.38, 0.2, 0.53, 0.34), "sleeve": (0.23, 0.5, 0.36, 0.66), "tent": (0.65, 0.01, 0.98, 0.1)}


def main() -> None:
    """Write both files, and print the mean a and b of some parts of the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    scan = Image.open(parser.parse_args().source).convert("L")
    box = [round(share * side) for share, side in zip(_WITHIN, 2 * scan.size, strict=True)]
    path = _REPOSITORY / "examples" / "notebooks" / "migrant_mother.jpg"
    scan.crop(box).resize(_SIZE, Image.Resampling.LANCZOS).save(path, quality=65, optimize=True)

    colorizer = Colorizer.from_pretrained()
    grey = np.asarray(Image.open(path))
    exemplars = {"as predicted": None, "like a face": data.astronaut()[:200, 120:330], "like coffee": data.coffee()}
    panels = [np.repeat(grey[..., None], 3, axis=2)]
    for name, like in exemplars.items():
        panels.append(colorizer.predict(grey, like=like))
        print(f"{name:12}", *(f"{part} {_mean(panels[-1], part)}" for part in _PARTS))
    strip = Image.fromarray(np.hstack(panels)).resize((len(panels) * _SHOWN[0], _SHOWN[1]), Image.Resampling.LANCZOS)
    strip.save(_REPOSITORY / "docs" / "images" / "like.jpg", quality=75, optimize=True)


def _mean(picture: np.ndarray, part: str) -> str:
    """Return the mean a and b of a part of a picture, in words."""
    left, top, right, bottom = (round(share * side) for share, side in zip(_PARTS[part], 2 * _SIZE, strict=True))
    a, b = rgb_to_lab(picture[top:bottom, left:right])[..., 1:].mean(axis=(0, 1))
    return f"a {a:.0f}, b {b:.0f};"


if __name__ == "__main__":
    main()
