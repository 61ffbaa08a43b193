"""labcolor colours black-and-white pictures and video.

>>> from labcolor import Colorizer, read_picture, write_picture
>>> colorizer = Colorizer.from_pretrained()
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Each name is imported on first use, so that `import labcolor` is quick and loads neither Keras nor TensorFlow.
_MODULE_OF = {
    "Colorizer": "colorizer",
    "LabCodec": "lab",
    "VideoReport": "video",
    "build_autoencoder": "networks",
    "colorize_frames": "video",
    "colorize_video": "video",
    "lab_to_rgb": "lab",
    "read_picture": "picturefiles",
    "rgb_to_lab": "lab",
    "rgb_to_lightness": "lab",
    "triptych": "panels",
    "write_picture": "picturefiles",
}
_MODULES = ("errors", "metrics")

__all__ = [
    "Colorizer",
    "LabCodec",
    "VideoReport",
    "__version__",
    "build_autoencoder",
    "colorize_frames",
    "colorize_video",
    "errors",
    "lab_to_rgb",
    "metrics",
    "read_picture",
    "rgb_to_lab",
    "rgb_to_lightness",
    "triptych",
    "write_picture",
]

if TYPE_CHECKING:
    from labcolor import errors, metrics
    from labcolor.colorizer import Colorizer
    from labcolor.lab import LabCodec, lab_to_rgb, rgb_to_lab, rgb_to_lightness
    from labcolor.networks import build_autoencoder
    from labcolor.panels import triptych
    from labcolor.picturefiles import read_picture, write_picture
    from labcolor.video import VideoReport, colorize_frames, colorize_video


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the garbage collector an import's 777,000 objects, which it would walk seven times for nothing."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()  # the two together make all objects old ones
            gc.enable()


def __getattr__(name: str) -> Any:
    with _uncollected():
        if name in _MODULE_OF:
            value = getattr(importlib.import_module(f"labcolor.{_MODULE_OF[name]}"), name)
        elif name in _MODULES:
            value = importlib.import_module(f"labcolor.{name}")
        else:
            raise AttributeError(f"module 'labcolor' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
