#!/usr/bin/env python3
"""Memory over many predictions and fits: it must not grow.

python benchmarks/endurance.py [--predictions 10000] [--fits 100]
"""

from __future__ import annotations

import argparse
import gc
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import psutil
import skimage.data

from labcolor import Colorizer

PROCESS = psutil.Process()


def resident():
    """Return the resident memory in MiB, after a collection."""
    gc.collect()
    return PROCESS.memory_info().rss / (1 << 20)


def main():
    """Print memory as it goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--predictions", type=int, default=10000)
    parser.add_argument("--fits", type=int, default=100)
    arguments = parser.parse_args()
    photo = skimage.data.astronaut()
    rng = np.random.default_rng(0)

    colorizer = Colorizer.from_pretrained("reference").set_params(working_size=64)
    start = time.perf_counter()
    for index in range(arguments.predictions + 1):
        height, width = rng.integers(40, 200, 2)
        colorizer.predict(photo[:height, :width])
        if index % max(1, arguments.predictions // 5) == 0:
            print(f"{index} predictions: {resident():.0f} MiB, {time.perf_counter() - start:.0f} s", flush=True)

    batch = np.stack([photo[:64, :64]] * 4)
    start = time.perf_counter()
    for index in range(arguments.fits + 1):
        Colorizer(epochs=1, crop_size=32, random_state=0).fit(batch)
        if index % max(1, arguments.fits // 10) == 0:
            print(f"{index} fits: {resident():.0f} MiB, {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
