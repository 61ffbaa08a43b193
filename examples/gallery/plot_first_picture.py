"""
A first picture
===============

Color a photograph with the packaged model.

A colorizer sees the lightness of a picture and nothing else: of a color photograph, too, only the lightness is used. So
a color photograph can show how near the guess comes to the truth.
"""

import matplotlib.pyplot as plt
from skimage import data

from labcolor import Colorizer

photo = data.chelsea()
colorizer = Colorizer.from_pretrained()
grey = colorizer.predict(photo, saturation=0)
colored = colorizer.predict(photo)

figure, axes = plt.subplots(1, 3, figsize=(9, 2.5), layout="constrained")
for axis, picture, title in zip(axes, (grey, colored, photo), ("lightness", "colored", "original"), strict=True):
    axis.imshow(picture)
    axis.set_title(title)
    axis.set_axis_off()
