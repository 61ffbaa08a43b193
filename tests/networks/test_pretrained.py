"""The packaged models."""

import dataclasses

import pytest

from labcolor import Colorizer, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, ModelFileError
from labcolor.networks import PACKAGED_MODELS


def test_pretrained_models_are_the_ones_that_were_published(monkeypatch):
    """Each packaged model loads, has a card, and is refused if its SHA-256 differs."""
    for name, model in PACKAGED_MODELS.items():
        assert isinstance(Colorizer.from_pretrained(name), Colorizer)
        for word in ("Data", "Recipe", "Measured", "Limits"):
            assert f"## {word}" in model.card
    changed = dataclasses.replace(PACKAGED_MODELS["reference"], sha256="0" * 64)
    monkeypatch.setitem(PACKAGED_MODELS, "reference", changed)
    with pytest.raises(ModelFileError, match="SHA-256"):
        Colorizer.from_pretrained("reference")


@pytest.mark.parametrize("name", ["vgg", "../secrets", "", None, 3])
def test_unknown_pretrained_names(name):
    """An unknown name lists the known ones."""
    known = ", ".join(map(repr, PACKAGED_MODELS))
    with pytest.raises(InputError, match=f"name: expected one of {known}"):
        Colorizer.from_pretrained(name)


def test_the_old_name_of_the_default_warns(tmp_path, photographs):
    """The default model of 0.1 was called classifier: the library and the command line load today's, with a warning."""
    with pytest.warns(FutureWarning, match="'efficientnet'"):
        assert Colorizer.from_pretrained("classifier").network == "efficientnet"
    write_picture(tmp_path / "a.png", photographs[0][::8, ::8])
    with pytest.warns(FutureWarning, match="'efficientnet'"):
        assert main(["colorize", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--model", "classifier"]) == 0
