"""Training pictures from files, arrays and datasets; held-out pictures."""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from labcolor.base.paths import as_path
from labcolor.base.typing import Array
from labcolor.errors import InputError
from labcolor.io.inputs import as_pictures
from labcolor.pictures.picture import Picture
from labcolor.training.sources import find_files
from labcolor.training.store import PictureFolder, PictureStore

_MEMORY = 6 << 30  # largest number of bytes of pictures in memory, on a machine with at least 24 GiB


class PictureList:
    """Reduced pictures. Some may prove unusable when they are read.

    Parameters
    ----------
    store : PictureStore
        The pictures.
    indices : sequence of int
        Their numbers in the store.
    """

    def __init__(self, store: PictureStore, indices: Sequence[int]) -> None:
        self._store = store
        self._indices = indices
        # steps by the golden section spread best, and reach every picture if they have no common divisor with the
        # number
        self._step = next(n for n in itertools.count(int(0.618 * len(indices)) or 1) if math.gcd(n, len(indices)) == 1)

    def __len__(self) -> int:
        """Return the number of pictures, including unusable ones."""
        return len(self._indices)

    def draw(self, index: int) -> Array:
        """Return one picture, or for an unusable one another picture, far away in the sequence.

        Raises
        ------
        InputError
            No picture can be used.
        """
        for attempt in range(len(self)):  # unusable pictures are often neighbors
            picture = self._store.get(self._indices[(index + attempt * self._step) % len(self)])
            if picture is not None:
                return picture
        raise InputError(
            f"expected color pictures to train on, but none of the {len(self)} can be used: "
            f"{summarize_left_out(self.left_out)}. Add others, or lower crop_size for small pictures."
        )

    @property
    def usable(self) -> Iterator[Array]:
        """All usable pictures."""
        return (picture for index in self._indices if (picture := self._store.get(index)) is not None)

    @property
    def left_out(self) -> dict[str, int]:
        """Number of unusable pictures by reason. It is complete when all have been read."""
        found = self._store.left_out
        return dict(Counter(found[index] for index in self._indices if index in found))

    @property
    def digest(self) -> str:
        """Hash of the names and sizes of files, or of the content of other pictures."""
        return sha256(repr([self._store.identities[index] for index in self._indices]).encode()).hexdigest()

    def hold_out(self, share: float) -> tuple[PictureList, PictureList]:
        """Split the pictures into training pictures and a share of held-out pictures.

        The share of each folder is rounded to the nearest number, and at least 1. The pictures with the lowest hashes
        of their names are held out, so that few of them change when pictures are added. The names of arrays are their
        positions.

        Raises
        ------
        InputError
            No picture is left for training.
        """
        held_out: set[int] = set()
        own = set(self._indices)
        for group in self._store.groups:
            members = sorted(own & set(group), key=lambda index: sha256(self._store.names[index].encode()).digest())
            held_out.update(members[: max(1, math.floor(share * len(members) + 0.5))])
        training = [index for index in self._indices if index not in held_out]
        if not training:
            raise InputError(
                f"validation: expected more pictures than are held out, got {len(self)}. Add pictures, or pass "
                f"others as validation."
            )
        return PictureList(self._store, training), PictureList(self._store, sorted(held_out))


def summarize_left_out(left_out: Mapping[str, int]) -> str:
    """Format the number of pictures that were left out by reason."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())


def training_pictures(
    x: Any, short_side: int, *, least: int, memory: int | None = None, cache: Any = None, name: str = "X"
) -> PictureList:
    """Convert the input of ``fit`` to pictures with a given short side.

    Parameters
    ----------
    x : path, sequence of path, array, sequence of array, tf.data.Dataset or other iterable
        Folders, which are searched with their subfolders; tar archives; files; color pictures; or a finite dataset or
        iterable of pictures, of batches, or of tuples that begin with one. It is read once.
    short_side : int
        Short side of each returned picture.
    least : int
        Smallest accepted length of a side.
    memory : int, optional
        Largest number of bytes of reduced pictures to keep in memory, by default 6 GiB or a quarter of the memory.
        Files beyond it are read each time, and other pictures are kept in a temporary folder.
    cache : path, optional
        Folder that keeps reduced pictures, also for other trainings and processes.
    name : str
        Name of ``x`` in errors.

    Returns
    -------
    PictureList

    Raises
    ------
    InputError, InputTypeError, PictureFileError, FileError
        ``x`` contains no picture or is of another type, or the cache cannot be used.

    Examples
    --------
    >>> from skimage import data
    >>> from labcolor.training.data import training_pictures
    >>> training_pictures([data.astronaut()], 136, least=128, memory=1 << 20).draw(0).shape
    (136, 136, 3)
    """
    folder = None if cache is None else PictureFolder(as_path("cache", cache))
    store = PictureStore(short_side, least, _default_memory() if memory is None else memory, folder)
    if isinstance(x, str | os.PathLike):
        store.add_files(find_files([x]))
    elif isinstance(x, list | tuple) and x and all(isinstance(item, str | os.PathLike) for item in x):
        store.add_files(find_files(x))
    else:
        # arrays of every library have a dtype or an array interface, and open files are iterable, too
        other = any(hasattr(x, mark) for mark in ("dtype", "__array_interface__", "read"))
        stream = hasattr(x, "__iter__") and not other and not isinstance(x, list | tuple | bytes | bytearray | Mapping)
        store.add_pictures(_streamed(x, name) if stream else as_pictures(x, name)[0], name)
    indices = list(itertools.chain.from_iterable(store.groups))
    if not indices:
        raise InputError(f"{name}: expected at least one color picture to train on, got none.")
    return PictureList(store, indices)


def _streamed(x: Iterable[Any], name: str) -> Iterator[Picture]:
    """Yield the pictures of a dataset or iterable.

    ``keras.utils.image_dataset_from_directory`` yields floats from 0 to 255. The first element decides whether the
    range of floats ends at 1 or at 255.
    """
    cardinality = getattr(x, "cardinality", None)
    if cardinality is not None and int(cardinality()) == -1:
        raise InputError(f"{name}: expected a finite dataset, got an endless one. Remove its repeat().")
    whole: bool | None = None
    for element in x:
        value = element[0] if isinstance(element, tuple) else element
        if hasattr(value, "__array__"):
            value = np.asanyarray(value)  # a masked array keeps its mask, which as_pictures checks
            if value.dtype.kind == "f" and value.size:
                whole = bool(value.max() > 1) if whole is None else whole
                value = value / 255 if whole else value
        yield from as_pictures(value, name)[0]


def _default_memory() -> int:
    """Return how many bytes of pictures to keep in memory."""
    try:
        return min(_MEMORY, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)
    except (AttributeError, OSError, ValueError):  # not on every system
        return _MEMORY
