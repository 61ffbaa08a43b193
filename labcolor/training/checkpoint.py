"""Checkpoints: all that an interrupted training needs to go on, in one file of plain arrays and JSON."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from labcolor._version import __version__
from labcolor.base.paths import check_destination
from labcolor.base.typing import Array
from labcolor.base.validation import shortened
from labcolor.errors import ModelFileError

__all__ = ["Checkpoint", "CheckpointFile"]

_FORMAT = 1
_ABOUT = "about"  # the member of JSON
_DIGESTS = ("pictures", "start", "validation")  # they are compared by hashes, which tell a person nothing
_REMEDY = "Choose another path for the checkpoint, or delete this one to begin anew."


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a step.

    Parameters
    ----------
    state : dict
        Numbers and texts: the step, the history, the seed.
    arrays : dict of str to ndarray
        Variables of the network and of the optimizer, and the best weights so far.
    """

    state: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)

    def group(self, name: str) -> list[Array]:
        """Return the arrays of one group, in their order."""
        return [array for key, array in self.arrays.items() if key.startswith(f"{name}/")]


class CheckpointFile:
    """A file that is written again and again, always beside its place and then renamed.

    Parameters
    ----------
    path : Path
        The file.
    about : mapping
        What a training must have in common with its checkpoint, by name: numbers and texts.
    """

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self._path = path
        self._about = json.loads(json.dumps({"labcolor": __version__, **about}))
        check_destination(path, ModelFileError)

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint.

        Raises
        ------
        ModelFileError
            It cannot be written, as on a full disk. The one before stays as it was.
        """
        about = {"format": _FORMAT, "about": self._about, "state": checkpoint.state}
        arrays: dict[str, Any] = {_ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8), **checkpoint.arrays}
        temporary = self._path.with_name(f".{self._path.name}.new")  # one name, so that kills leave one file at most
        try:
            with temporary.open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise ModelFileError(
                f"{self._path}: the checkpoint cannot be written: {error.strerror or error}. Make room; the checkpoint "
                f"before this one is whole."
            ) from error

    def read(self) -> Checkpoint | None:
        """Read the checkpoint, or return None if there is none yet.

        Raises
        ------
        ModelFileError
            The file is damaged, or a checkpoint of another training.
        """
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(bytes(arrays.pop(_ABOUT)))
            found, state = about["about"], about["state"]
            known = about["format"] == _FORMAT and isinstance(found, dict) and isinstance(state, dict)
        except OSError as error:
            raise ModelFileError(f"{self._path}: cannot be read: {error.strerror or error}. {_REMEDY}") from error
        except (AttributeError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ModelFileError(
                f"{self._path}: expected a checkpoint of labcolor, got another or a damaged file. {_REMEDY}"
            ) from error
        if not known:
            raise ModelFileError(f"{self._path}: expected a checkpoint of this version of labcolor. {_REMEDY}")
        for name, wanted in self._about.items():
            if found.get(name) != wanted:
                values = f" is {shortened(found.get(name))}, not {shortened(wanted)}"
                differs = " differ" if name == "pictures" else " differs" if name in _DIGESTS else values
                raise ModelFileError(f"{self._path}: a checkpoint of another training: its {name}{differs}. {_REMEDY}")
        return Checkpoint(state, arrays)
