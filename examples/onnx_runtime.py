"""Color a picture by ONNX Runtime and numpy alone: what another program does with an exported model.

labcolor export efficientnet -o colors.onnx
python examples/onnx_runtime.py colors.onnx old.png colored.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # of linear sRGB
WHITE = TO_XYZ.sum(1)
SIZE, MULTIPLE = 192, 32  # short side that the network sees, and what its sides are multiples of


def lightness(grey: np.ndarray) -> np.ndarray:
    """L of CIE Lab, 0 to 100, of grey sRGB values from 0 to 1."""
    linear = np.where(grey <= 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4)
    return np.where(linear > 216 / 24389, 116 * np.cbrt(linear) - 16, linear * 24389 / 27)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Lab to sRGB from 0 to 255, uint8."""
    fy = (lab[..., :1] + 16) / 116
    f = np.concatenate([fy + lab[..., 1:2] / 500, fy, fy - lab[..., 2:] / 200], -1)
    linear = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 108 / 841) * WHITE @ np.linalg.inv(TO_XYZ).T
    linear = linear.clip(0, 1)
    return np.round(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)).astype(
        "u1"
    )


model, source, destination = sys.argv[1:]
image = Image.open(source).convert("L")
factor = SIZE / min(image.size) / MULTIPLE
small = image.resize([max(1, round(side * factor)) * MULTIPLE for side in image.size], Image.Resampling.BOX)
scaled = (lightness(np.asarray(small) / 255) - 50) / 50
ab = onnxruntime.InferenceSession(model).run(None, {"l": scaled[None, ..., None].astype("f4")})[0][0]
ab = [Image.fromarray(channel).resize(image.size, Image.Resampling.BICUBIC) for channel in np.moveaxis(ab, -1, 0)]
Image.fromarray(to_rgb(np.dstack([lightness(np.asarray(image) / 255), *ab]))).save(destination)
