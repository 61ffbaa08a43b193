"""Photographs to try, from scikit-image: in the public domain or freely licensed."""

from __future__ import annotations

from functools import cache

import imageio.v3 as iio
import skimage.data

from labcolor.io.inputs import one_picture

SAMPLES = {
    "chelsea": "A cat",
    "astronaut": "An astronaut",
    "coffee": "A cup of coffee",
    "rocket": "A rocket at night",
    "camera": "A man with a camera",
}


@cache
def sample_file(name: str) -> bytes:
    """Return one of :data:`SAMPLES`, without its colors, as a JPEG."""
    grey = one_picture(getattr(skimage.data, name)(), name).grey()
    return iio.imwrite("<bytes>", grey[..., 0], plugin="pillow", extension=".jpg", quality=85)
