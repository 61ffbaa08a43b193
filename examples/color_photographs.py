"""Color photographs that scikit-image carries, and write each with its three panels.

python examples/color_photographs.py [FOLDER]
"""

import sys
from pathlib import Path

import skimage.data

from labcolor import Colorizer, triptych, write_picture

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "colored")
folder.mkdir(parents=True, exist_ok=True)

colorizer = Colorizer.from_pretrained()
for name in ("camera", "astronaut", "coffee", "chelsea", "rocket"):
    original = getattr(skimage.data, name)()
    colored = colorizer.predict(original)  # of a color picture, only the lightness is used
    write_picture(folder / f"{name}.png", colored)
    triptych(original, colored, path=folder / f"{name}-panels.png")
    print(folder / f"{name}.png")
