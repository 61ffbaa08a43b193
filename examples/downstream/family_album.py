"""Pages of a family album: pictures of different sizes, colored and put on one page."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from labcolor import Colorizer

Picture = npt.NDArray[np.uint8]


@cache
def colorizer() -> Colorizer:
    """Return the colorizer of this process: reading its weights takes longer than coloring a picture."""
    return Colorizer.from_pretrained()


def color(picture: Picture, strength: float = 1.0) -> Picture:
    """Return a picture in color: (H, W) or (H, W, 3), and then (H, W, 3)."""
    return colorizer().predict(picture, saturation=strength)


def page(pictures: Sequence[Picture], gap: int = 10) -> Picture:
    """Color pictures, and put them in a row on white."""
    colored = [color(picture) for picture in pictures]
    height, width = max(len(one) for one in colored), sum(one.shape[1] for one in colored)
    row = np.full((height + 2 * gap, width + gap * (len(colored) + 1), 3), 255, np.uint8)
    left = gap
    for one in colored:
        row[gap : gap + len(one), left : left + one.shape[1]] = one
        left += one.shape[1] + gap
    return row
