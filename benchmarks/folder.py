#!/usr/bin/env python3
"""Folders of JPEG files by ``labcolor colorize``, against reading and writing them with Pillow alone.

    python benchmarks/folder.py [--keep]

Figures are processor time of whole processes, start included, which other work on the machine changes little. The start
is measured by itself, with one picture of 64 x 48.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage.data
import tables
from PIL import Image

SIZES = {"4000x3000": ((4000, 3000), 20), "1152x864": ((1152, 864), 120), "640x480": ((640, 480), 240)}
PILLOW = """
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).iterdir():
    with Image.open(path) as image:
        image.save(Path(sys.argv[2], path.name), quality=95)
"""


def make(folder: Path, size: tuple[int, int], count: int, mode: str) -> None:
    """Write as many JPEG files with grain."""
    grey = np.asarray(Image.fromarray(skimage.data.astronaut()).convert("L").resize(size, Image.Resampling.BICUBIC))
    grain = np.random.default_rng(0).normal(0, 4, grey.shape)
    picture = Image.fromarray(np.clip(np.rint(grey + grain), 0, 255).astype(np.uint8)).convert(mode)
    for number in range(count):
        picture.save(folder / f"{number}.jpg", quality=92)


def spent(*command: object) -> float:
    """Return the processor time of a process and its children, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, *map(str, command)], check=True, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Run the command."""
    tables.parse(argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter))
    columns = (
        *("JPEG files", "`labcolor colorize`", "its start left out", "Pillow alone"),
        *("rate against Pillow", "start left out", "core-hours a million, start left out"),
    )
    with tables.Table("folder", *columns) as table:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), (64, 48), 1, "L")
            colored = Path(folder, "colored")
            spent("-m", "labcolor", "colorize", folder, "-o", colored)  # numba compiles once
            start = spent("-m", "labcolor", "colorize", folder, "-o", colored, "--overwrite")
        for name, (size, count) in SIZES.items():
            for mode in ("RGB", "L"):
                with tempfile.TemporaryDirectory() as folder:
                    source, plain = Path(folder, "source"), Path(folder, "plain")
                    source.mkdir()
                    plain.mkdir()
                    make(source, size, count, mode)
                    ours = spent("-m", "labcolor", "colorize", source, "-o", Path(folder, "colored"))
                    other = spent("-c", PILLOW, source, plain)
                each, steady, alone = (1e3 * seconds / count for seconds in (ours, ours - start, other))
                work = f"{count} of {name}, {'color' if mode == 'RGB' else 'grey'}"
                times = (f"{one:.0f} ms" for one in (each, steady, alone))
                table.add(work, *times, f"{alone / each:.2f}", f"{alone / steady:.2f}", f"{steady / 3.6:.0f}")


if __name__ == "__main__":
    main()
