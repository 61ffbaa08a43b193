"""The packaged models."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from labcolor.base.validation import one_of, require
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import read_model

__all__ = ["DEFAULT_MODEL", "PACKAGED_MODELS", "PackagedModel", "load_packaged"]


@dataclass(frozen=True)
class PackagedModel:
    """A packaged model.

    Parameters
    ----------
    name : str
        Its name for :meth:`labcolor.Colorizer.from_pretrained`.
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


DEFAULT_MODEL = "efficientnet"
PACKAGED_MODELS = {
    model.name: model
    for model in (
        PackagedModel("efficientnet", "0a154793e9a7ad5e197411f6ebb79a3d6c4ad2d96e90405727b51a699ad32f3a"),
        PackagedModel("reference", "cdd701a5dda7c586946721286eb019cb071e05efb4fddcfb4a726f28efd4a2c6"),
    )
}


def load_packaged(name: str) -> FittedModel:
    """Load a packaged model.

    Parameters
    ----------
    name : str
        One of :data:`PACKAGED_MODELS`.

    Returns
    -------
    FittedModel

    Raises
    ------
    InputError
        The name is unknown.
    ModelFileError
        Its file is missing, damaged, or differs from the published one.
    """
    require("name", name, one_of(*PACKAGED_MODELS))
    model = PACKAGED_MODELS[name]
    with resources.as_file(resources.files("labcolor") / "weights" / model.file) as path:
        return FittedModel.from_bytes(read_model(path, model.sha256), str(path))
