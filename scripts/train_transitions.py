"""Train the network that finds dissolves and wipes, on synthetic shots made of photographs, and package it.

    python scripts/train_transitions.py PHOTOGRAPHS PHOTOGRAPHS [--samples 56000]

A sample is one frame, and what it has to do with the frames around it. Cameras pan, zoom and shake; objects, lights,
titles and fades pass; the film flickers, weaves and has grain. Photographs are reduced to a short side of 136 pixels.

The packaged weights are of 2026-11-30, from an earlier form of this script with the same kinds of samples. With those
of this form (seed 0) ``benchmarks/video.py --only cuts`` finds the same 60 dissolves under moving cameras, 18 instead
of 20 wipes, and nothing false, so they were not packaged.
"""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.neural_network import MLPClassifier
from trainings import training_paths

from labcolor import rgb_to_lightness
from labcolor.video.cells import is_blank
from labcolor.video.mixture import LAGS, MEASURES, inputs_of, measures

Array: TypeAlias = np.ndarray[Any, Any]
Size: TypeAlias = tuple[int, int]
Random: TypeAlias = np.random.Generator
Film: TypeAlias = Callable[[int], Array]  # the frame at a time
Step: TypeAlias = Callable[[Array, int], Array]  # what becomes of a frame at a time

NEITHER, DISSOLVE, WIPE = range(3)
BACKWARDS = [1, 0, 2, 3, 5, 4, 6, 7, 9, 8, 10, 11, 12]  # measures of the same frames in reversed order
WEIGHTS = Path(__file__).parents[1] / "labcolor" / "video" / "mixture.npz"
FAR = 200  # frames


def passing(time: float, middle: float, length: float) -> float:
    """Return the progress of a smooth change, from 0 to 1."""
    return 1 / (1 + np.exp(-np.clip((time - middle) / length * 6, -30, 30)))


def direction(random: Random) -> Array:
    """Return a direction, mostly sideways."""
    angle = random.choice([0, np.pi]) if random.random() < 0.5 else random.uniform(0, 2 * np.pi)
    return np.array([np.sin(angle), np.cos(angle)])


class Camera:
    """A camera over a photograph: pans, zooms, shakes."""

    def __init__(self, random: Random, photo: Array, size: Size, fast: bool) -> None:
        if random.random() < 0.18:  # a flat ground
            texture = ndimage.gaussian_filter(random.normal(0, 1, photo.shape), random.uniform(0.7, 2))
            ground = ndimage.gaussian_filter(photo.astype(np.float32), random.uniform(6, 25)) * random.uniform(0.3, 1)
            photo = np.clip(ground + texture * random.uniform(1, 12) + random.uniform(0, 60), 0, 255).astype(np.uint8)
        self.random, self.image, self.size = random, Image.fromarray(photo), size
        self.sides = np.array(photo.shape)
        self.view = np.array(size) * min(self.sides / size) * random.uniform(0.4, 0.85)
        cell = self.view[0] / size[0]
        speed = 10 ** (random.uniform(-0.5, 0.5) if fast else random.uniform(-2, -0.3))  # cells a frame
        self.velocity = direction(random) * cell * (0 if random.random() < 0.2 and not fast else speed)
        self.acceleration = random.normal(0, 0.01) if random.random() < 0.3 else 0
        self.zoom = random.normal(0, 0.004) if random.random() < 0.5 else 0
        self.shake = random.uniform(0, 0.25) * cell if random.random() < 0.4 else 0
        self.center = random.uniform(0.3, 0.7, 2) * self.sides

    def __call__(self, time: int) -> Array:
        """Return the frame at a time."""
        view = self.view * np.exp(self.zoom * time)
        view = view * min(1, *(self.sides / view))
        center = self.center + self.velocity * time * (1 + self.acceleration * abs(time))
        room = self.sides - view
        corner = np.mod(center + self.random.normal(0, self.shake, 2) - view / 2, 2 * room + 1e-6)
        top, left = np.clip(np.where(corner > room, 2 * room - corner, corner), 0, room)
        box = left, top, left + view[1], top + view[0]
        frame = self.image.resize(self.size[::-1], Image.Resampling.BILINEAR, box)
        return np.asarray(frame, np.float32)


class Passer:
    """An object that passes before a camera."""

    def __init__(self, random: Random, photo: Array, size: Size) -> None:
        rows = size[0] * (random.uniform(0.8, 2) if random.random() < 0.15 else random.uniform(0.15, 0.6))
        shape = int(rows) + 2, int(rows * random.uniform(0.6, 1.6)) + 2
        self.picture = np.asarray(Image.fromarray(photo).resize(shape[::-1]), np.float32)
        down, across = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
        self.mask = np.clip((1 - abs(down) ** 2.5 - abs(across) ** 2.5) * 3, 0, 1)
        self.velocity = direction(random) * 10 ** random.uniform(-2, 0.2)
        self.place = random.uniform(0, 1, 2) * size

    def __call__(self, frame: Array, time: int) -> Array:
        """Return the frame with the object."""
        corner = np.rint(self.place + self.velocity * time - np.array(self.mask.shape) / 2).astype(int)
        first, last = np.maximum(corner, 0), np.minimum(corner + self.mask.shape, frame.shape)
        if (first >= last).any():
            return frame
        inside = tuple(map(slice, first, last))
        own = tuple(map(slice, first - corner, last - corner))
        frame[inside] += (self.picture[own] - frame[inside]) * self.mask[own]
        return frame


