"""Choices by name."""

from typing import get_args

from labcolor.base.choices import CodecName, HueName, PackagedName
from labcolor.io.codecs import CODECS
from labcolor.networks import PACKAGED_MODELS
from labcolor.video.look import HUES


def test_names_are_those_that_exist():
    """Annotations and the command line name all packaged models, codecs and hues, and no others."""
    assert set(get_args(PackagedName)) == set(PACKAGED_MODELS)
    assert set(get_args(CodecName)) == set(CODECS)
    assert set(get_args(HueName)) == set(HUES)
