"""The pictures of README and docs: photographs that scikit-image carries, as the packaged default model colors them.

python scripts/docs_images.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from labcolor import Colorizer, rgb_to_lab, write_picture

# The first eight photographs by name that scikit-image carries, without microscopy; public domain and CC0.
STRIP = ("astronaut", "brick", "camera", "chelsea", "clock", "coffee", "coins", "grass")
SIDE, GAP = 240, 6
FOLDER = Path(__file__).parents[1] / "docs" / "images"


def square(picture: np.ndarray, size: int) -> np.ndarray:
    """Crop the middle of a picture and resize it."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    cropped = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(cropped.resize((size, size), Image.Resampling.LANCZOS))


def sheet(name: str, columns: list[list[np.ndarray]], size: int = SIDE) -> None:
    """Write pictures, given column by column."""
    stacked = [np.vstack([square(picture, size) for picture in column]) for column in columns]
    spaced = [np.pad(column, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for column in stacked]
    write_picture(FOLDER / f"{name}.jpg", np.hstack(spaced)[:, :-GAP], quality=88)


def true_hints(photo: np.ndarray) -> np.ndarray:
    """Return seven true colors, each the mean of 9 x 9 pixels."""
    ab = rgb_to_lab(photo)[..., 1:]
    hints = np.full(ab.shape, np.nan)
    for row, column in ((20, 60), (60, 400), (110, 220), (300, 60), (400, 120), (330, 330), (450, 400)):
        around = slice(row, row + 9), slice(column, column + 9)
        hints[around] = ab[around].mean(axis=(0, 1))
    return hints


def main() -> None:
    """Color and write."""
    colorizer = Colorizer.from_pretrained()
    strip = [getattr(skimage.data, name)() for name in STRIP]

    def colored(photo: np.ndarray, saturation: float) -> np.ndarray:
        return colorizer.predict(photo, saturation=saturation)

    sheet("strip", [[colored(photo, 0), colored(photo, 1)] for photo in strip], 150)
    photo = skimage.data.astronaut()
    rows = photo, skimage.data.coffee()
    columns = [[colored(photo, saturation) for photo in rows] for saturation in (0, 0.5, 1, 1.7, 2.5)]
    sheet("saturation", [*columns, list(rows)])
    unsure = np.clip(colorizer.uncertainty(photo) / 40 * 255, 0, 255).astype(np.uint8)
    hinted = colorizer.predict(photo, hints=true_hints(photo))
    unsure_rgb = np.repeat(unsure[..., None], 3, axis=2)
    sheet("hints", [[one] for one in (colored(photo, 0), colored(photo, 1), unsure_rgb, hinted, photo)])
    hints = [(120, 400, "#f66030")]  # the one of the tutorial
    sheet("hint", [[one] for one in (colored(photo, 1), colorizer.predict(photo, hints=hints), photo)])


if __name__ == "__main__":
    main()
