"""
A photograph in Lab
===================

Take a photograph apart into L, a and b, and put it together again.

L is the black-and-white photograph. What a coloring has to find are a (green to red) and b (blue to yellow).
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from labcolor import lab_to_rgb, rgb_to_lab

photo = data.coffee()
lab = rgb_to_lab(photo)

figure, axes = plt.subplots(2, 2, figsize=(8, 5.8), layout="constrained")
axes[0, 0].imshow(photo)
axes[0, 1].imshow(lab[..., 0], cmap="gray", vmin=0, vmax=100)
axes[1, 0].imshow(lab[..., 1], cmap="PiYG_r", vmin=-80, vmax=80)
axes[1, 1].imshow(lab[..., 2], cmap="PuOr_r", vmin=-80, vmax=80)
for axis, title in zip(axes.flat, ("photograph", "L", "a", "b"), strict=True):
    axis.set_title(title)
    axis.set_axis_off()

# %%
# The eye sees little detail in color. Here a and b keep one value for each block of 8 x 8 pixels, a 64th of what there
# was. Because L is whole, the picture is sharp all the same:

coarse = lab.copy()
blocks = lab[:400, :600, 1:].reshape(50, 8, 75, 8, 2).mean(axis=(1, 3))
coarse[..., 1:] = np.kron(blocks, np.ones((8, 8, 1)))
joined = lab_to_rgb(coarse, dtype=np.uint8)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.1), layout="constrained")
for axis, picture, title in zip(axes, (photo, joined), ("all of a and b", "a 64th of a and b"), strict=True):
    axis.imshow(picture)
    axis.set_title(title)
    axis.set_axis_off()
