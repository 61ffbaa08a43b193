"""The model file: a zip archive of one JSON text and plain arrays, without executable parts."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.lib import format as npy

from labcolor.base.paths import as_path, check_destination, open_regular, write_file
from labcolor.base.typing import Array, PathLike
from labcolor.base.validation import shortened
from labcolor.errors import ModelFileError

FORMAT = 2
WEIGHT, HINTS = "weight{:03d}", "hints{}"  # names of arrays
MOST_ARRAYS = 1000  # Keras needs about 10 ms for each to build the network
_LARGEST = 1 << 30  # declared bytes after unpacking
_LONGEST_TEXT = 1 << 22  # bytes of about.json
_LEVEL = 1  # deflate level: level 6 takes eight times as long, also for pickles, and saves 6 %
_TEXT = "about.json"
_REMEDY = "Use a file from Colorizer.save, or copy it again."
_Arrays: TypeAlias = dict[str, Array]
_T = TypeVar("_T")
Layout: TypeAlias = Mapping[str, tuple[tuple[int, ...] | None, np.dtype[Any]]]  # shape, None for any, and dtype


def numbered(pattern: str, values: Iterable[_T]) -> dict[str, _T]:
    """Return values by the numbered names of their arrays, from ``WEIGHT`` or ``HINTS``."""
    return {pattern.format(index): value for index, value in enumerate(values)}


def compact(weight: Array) -> Array:
    """Return a weight in float16 if that is lossless, and otherwise unchanged."""
    with np.errstate(over="ignore"):
        half = weight.astype(np.float16)
    return half if np.array_equal(half, weight) else weight


def encode_model(about: dict[str, Any], arrays: _Arrays) -> bytes:
    """Pack a model as bytes: ``about.json`` and an ``.npy`` member for each array, reproducibly."""
    text = json.dumps({"format": FORMAT, **about}, indent=1).encode()
    if len(arrays) > MOST_ARRAYS or len(text) > _LONGEST_TEXT:
        raise ModelFileError(
            f"expected a model of at most {MOST_ARRAYS} arrays and {_LONGEST_TEXT:,} bytes of text, got {len(arrays)} "
            f"and {len(text):,}. Make the network, its options or its history smaller."
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, _LEVEL)

        add(_TEXT, text)
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, np.asarray(array, order="C"), allow_pickle=False)
            add(f"{name}.npy", content.getvalue())
    return packed.getvalue()


class PackedModel:
    """Opened model file. The text is read at once, and arrays later, by their expected layout.

    Parameters
    ----------
    content : bytes
        The archive.
    where : str
        Name of the file in errors.

    Raises
    ------
    ModelFileError
        The bytes are not a model, are damaged, or come from a newer version of labcolor.
    """

    def __init__(self, content: bytes, where: str) -> None:
        self._where = where
        if content[:4] != b"PK\x03\x04":
            raise ModelFileError(f"{where}: expected a labcolor model, got a file of another kind. {_REMEDY}")
        with _decoding(where):
            self._archive = zipfile.ZipFile(io.BytesIO(content))
            members = self._archive.infolist()
            self._members = {member.filename: member for member in members}
            if "model.weights.h5" in self._members:
                raise ModelFileError(
                    f"{where}: expected a labcolor model, got a Keras file, whose layers could execute code. Let fit "
                    f"keep the best weights, with validation and checkpoint, and use Colorizer.save."
                )
            if _TEXT not in self._members:
                raise ModelFileError(f"{where}: expected a labcolor model, got another kind of archive. {_REMEDY}")
            if sum(member.file_size for member in members) > _LARGEST:
                raise ModelFileError(f"{where}: expected at most {_LARGEST:,} bytes unpacked, got more. {_REMEDY}")
            if len(members) > MOST_ARRAYS + 1:
                raise ModelFileError(f"{where}: expected at most {MOST_ARRAYS} arrays, got {len(members)}. {_REMEDY}")
            kinds = {member.compress_type for member in members}
            if len(self._members) < len(members) or not kinds <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ModelFileError(f"{where}: expected members with different names, deflated. {_REMEDY}")
            if self._members[_TEXT].file_size > _LONGEST_TEXT:
                raise ModelFileError(f"{where}: expected at most {_LONGEST_TEXT:,} bytes of text, got more. {_REMEDY}")
            about = json.loads(self._archive.read(_TEXT))
        number = about.get("format") if isinstance(about, dict) else None
        if isinstance(number, bool) or not isinstance(number, int) or number < FORMAT:
            raise ModelFileError(f"{where}: expected a labcolor model, got format {shortened(number)}. {_REMEDY}")
        if number > FORMAT:
            raise ModelFileError(
                f"{where}: expected a model of format {FORMAT}, got format {shortened(number)}. Upgrade labcolor."
            )
        self.about: dict[str, Any] = about

    @property
    def names(self) -> set[str]:
        """Names of the arrays."""
        return {name.removesuffix(".npy") for name in self._members if name != _TEXT}

    def arrays(self, layout: Layout) -> _Arrays:
        """Read all arrays after checking their shapes and dtypes.

        Parameters
        ----------
        layout : mapping
            Names of the arrays, with shapes and dtypes. The file may contain floats as float16.

        Returns
        -------
        dict of str to ndarray
            The arrays, in the dtypes of the layout.

        Raises
        ------
        ModelFileError
            An array is missing, unknown, damaged, of another shape or dtype, or not finite.
        """
        wrong = sorted({f"{name}.npy" for name in layout} ^ (set(self._members) - {_TEXT}))
        if wrong:
            there = "an unknown" if wrong[0] in self._members else "no"
            raise ModelFileError(
                f"{self._where}: expected the {len(layout)} arrays of its architecture, got {there} "
                f"{shortened(wrong[0])}. {_REMEDY}"
            )
        with _decoding(self._where):
            return {name: self._array(name, *expected) for name, expected in layout.items()}

    def _array(self, name: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> Array:
        """Read one array after checking its header."""
        member = self._members[f"{name}.npy"]
        stored = {dtype, np.dtype(np.float16)} if dtype.kind == "f" else {dtype}
        with self._archive.open(member) as file:
            version, header = npy.read_magic(file), npy.read_array_header_1_0(file)
            shape, found = header[0] if shape is None else shape, header[2]
            size = file.tell() + math.prod(shape) * found.itemsize
            known = version == (1, 0) and header[:2] == (shape, False) and found.newbyteorder("=") in stored
            if not known or member.file_size != size:
                raise ModelFileError(
                    f"{self._where}: {name}: expected {dtype} of shape {shape}, as in its architecture, got another "
                    f"array. {_REMEDY}"
                )
            array = np.frombuffer(file.read(), found).reshape(shape).astype(dtype)
        if not np.isfinite(array).all():
            raise ModelFileError(f"{self._where}: {name}: expected finite numbers, got nan or inf. {_REMEDY}")
        return array


@contextmanager
def _decoding(where: str) -> Iterator[None]:
    """Convert the errors of zipfile and json, of many classes, to a ModelFileError."""
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(f"{where}: damaged: {type(error).__name__}: {error}. {_REMEDY}") from error


def write_model(path: PathLike, content: bytes) -> None:
    """Write a packed model completely, or raise an InputError or a ModelFileError."""
    path = as_path("path", path)
    check_destination(path, ModelFileError)
    write_file(path, lambda temporary: temporary.write_bytes(content), ModelFileError)


def read_model(path: PathLike, sha256: str | None = None) -> bytes:
    """Read a packed model, and check its SHA-256 if it is given.

    Raises
    ------
    ModelFileError
        The file is missing, unreadable, too large, or has another SHA-256.
    """
    path = as_path("path", path)
    try:
        with open_regular(path, ModelFileError) as file:
            size = os.fstat(file.fileno()).st_size
            if size > _LARGEST:
                raise ModelFileError(f"{path}: expected a labcolor model of at most {_LARGEST:,} bytes, got more.")
            content = file.read(size + 1)  # virtual files may be endless
        if len(content) != size:
            raise ModelFileError(f"{path}: changed while it was read. Try again.")
    except ModelFileError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelFileError(f"{path}: cannot be read: {reason}. Check the path.") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{path}: its SHA-256 is not the packaged model's. Reinstall labcolor.")
    return content
