"""Names for types that many modules share."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import numpy.typing as npt

__all__ = ["Array", "PathLike"]

Array: TypeAlias = npt.NDArray[Any]
PathLike: TypeAlias = str | os.PathLike[str]
