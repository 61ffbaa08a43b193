"""
Teach it one kind of picture
============================

Go on from the packaged weights with a few color pictures of one kind.

What the packaged model cannot know of stained tissue, it learns from parts of a single picture in some seconds. The
left half of the picture is the lesson, the right half the test.
"""

import matplotlib.pyplot as plt
from skimage import data

from labcolor import Colorizer
from labcolor.metrics import ciede2000

tissue = data.immunohistochemistry()
lesson = [tissue[row : row + 256, :256] for row in (0, 128, 256)]
test = tissue[:, 256:]

before = Colorizer.from_pretrained("reference")
after = Colorizer.from_pretrained("reference").set_params(epochs=30, batch_size=3, random_state=0)
after.fit(lesson)

# %%
# ``ciede2000`` is the difference that the eye sees, lower is better:

figure, axes = plt.subplots(1, 3, figsize=(8, 5), layout="constrained")
for axis, picture, title in zip(
    axes, (before.predict(test), after.predict(test), test), ("packaged", "fine-tuned", "original"), strict=True
):
    axis.imshow(picture)
    axis.set_title(f"{title}: {ciede2000(picture, test):.1f}")
    axis.set_axis_off()
