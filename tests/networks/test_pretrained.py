"""The packaged models."""

import dataclasses

import pytest

from labcolor import Colorizer
from labcolor.errors import InputError, ModelFileError
from labcolor.networks import PACKAGED_MODELS


def test_pretrained_models_are_the_ones_that_were_published(monkeypatch):
    """Each packaged model loads, has a card of one page, and is refused if its SHA-256 differs."""
    for name, model in PACKAGED_MODELS.items():
        assert isinstance(Colorizer.from_pretrained(name), Colorizer)
        for word in ("Data", "Recipe", "Measured", "Limits"):
            assert f"## {word}" in model.card
        assert len(model.card.split()) <= 700
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
