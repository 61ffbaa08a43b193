"""Training files: pictures in nested folders and in tar archives, by name."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from labcolor.base.paths import as_path, files_in
from labcolor.base.typing import Array
from labcolor.errors import PictureFileError
from labcolor.io.decoders import decode
from labcolor.io.sources import ENDINGS, Source, as_source, decoding

_ARCHIVE = ".tar"
_BLOCK = 512  # bytes of a block of a tar archive
_T = TypeVar("_T")


@dataclass(frozen=True)
class PictureFile:
    """A picture file in a folder or in an uncompressed tar archive.

    Parameters
    ----------
    name : str
        Path in the folder or archive that was searched, by which files are sorted and held out.
    path : Path
        The file, or its archive.
    size : int
        Number of bytes.
    start : int, optional
        Offset of the file in its archive.
    """

    name: str
    path: Path
    size: int
    start: int | None = None

    def __str__(self) -> str:
        """Return the path for messages."""
        return str(self.path) if self.start is None else f"{self.path}: {self.name}"

    def read(self) -> Array:
        """Read the picture like :func:`labcolor.read_picture`."""
        if self.start is None:
            return decode(as_source(self.name, self.path))
        with decoding(str(self)), self.path.open("rb") as file:
            file.seek(self.start)
            content = file.read(self.size)
        return decode(Source(str(self), content))


def find_files(sources: Iterable[str | os.PathLike[str]]) -> list[list[PictureFile]]:
    """Find the pictures of folders and archives.

    Parameters
    ----------
    sources : iterable of path
        Folders, which are searched with their subfolders and the ``.tar`` archives in them; ``.tar`` archives; files.

    Returns
    -------
    list of list of PictureFile
        One list for each folder and archive, sorted by name, and one list for all other files. So the held-out files of
        a folder do not depend on the others.

    Raises
    ------
    PictureFileError
        A source does not exist, cannot be read, is damaged, or contains no picture.
    InputError, InputTypeError
        A source is not a path.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from labcolor import write_picture
    >>> from labcolor.training.sources import find_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/a.png", np.zeros((4, 6, 3), np.uint8))
    ...     [[file.name for file in group] for group in find_files([folder])]
    [['a.png']]
    """
    groups: list[list[PictureFile]] = []
    others: list[PictureFile] = []
    for source in (as_path("source", source) for source in sources):
        if os.path.isdir(source):
            group = _in_folder(source)
        elif not os.path.exists(source):
            raise PictureFileError(f"{source}: expected a picture or a folder, but it does not exist. Check the path.")
        elif source.suffix.lower() == _ARCHIVE:
            group = _in_archive(source, PurePosixPath())
        else:
            others.append(PictureFile(source.as_posix(), source, source.stat().st_size))
            continue
        if not group:
            raise PictureFileError(f"{source}: expected pictures ({', '.join(ENDINGS)}) in it, found none.")
        groups.append(sorted(group, key=lambda file: file.name))
    return [*groups, sorted(others, key=lambda file: file.name)] if others else groups


def _in_folder(folder: Path) -> list[PictureFile]:
    """Return the pictures of a folder, of its subfolders and of its archives."""
    paths, problems = files_in(folder, (*ENDINGS, _ARCHIVE), PictureFileError)
    if problems:
        raise problems[0]
    files: list[PictureFile] = []
    for path in paths:
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if path.suffix.lower() == _ARCHIVE:
            files += _in_archive(path, name.parent)
        else:  # a broken link has no size, and reading it raises an error
            files.append(PictureFile(str(name), path, path.stat().st_size if path.exists() else 0))
    return files


def _in_archive(path: Path, folder: PurePosixPath) -> list[PictureFile]:
    """Return the pictures of an archive, with their names after unpacking it in ``folder``."""
    remedy = "Copy it again, or unpack it into a folder."
    files: list[PictureFile] = []
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name = folder / member.name
                if member.isfile() and not member.issparse() and name.suffix.lower() in ENDINGS:
                    files.append(PictureFile(str(name), path, member.size, member.offset_data))
            end = archive.offset
        with path.open("rb") as file:  # tarfile does not distinguish a damaged header from the end
            file.seek(end)
            if any(file.read(_BLOCK)):
                raise PictureFileError(f"{path}: this archive is damaged at byte {end:,}. {remedy}")
    except (tarfile.TarError, OSError, EOFError) as error:
        if isinstance(error, PictureFileError):
            raise
        raise PictureFileError(
            f"{path}: expected a complete tar archive without compression: {error}. {remedy}"
        ) from error
    return files


def hold_out(items: Sequence[_T], every: int | None) -> tuple[list[_T], list[_T]]:
    """Split pictures into training pictures and held-out pictures, as for the packaged models.

    Parameters
    ----------
    items : sequence
        Pictures or their paths, sorted by name.
    every : int or None
        Hold out the first item and every ``every``-th after it, or no item for None.

    Returns
    -------
    training, held_out : list
        The items of each part.

    Examples
    --------
    >>> from labcolor.training.sources import hold_out
    >>> hold_out(["a", "b", "c"], 2)
    (['b'], ['a', 'c'])
    """
    if every is None:
        return list(items), []
    return [item for index, item in enumerate(items) if index % every], list(items[::every])
