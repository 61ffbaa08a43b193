"""The README's strip of pictures: photographs that scikit-image carries, grey above and as they come below.

python scripts/readme_strip.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from labcolor import Colorizer, write_picture

NAMES = ("astronaut", "chelsea", "rocket", "coffee", "camera")  # public domain and CC0
SIDE, GAP = 240, 6
TARGET = Path(__file__).parents[1] / "docs" / "images" / "strip.jpg"


def square(picture: np.ndarray) -> np.ndarray:
    """Crop the middle of a picture and reduce it."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    cropped = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(cropped.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    """Color and write."""
    colorizer = Colorizer.from_pretrained()
    columns = []
    for name in NAMES:
        photo = getattr(skimage.data, name)()
        above, below = (square(colorizer.predict(photo, saturation=amount)) for amount in (0, 1))
        columns.append(np.pad(np.vstack([above, below]), ((0, 0), (0, GAP), (0, 0)), constant_values=255))
    write_picture(TARGET, np.hstack(columns)[:, :-GAP], quality=88)


if __name__ == "__main__":
    main()
