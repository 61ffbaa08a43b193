"""Batches of scaled (L, ab) crops, determined by a seed and the number of the step."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from labcolor.base.threads import get_threads
from labcolor.base.typing import Array
from labcolor.color.codec import LabCodec
from labcolor.training.data import PictureList

Batch = tuple[Array, Array]
_AHEAD = 4  # batches that are prepared while the network trains
_MAX_THREADS = 4


def random_crop(picture: Array, size: int, random: np.random.Generator) -> Array:
    """Return a random ``size`` x ``size`` crop, mirrored left to right with probability 0.5."""
    height, width = picture.shape[:2]
    top, left = random.integers(0, height - size + 1), random.integers(0, width - size + 1)
    crop = picture[top : top + size, left : left + size]
    return crop[:, ::-1] if random.random() < 0.5 else crop


def age(lightness: Array, random: np.random.Generator) -> Array:
    """Fade, soften and add grain to scaled lightness, (H, W, 1) in [-1, 1], at random, like that of old film."""
    from scipy import ndimage  # this import takes 0.1 s

    aged = lightness[..., 0]
    if random.random() < 0.5:
        aged = ndimage.gaussian_filter(aged, random.uniform(0.3, 1.2))
    contrast, brightness = random.uniform(0.6, 1.2), random.uniform(-0.15, 0.15)
    aged = aged * contrast + brightness
    grain = random.normal(0, random.uniform(0, 0.08), aged.shape)
    return np.clip(aged + grain, -1, 1).astype(np.float32)[..., None]


def count_steps(pictures: int, batch_size: int) -> int:
    """Return the number of batches that contain all of ``pictures``."""
    return math.ceil(pictures / batch_size)


def prefetched(make: Callable[..., Batch], plans: Iterable[tuple[Any, ...]]) -> Generator[Batch, None, None]:
    """Yield the results of ``make`` for the arguments of each plan, in order, prepared in threads."""
    count = max(1, min(_MAX_THREADS, get_threads() // 4))  # the network needs the other threads
    threads = ThreadPoolExecutor(count, thread_name_prefix="labcolor-data")
    try:
        waiting: deque[Future[Batch]] = deque()
        for plan in plans:
            waiting.append(threads.submit(make, *plan))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


def crop_batches(
    pictures: PictureList,
    codec: LabCodec,
    *,
    size: int,
    batch_size: int,
    epochs: int,
    seed: int,
    film_aging: float = 0.0,
    first: int = 0,
) -> Generator[Batch, None, None]:
    """Yield batches of scaled (L, ab) for ``epochs`` passes, prepared in threads.

    All batches have the same size, because another size would compile the network again. The last batch of an epoch is
    filled up with the first pictures of the epoch.

    Parameters
    ----------
    pictures : PictureList
        Pictures with no side shorter than ``size``.
    codec : LabCodec
        Scales L and ab.
    size : int
        Side of the random square crops.
    batch_size : int
        Pictures per batch. If there are fewer pictures, each batch contains all of them.
    epochs : int
        Number of passes over the pictures.
    seed : int
        Seed of order, crops and mirroring.
    film_aging : float
        Share of crops, from 0 to 1, whose L is changed by :func:`age`.
    first : int
        Number of batches to skip, to resume a training.

    Yields
    ------
    l : ndarray, shape (N, size, size, 1), float32
        Scaled lightness.
    ab : ndarray, shape (N, size, size, 2), float32
        Scaled chroma.
    """

    def make(epoch: int, number: int, chosen: Array) -> Batch:
        random = np.random.default_rng((seed, epoch, number))
        crops = np.stack([random_crop(pictures.draw(index), size, random) for index in chosen])
        lightness, ab = codec.encode(crops)
        if film_aging:
            for index in np.flatnonzero(random.random(len(crops)) < film_aging):
                lightness[index] = age(lightness[index], random)
        return lightness, ab

    def plans() -> Iterator[tuple[int, int, Array]]:
        steps = count_steps(len(pictures), batch_size)
        for epoch in range(first // steps, epochs):
            order = np.random.default_rng((seed, epoch)).permutation(len(pictures))
            order = np.resize(order, steps * min(batch_size, len(pictures)))
            batches = np.split(order, steps)
            for number in range(first % steps if epoch == first // steps else 0, steps):
                yield epoch, number, batches[number]

    return prefetched(make, plans())
