#!/usr/bin/env python3
"""Quality on any folder of photographs: what is trivial, what is possible, and what each model does.

    python benchmarks/quality.py FOLDER [--holdout 40] [--sheet SHEET.png] [--sizes PLOT.png] [--hints] [--bars]

Short sides are reduced to at most 256 and center-cropped. "mean color" and "mean ab for each L" are fitted to the very
photographs that are measured, so they are the best of their kind. --sheet writes contact sheets (grey, each model,
truth); --sizes measures each model over working sizes instead, and plots quality against time; --hints measures the
default model with hints instead: true ab, the mean of 7 x 7 pixels, at random places; --bars measures each model within
a letterbox, and within the black and white margins of a scan.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image
from tqdm import tqdm

from labcolor import Colorizer, lab_to_rgb, rgb_to_lab, write_picture
from labcolor.errors import LabcolorError
from labcolor.evaluation import at_colorfulness, center_square, evaluate, table
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import picture_paths
from labcolor.networks import PACKAGED_MODELS
from labcolor.training.files import hold_out


def grey(picture):
    """Return L alone."""
    return one_picture(picture, "picture").grey()


def with_ab(picture, ab):
    """Return the picture's L with other ab, clipped to the gamut."""
    lab = rgb_to_lab(picture)
    lab[..., 1:] = ab
    return lab_to_rgb(lab, dtype=np.uint8)


def reduced_ab(picture, size):
    """Return true ab, reduced to ``size`` and enlarged bilinearly."""
    planes = []
    for plane in np.moveaxis(rgb_to_lab(picture)[..., 1:], -1, 0):
        small = Image.fromarray(plane).resize((size, size), Image.Resampling.BOX)
        planes.append(np.asarray(small.resize(plane.shape[::-1], Image.Resampling.BILINEAR)))
    return np.stack(planes, axis=-1)


def trivial_methods(pictures):
    """Return methods that need no network."""
    pixels = np.concatenate([rgb_to_lab(picture[::2, ::2]).reshape(-1, 3) for picture in pictures])
    mean = pixels[:, 1:].mean(axis=0)
    level = np.clip(pixels[:, 0].round().astype(int), 0, 100)
    count = np.maximum(1, np.bincount(level, minlength=101))
    by_level = np.stack([np.bincount(level, pixels[:, axis], 101) / count for axis in (1, 2)], axis=1)
    return {
        "grey": grey,
        "mean color": lambda picture: with_ab(picture, mean),
        "mean ab for each L": lambda picture: with_ab(
            picture, by_level[np.clip(rgb_to_lab(picture)[..., 0].round().astype(int), 0, 100)]
        ),
        "true ab at 64x64": lambda picture: with_ab(picture, reduced_ab(picture, 64)),
        "true ab at 32x32": lambda picture: with_ab(picture, reduced_ab(picture, 32)),
    }


def model_method(name, saturation=1.0, working_size=None):
    """Return the coloring of a packaged model."""
    colorizer = Colorizer.from_pretrained(name)
    if working_size:
        colorizer.set_params(working_size=working_size)
    return lambda picture: colorizer.predict(picture, saturation=saturation)


def hinted_method(colorizer, count):
    """Return the coloring of a model with true colors as hints, at places that are the same in each run."""

    def method(picture):
        random = np.random.default_rng(int(picture.sum()))
        ab = rgb_to_lab(picture)[..., 1:]
        hints = np.full(ab.shape, np.nan, np.float32)
        for row, column in random.integers(3, np.array(ab.shape[:2]) - 3, (count, 2)):
            around = slice(row - 3, row + 4), slice(column - 3, column + 4)
            hints[around] = ab[around].mean(axis=(0, 1))
        return colorizer.predict(picture, hints=hints)

    return method


def barred_method(method, rows, columns, value):
    """Return a method that adds bars to each picture, colors it, and cuts them off again."""

    def barred(picture):
        height, width, _ = picture.shape
        with_bars = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), constant_values=value)
        return method(with_bars)[rows : rows + height, columns : columns + width]

    return barred


