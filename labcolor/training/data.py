"""Pictures to train on, from files, arrays and datasets: reduced once, kept in memory, then on disk."""

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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from labcolor.base.paths import as_path
from labcolor.base.typing import Array
from labcolor.errors import FileError, InputError, LabcolorError
from labcolor.io.inputs import as_pictures, one_picture
from labcolor.pictures.picture import Picture, as_bytes
from labcolor.training.sources import PictureFile, find_files, hold_out

__all__ = ["PictureFolder", "PictureList", "reduce_picture", "summarize_left_out", "training_pictures"]

_LONGEST = 8  # largest ratio of long to short side of a training picture, as in predictions
_GREY, _DAMAGED, _SMALL = "grey", "damaged", "too small"  # why a picture is left out
_SPREAD = 8  # largest difference of R, G and B, in a pixel that counts as grey
_COLORED = 0.005  # share of pixels from which on a picture counts as colored
_MESSAGES = 5  # for each reason, the pictures that are logged one by one
_log = logging.getLogger(__name__)


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


def _is_grey(picture: Array) -> bool:
    """Return whether a picture, (H, W, 3) uint8, has no color worth learning from."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    return bool(np.count_nonzero(spread > _SPREAD) < _COLORED * spread.size)


class PictureFolder:
    """Reduced pictures on disk, which processes can share.

    Each picture is a file of its own, written beside its place and renamed. A file that is damaged counts as missing.
    If the disk is full, a warning is logged and nothing more is written.

    Parameters
    ----------
    folder : Path
        Where they are kept. It is made if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: expected a folder to keep pictures in: {error.strerror}.") from error

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npy"

    def get(self, key: str) -> Array | None:
        """Return a picture, or None if it is not there."""
        try:
            with self._path(key).open("rb") as file:
                picture = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return picture if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 else None

    def put(self, key: str, picture: Array) -> bool:
        """Keep a picture. Return whether that succeeded."""
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


