"""A longer fuzz run, by hand: damaged files and odd arrays give a result or an error of the library, nothing else.

python tests/fuzz.py [SECONDS]
"""

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import skimage.data

from labcolor import Colorizer, lab_to_rgb, read_picture, rgb_to_lab, write_picture
from labcolor.errors import LabcolorError

RANDOM = np.random.default_rng(int(time.time()))
DTYPES = ("u1", "u2", ">u2", "f2", "f4", "f8", "?", "i1", "i4", "i8", "c8", "O", "U3", "M8[s]")


def mutated(content):
    """Content with flipped, removed, doubled or zeroed bytes."""
    content = bytearray(content)
    for _ in range(RANDOM.integers(1, 6)):
        place, length = RANDOM.integers(0, len(content)), int(RANDOM.integers(1, 200))
        kind = RANDOM.integers(4)
        if kind == 0:
            content[place] ^= 1 << RANDOM.integers(8)
        elif kind == 1:
            del content[place : place + length]
        elif kind == 2:
            content[place:place] = content[place : place + length]
        else:
            content[place : place + length] = bytes(length)
        if not content:
            content = bytearray(b"x")
    return bytes(content)


def odd_array():
    """An array of random rank, sizes, dtype, values and layout."""
    shape = tuple(RANDOM.integers(0, 12, RANDOM.integers(0, 6)))
    if RANDOM.random() < 0.7:
        shape = (*shape[:2], RANDOM.choice([1, 3, 4]))
    values = RANDOM.choice([0.5, 1, 100, -1]) * RANDOM.random(shape)
    if RANDOM.random() < 0.1 and values.size:
        values.reshape(-1)[0] = RANDOM.choice([np.nan, np.inf, -np.inf])
    with np.errstate(all="ignore"):
        array = values.astype(RANDOM.choice(DTYPES[:11])) if RANDOM.random() < 0.9 else np.empty(shape, "O")
    return array[::-1] if array.ndim and RANDOM.random() < 0.3 else array


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    colorizer = Colorizer.from_pretrained("reference").set_params(working_size=16)
    photo = skimage.data.chelsea()[::10, ::10]
    counts = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for ending in ("png", "jpg", "tif", "webp", "bmp"):
            write_picture(folder / f"good.{ending}", photo)
        write_picture(folder / "deep.png", photo.astype(np.uint16) * 257)
        write_picture(folder / "deep.tif", photo.astype(np.uint16) * 257)
        pictures = {path.suffix: path.read_bytes() for path in folder.iterdir()}
        Colorizer("reference", epochs=1, crop_size=32).fit([skimage.data.chelsea()]).save(folder / "m.labcolor")
        model = (folder / "m.labcolor").read_bytes()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind = RANDOM.choice(["picture", "picture", "array", "array", "lab", "model"])
            try:
                if kind == "picture":
                    suffix = RANDOM.choice(list(pictures))
                    path = folder / f"bad{suffix}"
                    path.write_bytes(mutated(pictures[suffix]))
                    colorizer.predict(read_picture(path))
                elif kind == "array":
                    colorizer.predict(odd_array())
                elif kind == "lab":
                    lab_to_rgb(rgb_to_lab(odd_array()))
                else:
                    path = folder / "bad.labcolor"
                    path.write_bytes(mutated(model))
                    Colorizer.load(path)
                counts[kind, "result"] += 1
            except LabcolorError:
                counts[kind, "error"] += 1
    print(f"{sum(counts.values())} cases")
    for (kind, outcome), count in sorted(counts.items()):
        print(f"{kind}: {count} {outcome}")


if __name__ == "__main__":
    main()