def plot(curves, path):
    """Plot the gain in AuC and PSNR over grey against milliseconds a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, metric in zip(axes, ("PSNR", "AuC"), strict=True):
        for name, points in curves.items():
            times = [1000 * row["seconds"] for _, row in points]
            axis.plot(times, [row[metric] for _, row in points], "o-", label=name)
            for taken, (size, row) in zip(times, points, strict=True):
                axis.annotate(size, (taken, row[metric]), textcoords="offset points", xytext=(4, -10), fontsize=7)
        axis.set(
            xlabel="ms a picture of 256 x 256", ylabel=f"{metric} over grey" + (" (dB)" if metric == "PSNR" else "")
        )
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)


def seconds(methods, picture, rounds=31):
    """Return the median time of each method, taken in turn."""
    times = {name: [] for name in methods}
    for _ in range(rounds):
        for name, color in methods.items():
            start = time.perf_counter()
            color(picture)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def report(rows, count, path):
    """Print a table, and write the figures as JSON."""
    print(table(rows))
    if path:
        kept = {name: {key: round(row[key], 4) for key in row if key != "seconds"} for name, row in rows.items()}
        path.write_text(json.dumps({"photographs": count, "rows": kept}, indent=1) + "\n", encoding="utf-8")


def sizes(pictures, path):
    """Print a table of quality over working sizes, and plot it."""
    base = evaluate(pictures, {"grey": grey})["grey"]
    curves = {}
    for name in PACKAGED_MODELS:
        methods = {size: model_method(name, working_size=size) for size in (64, 96, 112, 128, 136, 160, 192, 256)}
        times = seconds(methods, pictures[0])
        curves[name] = []
        for size, method in methods.items():
            row = evaluate(pictures, {"": method})[""]
            gain = {metric: row[metric] - base[metric] for metric in ("PSNR", "AuC")}
            print(
                f"| {name} at {size} | {gain['PSNR']:+.2f} dB | {gain['AuC']:+.2f} | {row['colorfulness']:.1f} "
                f"| {1000 * times[size]:.1f} ms |",
                flush=True,
            )
            curves[name].append((size, {**gain, "seconds": times[size]}))
    plot(curves, path)


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--holdout", type=int, help="take only every Nth photograph by name")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of the first 24")
    parser.add_argument("--sizes", type=Path, help="measure over working sizes, and write a plot")
    parser.add_argument("--hints", action="store_true", help="measure with hints")
    parser.add_argument("--bars", action="store_true", help="measure within bars of black and white")
    parser.add_argument("--model", help="a model file to take instead of the packaged ones")
    parser.add_argument("--json", type=Path, help="write the figures of the table to this file, too")
    parser.add_argument("--saturations", type=float, nargs="*", default=[1.0, 1.5, 2.0])
    arguments = parser.parse_args()
    pictures = []
    training, held_out = hold_out(picture_paths([arguments.folder]), arguments.holdout)
    for path in held_out or training:
        try:
            pictures.append(center_square(path, 256))
        except LabcolorError as error:
            print(error)
    print(f"{len(pictures)} photographs")
    if arguments.sizes:
        sizes(pictures, arguments.sizes)
        return
    if arguments.hints:
        colorizer = Colorizer.load(arguments.model) if arguments.model else Colorizer.from_pretrained()
        methods = {f"{count} hints": hinted_method(colorizer, count) for count in (0, 1, 2, 5, 10, 20, 50, 100)}
        report(evaluate(pictures, methods, tqdm), len(pictures), arguments.json)
        return
    if arguments.bars:
        methods = {}
        for name in PACKAGED_MODELS:
            method = methods[name] = model_method(name)
            methods[f"{name}, letterbox"] = barred_method(method, 40, 0, 0)
            methods[f"{name}, black margins"] = barred_method(method, 20, 20, 0)
            methods[f"{name}, white margins"] = barred_method(method, 20, 20, 245)
        report(evaluate(pictures, methods, tqdm), len(pictures), arguments.json)
        return
    methods = trivial_methods(pictures)
    for name in PACKAGED_MODELS:
        for saturation in arguments.saturations:
            methods[f"{name}, saturation {saturation:g}"] = model_method(name, saturation)
    rows = evaluate(pictures, methods, tqdm)
    for name in PACKAGED_MODELS if arguments.saturations else ():
        predict = Colorizer.from_pretrained(name).predict
        matched = at_colorfulness(pictures, lambda p, saturation, f=predict: f(p, saturation=saturation), tqdm)
        rows[f"{name}, saturation {arguments.saturations[0]:g}"].update(matched)
    report(rows, len(pictures), arguments.json)
    if arguments.sheet:
        models = [methods[f"{name}, saturation {arguments.saturations[0]:g}"] for name in PACKAGED_MODELS]
        chosen = pictures[:: max(1, len(pictures) // 24)][:24]
        size = min(len(picture) for picture in chosen)
        rows = [np.hstack([method(p)[:size, :size] for method in (grey, *models, lambda p: p)]) for p in chosen]
        half = (len(rows) + 1) // 2
        columns = [np.vstack(part) for part in (rows[:half], rows[half:]) if part]
        height = max(len(column) for column in columns)
        padded = [np.pad(c, ((0, height - len(c)), (0, 16), (0, 0)), constant_values=255) for c in columns]
        write_picture(arguments.sheet, np.hstack(padded))


if __name__ == "__main__":
    main()
