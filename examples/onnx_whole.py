"""Color a picture by ONNX Runtime alone: the exported file takes pixels and gives pixels.

labcolor export efficientnet -o whole.onnx --whole
python examples/onnx_whole.py whole.onnx old.png colored.png
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, source, destination = sys.argv[1:]
feeds = {
    "picture": np.asarray(Image.open(source).convert("RGB")),  # (H, W, 3) uint8; (H, W, 1) is grey
    "saturation": np.array([1], np.float32),  # 0 is grey, 2 is vivid
}
(colored,) = onnxruntime.InferenceSession(model).run(["colored"], feeds)
Image.fromarray(colored).save(destination)
