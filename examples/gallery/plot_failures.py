"""
Where it fails
==============

Honest pictures: what the lightness does not show, the model cannot know.

The stains of a tissue were chosen in a laboratory, and the back of an eye is red from within. The model never saw such
pictures, and answers as it does when it does not know: with pale browns and greys. Color pictures of the same kind mend
that: :doc:`plot_fine_tuning`.
"""

import matplotlib.pyplot as plt
from skimage import data

from labcolor import Colorizer

colorizer = Colorizer.from_pretrained()
photos = data.immunohistochemistry(), data.retina()[200:1200, 200:1200]

figure, axes = plt.subplots(2, 3, figsize=(8, 5.6), layout="constrained")
for row, photo in zip(axes, photos, strict=True):
    pictures = colorizer.predict(photo, saturation=0), colorizer.predict(photo), photo
    for axis, picture, title in zip(row, pictures, ("lightness", "colored", "original"), strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.set_axis_off()
