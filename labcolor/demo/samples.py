"""Photographs to try, from scikit-image: in the public domain or freely licensed."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import skimage.data
from PIL import Image

from labcolor.color.lab import lab_to_rgb, rgb_to_lightness

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
    picture = getattr(skimage.data, name)()
    lightness = rgb_to_lightness(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2))
    lab = np.stack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)], axis=-1)
    file = io.BytesIO()
    Image.fromarray(lab_to_rgb(lab, dtype=np.uint8)[..., 1]).save(file, "JPEG", quality=85)
    return file.getvalue()
