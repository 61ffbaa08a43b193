"""The packaged models."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Final, TypeGuard

from labcolor.base.choices import PackagedName
from labcolor.base.paths import as_path
from labcolor.base.validation import one_of, require, shortened
from labcolor.errors import InputError
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import read_model


@dataclass(frozen=True)
class PackagedModel:
    """A packaged model.

    Parameters
    ----------
    name : str
        Name for :meth:`labcolor.Colorizer.from_pretrained`.
    sha256 : str
        SHA-256 of its file.
    """

    name: str
    sha256: str

    @property
    def file(self) -> str:
        """Name of its file in ``labcolor/weights``."""
        return f"{self.name}.labcolor"

    @property
    def card(self) -> str:
        """Text of its model card, in Markdown."""
        return (resources.files("labcolor") / "weights" / f"{self.name}.md").read_text(encoding="utf-8")


DEFAULT_MODEL: Final[PackagedName] = "efficientnet"
PACKAGED_MODELS = {
    model.name: model
    for model in (
        PackagedModel("efficientnet", "e8dc93064b830215ce9f0b0bcb6d38a86cdcc506904233376f75bada4a2786d1"),
        PackagedModel("reference", "cdd701a5dda7c586946721286eb019cb071e05efb4fddcfb4a726f28efd4a2c6"),
    )
}


def is_packaged(model: str | os.PathLike[str], parameter: str) -> TypeGuard[PackagedName]:
    """Return whether a value names a packaged model, rather than a model file. ``parameter`` is its name in errors.

    Raises
    ------
    InputError
        The value is neither a packaged model, nor a path with a folder or an ending, nor an existing file.
    """
    if model in PACKAGED_MODELS:
        return True
    if isinstance(model, str) and Path(model).name == model and not (Path(model).suffix or os.path.exists(model)):
        expected = f"{one_of(*PACKAGED_MODELS).expected} or the path of a model file"
        raise InputError(f"{parameter}: expected {expected}, got {shortened(model)}.{_suggestion(model)}")
    return False


def _suggestion(name: str) -> str:
    """Return a suggestion of the packaged model with a similar name, or an empty text."""
    close = get_close_matches(name.lower(), PACKAGED_MODELS, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def load_packaged(name: PackagedName) -> FittedModel:
    """Load one of :data:`PACKAGED_MODELS`.

    Raises
    ------
    InputError
        The name is unknown.
    ModelFileError
        The file is missing, damaged, or differs from the published file.
    """
    known = one_of(*PACKAGED_MODELS)
    if name and isinstance(name, str | os.PathLike) and name not in PACKAGED_MODELS:
        remedy = _suggestion(as_path("name", name).name) or " Use Colorizer.load for a model file."
        raise InputError(f"name: expected {known.expected}, got {shortened(name)}.{remedy}")
    require("name", name, known)
    model = PACKAGED_MODELS[name]
    with resources.as_file(resources.files("labcolor") / "weights" / model.file) as path:
        return FittedModel.from_bytes(read_model(path, model.sha256), str(path))