def title(random: Random, size: Size) -> Step:
    """Return a title that comes or goes."""
    words = np.zeros(size, np.float32)
    corner = np.array([random.uniform(0.1, 0.7), random.uniform(0.05, 0.5)])
    for _ in range(random.integers(3, 12)):
        top, left = ((corner + random.uniform(0, (0.3, 0.45))) * size).astype(int)
        rows, columns = (random.uniform(0, (0.15, 0.2)) * size).astype(int) + 1
        words[top : top + rows, left : left + columns] = 1
    words = ndimage.gaussian_filter(words, 0.5)
    middle, length, sign = random.uniform(-25, 25), random.uniform(1, 40), random.choice([-1, 1])
    value = random.choice([0, 220, 255])
    return lambda frame, time: frame + (value - frame) * words * np.clip((time - middle) / length * sign + 0.5, 0, 1)


def light(random: Random, size: Size) -> Step:
    """Return a light that changes in a part of the picture."""
    field = ndimage.zoom(random.normal(0, random.uniform(0.1, 0.5), (3, 4)), (size[0] / 3, size[1] / 4), order=1)
    middle, length = random.uniform(0, 6), random.uniform(20, 80)
    return lambda frame, time: frame * np.exp(field * passing(time, middle, length))


def focus(random: Random, size: Size) -> Step:
    """Return a lens that loses the focus."""
    width, middle, length = random.uniform(0.5, 2.5), random.uniform(-20, 20), random.uniform(10, 40)
    return lambda frame, time: ndimage.gaussian_filter(frame, width * passing(time, middle, length))


def fade(random: Random, size: Size) -> Step:
    """Return a fade from black or to it."""
    middle, length, sign = random.uniform(-30, 30), random.uniform(6, 40), random.choice([-1, 1])
    least = random.uniform(0, 0.1)
    return lambda frame, time: frame * max(least, np.clip((time - middle) / length * sign, 0, 1))


def exposure(random: Random, size: Size) -> Step:
    """Return an exposure, which may change."""
    gain = random.uniform(0.5, 1.3) * (random.uniform(0.1, 0.4) if random.random() < 0.1 else 1)
    offset = random.uniform(-10, 20)
    growth = random.normal(0, 0.01) if random.random() < 0.15 else 0
    return lambda frame, time: np.clip(frame * gain * np.exp(growth * time) + offset, 0, 255)


def shot(random: Random, photos: list[Array], size: Size, fast: bool = False) -> Film:
    """Return a shot."""
    camera = Camera(random, photos[random.integers(len(photos))], size, fast)
    count = random.integers(1, 4) if random.random() < 0.5 else 0
    steps = [Passer(random, photos[random.integers(len(photos))], size) for _ in range(count)]
    for make, likelihood in ((title, 0.1), (light, 0.12), (focus, 0.08), (fade, 0.08), (exposure, 1)):
        if random.random() < likelihood:
            steps.append(make(random, size))

    def frame(time: int) -> Array:
        found = camera(time).copy()
        for step in steps:
            found = step(found, time)
        return found

    return frame


def aged(random: Random, film: Film) -> Film:
    """Return a film with flicker, grain and weave, as L of cells; each frame is the same whenever it is asked for."""
    steady = random.random() < 0.5
    flicker = random.uniform(0, 0.12) if random.random() < 0.75 else 0
    grain, weave = random.uniform(0.1, 0.4 if steady else 2), 0 if steady else random.uniform(0, 0.25)
    bars = int(random.integers(1, 4)) if random.random() < 0.1 else 0
    whole, seed = random.random() < 0.3, int(random.integers(1 << 30))

    @cache
    def frame(time: int) -> Array:
        own = np.random.default_rng((seed, time + FAR + 1))
        found = ndimage.shift(film(time), own.normal(0, weave, 2), order=1, mode="nearest") if weave else film(time)
        found = found * own.normal(1, flicker) + own.normal(0, 30 * flicker) + own.normal(0, grain, found.shape)
        found = np.clip(np.rint(found) if whole else found, 0, 255)
        cells = rgb_to_lightness(np.repeat(found[..., None] / 255, 3, axis=2)).astype(np.float32)
        if bars:
            cells[:bars] = cells[-bars:] = 0
        return cells

    return frame


