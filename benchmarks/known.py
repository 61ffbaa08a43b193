#!/usr/bin/env python3
"""Known colors: what an exemplar brings to a picture, and what it costs.

    python benchmarks/known.py PHOTOGRAPHS... [--clips CLIP ...] [--count 40] [--holdout 40] [--only PART]

PHOTOGRAPHS are folders or .tar archives, of each of which every 40th picture by name is measured, at most COUNT of them
all. ``halves``: the left half of each is the exemplar for its right half, alone and beside another photograph, and
another photograph is; ``album``: how far both halves of a quarter of COUNT photographs differ; ``later``: a frame of
each clip is the exemplar for frames some seconds later; ``time``: a prediction at 1080p with and without an exemplar.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import tables
from skimage import data

from labcolor import Colorizer, rgb_to_lab
from labcolor.metrics import colorfulness, psnr
from labcolor.training.sources import find_files, hold_out

PARTS = ["halves", "album", "later", "time"]
SECONDS = 1, 3, 6
FIGURES = "PSNR", "over automatic", "worst tenth", "colorfulness"


def photographs(sources, every, count):
    """Return held-out color photographs, at most ``count``, evenly from all sources."""
    files = [file for files in find_files(sources) for file in hold_out(files, every)[1]]
    chosen = np.random.default_rng(0).permutation(len(files))[: 2 * count]
    pictures = (files[index].read() for index in sorted(chosen))
    return [picture[..., :3] for picture in pictures if picture.ndim == 3][:count]


def add(table, name, results, true, automatic):
    """Add a row on results, whose figures are means over pictures."""
    scores = [psnr([result], [one]) for result, one in zip(results, true, strict=True)]
    gains = np.subtract(scores, [psnr([result], [one]) for result, one in zip(automatic, true, strict=True)])
    vivid = np.mean([colorfulness(result) for result in results])
    table.add(
        name, f"{np.mean(scores):.2f}", f"{gains.mean():+.2f}", f"{np.percentile(gains, 10):+.2f}", f"{vivid:.1f}"
    )


def halves(pictures, colorizer):
    """Print what the left half of a photograph, and what other photographs, bring to its right half."""
    left = [picture[:, : picture.shape[1] // 2] for picture in pictures]
    right = [picture[:, picture.shape[1] // 2 :] for picture in pictures]
    plain = [colorizer.predict(picture) for picture in right]
    others = pictures[-1:] + pictures[:-1]
    exemplars = {
        "its left half": left,
        "its left half and another photograph": list(zip(left, others, strict=True)),
        "another photograph": others,
    }
    with tables.Table("known_halves", f"exemplar, right halves of {len(pictures)}", *FIGURES) as table:
        add(table, "none", plain, right, plain)
        for name, given in exemplars.items():
            results = [colorizer.predict(one, like=like) for one, like in zip(right, given, strict=True)]
            add(table, name, results, right, plain)


def seam(left, right):
    """Return the mean difference of ab on both sides of the seam of two halves."""
    sides = left[:, -1:], right[:, :1]
    one, two = (rgb_to_lab(np.ascontiguousarray(side))[..., 1:] for side in sides)
    return np.linalg.norm(one - two, axis=-1).mean()


def album(pictures, colorizer):
    """Print how far both halves of photographs differ where they meet, each alone and as one album."""
    parts = [picture[:, half] for picture in pictures for half in _halves(picture)]
    columns = "halves of photographs", "PSNR", "difference of ab at the seam"
    with tables.Table("known_album", *columns) as table:
        for name, results in (
            ("in color", parts),
            ("each alone", colorizer.predict(parts)),
            ("as one album", colorizer.predict(parts, consistent=True)),
        ):
            apart = np.mean([seam(*results[index : index + 2]) for index in range(0, len(parts), 2)])
            scores = [psnr([result], [one]) for result, one in zip(results, parts, strict=True)]
            table.add(name, "" if results is parts else f"{np.mean(scores):.2f}", f"{apart:.1f}")


def _halves(picture):
    middle = picture.shape[1] // 2
    return slice(0, middle), slice(middle, None)


def frames_of(clip):
    """Return the frames of a clip, (H, W, 3) uint8, and their rate."""
    reader = imageio_ffmpeg.read_frames(str(clip))
    about = next(reader)
    width, height = about["size"]
    return [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader], about["fps"]


def later(clips, colorizer, count):
    """Print what a frame brings to frames of the same clip some seconds later."""
    with tables.Table("known_later", "clip, exemplar", *FIGURES) as table:
        for clip in clips:
            frames, rate = frames_of(clip)
            for seconds in SECONDS:
                ahead = round(seconds * rate)
                if ahead >= len(frames):
                    continue
                starts = np.linspace(0, len(frames) - 1 - ahead, max(2, count // 5)).astype(int)
                true = [frames[start + ahead] for start in starts]
                plain = [colorizer.predict(frame) for frame in true]
                results = [
                    colorizer.predict(frame, like=frames[start]) for frame, start in zip(true, starts, strict=True)
                ]
                name = Path(clip).stem
                if seconds == SECONDS[0]:
                    add(table, f"{name}, none", plain, true, plain)
                add(table, f"{name}, {seconds} s before", results, true, plain)


def cost(colorizer, rounds=9):
    """Print how long a prediction at 1080p takes, with an exemplar that is known already and without."""
    photo = data.astronaut()
    picture = np.tile(photo, (3, 4, 1))[:1080, :1920]
    kinds = {"none": {}, "one": {"like": photo}, "three": {"like": [photo, data.coffee(), data.chelsea()]}}
    for given in kinds.values():
        colorizer.predict(picture, **given)
    took = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, given in kinds.items():
            start = time.perf_counter()
            colorizer.predict(picture, **given)
            took[name].append(time.perf_counter() - start)
    with tables.Table("known_time", "exemplars, known already; 1920x1080", "ms", "of none") as table:
        for name, times in took.items():
            middle = statistics.median(times)
            table.add(name, f"{1000 * middle:.0f}", f"{middle / statistics.median(took['none']):.2f}")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", nargs="*")
    parser.add_argument("--clips", nargs="*", default=[])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--holdout", type=int, default=40)
    parser.add_argument("--only", choices=PARTS)
    options = tables.parse(parser, whole=True)
    parts = [options.only] if options.only else PARTS
    colorizer = Colorizer.from_pretrained()
    if "halves" in parts and options.photographs:
        halves(photographs(options.photographs, options.holdout, options.count), colorizer)
    if "album" in parts and options.photographs:
        album(photographs(options.photographs, options.holdout, max(2, options.count // 4)), colorizer)
    if "later" in parts and options.clips:
        later(options.clips, colorizer, options.count)
    if "time" in parts:
        cost(colorizer)


if __name__ == "__main__":
    main()
