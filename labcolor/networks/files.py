"""The model file: a zip archive of one JSON text and plain arrays, in which nothing can be executed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import numpy as np

from labcolor._paths import as_path, check_destination, replacing
from labcolor._typing import Array, PathLike
from labcolor.errors import ModelFileError

__all__ = ["FORMAT", "decode_model", "encode_model", "read_model", "write_model"]

FORMAT = 2  # 1: labcolor 0.1
_LARGEST = 1 << 30  # bytes, unpacked: a file that claims more is refused before it is unpacked
_LEVEL = 1  # of deflate: pickles are made of this, too, and 6 takes eight times as long for 6 % less
Arrays = dict[str, Array]


def encode_model(about: dict[str, Any], arrays: Arrays) -> bytes:
    """Pack a model as bytes: ``about.json`` and an ``.npy`` member for each array. The same model, the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, content: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, _LEVEL)

        add("about.json", json.dumps({"format": FORMAT, **about}, indent=1).encode())
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            add(f"{name}.npy", content.getvalue())
    return packed.getvalue()


def decode_model(content: bytes, where: str) -> tuple[dict[str, Any], Arrays]:
    """Unpack what :func:`encode_model` packed.

    Raises
    ------
    ModelFileError
        The bytes are not a model, are damaged, or come from a newer version of labcolor.
    """
    remedy = "Use a file that Colorizer.save wrote; if it is one, copy it again."
    if content[:4] != b"PK\x03\x04":
        raise ModelFileError(f"{where}: expected a labcolor model, got a file of another kind. {remedy}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if "about.json" not in archive.namelist():
                raise ModelFileError(f"{where}: expected a labcolor model, got another kind of archive. {remedy}")
            if sum(member.file_size for member in members) > _LARGEST:
                raise ModelFileError(f"{where}: expected at most {_LARGEST:,} bytes unpacked, got more. {remedy}")
            about = json.loads(archive.read("about.json"))
            if not isinstance(about, dict) or not isinstance(about.get("format"), int):
                raise ModelFileError(f"{where}: expected a labcolor model, got no format number. {remedy}")
            if about["format"] > FORMAT:
                raise ModelFileError(
                    f"{where}: expected a model of format {FORMAT} or older, got format {about['format']}. "
                    f"Upgrade labcolor."
                )
            arrays = {}
            for member in members:
                if member.filename != "about.json":
                    array = np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
                    arrays[member.filename.removesuffix(".npy")] = array
            return about, arrays
    except ModelFileError:
        raise
    except Exception as error:  # zipfile, json and numpy raise many kinds on damaged files
        raise ModelFileError(f"{where}: damaged: {type(error).__name__}: {error}. {remedy}") from error


def write_model(path: PathLike, content: bytes) -> None:
    """Write a packed model; the file appears whole or not at all.

    Raises
    ------
    InputError
        The path is a folder.
    ModelFileError
        The file cannot be written.
    """
    path = as_path("path", path)
    check_destination(path, ModelFileError)
    try:
        with replacing(path, ModelFileError) as temporary:
            temporary.write_bytes(content)
    except ModelFileError:
        raise
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written: {error.strerror or error}.") from error


def read_model(path: PathLike, sha256: str | None = None) -> bytes:
    """Read a packed model, and check its SHA-256 if one is given.

    Raises
    ------
    ModelFileError
        The file is missing, may not be read, is too large, or is not the expected one.
    """
    path = as_path("path", path)
    try:
        if path.stat().st_size > _LARGEST:
            raise ModelFileError(f"{path}: expected a labcolor model of at most {_LARGEST:,} bytes, got more.")
        content = path.read_bytes()
    except ModelFileError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelFileError(f"{path}: cannot be read: {reason}. Check the path.") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{path}: its SHA-256 is not the packaged model's. Reinstall labcolor.")
    return content
