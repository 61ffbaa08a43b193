"""Train the hint spreader of the packaged model on photographs, and package it again.

    python scripts/train_hints.py PHOTOGRAPHS PHOTOGRAPHS [--photographs 8000] [--steps 2000]

Photographs have a short side of 136 pixels, of which crops of 128 are taken. The network does not change.
"""

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from trainings import training_paths

from labcolor import Colorizer

PATH = Path(__file__).parents[1] / "labcolor" / "weights" / "efficientnet.labcolor"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="folders, of each of which every 40th photograph is held out")
    parser.add_argument("--photographs", type=int, default=8000, help="number of photographs to train on")
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    paths = training_paths(options.folders)
    chosen = np.random.default_rng(0).choice(len(paths), min(options.photographs, len(paths)), replace=False)
    colorizer = Colorizer.load(PATH).set_params(crop_size=128, batch_size=24, random_state=0, verbose=1)
    history = colorizer.model_.history
    colorizer.fit_hints([paths[index] for index in sorted(chosen)], steps=options.steps)
    colorizer.model_ = replace(colorizer.model_, history=history)  # of the network
    PATH.write_bytes(colorizer.model_.to_bytes())
    print(hashlib.sha256(PATH.read_bytes()).hexdigest(), PATH)


if __name__ == "__main__":
    main()
