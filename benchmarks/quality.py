#!/usr/bin/env python3
"""Quality on any folder of photographs: what is trivial, what is possible, and what each model does.

    python benchmarks/quality.py FOLDER [--holdout 40] [--set NAME] [--sizes PLOT.png | --hints | --bars]

Short sides are reduced to at most 256 and center-cropped. Two tables: what is trivial and what is possible, and the
models over grey, with the PSNR of each at the colorfulness of photographs. "mean color" and "mean ab for each L" are
fitted to the very photographs that are measured, so they are the best of their kind. --set says which photographs of
the documentation these are. --sheet writes contact sheets (grey, each model, truth). Instead of this, --sizes measures
each model over working sizes, and plots quality against time; --hints measures the default model with hints: true ab,
the mean of 7 x 7 pixels, at random places; --bars measures each model within a letterbox, and within the black and
white margins of a scan; --saturations measures both models at these, and with --json writes figures for the plots.
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
import tables
from PIL import Image
from tqdm import tqdm

from labcolor import Colorizer, lab_to_rgb, rgb_to_lab, write_picture
from labcolor.errors import LabcolorError
from labcolor.evaluation import at_colorfulness, center_square, evaluate
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import picture_paths
from labcolor.networks import PACKAGED_MODELS
from labcolor.training.sources import hold_out


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


def model_method(name, saturation=1.0, **params):
    """Return the coloring of a packaged model."""
    colorizer = Colorizer.from_pretrained(name).set_params(**params)
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


METRICS = {"PSNR": 2, "SSIM": 4, "CIEDE2000": 2, "colorfulness": 2, "AuC": 2, "AuC rebalanced": 2}


def report(name, title, rows, count):
    """Print a table of all metrics."""
    with tables.Table(name, f"{title}, {count:,} photographs", *METRICS) as table:
        for method, row in rows.items():
            table.add(method, *(f"{row[key]:.{digits}f}" if key in row else "" for key, digits in METRICS.items()))


def write(rows, count, path):
    """Write the figures of a plot, if they are asked for."""
    if path:
        kept = {name: {key: round(row[key], 4) for key in row if key != "seconds"} for name, row in rows.items()}
        path.write_text(json.dumps({"photographs": count, "rows": kept}, indent=1) + "\n", encoding="utf-8")


MODELS = {  # a model, its saturation, and its engine
    "efficientnet": ("efficientnet", 1.0, "onnxruntime"),
    "efficientnet in int8": ("efficientnet", 1.0, "onnxruntime-int8"),
    "efficientnet, saturation 1.5": ("efficientnet", 1.5, "onnxruntime"),
    "efficientnet, saturation 1.7": ("efficientnet", 1.7, "onnxruntime"),
    "reference": ("reference", 1.0, "onnxruntime"),
}


def models(pictures, name):
    """Print what is trivial and what is possible, and each model over grey."""
    methods = trivial_methods(pictures)
    methods |= {word: model_method(model, saturation, engine=engine)
                for word, (model, saturation, engine) in MODELS.items()}  # fmt: skip
    rows = evaluate(pictures, methods, tqdm)
    report(f"trivial_{name}", tables.SETS[name], rows, len(pictures))
    columns = (
        "PSNR over grey",
        "colorfulness",
        "AuC over grey",
        "rebalanced AuC over grey",
        "PSNR over grey at colorfulness 36",
    )
    with tables.Table(f"quality_{name}", f"{tables.SETS[name]}, {len(pictures):,} photographs", *columns) as table:
        for word, (model, saturation, engine) in MODELS.items():
            row, matched = rows[word], ""
            gain = {key: row[key] - rows["grey"][key] for key in ("PSNR", "AuC", "AuC rebalanced")}
            if saturation == 1.0 and engine == "onnxruntime":  # of the others it is the same or nearly so
                predict = Colorizer.from_pretrained(model).set_params(engine=engine).predict
                found = at_colorfulness(pictures, lambda p, saturation, f=predict: f(p, saturation=saturation), tqdm)
                matched = f"{found['PSNR at 36'] - rows['grey']['PSNR']:+.2f} dB"
            figures = f"{gain['AuC']:+.2f}", f"{gain['AuC rebalanced']:+.2f}", matched
            table.add(word, f"{gain['PSNR']:+.2f} dB", f"{row['colorfulness']:.1f}", *figures)
        table.add("truth", "", f"{rows['truth']['colorfulness']:.1f}", "", "", "")


SIZES = 64, 96, 112, 128, 136, 160, 192, 256


def sizes(pictures, path):
    """Print a table of quality over working sizes, and plot it."""
    base = evaluate(pictures, {"grey": grey})["grey"]
    curves, rows = {}, {size: [] for size in SIZES}
    for name in PACKAGED_MODELS:
        methods = {size: model_method(name, working_size=size) for size in SIZES}
        times = seconds(methods, pictures[0])
        curves[name] = []
        for size, row in evaluate(pictures, methods, tqdm).items():
            if size in methods:
                gain = {metric: row[metric] - base[metric] for metric in ("PSNR", "AuC")}
                figures = f"{gain['AuC']:+.2f}", f"{row['colorfulness']:.1f}", f"{1000 * times[size]:.1f}"
                rows[size] += [f"{gain['PSNR']:+.2f} dB", *figures]
                curves[name].append((size, {**gain, "seconds": times[size]}))
    columns = [f"{name}: {word}" if word.startswith("PSNR") else word for name in PACKAGED_MODELS
               for word in ("PSNR over grey", "AuC over grey", "colorfulness", "ms")]  # fmt: skip
    with tables.Table("working_sizes", "working size", *columns) as table:
        for size, cells in rows.items():
            table.add(str(size), *cells)
    plot(curves, path)


def saturations(pictures, title, values, path):
    """Print the metrics of both models at some saturations."""
    methods = {
        f"{name}, saturation {value:g}": model_method(name, value) for name in PACKAGED_MODELS for value in values
    }
    trivial = trivial_methods(pictures)
    rows = evaluate(pictures, trivial | methods, tqdm)
    report("saturations", title, {name: row for name, row in rows.items() if name not in trivial}, len(pictures))
    write(rows, len(pictures), path)


def sheet(pictures, path):
    """Write a contact sheet of 24 photographs: grey, each model, truth."""
    methods = grey, *map(model_method, PACKAGED_MODELS), lambda picture: picture
    chosen = pictures[:: max(1, len(pictures) // 24)][:24]
    size = min(len(picture) for picture in chosen)
    rows = [np.hstack([method(picture)[:size, :size] for method in methods]) for picture in chosen]
    half = (len(rows) + 1) // 2
    columns = [np.vstack(part) for part in (rows[:half], rows[half:]) if part]
    height = max(len(column) for column in columns)
    padded = [np.pad(c, ((0, height - len(c)), (0, 16), (0, 0)), constant_values=255) for c in columns]
    write_picture(path, np.hstack(padded))


def main():
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--holdout", type=int, help="take only every Nth photograph by name")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth of these")
    parser.add_argument("--set", choices=tables.SETS, default="first", help="which photographs of the page these are")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of 24 photographs, too")
    parser.add_argument("--sizes", type=Path, help="measure over working sizes, and write a plot")
    parser.add_argument("--hints", action="store_true", help="measure with hints")
    parser.add_argument("--bars", action="store_true", help="measure within bars of black and white")
    parser.add_argument("--model", help="with --hints, a model file to take instead of the packaged one")
    parser.add_argument("--saturations", type=float, nargs="*", help="measure both models at these saturations")
    parser.add_argument("--json", type=Path, help="with --hints or --saturations, write figures for the plots, too")
    arguments = tables.parse(parser)
    pictures = []
    training, held_out = hold_out(picture_paths([arguments.folder]), arguments.holdout)
    for path in (held_out or training)[:: arguments.every]:
        try:
            pictures.append(center_square(path, 256))
        except LabcolorError as error:
            print(error)
    title = tables.SETS[arguments.set]
    if arguments.sizes:
        sizes(pictures, arguments.sizes)
    elif arguments.hints:
        colorizer = Colorizer.load(arguments.model) if arguments.model else Colorizer.from_pretrained()
        methods = {f"{count} hints": hinted_method(colorizer, count) for count in (0, 1, 2, 5, 10, 20, 50, 100)}
        rows = evaluate(pictures, methods, tqdm)
        numbered = {name.removesuffix(" hints"): row for name, row in rows.items()}
        report("hints", f"number of hints: {title}", numbered, len(pictures))
        write(rows, len(pictures), arguments.json)
    elif arguments.bars:
        methods = {}
        for name in PACKAGED_MODELS:
            method = methods[name] = model_method(name)
            methods[f"{name}, letterbox"] = barred_method(method, 40, 0, 0)
            methods[f"{name}, black margins"] = barred_method(method, 20, 20, 0)
            methods[f"{name}, white margins"] = barred_method(method, 20, 20, 245)
        report("bars", title, evaluate(pictures, methods, tqdm), len(pictures))
    elif arguments.saturations:
        saturations(pictures, title, arguments.saturations, arguments.json)
    else:
        models(pictures, arguments.set)
    if arguments.sheet:
        sheet(pictures, arguments.sheet)


if __name__ == "__main__":
    main()
