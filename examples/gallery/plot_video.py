"""
Frames of a video
=================

Color frames one by one, with colors that stay steady.

``colorize_frames`` takes frames from anywhere: a camera, another decoder, or, as here, a photograph with new grain in
each frame. Colored each by itself, the frames would flicker, because the grain changes what the network sees.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from labcolor import Colorizer, colorize_frames, rgb_to_lab

still = data.astronaut()[:300, 60:460]
random = np.random.default_rng(0)
frames = [np.clip(still + random.normal(0, 12, (300, 400, 1)), 0, 255).astype(np.uint8) for _ in range(12)]

steady = list(colorize_frames(frames))
colorizer = Colorizer.from_pretrained()
single = [colorizer.predict(frame) for frame in frames]

# %%
# How much a and b of each pixel vary over time. It is a still scene, so all of it is flicker:

figure, axes = plt.subplots(2, 2, figsize=(8, 6), layout="constrained")
for column, pictures, title in zip(axes.T, (single, steady), ("each by itself", "as a video"), strict=True):
    flicker = np.stack([rgb_to_lab(picture)[..., 1:] for picture in pictures]).std(axis=0).mean(axis=-1)
    column[0].imshow(pictures[-1])
    column[0].set_title(title)
    shown = column[1].imshow(flicker, cmap="magma", vmin=0, vmax=4)
    column[1].set_title(f"flicker, {flicker.mean():.2f} on average")
figure.colorbar(shown, ax=axes[1], shrink=0.8)
for axis in axes.flat:
    axis.set_axis_off()
