"""Training pictures from files, arrays and datasets, reduced once, and kept in memory and on disk."""

from __future__ import annotations

import hashlib
import itertools
import logging
import math
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from labcolor.base.paths import as_path, make_folder
from labcolor.base.typing import Array
from labcolor.errors import FileError, InputError, LabcolorError
from labcolor.io.inputs import as_pictures, one_picture
from labcolor.pictures.crops import reduce_picture
from labcolor.pictures.picture import Picture
from labcolor.training.sources import PictureFile, find_files

_GREY, _DAMAGED, _SMALL = "grey", "damaged", "too small"  # reasons to leave a picture out
_SPREAD = 8  # largest difference of R, G and B in a grey pixel
_COLORED = 0.005  # smallest share of colored pixels in a color picture
_MESSAGES = 5  # pictures that are logged one by one as warnings, for each reason
_log = logging.getLogger(__name__)


class PictureFolder:
    """Folder of reduced pictures, which processes can share.

    Each picture is a file, written beside its destination and renamed. A damaged file counts as missing. If the disk is
    full, a warning is logged and no more pictures are written.

    Parameters
    ----------
    folder : Path
        The folder. It is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full = False
        make_folder(folder, FileError)

    def _path(self, key: str) -> Path:
        """Return the path of a picture."""
        return self._folder / key[:2] / f"{key}.npy"

    def get(self, key: str) -> Array | None:
        """Return a picture, or None if it is missing."""
        try:
            with self._path(key).open("rb") as file:
                picture = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 else None

    def put(self, key: str, picture: Array) -> bool:
        """Write a picture. Return whether that succeeded."""
        if self._full:
            return False
        path = self._path(key)
        temporary = path.with_name(f".{secrets.token_hex(6)}.npy")
        try:
            path.parent.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                np.save(file, picture, allow_pickle=False)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._full = True
            _log.warning("%s: no more pictures are kept there: %s.", self._folder, error.strerror or error)
            return False
        return True


class PictureStore:
    """Pictures by number.

    Parameters
    ----------
    short_side : int
        Short side of the reduced pictures.
    least : int
        Smallest accepted length of a side.
    memory : int
        Largest number of bytes to keep in memory.
    folder : PictureFolder or None
        Folder that keeps the reduced pictures, too.

    Attributes
    ----------
    groups : list of range
        Numbers of the pictures of each folder or archive, and of all others.
    names : list of str
        Name of each file, or position of another picture.
    identities : list
        Name and size of each file, or hash of another picture.
    left_out : dict of int to str
        Reasons why pictures cannot be used. It is complete when all have been read.
    """

    def __init__(self, short_side: int, least: int, memory: int, folder: PictureFolder | None) -> None:
        self.groups: list[range] = []
        self.names: list[str] = []
        self.identities: list[object] = []
        self.left_out: dict[int, str] = {}
        self._short_side, self._least, self._room, self._folder = short_side, least, memory, folder
        self._kept: dict[int, Array] = {}
        self._lock = threading.Lock()
        self._files: list[PictureFile] = []

    def add_files(self, groups: Iterable[Sequence[PictureFile]]) -> None:
        """Add files, which are read on first use."""
        for group in groups:
            self.groups.append(range(len(self._files), len(self._files) + len(group)))
            self._files += group
        self.names = [file.name for file in self._files]
        self.identities = [(file.name, file.size) for file in self._files]

    def add_pictures(self, pictures: Iterable[Picture], name: str) -> None:
        """Add pictures, and reduce them at once, so that only one picture of a stream is in memory."""
        for index, picture in enumerate(pictures):
            reduced = self._checked(index, f"{name}[{index}]", picture)
            self.names.append(str(index))
            self.identities.append("" if reduced is None else hashlib.sha256(reduced.tobytes()).hexdigest())
            if reduced is None or self._keep(index, reduced):
                continue
            if self._folder is None:
                spill = tempfile.mkdtemp(prefix="labcolor-")
                weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
                self._folder = PictureFolder(Path(spill))
            if not self._folder.put(self._key(index), reduced):
                raise FileError(f"{name}: expected room on the disk for pictures that do not fit in memory, got none.")
        self.groups.append(range(len(self.names)))

    def get(self, index: int) -> Array | None:
        """Return a picture, or None if it cannot be used."""
        if index in self._kept or index in self.left_out:
            return self._kept.get(index)
        picture = None if self._folder is None else self._folder.get(self._key(index))
        if picture is None and self._files:
            file = self._files[index]
            picture = self._checked(index, str(file), lambda: one_picture(file.read(), str(file)))
            if picture is not None and self._folder is not None:
                self._folder.put(self._key(index), picture)
        if picture is not None:
            self._keep(index, picture)
        return picture

    def _key(self, index: int) -> str:
        """Return the key of a picture in the folder. A changed file has another key."""
        about: tuple[object, ...] = (self.identities[index],)
        if self._files:
            file = self._files[index]
            about = os.path.realpath(file.path), file.size, file.start, file.path.stat().st_mtime_ns
        return hashlib.sha256(repr((self._short_side, self._least, *about)).encode()).hexdigest()

    def _keep(self, index: int, picture: Array) -> bool:
        """Keep a picture in memory. Return whether there was room."""
        with self._lock:
            if index not in self._kept:
                if picture.nbytes > self._room:
                    return False
                self._room -= picture.nbytes
                self._kept[index] = picture
        return True

    def _checked(self, index: int, name: str, source: Picture | Callable[[], Picture]) -> Array | None:
        """Return a picture, reduced, or log the reason why it cannot be used."""
        reason = _DAMAGED
        try:
            picture = source() if callable(source) else source
            height, width = picture.shape
            if min(height, width) < self._least:
                reason = _SMALL
                raise InputError(
                    f"{name}: expected at least {self._least} pixels on each side, got {width} x {height}."
                )
            reason = _GREY
            reduced = reduce_picture(picture, self._short_side, name)
            if not _is_grey(reduced):
                return reduced
            raise InputError(f"{name}: expected a color picture, got a grey one.")
        except LabcolorError as error:
            with self._lock:
                new = index not in self.left_out
                self.left_out[index] = reason
                count = sum(other == reason for other in self.left_out.values()) if new else 0
            if new:
                level = logging.WARNING if count <= _MESSAGES else logging.INFO
                _log.log(level, "left out of the training: %s", error)
        return None


def _is_grey(picture: Array) -> bool:
    """Return whether a picture, (H, W, 3) uint8, is grey or almost grey."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    return bool(np.count_nonzero(spread > _SPREAD) < _COLORED * spread.size)


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
