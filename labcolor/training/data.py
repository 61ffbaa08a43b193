"""Training data: batches of scaled (L, ab) crops from pictures of any size, reproducible by a seed."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from labcolor._typing import Array
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError, LabcolorError
from labcolor.io.inputs import as_pictures, one_picture
from labcolor.io.pictures import picture_paths, read_picture
from labcolor.pictures.picture import Picture, as_bytes

__all__ = ["PictureCache", "age", "crop_batches", "hold_out", "random_crop", "reduce_picture", "training_pictures"]

Batch = tuple[Array, Array]
_LONGEST = 8  # largest ratio of long to short side of a training picture, as in predictions
_log = logging.getLogger(__name__)


def hold_out(paths: Sequence[Path], every: int | None) -> tuple[list[Path], list[Path]]:
    """Split files into training files and held-out files.

    Parameters
    ----------
    paths : sequence of Path
        The files, sorted by name.
    every : int or None
        Hold out the first file and every ``every``-th after it. None holds out no file.

    Returns
    -------
    training, held_out : list of Path
        The files of each part.

    Raises
    ------
    InputError
        No file is left to train on.
    """
    if every is None:
        return list(paths), []
    training = [path for index, path in enumerate(paths) if index % every]
    if not training:
        raise InputError(
            f"expected more pictures than are held out, got {len(paths)}, of which each {every}th is held out. Choose "
            f"another number."
        )
    return training, list(paths[::every])


def reduce_picture(picture: Picture, short_side: int, name: str) -> Array:
    """Return a color picture as (H, W, 3) uint8, resized to a short side of ``short_side``, without alpha.

    If the long side is more than eight times the short side, only the middle is used, since the result would be huge.
    """
    if picture.values.shape[2] != 3:
        raise InputError(f"{name}: expected a color picture, got a grey one. Leave it out.")
    longest = _LONGEST * min(picture.shape)
    rows, columns = (slice(max(0, side - longest) // 2, (side + longest + 1) // 2) for side in picture.shape)
    image = Image.fromarray(as_bytes(picture.values[rows, columns]))
    factor = short_side / min(image.size)
    if factor != 1:
        size = max(short_side, round(image.width * factor)), max(short_side, round(image.height * factor))
        image = image.resize(size, Image.Resampling.BICUBIC if factor > 1 else Image.Resampling.BOX)
    return np.asarray(image)


class PictureCache(Sequence[Array]):
    """Sequence of pictures from files, which are read on first use and kept in memory up to a limit.

    Pictures beyond the limit are read each time. A file that cannot be used is logged once, and the next usable file
    takes its place.

    Parameters
    ----------
    paths : sequence of path
        The files.
    short_side : int
        Short side of each picture in the sequence.
    limit : int
        Largest number of bytes of pictures to keep.
    """

    def __init__(self, paths: Sequence[Path], short_side: int, limit: int) -> None:
        self._paths = paths
        self._short_side = short_side
        self._room = limit
        self._kept: dict[int, Array] = {}
        self._unusable: set[int] = set()

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._paths)

    def __getitem__(self, index: Any) -> Any:
        """Return one picture, (H, W, 3) uint8."""
        for candidate in (*range(index, len(self)), *range(index)):
            if candidate in self._kept:
                return self._kept[candidate]
            if candidate not in self._unusable:
                path = self._paths[candidate]
                try:
                    picture = one_picture(read_picture(path), str(path))
                    reduced = reduce_picture(picture, self._short_side, str(path))
                except LabcolorError as error:
                    _log.warning("left out of the training: %s", error)
                    self._unusable.add(candidate)
                    continue
                if reduced.nbytes <= self._room:
                    self._room -= reduced.nbytes
                    self._kept[candidate] = reduced
                return reduced
        raise InputError(f"expected color pictures to train on; none of the {len(self)} files can be used.")


def training_pictures(x: Any, short_side: int, limit: int) -> Sequence[Array]:
    """Convert the input of ``fit`` to pictures whose short side is ``short_side``.

    Parameters
    ----------
    x : path, sequence of path, array, sequence of array, or tf.data.Dataset
        A folder, which is searched with its subfolders; files; color pictures; or a finite dataset of pictures or
        batches.
    short_side : int
        Short side of each returned picture.
    limit : int
        Largest number of bytes of pictures from files to keep in memory.

    Returns
    -------
    sequence of ndarray, each (H, W, 3) uint8

    Raises
    ------
    InputError, InputTypeError, PictureFileError
        ``x`` contains no color picture, or is of another type.
    """
    if isinstance(x, str | os.PathLike):
        return PictureCache(picture_paths([x]), short_side, limit)
    if isinstance(x, list | tuple) and x and all(isinstance(item, str | os.PathLike) for item in x):
        return PictureCache(picture_paths(x), short_side, limit)
    if hasattr(x, "as_numpy_iterator"):  # tf.data.Dataset, without importing TensorFlow
        if int(x.cardinality()) == -1:
            raise InputError("X: expected a finite dataset, got an endless one. Remove its repeat().")
        found: list[Picture] = []
        for element in x.as_numpy_iterator():
            found += as_pictures(element[0] if isinstance(element, tuple) else element)[0]
    else:
        found, _ = as_pictures(x)
    if not found:
        raise InputError("X: expected at least one color picture to train on, got none.")
    return [reduce_picture(picture, short_side, f"X[{index}]") for index, picture in enumerate(found)]


def random_crop(picture: Array, size: int, random: np.random.Generator) -> Array:
    """Return a random ``size`` x ``size`` crop, mirrored left to right with probability 0.5."""
    height, width = picture.shape[:2]
    top, left = random.integers(0, height - size + 1), random.integers(0, width - size + 1)
    crop = picture[top : top + size, left : left + size]
    return crop[:, ::-1] if random.random() < 0.5 else crop


def age(lightness: Array, random: np.random.Generator) -> Array:
    """Make scaled lightness, (H, W, 1) in [-1, 1], look like old film: faded, soft and grainy at random."""
    aged = lightness[..., 0]
    if random.random() < 0.5:
        aged = ndimage.gaussian_filter(aged, random.uniform(0.3, 1.2))
    contrast, brightness = random.uniform(0.6, 1.2), random.uniform(-0.15, 0.15)
    aged = aged * contrast + brightness
    grain = random.normal(0, random.uniform(0, 0.08), aged.shape)
    return np.clip(aged + grain, -1, 1).astype(np.float32)[..., None]


def crop_batches(
    pictures: Sequence[Array],
    codec: LabCodec,
    *,
    size: int,
    batch_size: int,
    epochs: int,
    seed: int,
    aged: float = 0.0,
) -> Iterator[Batch]:
    """Yield batches of scaled (L, ab) for ``epochs`` passes, made a few steps ahead in a thread.

    Parameters
    ----------
    pictures : sequence of ndarray
        Pictures of shape (H, W, 3) and dtype uint8, with no side shorter than ``size``.
    codec : LabCodec
        Scales L and ab.
    size : int
        Side of the random square crops.
    batch_size : int
        Pictures per batch. The last batch of an epoch may be smaller.
    epochs : int
        Number of passes over the pictures.
    seed : int
        Fixes order, crops and mirroring.
    aged : float
        Share of crops whose L is changed to look like old film, from 0 to 1.

    Yields
    ------
    l : ndarray, shape (N, size, size, 1), float32
        Scaled lightness.
    ab : ndarray, shape (N, size, size, 2), float32
        Scaled chroma.
    """

    def make(epoch: int, number: int, chosen: Array) -> Batch:
        random = np.random.default_rng((seed, epoch, number))
        crops = np.stack([random_crop(pictures[index], size, random) for index in chosen])
        lightness, ab = codec.encode(crops)
        if aged:
            for index in np.flatnonzero(random.random(len(crops)) < aged):
                lightness[index] = age(lightness[index], random)
        return lightness, ab

    def plans() -> Iterator[tuple[int, int, Array]]:
        for epoch in range(epochs):
            order = np.random.default_rng((seed, epoch)).permutation(len(pictures))
            for number, start in enumerate(range(0, len(order), batch_size)):
                yield epoch, number, order[start : start + batch_size]

    with ThreadPoolExecutor(1, thread_name_prefix="labcolor-data") as thread:
        waiting: deque[Any] = deque()
        for plan in plans():
            waiting.append(thread.submit(make, *plan))
            if len(waiting) > 4:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
