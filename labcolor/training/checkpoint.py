"""Checkpoints: the state of a training in one file of plain arrays and JSON."""

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

_ABOUT = "about"  # name of the JSON member
_DIGESTS = ("pictures", "start", "validation")  # compared by hashes, which are not shown
_REMEDY = "Choose another path for the checkpoint, or delete this one to start again."


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after a step.

    Parameters
    ----------
    state : dict
        Numbers and texts, such as the step, the history and the seed.
    arrays : dict of str to ndarray
        Variables of the network and of the optimizer, and the best weights so far.
    """

    state: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)


class CheckpointFile:
    """File of checkpoints. Each checkpoint is written beside it and then renamed.

    Parameters
    ----------
    path : Path
        The file.
    about : mapping
        Numbers and texts by name that must be equal for a training and its checkpoint.
    seconds : float
        Time between two checkpoints.

    Attributes
    ----------
    found : Checkpoint or None
        The existing checkpoint.
    constants : Checkpoint
        State and arrays of every checkpoint.

    Raises
    ------
    ModelFileError
        The file is damaged, or contains a checkpoint of another training.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], seconds: float) -> None:
        self._path, self.seconds = path, seconds
        self._about = json.loads(json.dumps({"labcolor": __version__, **about}))
        check_destination(path, ModelFileError)
        self.found = self._read()
        self.constants = Checkpoint({})

    def write(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, or raise a ModelFileError, for example on a full disk, and keep the previous one."""
        about = {"about": self._about, "state": {**self.constants.state, **checkpoint.state}}
        arrays: dict[str, Any] = {_ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8)}
        arrays |= {**self.constants.arrays, **checkpoint.arrays}
        # a fixed name, so that killed processes leave at most one file
        temporary = self._path.with_name(f".{self._path.name}.new")
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
                f"{self._path}: the checkpoint cannot be written: {error.strerror or error}. Free disk space. The "
                f"previous checkpoint is intact."
            ) from error

    def _read(self) -> Checkpoint | None:
        """Read the checkpoint, or return None if there is none yet."""
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as content, np.load(content, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(bytes(arrays.pop(_ABOUT)))
            found, state = dict(about["about"]), dict(about["state"])
        except OSError as error:
            raise ModelFileError(f"{self._path}: cannot be read: {error.strerror or error}. {_REMEDY}") from error
        except (AttributeError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ModelFileError(
                f"{self._path}: expected a checkpoint of labcolor, got another file or a damaged one. {_REMEDY}"
            ) from error
        for name, wanted in self._about.items():
            if found.get(name) != wanted:
                values = f" is {shortened(found.get(name))}, not {shortened(wanted)}"
                differs = " differ" if name == "pictures" else " differs" if name in _DIGESTS else values
                raise ModelFileError(f"{self._path}: a checkpoint of another training: its {name}{differs}. {_REMEDY}")
        return Checkpoint(state, arrays)
