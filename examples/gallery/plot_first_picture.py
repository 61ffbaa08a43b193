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

pictures = {"colored": colored, "lightness": grey, "original": photo}
places = [["colored", "colored", "lightness"], ["colored", "colored", "original"]]
figure, axes = plt.subplot_mosaic(places, figsize=(9, 4.4), layout="constrained")
for title, axis in axes.items():
    axis.imshow(pictures[title])
    axis.set_title(title)
    axis.set_axis_off()
