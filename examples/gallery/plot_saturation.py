"""
Careful or bold: saturation
===========================

Move the colors between pale and vivid, and see what that does to the figures.

From 0 to 1 all colors get paler or fuller alike. From 1 to 2 the network gives rare, colorful answers a greater chance.
"""

import matplotlib.pyplot as plt
from skimage import data

from labcolor import Colorizer
from labcolor.metrics import colorfulness, psnr

photo = data.rocket()
colorizer = Colorizer.from_pretrained()

figure, axes = plt.subplots(2, 3, figsize=(9, 4.9), layout="constrained")
for axis, saturation in zip(axes.flat, (0, 0.5, 1, 1.5, 2), strict=False):
    colored = colorizer.predict(photo, saturation=saturation)
    axis.imshow(colored)
    axis.set_title(f"{saturation:g}: {psnr(colored, photo):.1f} dB, colorfulness {colorfulness(colored):.0f}")
    axis.set_axis_off()
axes[1, 2].imshow(photo)
axes[1, 2].set_title(f"original, colorfulness {colorfulness(photo):.0f}")
axes[1, 2].set_axis_off()