def edge_of_wipe(random: Random, size: Size) -> tuple[Array, float]:
    """Return at which progress of a wipe each place turns, and the width of the edge."""
    down, across = np.meshgrid(*(np.linspace(0, 1, side) for side in size), indexing="ij")
    y, x = random.uniform(0.3, 0.7, 2)
    field = [
        across,
        down,
        across + down * random.uniform(0.3, 1.5),
        np.hypot((across - x) * size[1] / size[0], down - y),
        abs(across - 0.5) if random.random() < 0.5 else abs(down - 0.5),
        np.arctan2(down - 0.5, across - 0.5),
    ][random.integers(6)]
    field = (field - field.min()) / np.ptp(field)
    return field if random.random() < 0.5 else 1 - field, random.uniform(0.01, 0.12)


def sample(random: Random, photos: list[Array]) -> tuple[Film, Array, int]:
    """Return a film, of which time 0 is looked at; the window around it; and what is there."""
    rows = int(random.integers(24, 31))
    size = rows, int(rows * random.choice([1.0, 1.33, 1.33, 1.5, 1.78]))
    kind = random.choice(["one", "fast", "cut", "dissolve", "wipe"], p=[0.27, 0.12, 0.06, 0.35, 0.20])
    first, second = shot(random, photos, size, kind == "fast"), shot(random, photos, size)
    window = np.array([-1, 1]) * [int(random.integers(4, 24)) if random.random() < 0.35 else FAR for _ in range(2)]
    if kind in ("one", "fast"):
        return aged(random, first), window, NEITHER
    if kind == "cut":
        cut = random.choice([-1, 1]) * random.integers(4, 28)
        return aged(random, lambda time: (first if time < cut else second)(time)), window, NEITHER
    length = round(np.exp(random.uniform(np.log(6), np.log(48))))
    label = DISSOLVE if kind == "dissolve" else WIPE
    if random.random() < 0.62:  # the middle of it, of which both ends are seen
        middle = random.uniform(-1, 1) * (0.12 * length + 1)
        window = np.array([min(window[0], -length // 2 - 2), max(window[1], length // 2 + 2)])
    else:
        middle, label = random.choice([-1, 1]) * (length / 2 + 2 + random.exponential(8)), NEITHER
    smooth, (field, width) = random.random() < 0.2, edge_of_wipe(random, size)

    def film(time: int) -> Array:
        share = np.clip((time - middle) / length + 0.5, 0, 1)
        share = share * share * (3 - 2 * share) if smooth else share
        if share in (0, 1):
            return (second if share else first)(time)
        if kind == "wipe":
            share = np.clip((share * (1 + width) - field) / width, 0, 1)
        return first(time) * (1 - share) + second(time) * share

    return aged(random, film), window, label


def samples(random: Random, photos: list[Array], count: int) -> tuple[Array, Array]:
    """Return the measures of samples, and what they are."""
    found, labels = np.zeros((count, len(LAGS), MEASURES), np.float32), np.zeros(count, int)
    done = 0
    while done < count:
        film, window, labels[done] = sample(random, photos)
        start, stop = map(int, window)
        if any(is_blank(film(time)) for time in (0, max(start, -LAGS[-1]), min(stop, LAGS[-1]))):
            continue
        for row, lag in zip(found[done], LAGS, strict=True):
            measures(film(max(start, -lag)), film(0), film(min(stop, lag)), row)
        done += 1
        if done % 4000 == 0:
            print(f"{done} samples", flush=True)
    return found, labels


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="+", help="folders, of each of which every 40th photograph is held out")
    parser.add_argument("--samples", type=int, default=56000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    paths = training_paths(options.photographs)
    chosen = [paths[place] for place in random.permutation(len(paths))[:6000]]
    photos = []
    for path in chosen:
        photo = Image.open(path).convert("L")
        photo.thumbnail((10 * 136, 136) if photo.width > photo.height else (136, 10 * 136))
        photos.append(np.asarray(photo))
    found, labels = samples(random, photos, options.samples)
    inputs = inputs_of(np.concatenate([found, found[..., BACKWARDS]]))
    center, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    network = MLPClassifier(
        (24,), alpha=0.05, learning_rate_init=3e-3, batch_size=256, max_iter=40, n_iter_no_change=40, random_state=0
    ).fit(np.clip((inputs - center) / scale, -4, 4), np.concatenate([labels, labels]))
    (hidden, out), (hidden_bias, out_bias) = network.coefs_, network.intercepts_
    names = "center", "scale", "hidden", "hidden_bias", "out", "out_bias"
    arrays = center, scale, hidden, hidden_bias, out, out_bias
    np.savez(WEIGHTS, **{name: array.astype(np.float32) for name, array in zip(names, arrays, strict=True)})
    print(f"{WEIGHTS}: loss {network.loss_:.4f}")


if __name__ == "__main__":
    main()
