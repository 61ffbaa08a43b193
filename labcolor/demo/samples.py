"""Photographs to try, from scikit-image: in the public domain or freely licensed."""

from __future__ import annotations

import io
from functools import cache

import skimage.data
from PIL import Image

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
    file = io.BytesIO()
    Image.fromarray(grey[..., 0]).save(file, "JPEG", quality=85)
    return file.getvalue()
