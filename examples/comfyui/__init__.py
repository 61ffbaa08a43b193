"""A node for ComfyUI that colors pictures: put this folder into ``ComfyUI/custom_nodes/comfyui-labcolor``."""

from functools import cache
from typing import Any

import numpy as np

from labcolor import Colorizer
from labcolor.networks import PACKAGED_MODELS

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

colorizer = cache(Colorizer.from_pretrained)  # each model is read once


class LabcolorColorize:
    """The node: pictures in, of any color, and pictures in color out."""

    CATEGORY = "image"
    FUNCTION = "color"
    RETURN_TYPES = ("IMAGE",)
    DESCRIPTION = "Colors pictures by their lightness, on the CPU, offline. Their own colors are not used."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name for it
        """Return the inputs, with their types and widgets."""
        return {
            "required": {
                "image": ("IMAGE",),
                "model": (list(PACKAGED_MODELS),),
                "saturation": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 4.0, "step": 0.05}),
            }
        }

    def color(self, image: Any, model: str, saturation: float) -> tuple[Any]:
        """Color a batch: a tensor of float32, (B, H, W, 3), in [0, 1]."""
        pictures = np.clip(image.cpu().numpy(), 0, 1)  # some nodes give a little more than 1
        return (image.new_tensor(colorizer(model).predict(pictures, saturation=saturation)),)


NODE_CLASS_MAPPINGS = {"LabcolorColorize": LabcolorColorize}
NODE_DISPLAY_NAME_MAPPINGS = {"LabcolorColorize": "Color black-and-white (labcolor)"}