class _Store:
    """Pictures by number, reduced on first use; those that cannot be used are counted by reason."""

    def __init__(self, short_side: int, least: int, memory: int, folder: PictureFolder | None) -> None:
        self.groups: list[list[int]] = []
        self._short_side, self._least = short_side, least
        self._room = memory
        self._folder = folder
        self._kept: dict[int, Array] = {}
        self._left_out: dict[int, str] = {}
        self._lock = threading.Lock()
        self._files: list[PictureFile] = []
        self._hashes: list[str] = []  # of pictures that are no files

    def add_files(self, groups: Iterable[Sequence[PictureFile]]) -> None:
        """Add files, which are read on first use."""
        for group in groups:
            self.groups.append(list(range(len(self._files), len(self._files) + len(group))))
            self._files += group

    def add_pictures(self, pictures: Iterable[Picture], name: str) -> None:
        """Add pictures. They are reduced at once, so that those of a stream are in memory one by one."""
        for index, picture in enumerate(pictures):
            reduced = self._checked(index, f"{name}[{index}]", lambda picture=picture: picture)
            self._hashes.append("" if reduced is None else hashlib.sha256(reduced.tobytes()).hexdigest())
            if reduced is None or self._keep(index, reduced):
                continue
            if self._folder is None:
                spill = tempfile.mkdtemp(prefix="labcolor-")
                weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)
                self._folder = PictureFolder(Path(spill))
            if not self._folder.put(self._key(index), reduced):
                raise FileError(f"{name}: expected room on the disk for pictures that do not fit in memory, got none.")
        self.groups.append(list(range(len(self._hashes))))

    def get(self, index: int) -> Array | None:
        """Return a picture, or None if it cannot be used."""
        kept = self._kept.get(index)
        if kept is not None or index in self._left_out:
            return kept
        found = None if self._folder is None else self._folder.get(self._key(index))
        if found is not None or not self._files:
            if found is not None:
                self._keep(index, found)
            return found
        file = self._files[index]
        reduced = self._checked(index, str(file), lambda: one_picture(file.read(), str(file)))
        if reduced is not None:
            if self._folder is not None:
                self._folder.put(self._key(index), reduced)
            self._keep(index, reduced)
        return reduced

    def left_out(self, indices: Iterable[int]) -> dict[str, int]:
        """Return how many of some pictures were left out, by reason."""
        return dict(Counter(self._left_out[index] for index in indices if index in self._left_out))

    def digest(self, indices: Iterable[int]) -> str:
        """Return a hash of the names and sizes of some files, or of the content of other pictures."""
        what = ((self._files[i].name, self._files[i].size) if self._files else self._hashes[i] for i in indices)
        return hashlib.sha256(repr(list(what)).encode()).hexdigest()

    def _key(self, index: int) -> str:
        """Return the name of a picture in the folder: that of another file, or of a changed one, is another name."""
        about: tuple[Any, ...] = (self._short_side, self._least)
        if self._files:
            file = self._files[index]
            about += os.path.realpath(file.path), file.size, file.start, file.path.stat().st_mtime_ns
        else:
            about += (self._hashes[index],)
        return hashlib.sha256(repr(about).encode()).hexdigest()

    def _keep(self, index: int, picture: Array) -> bool:
        """Keep a picture in memory. Return whether there was room."""
        with self._lock:
            if index not in self._kept:
                if picture.nbytes > self._room:
                    return False
                self._room -= picture.nbytes
                self._kept[index] = picture
        return True

    def _checked(self, index: int, name: str, read: Any) -> Array | None:
        """Return a picture, reduced, or count and log why it cannot be used."""
        reason = _DAMAGED
        try:
            picture = read()
            reason = _GREY
            if min(picture.shape) < self._least:
                reason = _SMALL
                height, width = picture.shape
                raise InputError(
                    f"{name}: expected at least {self._least} pixels on each side, got {width} x {height}."
                )
            reduced = reduce_picture(picture, self._short_side, name)
            if not _is_grey(reduced):
                return reduced
            raise InputError(f"{name}: expected a color picture, got a grey one.")
        except LabcolorError as error:
            with self._lock:
                new = index not in self._left_out
                self._left_out[index] = reason
                count = sum(other == reason for other in self._left_out.values()) if new else 0
            if new:
                level = logging.WARNING if count <= _MESSAGES else logging.INFO
                _log.log(level, "left out of the training: %s", error)
        return None


class PictureList(Sequence[Array]):
    """Sequence of reduced pictures. Where one cannot be used, the next usable one takes its place.

    Parameters
    ----------
    store : object
        Where the pictures are; from :func:`training_pictures`.
    indices : sequence of int
        Their numbers there.
    """

    def __init__(self, store: _Store, indices: Sequence[int]) -> None:
        self._store = store
        self._indices = indices
        # the golden section spreads best; without a common divisor each picture has its turn
        self._step = next(n for n in itertools.count(int(0.618 * len(indices)) or 1) if math.gcd(n, len(indices)) == 1)

    def __len__(self) -> int:
        """Return the number of pictures, those included that cannot be used."""
        return len(self._indices)

    def __getitem__(self, index: Any) -> Any:
        """Return one picture, (H, W, 3) uint8."""
        if index >= len(self):
            raise IndexError(index)  # ends an iteration
        for attempt in range(len(self)):  # far away from each other: pictures that cannot be used come in runs
            picture = self._store.get(self._indices[(index + attempt * self._step) % len(self)])
            if picture is not None:
                return picture
        raise InputError(
            f"expected color pictures to train on, but none of the {len(self)} can be used: "
            f"{summarize_left_out(self.left_out)}. Give others; small ones need a smaller crop_size."
        )

    @property
    def usable(self) -> Iterator[Array]:
        """All pictures that can be used."""
        return (picture for index in self._indices if (picture := self._store.get(index)) is not None)

    @property
    def left_out(self) -> dict[str, int]:
        """How many pictures could not be used, by reason; complete when all have been read."""
        return self._store.left_out(self._indices)

    @property
    def digest(self) -> str:
        """A hash of what the pictures are."""
        return self._store.digest(self._indices)

    def hold_out(self, every: int | None) -> tuple[PictureList, PictureList]:
        """Split them by name; see :func:`labcolor.training.sources.hold_out`."""
        mine = set(self._indices)
        parts = [hold_out([index for index in group if index in mine], every) for group in self._store.groups]
        training, held_out = (list(itertools.chain.from_iterable(part)) for part in zip(*parts, strict=True))
        return PictureList(self._store, training), PictureList(self._store, held_out)


