#!/usr/bin/env python3
"""Folders of JPEG files by ``labcolor colorize``, against reading and writing them with Pillow alone.

    python benchmarks/folder.py [--keep]

Figures are processor time of whole processes, start included, which other work on the machine changes little.
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
    columns = "JPEG files", "`labcolor colorize`", "Pillow alone", "rate against Pillow", "core-hours a million"
    with tables.Table("folder", *columns) as table:
        for name, (size, count) in SIZES.items():
            for mode in ("RGB", "L"):
                with tempfile.TemporaryDirectory() as folder:
                    source, plain = Path(folder, "source"), Path(folder, "plain")
                    source.mkdir()
                    plain.mkdir()
                    make(source, size, count, mode)
                    ours = spent("-m", "labcolor", "colorize", source, "-o", Path(folder, "colored"))
                    other = spent("-c", PILLOW, source, plain)
                each, alone = 1e3 * ours / count, 1e3 * other / count
                work = f"{count} of {name}, {'color' if mode == 'RGB' else 'grey'}"
                hours = f"{1e3 * each / 3600:.0f}"
                table.add(work, f"{each:.0f} ms", f"{alone:.0f} ms", f"{alone / each:.2f}", hours)


if __name__ == "__main__":
    main()
