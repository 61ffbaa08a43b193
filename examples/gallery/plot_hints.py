"""
Hints, and where they are worth it
==================================

Ask the model where it is unsure, tell it one color there, and see how far the color spreads.
"""

import matplotlib.pyplot as plt
from skimage import data

from labcolor import Colorizer

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
# The suit is a guess. A spot with a radius of 4 pixels makes it orange. The lightness of the color is ignored:

orange = (120, 400, "#e07020", 4)
corrected = colorizer.predict(photo, hints=[orange])

# %%
# The flag at the left has changed, too. "keep" keeps a spot and similar regions at their predicted color:

held = colorizer.predict(photo, hints=[orange, (40, 160, "keep", 10)])

# sphinx_gallery_thumbnail_number = 2
pictures = {"as predicted": colored, "one hint": corrected, "and one held": held, "original": photo}
figure, axes = plt.subplots(2, 2, figsize=(8, 8.4), layout="constrained")
for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
    axis.imshow(picture)
    axis.set_title(title)
    axis.set_axis_off()
axes[0, 1].plot(120, 400, "o", markerfacecolor="none", markeredgecolor="white")
axes[1, 0].plot([120, 40], [400, 160], "o", markerfacecolor="none", markeredgecolor="white")