def summarize_left_out(left_out: Mapping[str, int]) -> str:
    """Return how many pictures were left out, as text."""
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())


def training_pictures(
    x: Any, short_side: int, *, least: int, memory: int, cache: Any = None, name: str = "X"
) -> PictureList:
    """Convert the input of ``fit`` to pictures whose short side is ``short_side``.

    Parameters
    ----------
    x : path, sequence of path, array, sequence of array, tf.data.Dataset or other iterable
        Folders, which are searched with their subfolders; tar archives; files; color pictures; or a finite dataset or
        iterable of pictures, of batches, or of tuples that begin with one. It is read once.
    short_side : int
        Short side of each returned picture.
    least : int
        Shortest side of a picture that is not too small.
    memory : int
        Largest number of bytes of reduced pictures to keep in memory. Files beyond it are read each time, and other
        pictures are kept in a temporary folder.
    cache : path, optional
        Folder in which to keep reduced pictures, for other trainings and processes, too.
    name : str
        What to call it in errors.

    Returns
    -------
    PictureList

    Raises
    ------
    InputError, InputTypeError, PictureFileError, FileError
        ``x`` contains no color picture, or is of another type, or the cache cannot be used.

    Examples
    --------
    >>> from skimage import data
    >>> from labcolor.training.data import training_pictures
    >>> training_pictures([data.astronaut()], 136, least=128, memory=1 << 20)[0].shape
    (136, 136, 3)
    """
    folder = None if cache is None else PictureFolder(as_path("cache", cache))
    store = _Store(short_side, least, memory, folder)
    if isinstance(x, str | os.PathLike):
        store.add_files(find_files([x]))
    elif isinstance(x, list | tuple) and x and all(isinstance(item, str | os.PathLike) for item in x):
        store.add_files(find_files(x))
    else:
        # arrays of every library have a dtype, or an interface of arrays; open files have lines
        other = any(hasattr(x, mark) for mark in ("dtype", "__array_interface__", "read"))
        stream = hasattr(x, "__iter__") and not other and not isinstance(x, list | tuple | bytes | bytearray | Mapping)
        store.add_pictures(_streamed(x, name) if stream else as_pictures(x, name)[0], name)
    indices = list(itertools.chain.from_iterable(store.groups))
    if not indices:
        raise InputError(f"{name}: expected at least one color picture to train on, got none.")
    return PictureList(store, indices)


def _streamed(x: Iterable[Any], name: str) -> Iterator[Picture]:
    """Yield the pictures of a dataset or iterable.

    ``keras.utils.image_dataset_from_directory`` gives floats from 0 to 255. The first element decides whether floats
    reach to 1 or to 255.
    """
    cardinality = getattr(x, "cardinality", None)
    if cardinality is not None and int(cardinality()) == -1:
        raise InputError(f"{name}: expected a finite dataset, got an endless one. Remove its repeat().")
    whole: bool | None = None
    for element in x:
        value = element[0] if isinstance(element, tuple) else element
        if hasattr(value, "__array__"):
            value = np.asarray(value)
            if value.dtype.kind == "f" and value.size:
                whole = bool(value.max() > 1) if whole is None else whole
                value = value / 255 if whole else value
        yield from as_pictures(value, name)[0]
