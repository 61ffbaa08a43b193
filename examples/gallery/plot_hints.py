"""
Hints, and where they are worth it
==================================

Ask the model where it is unsure, tell it one color there, and see how far the color spreads.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from labcolor import Colorizer, rgb_to_lab

photo = data.astronaut()  # only its lightness is used
colorizer = Colorizer.from_pretrained()
colored = colorizer.predict(photo)
unsure = colorizer.uncertainty(photo)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
axes[0].imshow(colored)
axes[0].set_title("as predicted")
shown = axes[1].imshow(unsure, cmap="magma", vmin=0, vmax=40)
axes[1].set_title("standard deviation of a and b")
figure.colorbar(shown, ax=axes[1], shrink=0.8)
for axis in axes:
    axis.set_axis_off()

# %%
# The suit is a guess. It is orange, as a spot of 9 x 9 pixels now says. Lightness does not count in a hint, a and b do:

orange = rgb_to_lab(np.array([[[224, 112, 32]]], np.uint8))[0, 0, 1:]
hints = np.full((*photo.shape[:2], 2), np.nan)
hints[396:405, 116:125] = orange
corrected = colorizer.predict(photo, hints=hints)

# %%
# The flag at the left has gone along. A hint of inf holds a place, and what looks like it, at its predicted color:

hints[150:170, 30:50] = np.inf
held = colorizer.predict(photo, hints=hints)

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, picture, title in zip(axes, (corrected, held, photo), ("one hint", "and one held", "original"), strict=True):
    axis.imshow(picture)
    axis.set_title(title)
    axis.set_axis_off()
axes[0].plot(120, 400, "o", markerfacecolor="none", markeredgecolor="white")
axes[1].plot([120, 40], [400, 160], "o", markerfacecolor="none", markeredgecolor="white")
