"""The models that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from labcolor._validation import one_of, require
from labcolor.networks.files import read_model
from labcolor.networks.fitted import FittedModel

__all__ = ["PACKAGED_MODELS", "PackagedModel", "load_packaged"]


@dataclass(frozen=True)
class PackagedModel:
    """One model of the package.

    Parameters
    ----------
    name : str
        What :meth:`labcolor.Colorizer.from_pretrained` calls it.
    sha256 : str
        Of its file.
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


PACKAGED_MODELS = {
    model.name: model
    for model in (
        PackagedModel("classifier", "00df096c09c12c8a181dd75b47ebc3e0f467f4f1e3609e777cb5b337c7fb1162"),
        PackagedModel("reference", "064f32ae82e267c2b9325127f47c88fc6a73cd74eae390e78fbd822a420394fa"),
    )
}


def load_packaged(name: str) -> FittedModel:
    """Load a model of the package.

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
        There is no such model.
    ModelFileError
        Its file is missing, damaged, or not the one that was published.
    """
    require("name", name, one_of(*PACKAGED_MODELS))
    model = PACKAGED_MODELS[name]
    with resources.as_file(resources.files("labcolor") / "weights" / model.file) as path:
        return FittedModel.from_bytes(read_model(path, model.sha256), str(path))
